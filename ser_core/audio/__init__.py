"""From any audio to the speech that a model hears: decoding, voice activity detection, normalisation."""

SAMPLE_RATE = 16_000  # Hz, the only rate silero's network and the rest of this project work at

"""What is left of a recording after a codec, through FFmpeg's libraries (PyAV)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.changes.lines import fit_length
from ser_core.audio.decode import decode
from ser_core.audio.level import within_full_scale
from ser_core.audio.preprocess import resample


@dataclass(frozen=True)
class Codec:
    """A way to store or send sound.

    Attributes:
        encoder, container: FFmpeg's names.
        rate: Hz at which it is encoded.
        sample_format: FFmpeg's name of what the encoder takes.
        options: of the encoder; its effort is that of a phone, which is a third faster than the most careful.
    """

    encoder: str
    container: str
    rate: int = SAMPLE_RATE
    sample_format: str = "s16"
    options: Mapping[str, str] = field(default_factory=dict)


CODECS = {
    "opus": Codec("libopus", "ogg", options={"application": "voip", "compression_level": "5"}),
    "mp3": Codec("libmp3lame", "mp3", sample_format="s16p", options={"compression_level": "7"}),
    "mulaw": Codec("pcm_mulaw", "wav", rate=8_000),
}
"""Calls over the internet, files, and telephone lines (ITU-T G.711, always 64 kbit/s), by name."""


def through_codec(waveform: np.ndarray, codec: str, bitrate: int = 64_000) -> np.ndarray:
    """Encode and decode float32 `[samples]` at 16 kHz; as long as before, every sound where it was.

    Louder than full scale can't be encoded: such a waveform is turned down as far as it has to be.

    Args:
        codec: one of `CODECS`.
        bitrate: bits a second.
    """
    encoded = encode(within_full_scale(waveform), CODECS[codec], bitrate)
    decoded = decode(encoded)
    return fit_length(resample(decoded.samples[0], decoded.rate), len(waveform))


def encode(waveform: np.ndarray, codec: Codec, bitrate: int) -> bytes:
    """A file that holds float32 `[samples]` at 16 kHz in ±1."""
    import av

    if codec.rate != SAMPLE_RATE:
        import soxr

        waveform = soxr.resample(waveform, SAMPLE_RATE, codec.rate, quality="HQ")
    integers = np.round(np.clip(waveform, -1, 1) * 32767).astype(np.int16)
    file = io.BytesIO()
    with av.open(file, "w", format=codec.container) as container:
        stream = container.add_stream(codec.encoder, rate=codec.rate, options=dict(codec.options))
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        stream.format = codec.sample_format
        stream.bit_rate = bitrate
        frame = av.AudioFrame.from_ndarray(integers[None], format=codec.sample_format, layout="mono")
        frame.sample_rate = codec.rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return file.getvalue()

"""How well the pitch contour follows a voice: each frame by itself, and the path through all frames, beside pYIN.

The reference is librosa's `pyin` (Mauch and Dixon 2014) on the shared CREMA-D clips, which is much slower than either.
No clip has a known pitch: where two trackers that work differently agree, both are likely right.
"""

from __future__ import annotations

import time

import librosa
import numpy as np

from benchmarks.robustness import SHARED
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio, preprocess
from ser_core.features.contours import has_pitch, loudness_and_pitch
from ser_core.features.pitch import HIGHEST_HZ, LOWEST_HZ
from ser_core.training.config import usual_config

CLIPS = 60
HOP = 160  # samples
REFERENCE_WINDOW = 1024  # samples: pYIN compares halves of it, each of which is to hold two periods of the lowest pitch
GROSS = np.log2(1.2)  # octaves: a gross error is one of more than 20 %
JUMP = 0.25  # octaves from one frame to the next: more than voices do in 10 ms


def measure(waveforms: list[np.ndarray], references: list[tuple[np.ndarray, np.ndarray]], *, path: bool) -> str:
    """What is printed of one way: how it compares with pYIN's pitch and voiced frames of each clip, and what it takes.

    Args:
        waveforms: of speech, float32 `[samples]` at 16 kHz each.
        references: octaves above 1 Hz and whether frames are voiced, `[frames]` each.
    """
    seconds, gross, jumps, agreed = 0.0, [], [], []
    for waveform, (reference, voiced_there) in zip(waveforms, references, strict=True):
        started = time.perf_counter()
        _, octaves, voicing = loudness_and_pitch(waveform, HOP, path=path)
        seconds += time.perf_counter() - started
        voiced = has_pitch(voicing, path=path)
        both = voiced & voiced_there
        gross.append(np.abs(octaves - reference)[both] > GROSS)
        jumps.append(np.abs(np.diff(octaves))[voiced[1:] & voiced[:-1]] > JUMP)
        agreed.append(voiced == voiced_there)
    per_second = 1000 * seconds / (sum(map(len, waveforms)) / SAMPLE_RATE)
    shares = [f"{np.concatenate(part).mean():.1%}" for part in (gross, jumps, agreed)]
    return (
        f"off by more than 20 %: {shares[0]}; jumps of more than a quarter of an octave: {shares[1]}; "
        f"voiced or not as there: {shares[2]}; {per_second:.1f} ms a second of speech"
    )


def main() -> None:
    files = sorted((SHARED / "crema-d" / "clips").glob("*.wav"))
    config = usual_config("conformer").audio
    waveforms, references = [], []
    for file in files[:: max(1, len(files) // CLIPS)][:CLIPS]:
        waveform = preprocess(load_audio(file), config).waveform
        if not len(waveform):
            continue
        hertz, voiced, _ = librosa.pyin(
            waveform,
            fmin=LOWEST_HZ,
            fmax=HIGHEST_HZ,
            sr=SAMPLE_RATE,
            frame_length=REFERENCE_WINDOW,
            hop_length=HOP,
        )
        waveforms.append(waveform)
        references.append((np.log2(np.where(voiced, hertz, 1)), voiced))
    print(f"{len(waveforms)} shared clips, beside librosa's pYIN")
    for name, path in (("each frame by itself", False), ("path through all frames", True)):
        print(f"{name:24} {measure(waveforms, references, path=path)}")


if __name__ == "__main__":
    main()

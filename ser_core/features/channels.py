"""What each spectral channel is called, what it measures and in what unit: for figures, and for those who learn.

A sentence says what makes a channel high or low. Measures of a frame are those of `ser_core.features.descriptors`.
"""

from __future__ import annotations

from typing import NamedTuple

PITCH_CLASSES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
MIDDLE_C = 440 * 2 ** (-9 / 12)  # Hz, for A = 440 Hz

REPORT = "the report, section 3.1"
KEDEM = "Kedem 1986, Spectral analysis and discrimination by zero-crossings"
ELLIS = "Ellis 2007, Chroma feature analysis and synthesis"
DAVIS = "Davis and Mermelstein 1980, Comparison of parametric representations for monosyllabic word recognition"


class Channel(NamedTuple):
    """One row of the spectral features.

    Attributes:
        name: as figures call it.
        unit: of its values.
        says: what it measures, in a sentence or two.
        source: where it is defined.
    """

    name: str
    unit: str
    says: str
    source: str


def zero_crossing_channels() -> tuple[Channel]:
    """The zero-crossing rate."""
    says = (
        "How often the wave changes its sign: a share of the frame's samples. High for hisses, as s and f, which "
        "change fast; low for vowels and hums."
    )
    return (Channel("ZCR", "share of samples", says, KEDEM),)


def chroma_channels() -> tuple[Channel, ...]:
    """The twelve pitch classes."""
    return tuple(
        Channel(
            f"chroma {pitch}",
            "share of strongest",
            f"How much of the sound is a {pitch}, in whichever octave ({', '.join(_octaves(i))} Hz and so on), beside "
            "the strongest pitch class of the frame, which is 1. It follows the melody of a voice; hisses have all "
            "twelve.",
            ELLIS,
        )
        for i, pitch in enumerate(PITCH_CLASSES)
    )


def _octaves(semitone: int) -> list[str]:
    return [f"{MIDDLE_C * 2 ** (octave + semitone / 12):.0f}" for octave in (-1, 0, 1)]


def mfcc_channels(n_mfcc: int, n_mels: int) -> tuple[Channel, ...]:
    """The mel-frequency cepstral coefficients of `n_mels` bands."""
    return tuple(Channel(f"MFCC {i}", "dB", _mfcc_says(i, n_mels), DAVIS) for i in range(n_mfcc))


def _mfcc_says(i: int, n_mels: int) -> str:
    if i == 0:
        return (
            f"Loudness: all {n_mels} mel bands in dB, added up and divided by √{n_mels}. High where it is loud, far "
            "down in a pause."
        )
    if i == 1:
        return (
            "Tilt: low bands minus high bands. High for vowels and hums, whose energy is at the bottom; below zero for "
            "hisses."
        )
    if i == 2:
        return "Bend: the lowest and highest bands minus those between. Low where the middle, near 1.7 kHz, stands out."
    detail = (
        "Broad ones as this change from vowel to vowel." if i <= 5 else "Narrow ones as this are details of a voice."
    )
    return (
        f"Ripples: how well a wave of {i} half-periods over the {n_mels} mel bands, {n_mels / i:.1f} bands each, fits "
        f"the shape of the spectrum; below zero where its opposite fits. {detail}"
    )


def rms_channels() -> tuple[Channel]:
    """The root mean square."""
    says = (
        "The size of the wave: the root of the mean of its squares over the frame. High where it is loud. After "
        "z-scoring it says how loud beside the rest of this recording, and no more how loud the recording is."
    )
    return (Channel("RMS", "unit of the waveform", says, REPORT),)

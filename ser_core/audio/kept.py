"""From the speech that a network hears back to the recording that it was cut out of."""

from __future__ import annotations

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import AudioConfig, Speech, heard_part, padded


def kept_intervals(speech: Speech, config: AudioConfig) -> np.ndarray:
    """The sample intervals of a recording that its speech consists of.

    Args:
        speech: from `ser_core.audio.preprocess.preprocess` with this `config`.

    Returns:
        int64 `[n, 2]`, half-open, of `speech.audio`, in order; together as long as `speech.waveform`.
    """
    part = heard_part(speech.audio, config)
    return (
        padded(speech.intervals - part.start, round(config.vad_pad * SAMPLE_RATE), part.stop - part.start) + part.start
    )


def in_recording(kept: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Where samples of the speech lie in its recording.

    Args:
        kept: `[n, 2]` from `kept_intervals`, n > 0.
        samples: positions in the speech, `[m]`, also between two samples; what is beyond an end is taken for the end.

    Returns:
        float64 `[m]`, positions in the recording.
    """
    ends = np.cumsum(kept[:, 1] - kept[:, 0])
    inside = np.clip(samples, 0, ends[-1] - 1)
    which = np.searchsorted(ends, inside, side="right")
    return kept[which, 1] - ends[which] + inside


def part_of(kept: np.ndarray, start: int, end: int) -> np.ndarray:
    """The intervals of the recording `[m, 2]` that the speech's samples from `start` up to `end` come from.

    Args:
        kept: `[n, 2]` from `kept_intervals`.
    """
    ends = np.cumsum(kept[:, 1] - kept[:, 0])
    shift = (kept[:, 1] - ends)[:, None]
    part = np.clip(kept, start + shift, end + shift)
    return part[part[:, 0] < part[:, 1]]

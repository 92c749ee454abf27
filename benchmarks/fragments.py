"""Beginnings of a recording: how often each checkpoint is right with only a part of the voice, and how sure it is.

Live hears who has only begun to speak, and a recording may end in the midst of a word. Each clip is cut where a share
of its voice has passed, from the first sound to the last that silero-vad hears. These are the shared clips of CREMA-D's
test part and, where the clips of RAVDESS are, two of each speaker and emotion. A model that hears no voice in what is
left is asked all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from benchmarks.robustness import ravdess_clips, shared_clips
from ser_core.audio.preprocess import detect_speech, load_audio
from ser_core.corpus.recordings import Recording
from ser_core.emotions import EMOTION_NAMES
from ser_core.errors import NoSpeechError
from ser_core.records.checkpoints import checkpoints_dir, list_checkpoints
from ser_core.serving.prediction import Prediction
from ser_core.serving.predictor import Predictor

SHARES = (1.0, 0.85, 0.7, 0.5, 0.3)
N_EACH = 2  # clips of RAVDESS, of each speaker and emotion
THREADS = 2


def of_each_speaker(clips: Sequence[Recording]) -> list[Recording]:
    """As many clips of each speaker and emotion, spread over their names."""
    groups: dict[tuple[Hashable, str], list[Recording]] = {}
    for clip in clips:
        groups.setdefault((clip.speaker, clip.emotion), []).append(clip)
    return [clip for group in groups.values() for clip in group[:: max(1, len(group) // N_EACH)][:N_EACH]]


def beginning(waveform: np.ndarray, share: float) -> np.ndarray:
    """What is heard of `[samples]` until a share of its voice has passed; with a share of 1, all of it."""
    if share == 1:
        return waveform
    intervals = detect_speech(waveform).intervals
    if not len(intervals):
        return waveform
    first, behind = intervals[0, 0], intervals[-1, 1]
    return waveform[: round(first + share * (behind - first))]


def answers(predictor: Predictor, waveforms: Sequence[np.ndarray]) -> list[Prediction | None]:
    """What it says of each; None where it finds no speech at all."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(partial(_answer, predictor), waveforms))


def _answer(predictor: Predictor, waveform: np.ndarray) -> Prediction | None:
    try:
        return predictor.classify(waveform, any_sound=True)
    except NoSpeechError:
        return None


def print_table(what: str, predictors: dict[str, Predictor], waveforms: Sequence[np.ndarray], truth: list[str]) -> None:
    """A line a checkpoint: how often it is right, its mean score, and the emotion that it names most."""
    print(f"\n{what}: right / mean score / what is named most, and how often")
    width = max(map(len, predictors)) + 2
    print(f"{'of the voice':{width}}" + "".join(f"{f'{share:.0%}':>30}" for share in SHARES))
    cut = {share: [beginning(waveform, share) for waveform in waveforms] for share in SHARES}
    for name, predictor in predictors.items():
        cells = []
        for share in SHARES:
            found = answers(predictor, cut[share])
            right = np.mean(
                [said is not None and said.emotion == true for said, true in zip(found, truth, strict=True)]
            )
            heard = [said for said in found if said is not None]
            if not heard:
                cells.append("no speech")
                continue
            most, n_most = Counter(said.emotion for said in heard).most_common(1)[0]
            score = np.mean([said.confidence for said in heard])
            cells.append(f"{right:.0%} / {score:.2f} / {EMOTION_NAMES[most]} {n_most / len(heard):.0%}")
        print(f"{name:{width}}" + "".join(f"{cell:>30}" for cell in cells), flush=True)


def main() -> None:
    """Print the tables."""
    predictors = {name: Predictor.load(name) for name in list_checkpoints(checkpoints_dir())}
    clips, waveforms = shared_clips()
    what = f"CREMA-D, {len(clips)} clips of the report's test part, whose speakers are in training, too"
    print_table(what, predictors, waveforms, [clip.emotion for clip in clips])
    if others := of_each_speaker(ravdess_clips()):
        what = f"RAVDESS, {len(others)} clips of {len({clip.speaker for clip in others})} speakers, none trained on"
        print_table(what, predictors, [load_audio(clip.path) for clip in others], [clip.emotion for clip in others])


if __name__ == "__main__":
    main()

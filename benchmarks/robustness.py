"""How often a label survives what microphones, rooms and lines do to a recording, for each checkpoint.

On the shared clips of CREMA-D's test part: under each change of `ser_core.audio.changes.registry`, the share of
clips whose label is the one of the unchanged clip, and the accuracy. No speech found counts as another label, and as
wrong. Then, where the clips of RAVDESS are, the unweighted average recall on them: six emotions, calm taken for
neutral, surprise left out.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from ser_core.audio.changes.registry import CHANGES, apply_change
from ser_core.audio.preprocess import load_audio
from ser_core.corpus.clips import Clip, load_index
from ser_core.corpus.folder import Corpus
from ser_core.corpus.recordings import Recording
from ser_core.corpus.registry import open_recordings
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import NoSpeechError
from ser_core.records.checkpoints import checkpoints_dir, list_checkpoints
from ser_core.records.metrics import evaluate
from ser_core.serving.predictor import Predictor
from ser_core.training.allocator import keep_freed_memory

SHARED = Path(__file__).parents[2] / "shared"
NO_SPEECH = -1


def shared_clips(n_clips: int | None = None) -> tuple[list[Clip], list[np.ndarray]]:
    """The sound shared clips of the test part, and their sound; only some, evenly over the emotions, with `n_clips`.

    Ends the program where there are none.
    """
    corpus = Corpus(SHARED / "crema-d" / "clips")
    clips = [c for c in load_index().values() if c.name in corpus.present and c.report_split == "test" and not c.defect]
    if not clips:
        sys.exit(f"error: there are no clips in {corpus.folder}.")
    if n_clips is not None:
        n_each = max(1, n_clips // len(EMOTIONS))
        groups = [[clip for clip in clips if clip.emotion == emotion] for emotion in EMOTIONS]
        clips = [clip for group in groups for clip in group[:: max(1, len(group) // n_each)][:n_each]]
    return clips, [corpus.load(clip) for clip in clips]


def labels(predictor: Predictor, waveforms: Sequence[np.ndarray]) -> np.ndarray:
    """What it hears in each float32 `[samples]` at 16 kHz: index into `EMOTIONS`, or `NO_SPEECH`."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.array(list(pool.map(partial(_label, predictor), waveforms)))


def _label(predictor: Predictor, waveform: np.ndarray) -> int:
    try:
        return EMOTIONS.index(predictor.classify(waveform).emotion)
    except NoSpeechError:
        return NO_SPEECH


def under_changes(
    predictors: dict[str, Predictor], clips: Sequence[Clip], waveforms: Sequence[np.ndarray]
) -> Iterator[tuple[str, dict[str, tuple[float, float]]]]:
    """Share of labels unchanged, and accuracy, by checkpoint: first of the clips as they are, then for each change."""
    targets = np.array([EMOTIONS.index(clip.emotion) for clip in clips])
    before = {name: labels(predictor, waveforms) for name, predictor in predictors.items()}
    yield "unchanged", {name: (1.0, float((heard == targets).mean())) for name, heard in before.items()}
    for change, (label, _) in CHANGES.items():
        changed = [apply_change(change, waveform, clip.name) for clip, waveform in zip(clips, waveforms, strict=True)]
        heard = {name: labels(predictor, changed) for name, predictor in predictors.items()}
        yield (
            label,
            {
                name: (float(((now == before[name]) & (now != NO_SPEECH)).mean()), float((now == targets).mean()))
                for name, now in heard.items()
            },
        )


def ravdess_clips() -> tuple[Recording, ...]:
    """Those of the six emotions; none where the corpus isn't."""
    folder = SHARED / "ravdess" / "clips"
    return open_recordings(folder).clips if folder.is_dir() else ()


def print_ravdess(predictors: dict[str, Predictor], clips: Sequence[Recording]) -> None:
    """A line a checkpoint: unweighted average recall with its interval over speakers and clips, and each recall."""
    waveforms = [load_audio(clip.path) for clip in clips]
    targets = np.array([EMOTIONS.index(clip.emotion) for clip in clips])
    speakers = [str(clip.speaker) for clip in clips]
    print(f"\nRAVDESS, {len(clips)} clips of {len(set(speakers))} actors, none trained on; chance is {1 / 6:.1%}")
    for name, predictor in predictors.items():
        heard = labels(predictor, waveforms)
        silent = heard == NO_SPEECH
        # A clip in which no speech was found counts as wrong: as the emotion after the one that was meant.
        said = np.where(silent, (targets + 1) % len(EMOTIONS), heard)
        scores = evaluate(targets.tolist(), said.tolist(), speakers=speakers)
        low, high = scores.intervals["uar"]
        recalls = ", ".join(f"{EMOTION_NAMES[e]} {scores.per_class[e].recall:.0%}" for e in EMOTIONS)
        print(
            f"{name:26} unweighted average recall {scores.uar:.1%} ({low:.1%} to {high:.1%}); recall of {recalls}"
            f"{f'; no speech in {silent.sum()}' if silent.any() else ''}",
            flush=True,
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, metavar="N", help="only so many of the shared clips, and no RAVDESS")
    args = parser.parse_args()
    keep_freed_memory()
    predictors = {name: Predictor.load(name) for name in list_checkpoints(checkpoints_dir())}
    clips, waveforms = shared_clips(args.clips)
    print(
        f"CREMA-D, {len(clips)} clips of the report's test part, whose speakers are in training, too: "
        "same label / accuracy"
    )
    width = max(map(len, predictors)) + 2
    print(f"{'':30}" + "".join(f"{name:>{width}}" for name in predictors))
    for label, shares in under_changes(predictors, clips, waveforms):
        cells = (f"{same:.0%} / {right:.0%}" for same, right in shares.values())
        print(f"{label:30}" + "".join(f"{cell:>{width}}" for cell in cells), flush=True)
    if args.clips is None and (others := ravdess_clips()):
        print_ravdess(predictors, others)


if __name__ == "__main__":
    main()

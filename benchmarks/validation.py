"""Validation clips as they are, changed and cut: what decides between networks whose accuracies are too close to say.

CREMA-D's validation part of the report's split has 261 clips: an accuracy of them is known to five points. So networks
of one kind are compared by the mean loss on these clips as they are, under changes of
`ser_core.audio.changes.registry`, and cut where a share of the voice has passed. Neither test clips nor another corpus
is looked at. Other checkpoints than the project's: `SER_CHECKPOINTS_DIR`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks import open_corpus
from benchmarks.fragments import answers, beginning
from ser_core.audio.changes.registry import CHANGES, apply_change
from ser_core.corpus.clips import Clip
from ser_core.emotions import EMOTIONS
from ser_core.records.checkpoints import checkpoints_dir, list_checkpoints
from ser_core.serving.predictor import Predictor

CHANGED = ("telephone", "less-bass", "gate", "pink-15", "babble-15", "room")
SHARES = (0.85, 0.7, 0.5, 0.3)


def kinds(clips: Sequence[Clip], waveforms: Sequence[np.ndarray]) -> Iterator[tuple[str, list[np.ndarray]]]:
    """What is done to all clips, in words, and the clips: float32 `[samples]` at 16 kHz each."""
    yield "as they are", list(waveforms)
    for change in CHANGED:
        pairs = zip(clips, waveforms, strict=True)
        yield CHANGES[change].label, [apply_change(change, waveform, clip.name) for clip, waveform in pairs]
    for share in SHARES:
        yield f"{share:.0%} of the voice", [beginning(waveform, share) for waveform in waveforms]


def scores(predictor: Predictor, waveforms: Sequence[np.ndarray], truth: Sequence[str]) -> tuple[float, float, float]:
    """Accuracy and share that is named fear, 0..1, and mean loss in nats; no speech counts as every emotion alike."""
    found = answers(predictor, waveforms)
    meant = [1 / len(EMOTIONS) if one is None else one.probabilities[e] for one, e in zip(found, truth, strict=True)]
    said = np.array([None if one is None else one.emotion for one in found])
    loss = float(-np.log(np.maximum(meant, 1e-6)).mean())
    return float((said == np.array(truth)).mean()), loss, float((said == "FEA").mean())


def main() -> None:
    """Print a table: a line a change, a column a checkpoint."""
    corpus, present = open_corpus()
    clips = [clip for clip in present if clip.report_split == "val"]
    waveforms, truth = [corpus.load(clip) for clip in clips], [clip.emotion for clip in clips]
    predictors = {name: Predictor.load(name) for name in list_checkpoints(checkpoints_dir())}
    print(f"CREMA-D, {len(clips)} validation clips of the report's split: right / loss / named fear")
    width = max(map(len, predictors)) + 2
    print(f"{'':30}" + "".join(f"{name:>{width}}" for name in predictors))
    losses: dict[str, list[float]] = {name: [] for name in predictors}
    for label, changed in kinds(clips, waveforms):
        cells = []
        for name, predictor in predictors.items():
            right, loss, fear = scores(predictor, changed, truth)
            losses[name].append(loss)
            cells.append(f"{right:.1%} / {loss:.3f} / {fear:.0%}")
        print(f"{label:30}" + "".join(f"{cell:>{width}}" for cell in cells), flush=True)
    print(f"{'mean loss':30}" + "".join(f"{np.mean(of_one):>{width}.3f}" for of_one in losses.values()))


if __name__ == "__main__":
    main()

"""What adaptation to a speaker gives, by number of clips, for each checkpoint: `ser_core.serving.adaptation`.

Of each speaker, so many clips are drawn that nobody labels, and the speaker's other clips are classified; the mean of
ten draws. With "all", each speaker's clips are classified after adaptation to all of them, as a folder is.

- RAVDESS, which none was trained on: unweighted average recall of six emotions, calm taken for neutral. Clips in which
  no voice is recognised are left out.
- The same, of clips in a neutral voice only: taken for clips in whatever emotion, and for what they are.
- The validation clips of CREMA-D, whose speakers are in training, too: there is nothing to win; does it hurt?
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.metrics import recall_score

from benchmarks.robustness import ravdess_clips
from ser_core.audio.preprocess import load_audio
from ser_core.corpus.clips import by_name
from ser_core.corpus.folder import Corpus
from ser_core.corpus.splits import load_split
from ser_core.emotions import EMOTIONS
from ser_core.errors import NoSpeechError
from ser_core.models.network import Network
from ser_core.records.checkpoints import checkpoints_dir, list_checkpoints
from ser_core.serving.adaptation import learn
from ser_core.serving.predictor import Predictor
from ser_core.training.allocator import keep_freed_memory

N_CLIPS = (1, 3, 5, 10, 20)
N_NEUTRAL = (1, 2, 3, 5)
N_DRAWS = 10
NEUTRAL = "NEU"


def embedded(predictor: Predictor, waveforms: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of those in which there is speech, and which they are."""
    speeches = {}
    for i, waveform in enumerate(waveforms):
        try:
            speeches[i] = predictor.prepare(waveform).waveform
        except NoSpeechError:
            continue
    return predictor.embeddings(list(speeches.values())), np.array(list(speeches))


def answers(
    predictor: Predictor, embeddings: np.ndarray, of_speaker: np.ndarray | None, emotion: str | None = None
) -> np.ndarray:
    """Index into `EMOTIONS` for each embedding, after adaptation to the speaker in that emotion, or in any."""
    assert isinstance(predictor.model, Network)
    if of_speaker is not None:
        assert predictor.statistics
        adaptation = learn(list(of_speaker[:, None]), predictor.statistics, emotion=emotion)
        embeddings = embeddings * adaptation.scale + adaptation.shift
    with torch.inference_mode():
        return predictor.model.classifier(torch.from_numpy(embeddings)).argmax(1).numpy()


def recalls(
    predictor: Predictor,
    embeddings: np.ndarray,
    targets: np.ndarray,
    speakers: np.ndarray,
    n_clips: int | None,
    seed: int = 0,
) -> tuple[float, float]:
    """Unweighted average recall without, and with adaptation to so many clips a speaker; to all of them with None."""
    rng = np.random.default_rng(seed)
    asked, adapted = [], []
    for speaker in np.unique(speakers):
        own = rng.permutation(np.flatnonzero(speakers == speaker))
        heard, others = (own, own) if n_clips is None else (own[:n_clips], own[n_clips:])
        if len(others):
            asked.append(others)
            adapted.append(answers(predictor, embeddings[others], embeddings[heard]))
    clips = np.concatenate(asked)
    plain = answers(predictor, embeddings[clips], None)
    meant = targets[clips]
    return _recall(meant, plain), _recall(meant, np.concatenate(adapted))


def neutral_recalls(
    predictor: Predictor, embeddings: np.ndarray, targets: np.ndarray, speakers: np.ndarray, n_clips: int, seed: int
) -> tuple[float, float, float]:
    """Recall without, with so many neutral clips a speaker in whatever emotion, and with them as neutral ones."""
    rng = np.random.default_rng(seed)
    said: list[np.ndarray] = []
    meant: list[np.ndarray] = []
    for speaker in np.unique(speakers):
        own = rng.permutation(np.flatnonzero(speakers == speaker))
        heard = own[targets[own] == EMOTIONS.index(NEUTRAL)][:n_clips]
        others = np.setdiff1d(own, heard)
        if len(heard) < n_clips or not len(others):
            continue
        ways = ((None, None), (embeddings[heard], None), (embeddings[heard], NEUTRAL))
        said.append(np.stack([answers(predictor, embeddings[others], of, emotion) for of, emotion in ways]))
        meant.append(targets[others])
    plain, unnamed, named = np.concatenate(said, axis=1)
    of = np.concatenate(meant)
    return _recall(of, plain), _recall(of, unnamed), _recall(of, named)


def _recall(meant: np.ndarray, said: np.ndarray) -> float:
    return float(recall_score(meant, said, labels=np.unique(meant), average="macro"))


def print_curves(predictors: dict[str, Predictor], title: str, clips: Sequence[tuple[np.ndarray, str, int]]) -> None:
    """A line a checkpoint: by number of clips, without and with; then of neutral clips, if speakers have enough."""
    waveforms, emotions, speakers = zip(*clips, strict=True)
    targets = np.array([EMOTIONS.index(emotion) for emotion in emotions])
    usual = np.median(np.unique(speakers, return_counts=True)[1])
    numbers = [n for n in N_CLIPS if n < usual]
    print(f"\n{title}, {len(clips)} clips of {len(set(speakers))} speakers: without and with so many clips")
    embedded_by: dict[str, tuple[Predictor, np.ndarray, np.ndarray, np.ndarray]] = {}
    print(f"{'':26}" + "".join(f"{n:>16}" for n in (*numbers, "all")))
    for name, predictor in predictors.items():
        embeddings, kept = embedded(predictor, waveforms)
        of = embedded_by[name] = (predictor, embeddings, targets[kept], np.array(speakers)[kept])
        curve = [np.mean([recalls(*of, n, seed) for seed in range(N_DRAWS)], axis=0) for n in numbers]
        cells = (f"{plain:.1%} {adapted:.1%}" for plain, adapted in (*curve, recalls(*of, None)))
        print(f"{name:26}" + "".join(f"{cell:>16}" for cell in cells), flush=True)
    if N_CLIPS[-1] >= usual:
        return
    print(f"\n{title}: without, with so many neutral clips in whatever emotion, and with them as neutral ones")
    print(f"{'':26}" + "".join(f"{n:>21}" for n in N_NEUTRAL))
    for name, of in embedded_by.items():
        means = [np.mean([neutral_recalls(*of, n, seed) for seed in range(N_DRAWS)], axis=0) for n in N_NEUTRAL]
        cells = (" ".join(f"{recall:.1%}" for recall in three) for three in means)
        print(f"{name:26}" + "".join(f"{cell:>21}" for cell in cells), flush=True)


def main() -> None:
    """Print the curves."""
    keep_freed_memory()
    predictors = {name: Predictor.load(name) for name in list_checkpoints(checkpoints_dir())}
    corpus = Corpus.open()
    validation = by_name(load_split("report").val)
    if all(clip.name in corpus.present for clip in validation):
        clips = [(corpus.load(clip), clip.emotion, clip.actor.id) for clip in validation]
        print_curves(predictors, "CREMA-D, validation part", clips)
    if others := ravdess_clips():
        print_curves(
            predictors, "RAVDESS", [(load_audio(clip.path), clip.emotion, int(clip.speaker or 0)) for clip in others]
        )


if __name__ == "__main__":
    main()

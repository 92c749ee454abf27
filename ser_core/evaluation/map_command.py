"""Draw where a checkpoint puts its test clips: `ser map`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ser_core.command import friendly_errors
from ser_core.command_line import CheckpointName, CorpusFolder, Switch, parse
from ser_core.errors import CheckpointError, NoSpeechError
from ser_core.evaluation.asked import asked_checkpoints, refuse_both

if TYPE_CHECKING:
    from ser_core.corpus.folder import Corpus
    from ser_core.records.embedding_map import EmbeddingMap
    from ser_core.serving.predictor import Predictor

PROG = "ser map"
AT_ONCE = 32  # clips whose sound is in memory


@dataclass(frozen=True)
class MapCommand:
    """Draw where a checkpoint puts its test clips of CREMA-D, for the app's page Map and for clips like a recording.

    The map is kept beside the checkpoint's weights, as map.safetensors.

    Attributes:
        checkpoint: the trained network, a folder's name in checkpoints/.
        every_checkpoint: draw those of all that can be used, one after the other.
        corpus: folder with the wav files.
    """

    checkpoint: CheckpointName = None
    every_checkpoint: Switch = False
    corpus: CorpusFolder = None


def parse_arguments(arguments: Sequence[str] | None = None, prog: str = PROG) -> MapCommand:
    """The command line.

    Raises:
        ConfigError: it names a checkpoint, and asks for every one.
    """
    args = parse(MapCommand, arguments, prog=prog)
    refuse_both(args.checkpoint, args.every_checkpoint)
    return args


@friendly_errors()
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> None:
    """Draw what the command line says."""
    args = parse_arguments(arguments, prog)
    from tqdm import tqdm

    from ser_core.corpus.folder import Corpus
    from ser_core.places import require_writable
    from ser_core.records.checkpoints import checkpoints_dir, load_config
    from ser_core.records.embedding_map import MAP_FILE, save_map

    root, corpus = checkpoints_dir(), Corpus.open(args.corpus)
    names = asked_checkpoints(root, args.checkpoint, args.every_checkpoint)
    require_writable(root)
    from ser_core.evaluation.unheard import tested_clips
    from ser_core.serving.predictor import Predictor  # torch takes seconds to load

    tested = {name: tested_clips(load_config(root / name)) for name in names}
    for clips in tested.values():
        corpus.require(corpus.clips(clips))
    for name, clips in tested.items():
        with tqdm(total=len(clips), unit=" clips", desc=name, leave=False) as bar:
            drawn = draw(Predictor.load(name, root=root), corpus, clips, bar.update)
        save_map(root / name, drawn)
        print(f"{name}: {len(drawn.names):,} clips, kept in {root / name / MAP_FILE}")


def draw(
    predictor: Predictor, corpus: Corpus, clips: Sequence[str], progress: Callable[[int], object] | None = None
) -> EmbeddingMap:
    """The map of some clips; those in which nothing can be heard are left out.

    As in training, somebody is taken to speak in every clip, also where no voice is recognised.

    Args:
        progress: called with how many clips were heard since the last time.

    Raises:
        CheckpointError: the network says nothing of an embedding.
        CorpusError: a file is missing or damaged, or too few clips can be heard.
    """
    import numpy as np

    from ser_core.analysis.similarity import make_map

    names, embeddings, probabilities = [], [], []
    for start in range(0, len(clips), AT_ONCE):
        speeches = {}
        for name in clips[start : start + AT_ONCE]:
            try:
                speeches[name] = predictor.prepare(corpus.load(name), any_sound=True)
            except NoSpeechError:
                continue
        for name, prediction in zip(speeches, predictor.classify_speeches(list(speeches.values())), strict=True):
            if prediction.embedding is None:
                raise CheckpointError(f"The network of checkpoint {prediction.checkpoint} has no embedding.")
            names.append(name)
            embeddings.append(prediction.embedding)
            probabilities.append(list(prediction.probabilities.values()))
        if progress:
            progress(len(clips[start : start + AT_ONCE]))
    return make_map(names, np.array(embeddings), np.array(probabilities))

"""Whether a record is of the corpus that is evaluated: two corpora may have the same name."""

from __future__ import annotations

from pathlib import Path

from ser_core.corpus.recordings import Recordings, label_checksum
from ser_core.errors import RunError
from ser_core.evaluation.unheard import unheard
from ser_core.records.checkpoints import load_config
from ser_core.records.evaluations import load_evaluation
from ser_core.words import counted


def refuse_another_corpus(folder: Path, recordings: Recordings, checkpoint: Path) -> None:
    """Keep the record of another corpus, or of this one as it was.

    Args:
        folder: where the record is to be.
        recordings: the corpus that is evaluated.
        checkpoint: the folder of what is evaluated on it.

    Raises:
        RunError: there is one, of what, and how to go on.
    """
    try:
        old = load_evaluation(folder).corpus
    except RunError:
        return  # there is none that can be read
    if old.contents:
        same = old.contents == recordings.contents
    else:  # an older record says less
        same = old.checksum == label_checksum(unheard(recordings, load_config(checkpoint)).clips)
    if not same:
        raise RunError(
            f"{folder} is the record of other clips, or other labels, than {recordings.folder} has now: of "
            f"{counted(old.clips, 'clip')}. Give this corpus a --name of its own, or replace the record "
            "with --replace."
        )

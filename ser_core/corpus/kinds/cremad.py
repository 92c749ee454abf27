"""CREMA-D (Cao et al. 2014): `1001_DFA_ANG_XX.wav`."""

from __future__ import annotations

from pathlib import PurePath

from ser_core.corpus.clips import load_actors
from ser_core.corpus.names import parse_name
from ser_core.corpus.recordings import Labelled
from ser_core.errors import CorpusError


def read(path: PurePath) -> Labelled | None:
    """What a name says; None if it is not one of this corpus."""
    try:
        name = parse_name(path.stem)
    except CorpusError:
        return None
    return Labelled(path.stem, name.emotion, str(name.actor), load_actors()[name.actor].sex)

"""Who is trained on, who is validated on, who is tested on.

`listing_4` is the report's random split, in which a speaker's clips fall on both sides; `speaker_folds` keeps every
actor on one side. Both are deterministic.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_core.corpus.clips import Clip, by_name, load_index
from ser_core.errors import ConfigError
from ser_core.json_file import read_json

RANDOM_SEED = 42
REPORT_SPLIT_ID = "386df9667a2f"
"""Of the report's split, see `Split.id`: known without reading the index."""

FOLD_IDS = ("675f368795c6", "5bcba265508b", "893b5dcc354d", "a6b990b1226d", "c935f0815399")
"""Of `speaker_folds`, likewise."""

N_FOLDS = 5
SPLITS = ("report", *(f"fold{k}" for k in range(1, N_FOLDS + 1)))
"""Names of all splits: the report's, and the five speaker-independent folds."""


@dataclass(frozen=True)
class Split:
    """Clip names of the three parts; every part is sorted as its source made it, none overlap."""

    name: str
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that differ when any part does."""
        text = "\n".join(" ".join(part) for part in (self.train, self.val, self.test))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def speakers(self, names: Sequence[str]) -> frozenset[Hashable]:
        """Who speaks in these clips: actors, by id."""
        return frozenset(clip.actor.id for clip in by_name(names))

    @property
    def test_speakers(self) -> frozenset[Hashable]:
        """Those who are tested on."""
        return self.speakers(self.test)

    @property
    def shared_speakers(self) -> frozenset[Hashable]:
        """Those of them who are trained on as well."""
        return self.test_speakers & self.speakers(self.train)


def is_split(name: str) -> bool:
    """Whether `load_split` may know it: one of `SPLITS`, or a JSON file."""
    return name in SPLITS or name.endswith(".json")


def load_split(name: str) -> Split:
    """The split of that name, one of `SPLITS`, or of a JSON file with lists of clip names `train`, `val`, `test`.

    Raises:
        ConfigError: there is none, or the file doesn't hold one.
    """
    if name == "report":
        return report_split()
    if name in SPLITS:
        return speaker_folds()[SPLITS.index(name) - 1]
    if name.endswith(".json"):
        return _read_split(Path(name))
    raise ConfigError(f"There is no split {name!r}. Choose one of {', '.join(SPLITS)}, or give a JSON file.")


def _read_split(path: Path) -> Split:
    try:
        parts = read_json(path, "utf-8-sig")  # some editors begin a file with a byte order mark
        train, val, test = (tuple(map(_clip_name, parts[name])) for name in ("train", "val", "test"))
        split = Split(path.stem, train, val, test)
        counts = Counter((*split.train, *split.val, *split.test))
    except FileNotFoundError:
        raise ConfigError(f"There is no split file {path}.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(
            f'{path} holds no split. It should be {{"train": [names of clips], "val": [...], "test": [...]}}.'
        ) from None
    if not (split.train and split.val and split.test):
        raise ConfigError(f"{path} has an empty part: train, val and test each need clips.")
    if unknown := counts.keys() - load_index().keys():
        raise ConfigError(
            f"{path} names {len(unknown)} clip(s) that CREMA-D doesn't have, as {min(map(str, unknown))}."
        )
    if twice := [name for name, n in counts.items() if n > 1]:
        raise ConfigError(f"{path} names {len(twice)} clip(s) more than once, as {twice[0]}.")
    return split


def _clip_name(name: Any) -> Any:
    """A clip's name where its file is named."""
    return re.sub(r"\.wav$", "", name, flags=re.IGNORECASE) if isinstance(name, str) else name


def report_split() -> Split:
    """The report's split, 4,948 / 261 / 2,233 clips, as the index records it (no scikit-learn needed)."""
    parts: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for clip in load_index().values():
        parts[clip.report_split].append(clip.name)
    return Split("report", tuple(parts["train"]), tuple(parts["val"]), tuple(parts["test"]))


def listing_4(names: Sequence[str], labels: Sequence[str]) -> dict[str, str]:
    """The report's listing 4 on sorted names: each name's part, `train`, `val` or `test`."""
    from sklearn.model_selection import train_test_split

    order = sorted(range(len(names)), key=lambda i: names[i])
    files, emotions = [names[i] for i in order], [labels[i] for i in order]
    train_val_files, test_files, train_val_labels, _ = train_test_split(
        files, emotions, test_size=0.30, random_state=RANDOM_SEED, stratify=emotions
    )
    train_files, val_files = train_test_split(
        train_val_files, test_size=0.05, random_state=RANDOM_SEED, stratify=train_val_labels
    )
    return {
        name: part
        for part, group in (("train", train_files), ("val", val_files), ("test", test_files))
        for name in group
    }


def speaker_folds(clips: Sequence[Clip] | None = None) -> tuple[Split, ...]:
    """Five folds without a common actor, stratified by emotion.

    Fold k is tested on the k-th group of actors, validated on the next, and trained on the other three.

    Args:
        clips: what is split; all 7,442 clips if not given.

    Raises:
        ConfigError: fewer actors than folds.
    """
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold

    clips = list(load_index().values() if clips is None else clips)
    names = np.array([clip.name for clip in clips])
    labels = [clip.emotion for clip in clips]
    groups = [clip.actor.id for clip in clips]
    if len(set(groups)) < N_FOLDS:
        raise ConfigError(f"{N_FOLDS} folds need clips of {N_FOLDS} actors or more, not of {len(set(groups))}.")
    splitter = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=RANDOM_SEED)
    parts = [names[held_out] for _, held_out in splitter.split(names, labels, groups)]
    folds = []
    for k in range(N_FOLDS):
        rest = np.concatenate([parts[(k + i) % N_FOLDS] for i in range(2, N_FOLDS)])
        folds.append(
            Split(
                f"fold{k + 1}",
                tuple(sorted(rest.tolist())),
                tuple(parts[(k + 1) % N_FOLDS].tolist()),
                tuple(parts[k].tolist()),
            )
        )
    return tuple(folds)

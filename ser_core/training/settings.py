"""Whether what stands under a run's name is what was asked for: a run is its settings, not its name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ser_core.corpus.splits import SPLITS, Split, load_split
from ser_core.errors import RunError
from ser_core.models.registry import MODELS
from ser_core.records.runs import read_config
from ser_core.records.schema import UNKNOWN
from ser_core.training.compute import Compute
from ser_core.training.config import TrainConfig, usual_warmup


@dataclass(frozen=True)
class Settings:
    """What decides a run's result.

    Attributes:
        config: its configuration.
        split_id: of the split's clips, which decides where the configuration names a file: a file can change, and the
            same split can lie in another place. None where a record doesn't say.
        precision, numerics: as in `ser_core.training.compute.Compute`; `auto` where nobody asked for one, and any will
            do: which one it is depends on the machine.
    """

    config: TrainConfig
    split_id: str | None
    precision: str = "auto"
    numerics: str = "auto"

    def difference(self, other: Settings, *, epochs: bool = True) -> str:
        """In what other settings differ from these, as `seed 7 instead of 42`; nothing where they don't.

        Args:
            epochs: whether the number of epochs counts.
        """
        here, there = self.config.effective.flat, other.config.effective.flat
        skipped = {"split"} if epochs else {"split", "epochs"}
        if not epochs and self._has_usual_warmup and other._has_usual_warmup:
            skipped.add("warmup_epochs")
        changed = [key for key in here if key not in skipped and here[key] != there[key]]
        sentences = [f"{key.replace('_', ' ')} {there[key]} instead of {here[key]}" for key in changed]
        return ", ".join(sentences + self._split_difference(other) + self._arithmetic_difference(other))

    def _split_difference(self, other: Settings) -> list[str]:
        here, there = self.config.split, other.config.split
        if self.split_id and other.split_id:
            if self.split_id == other.split_id:
                return []
            if here == there:
                return [f"the split {here} with other clips, {other.split_id} instead of {self.split_id}"]
        return [f"split {there} instead of {here}"] if here != there else []

    def _arithmetic_difference(self, other: Settings) -> list[str]:
        parts = [("precision", self.precision, other.precision)]
        if MODELS[self.config.model].takes_images:
            parts.append(("numerics", self.numerics, other.numerics))
        return [
            f"{name} {there} instead of {here}"
            for name, here, there in parts
            if here != there and "auto" not in (here, there)
        ]

    @property
    def _has_usual_warmup(self) -> bool:
        return self.config.warmup_epochs == usual_warmup(self.config.epochs, self.config.model)


def settings_of(config: TrainConfig, split: Split | None = None, compute: Compute = Compute()) -> Settings:
    """What is asked for.

    Args:
        split: clips to use instead of the configured split's.
        compute: what is asked for of the arithmetic.

    Raises:
        ConfigError: there is no such split.
    """
    if split is not None:
        split_id = split.id
    else:
        split_id = _known_id(config.split) if config.split in SPLITS else load_split(config.split).id
    return Settings(config, split_id, compute.precision, compute.numerics)


@cache
def _known_id(name: str) -> str:
    return load_split(name).id


def read_settings(folder: Path) -> Settings:
    """What the run in this folder, finished or not, was started with.

    Raises:
        RunError: its config.json is missing, damaged or of another version.
    """
    recorded = read_config(folder)
    environment = recorded.environment
    split_id = None if environment.split_id == UNKNOWN else environment.split_id
    return Settings(recorded.train, split_id, environment.precision, environment.numerics)


UNREADABLE = "its config.json can't be read"


def difference_from(asked: Settings, folder: Path, *, epochs: bool = True) -> str:
    """In what the run in a folder differs from what is asked, or that it doesn't say; nothing where it doesn't."""
    try:
        return asked.difference(read_settings(folder), epochs=epochs)
    except RunError:
        return UNREADABLE

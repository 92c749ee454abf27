"""How an evaluation lets clips be heard: by which networks, as they are or changed, and at which speeds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ser_core.audio.changes.registry import CHANGES, apply_change
from ser_core.audio.changes.spectral import change_speed
from ser_core.audio.preprocess import Speech, preprocess, read_audio
from ser_core.corpus.recordings import Recording
from ser_core.emotions import EMOTIONS
from ser_core.errors import ConfigError
from ser_core.evaluation.unheard import VALIDATION
from ser_core.records.checkpoints import CheckpointConfig
from ser_core.serving.predictor import Predictor

AS_IT_IS = 1.0
SPEEDS = (0.9, AS_IT_IS, 1.1)
"""Of test-time augmentation: within what `--copies` changes in training, pace and pitch together."""
LONGEST_NAME = 150  # characters of what several checkpoints together are called


@dataclass(frozen=True)
class Way:
    """How clips are heard.

    Attributes:
        validation: whether they are the validation clips of a checkpoint's own split of CREMA-D, not what is unheard.
        change: name of one of `CHANGES` that is made to each clip; empty for none.
        speeds: probabilities are the mean over the speech at these; 1 for as it is.
    """

    validation: bool = False
    change: str = ""
    speeds: tuple[float, ...] = (AS_IT_IS,)

    def __post_init__(self) -> None:
        if self.change and self.change not in CHANGES:
            raise ConfigError(f"There is no change {self.change!r}. Choose one of {', '.join(CHANGES)}.")

    @property
    def plain(self) -> bool:
        """Whether the speech is heard once, as it is."""
        return self.speeds == (AS_IT_IS,)

    def corpus_name(self, corpus: str) -> str:
        """What records call clips of a corpus of this name that are heard in this way."""
        return "-".join([corpus, *(["validation"] if self.validation else []), *filter(None, [self.change])])

    def corpus_title(self, title: str) -> str:
        """What people call them."""
        parts = [VALIDATION] if self.validation else []
        return ", ".join([title, *parts, *([CHANGES[self.change].label] if self.change else [])])

    def name(self, checkpoints: Sequence[Path]) -> str:
        """What records call checkpoints, by their folders, that hear so: one that does once, by its own name."""
        names = "+".join(folder.name for folder in checkpoints)
        if len(names) > LONGEST_NAME and len(checkpoints) > 1:
            end = hashlib.sha256(names.encode()).hexdigest()[:8]
            names = f"{names[: LONGEST_NAME - len(end) - 1]}-{end}"
        return names if self.plain else f"{names}+tta"


class Hearing:
    """One or several networks that hear the same speech; their probabilities' mean is the answer.

    Args:
        predictors: of the networks.
        way: how they hear.

    Raises:
        ConfigError: they prepare speech in different ways.
    """

    def __init__(self, predictors: Sequence[Predictor], way: Way = Way()):
        self.predictors, self.way = tuple(predictors), way
        if len({predictor.config.audio for predictor in self.predictors}) > 1:
            raise ConfigError("These checkpoints look for speech in different ways: evaluate each by itself.")

    @property
    def configs(self) -> list[CheckpointConfig]:
        """Of the networks."""
        return [predictor.config for predictor in self.predictors]

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the networks; none of one that hears clips once, as they are."""
        alone = len(self.predictors) == 1 and self.way.plain
        return () if alone else tuple(config.name for config in self.configs)

    def prepare(self, clip: Recording) -> Speech:
        """The speech of a clip, changed first if that is the way.

        As in training, somebody is taken to speak in every clip, also where no voice is recognised, as in some shouts:
        to leave those out would leave out what is hard to hear.

        Raises:
            AudioError: it can't be read, or there is no speech.
        """
        audio, warnings = read_audio(clip.path)
        if self.way.change:
            audio = apply_change(self.way.change, audio, clip.name)
        return preprocess(audio, self.predictors[0].config.audio, warnings).require()

    def probabilities(self, speech: Speech) -> np.ndarray:
        """What is said of it: float64 `[6]` in the order of `EMOTIONS`."""
        views = [replace(speech, waveform=change_speed(speech.waveform, speed)) for speed in self.way.speeds]
        said = [one.probabilities for predictor in self.predictors for one in predictor.classify_speeches(views)]
        return np.mean([[each[emotion] for emotion in EMOTIONS] for each in said], axis=0)


def weights_of(folders: Sequence[Path]) -> str:
    """SHA-256 of checkpoints' files of weights, one after the other."""
    digest = hashlib.sha256()
    for folder in folders:
        digest.update((folder / "model.safetensors").read_bytes())
    return digest.hexdigest()

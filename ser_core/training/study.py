"""Studies: the configurations that a grid trains, in the order in which they are worth having."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ser_core.audio.changes.augment import AugmentationConfig
from ser_core.audio.changes.labels import CHANGE_LABELS
from ser_core.audio.preprocess import AudioConfig
from ser_core.corpus.splits import N_FOLDS
from ser_core.training.config import TrainConfig, usual_warmup
from ser_core.training.future import future_study
from ser_core.training.report_grid import REPORT_ACTIVATIONS, REPORT_MODELS, REPORT_RATES
from ser_core.training.steps import ALL_CHANGES, CHANGES, MIXUP, TOGETHER, Step

# The report's best.
BEST_1D = TrainConfig(model="1d", activation="elu", lr=0.01)
BEST_2D = TrainConfig(model="2d", activation="silu", lr=0.001)
BEST_COMBINED = TrainConfig(model="combined", activation="silu", lr=0.001)
BEST_HERE = (replace(BEST_1D, lr=0.001), BEST_2D, BEST_COMBINED)
"""Of the report's settings, those of our records of its length that have the best validation accuracy of a network."""
SELDOM = {name: CHANGE_LABELS[name] for name in ("codec", "pitch")}
"""Changes of the waveform that are off by default, and what a table calls them."""
SELDOM_SHARE = 0.5  # of the clips, when they are tried
STEP_COPIES = 2  # changed copies of each clip in the study of recordings
NO_NOISE_DB = 200.0  # so far below the voice is as good as none


def report_study() -> list[TrainConfig]:
    """All that the report trained: its table 2, the rest of its 27 configurations, and its variations (section 4.4).

    The report names activation and learning rate of the ResNets and of the combined model on variable-length input
    (table 2). For single-channel 1D features it names neither: they are those of the fixed form's best.
    """
    table_2 = [BEST_2D, BEST_1D, BEST_COMBINED, replace(BEST_COMBINED, form="variable")]
    grid = [
        TrainConfig(model=model, activation=activation, lr=lr)
        for model, lr, activation in itertools.product(REPORT_MODELS, REPORT_RATES, REPORT_ACTIVATIONS)
    ]
    single_channel = [replace(BEST_1D, form="mean"), replace(BEST_COMBINED, form="mean")]
    resnets = [TrainConfig(model=model, activation="relu", lr=0.001) for model in ("resnet38", "resnet101")]
    return list(dict.fromkeys([*table_2, *grid, *single_channel, *resnets]))


def speakers_study() -> list[TrainConfig]:
    """The best of each architecture here, `BEST_HERE`, on speakers it never heard: five folds each."""
    return [replace(best, split=f"fold{fold}") for best in BEST_HERE for fold in range(1, N_FOLDS + 1)]


def recording_steps() -> list[Step]:
    """What makes a network hear the voice and not the recording, step by step, on the one that trains fastest.

    The report's pipeline; the level brought up before speech is looked for; steady noise as well, so that a silent
    background is no cue; then all changes of the waveform and SpecAugment, each of them by itself, and what is off by
    default.
    """
    level = replace(BEST_1D, audio=AudioConfig(pipeline="voice", noise_db=NO_NOISE_DB))
    voice = replace(BEST_1D, audio=AudioConfig(pipeline="voice"))
    report, first, steady = "the report's pipeline", "level before voice activity", "steady noise 50 dB below the voice"
    nothing = AugmentationConfig(noise=0, spectrum=0, room=0, gate=0, gain=0, speed=0)

    def alone(name: str) -> TrainConfig:
        share: Any = getattr(AugmentationConfig(), name) or SELDOM_SHARE
        augmentation = replace(nothing, **{name: share})
        return replace(voice, copies=STEP_COPIES, augmentation=augmentation)

    return [
        Step(report, BEST_1D),
        Step(first, level, report),
        Step(steady, voice, first),
        Step(TOGETHER, replace(voice, copies=STEP_COPIES, spec_augment=2), steady),
        Step(ALL_CHANGES, replace(voice, copies=STEP_COPIES), steady),
        Step("SpecAugment", replace(voice, spec_augment=2), steady),
        *(Step(label, alone(name), steady) for name, label in (CHANGES | SELDOM).items()),
        Step("mixup", replace(voice, mixup=MIXUP), steady),
    ]


def recordings_study() -> list[TrainConfig]:
    """The networks of `recording_steps`."""
    return [step.config for step in recording_steps()]


STUDIES: dict[str, Callable[[], list[TrainConfig]]] = {
    "report": report_study,
    "speakers": speakers_study,
    "recordings": recordings_study,
    "future": future_study,
}


def with_epochs(configs: Iterable[TrainConfig], epochs: int) -> list[TrainConfig]:
    """The same configurations trained for so many epochs, of which at most all warm up."""
    return [replace(c, epochs=epochs, warmup_epochs=usual_warmup(epochs, c.model)) for c in configs]

"""Records with arrays and dicts are compared by content: none raises, and equal ones have equal hashes."""

import copy
import dataclasses
import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from ser_app.uploads import Recording
from ser_core.analysis.raters import Uncertainty
from ser_core.audio.decode import Decoded
from ser_core.audio.preprocess import AudioConfig, Speech, preprocess
from ser_core.corpus.clips import load_index
from ser_core.equality import ByContent
from ser_core.features.config import FeatureConfig
from ser_core.features.feature_set import FeatureSet
from ser_core.records.checkpoints import CheckpointConfig
from ser_core.records.metrics import evaluate
from ser_core.records.predictions import Predictions
from ser_core.records.runs import Run
from ser_core.records.schema import Result, RunConfig
from ser_core.serving.listener import Heard
from ser_core.serving.prediction import Prediction, TimedPrediction
from ser_core.serving.stream import StreamConfig, StreamPrediction, Window
from ser_core.serving.utterances import Moment
from ser_core.training.config import TrainConfig
from ser_core.training.survey import Entry
from tests.helpers import ROOT, tone
from tests.made_records import surroundings

SOUND = tone(200, 0.5)
SPEECH = Speech(SOUND, SOUND, np.array([[0, len(SOUND)]]), True, ("clipped",))
PREDICTION = Prediction({"ANG": 0.9, "SAD": 0.1}, ("unsure",), SPEECH, "lr0.001-SiLU-2D")
METRICS = evaluate([0, 1, 2], [0, 1, 1])
RESULT = Result("diverged", 2, 1, None, 0.5, 9, 6.0, 1.0, METRICS)
CONFIG = RunConfig(TrainConfig(), surroundings(TrainConfig(), "CPU", 3, {}))
RUN = Run("a", CONFIG, {"val_loss": np.array([1.0, np.nan])}, RESULT, Path("runs/a"))
WINDOW = Window(0.0, 3.0, SOUND, "a predictor", StreamConfig())  # type: ignore[arg-type]
MOMENT = StreamPrediction(0.0, 3.0, PREDICTION, {"ANG": 0.8, "SAD": 0.2})
HEARD = Heard(3.0, -20.0, 0.5, SOUND, MOMENT, ({"start": 0.0, "emotion": "ANG"},), (), 0.1, 0.0, 3.0, None)

# A record, and another value of each field that makes it another one.
RECORDS = [
    (SPEECH, {"waveform": -SOUND, "audio": SOUND[:-1], "intervals": np.array([[0, 9]]), "warnings": ()}),
    (PREDICTION, {"probabilities": {"ANG": 0.8, "SAD": 0.2}, "checkpoint": "b", "speech": preprocess(SOUND[:100])}),
    (TimedPrediction(0.0, 3.0, PREDICTION), {"end": 2.0, "prediction": None}),
    (MOMENT, {"smoothed": None, "start": 1.0}),
    (WINDOW, {"audio": 2 * SOUND, "config": StreamConfig(2.0)}),
    (Moment(1.0, 0.5, {"ANG": 0.8, "SAD": 0.2}), {"end": 1.5, "shares": {"ANG": 0.2, "SAD": 0.8}}),
    (HEARD, {"window": SOUND[1:], "rows": ({"start": 0.0, "emotion": "SAD"},), "error": "boom"}),
    (FeatureSet.join([SOUND[None], SOUND[None, :99]]), {"values": SOUND, "starts": np.array([0, 2]), "channels": (2,)}),
    (
        Predictions(("a", "b"), np.array([0, 1]), np.eye(2, 6, dtype=np.float32)),
        {"names": ("b", "a"), "targets": np.array([1, 1]), "probabilities": np.zeros((2, 6), np.float32)},
    ),
    (METRICS, {"intervals_over": "speakers", "intervals": {**METRICS.intervals, "uar": (0.0, 0.1)}}),
    (RESULT, {"val_loss": 1.4, "metrics": evaluate([0, 1, 2], [0, 1, 2])}),
    (CONFIG, {"train": TrainConfig(seed=1)}),
    (CONFIG.environment, {"libraries": {"torch": "1"}, "git_commit": "abc"}),
    (
        RUN,
        {
            "history": {"val_loss": np.array([1.0, 2.0])},
            "config": dataclasses.replace(CONFIG, train=TrainConfig(seed=1)),
            "test": dataclasses.replace(RESULT, epochs=3),
        },
    ),
    (Entry(TrainConfig(), RUN, "recorded", 3), {"run": None, "epochs_done": 4}),
    (
        CheckpointConfig("a", "2d", "silu", "fixed", AudioConfig(), FeatureConfig(), {"test": {"accuracy": 0.5}}),
        {"provenance": {"test": {"accuracy": 0.6}}},
    ),
    (Uncertainty(SOUND, SOUND, 0.5, float("nan")), {"people": -SOUND, "p_value": 0.1}),
    (Decoded(SOUND[None], 16_000, ("damaged",)), {"samples": SOUND[None, 1:], "rate": 8_000}),
    (Recording("a.wav", SOUND), {"audio": SOUND[1:], "clip": next(iter(load_index().values()))}),
]


@pytest.mark.parametrize(("record", "changes"), RECORDS, ids=lambda value: type(value).__name__)
def test_equal_is_who_has_equal_content(record, changes: dict):
    same = copy.deepcopy(record)
    assert same == record
    assert not record.__ne__(same)
    assert hash(same) == hash(record)
    assert len({same, record}) == 1
    for name, value in changes.items():
        other = dataclasses.replace(record, **{name: value})
        assert other != record
        assert len({other, record}) == 2
    assert record != "something else"
    assert record not in (None, SOUND.tolist(), dataclasses.astuple)


def test_the_type_of_numbers_does_not_matter_and_the_shape_does():
    whole = Decoded(np.array([[0.0, 1.0]], np.float32), 16_000)
    for same in (np.array([[0, 1]]), np.array([[-0.0, 1.0]])):
        other = Decoded(same, 16_000)
        assert other == whole
        assert hash(other) == hash(whole)
    assert Decoded(np.array([[0.0], [1.0]], np.float32), 16_000) != whole
    assert Decoded([[0.0, 1.0]], 16_000) != whole  # type: ignore[arg-type]


def test_the_order_of_emotions_does_not_matter():
    turned = dict(reversed(PREDICTION.probabilities.items()))
    other = dataclasses.replace(PREDICTION, probabilities=turned)
    assert other == PREDICTION
    assert hash(other) == hash(PREDICTION)


def records_of(package: str) -> list[type]:
    """All frozen dataclasses of a package."""
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sorted((ROOT / package).rglob("*.py")))
    modules = [importlib.import_module(name.removesuffix(".__init__")) for name in names]
    return [
        found
        for module in modules
        for found in vars(module).values()
        if inspect.isclass(found) and dataclasses.is_dataclass(found) and found.__module__ == module.__name__
        if found.__dataclass_params__.frozen  # type: ignore[attr-defined]
    ]


def test_no_record_with_arrays_or_dicts_is_forgotten():
    records = records_of("ser_core") + records_of("ser_app")
    assert {Speech, Prediction, Run, Recording} <= set(records)
    for record in records:
        types = " ".join(str(field.type) for field in dataclasses.fields(record))
        if re.search(r"\b(ndarray|dict|list|set)\b", types):
            assert issubclass(record, ByContent), record
            assert record.__eq__ is ByContent.__eq__, record
            assert record.__hash__ is ByContent.__hash__, record

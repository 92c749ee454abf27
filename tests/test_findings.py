"""The report's findings, against records that were made to settle them one way or the other."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_core.evidence import Finding, Verdict
from ser_core.findings import FINDINGS, findings
from ser_core.runs import load_runs
from ser_core.study import report_study
from ser_core.train_config import TrainConfig
from tests.test_compare import TARGETS, answering
from tests.test_runs import write_run

CONFIGS = {config.name: config for config in report_study()}
TITLES = (
    "2D beats combined",
    "SiLU beats ReLU by 6 points",
    "ELU is best for 1D",
    "Variable length helps",
    "Lower learning rates are better for 2D and combined",
    "0.01 is best for 1D",
    "A learning rate of 0.1 is too high",
    "FEA is hardest",
    "ANG and HAP are easiest",
    "Mean features are comparable",
    "ResNets overfit",
)


def record(root: Path, name: str, errors: int, *, epochs: int = 150, seed: int = 0, folder: str | None = None) -> None:
    """A run of the report's study that is wrong on so many of 400 clips."""
    said = TARGETS.copy()
    wrong = np.random.default_rng(seed).permutation(len(said))[:errors]
    said[wrong] = (said[wrong] + 1) % 6
    config: TrainConfig = replace(CONFIGS[name], epochs=epochs)
    write_run(root / (folder or name), config, predictions=answering(said))


def found(root: Path, title: str) -> Finding:
    runs, unreadable = load_runs(root)
    assert not unreadable
    return next(finding for finding in findings(runs) if finding.title == title)


def test_without_runs_nothing_is_settled_and_every_run_is_known():
    claims = findings([])
    assert tuple(claim.title for claim in claims) == TITLES
    assert len(FINDINGS) == len(TITLES)
    assert {claim.verdict for claim in claims} == {Verdict.MISSING}
    assert {name for claim in claims for name in claim.runs} <= set(CONFIGS)


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [((100, 180), Verdict.CONFIRMED), ((180, 100), Verdict.CONTRADICTED), ((140, 143), Verdict.UNDECIDED)],
)
def test_two_runs_settle_which_is_better(tmp_path: Path, errors: tuple[int, int], verdict: Verdict):
    record(tmp_path, "lr0.001-SiLU-2D", errors[0])
    assert found(tmp_path, TITLES[0]).verdict == Verdict.MISSING
    record(tmp_path, "lr0.001-SiLU-Combined", errors[1])
    finding = found(tmp_path, TITLES[0])
    assert finding.verdict == verdict
    assert f"{(errors[1] - errors[0]) / 4:+.1f} points" in finding.evidence[-1]


def test_runs_of_different_lengths_settle_nothing_and_say_so(tmp_path: Path):
    record(tmp_path, "lr0.001-SiLU-2D", 100)
    record(tmp_path, "lr0.001-SiLU-Combined", 300, epochs=30)
    finding = found(tmp_path, TITLES[0])
    assert finding.verdict == Verdict.UNEQUAL
    assert "After 150 epochs, `lr0.001-SiLU-2D`" in finding.evidence[0]
    assert "After 30 epochs, `lr0.001-SiLU-Combined`" in finding.evidence[1]
    assert finding.epochs is None


def test_runs_are_compared_at_the_greatest_length_that_all_have(tmp_path: Path):
    record(tmp_path, "lr0.001-SiLU-2D", 50)
    record(tmp_path, "lr0.001-SiLU-2D", 140, epochs=30, folder="lr0.001-SiLU-2D-30")
    record(tmp_path, "lr0.001-SiLU-2D", 160, epochs=10, folder="lr0.001-SiLU-2D-10")
    for epochs in (10, 30):
        record(tmp_path, "lr0.001-SiLU-Combined", 300, epochs=epochs, folder=f"combined-{epochs}")
    finding = found(tmp_path, TITLES[0])
    assert finding.verdict == Verdict.CONFIRMED
    assert "After 30 epochs, `lr0.001-SiLU-2D` is right for 65.0%" in finding.evidence[0]
    assert "+40.0 points" in finding.evidence[-1]
    assert finding.epochs == 30
    record(tmp_path, "lr0.001-SiLU-Combined", 30)
    assert found(tmp_path, TITLES[0]).verdict == Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [((150, 200), Verdict.CONFIRMED), ((131, 250), Verdict.UNDECIDED), ((100, 250), Verdict.CONTRADICTED)],
)
def test_the_best_learning_rate_beats_each_other_one_over_all_activations(
    tmp_path: Path, errors: tuple[int, int], verdict: Verdict
):
    for i, activation in enumerate(("ReLU", "SiLU", "ELU")):
        record(tmp_path, f"lr0.01-{activation}-1D", 130, seed=i)
        record(tmp_path, f"lr0.001-{activation}-1D", errors[0], seed=i + 3)
        record(tmp_path, f"lr0.1-{activation}-1D", errors[1], seed=i + 6)
    finding = found(tmp_path, "0.01 is best for 1D")
    assert finding.verdict == verdict
    assert len(finding.evidence) == 8
    for evidence, other in ((finding.evidence[3], errors[0]), (finding.evidence[7], errors[1])):
        assert evidence.startswith(f"These 3 pairs together: {(other - 130) / 4:+.1f} points")


@pytest.mark.parametrize(("worst", "verdict"), [(2, Verdict.CONFIRMED), (0, Verdict.CONTRADICTED)])
def test_the_hardest_emotion_is_that_of_the_lowest_f1(tmp_path: Path, worst: int, verdict: Verdict):
    said = TARGETS.copy()
    (clips,) = np.nonzero(said == worst)
    said[clips[: len(clips) // 2]] = (worst + 1) % 6
    write_run(tmp_path / "lr0.001-SiLU-2D", CONFIGS["lr0.001-SiLU-2D"], predictions=answering(said))
    assert found(tmp_path, "FEA is hardest").verdict == verdict


@pytest.mark.parametrize(
    ("errors", "verdict"), [(100, Verdict.CONFIRMED), (180, Verdict.CONTRADICTED), (120, Verdict.UNDECIDED)]
)
def test_comparable_is_less_than_three_points_worse(tmp_path: Path, errors: int, verdict: Verdict):
    record(tmp_path, "lr0.001-SiLU-Combined", 110)
    record(tmp_path, "lr0.001-SiLU-Combined-mean", errors)
    assert found(tmp_path, "Mean features are comparable").verdict == verdict


def test_overfitting_is_read_from_the_end_of_the_curves(tmp_path: Path):
    """The written history ends at 30 % in training and 40 % in validation."""
    record(tmp_path, "lr0.001-ReLU-ResNet38", 100)
    assert found(tmp_path, "ResNets overfit").verdict == Verdict.MISSING
    record(tmp_path, "lr0.001-ReLU-ResNet101", 100)
    finding = found(tmp_path, "ResNets overfit")
    assert finding.verdict == Verdict.CONTRADICTED
    for name in ("ResNet38", "ResNet101"):
        history = tmp_path / f"lr0.001-ReLU-{name}" / "history.csv"
        history.write_text(history.read_text().replace("0.3,1.4", "0.7,1.4"))
    assert found(tmp_path, "ResNets overfit").verdict == Verdict.CONFIRMED


def test_an_overconfident_resnet_is_shown_by_loss_and_by_accuracy(tmp_path: Path):
    name = "lr0.001-ReLU-ResNet101"
    record(tmp_path, name, 200)
    other = replace(CONFIGS[name], select="accuracy")
    write_run(tmp_path / other.name, other, predictions=answering(TARGETS))
    history = tmp_path / name / "history.csv"
    header, *rows = history.read_text().splitlines()
    cells = [row.split(",") for row in rows]
    for row, loss, accuracy in zip(cells, ("nan", "1.2", "1.9"), ("0.1", "0.3", "0.6"), strict=True):
        row[4:6] = loss, accuracy
    history.write_text("\n".join([header, *(",".join(row) for row in cells)]))
    evidence = " ".join(found(tmp_path, "ResNets overfit").evidence)
    assert "lowest in epoch 2, with 30.0% and 30.0% right; most were right in validation in epoch 3, 60.0%" in evidence
    assert f"`{name}-by-accuracy` is right for 100.0%" in evidence
    history.write_text("\n".join([header, *(",".join([*row[:4], "nan", *row[5:]]) for row in cells)]))
    assert found(tmp_path, "ResNets overfit").verdict == Verdict.MISSING


def test_a_short_training_does_not_acquit_of_overfitting(tmp_path: Path):
    for name in ("ResNet38", "ResNet101"):
        record(tmp_path, f"lr0.001-ReLU-{name}", 100, epochs=30)
    assert found(tmp_path, "ResNets overfit").verdict == Verdict.UNDECIDED


def test_a_run_without_its_predictions_counts_as_missing(tmp_path: Path):
    record(tmp_path, "lr0.001-SiLU-2D", 100)
    record(tmp_path, "lr0.001-SiLU-Combined", 180)
    (tmp_path / "lr0.001-SiLU-Combined" / "predictions.csv").write_text("clip,target\n")
    assert found(tmp_path, TITLES[0]).verdict == Verdict.MISSING

"""The report's findings, against records that were made to settle them one way or the other."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_core.analysis.evidence import Finding, Verdict
from ser_core.analysis.figures import figure_rows
from ser_core.analysis.findings import FINDINGS, findings
from ser_core.analysis.marks import Mark, Picture, finding_figure
from ser_core.analysis.report import REPORT_F1, REPORT_RESNET101, REPORT_RESULTS, reported_difference
from ser_core.audio.preprocess import AudioConfig
from ser_core.corpus.splits import REPORT_SPLIT_ID
from ser_core.models.activations import ACTIVATIONS, Activation
from ser_core.records.predictions import Predictions
from ser_core.records.runs import load_runs
from tests.helpers import ROOT
from tests.made_records import CONFIGS, TARGETS, answering, record, set_val_accuracy, write_run

TITLES = (
    "2D beats combined",
    "SiLU beats ReLU by 6 points",
    "SiLU beats ReLU in all networks and learning rates together",
    "ELU is best for 1D, by 0.7 and 1.5 points",
    "Variable length helps",
    "Lower learning rates are better for 2D and combined",
    "0.01 is best for 1D",
    "A learning rate of 0.1 is too high",
    "Fear is hardest",
    "Anger and happiness are easiest",
    "Mean features are comparable",
    "ResNets overfit",
)


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
    assert finding.verdict == Verdict.NOT_COMPARABLE == "not comparable"
    assert finding.evidence[-1].endswith("are not comparable. They differ in epochs (150, 30).")
    assert "`lr0.001-SiLU-2D, 150 epochs`" in finding.evidence[0]
    assert "`lr0.001-SiLU-Combined, 30 epochs`" in finding.evidence[1]
    assert finding.epochs is None


def test_runs_are_compared_at_the_greatest_length_that_all_have(tmp_path: Path):
    record(tmp_path, "lr0.001-SiLU-2D", 50)
    record(tmp_path, "lr0.001-SiLU-2D", 140, epochs=30, folder="lr0.001-SiLU-2D-30")
    record(tmp_path, "lr0.001-SiLU-2D", 160, epochs=10, folder="lr0.001-SiLU-2D-10")
    for epochs in (10, 30):
        record(tmp_path, "lr0.001-SiLU-Combined", 300, epochs=epochs, folder=f"combined-{epochs}")
    finding = found(tmp_path, TITLES[0])
    assert finding.verdict == Verdict.CONFIRMED
    assert "`lr0.001-SiLU-2D, 30 epochs` is right for 65.0\u00a0%" in finding.evidence[0]
    assert "`combined, 30 epochs` is right for 25.0\u00a0%" in finding.evidence[1]
    assert "`lr0.001-SiLU-2D, 30 epochs` against `combined, 30 epochs`: +40.0 points" in finding.evidence[-1]
    assert finding.epochs == 30
    record(tmp_path, "lr0.001-SiLU-Combined", 30)
    assert found(tmp_path, TITLES[0]).verdict == Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("settings", "environment", "says"),
    [
        ({}, {"precision": "fp32"}, "precision (bf16, fp32)"),
        ({}, {"numerics": "winograd"}, "numerics (pytorch, winograd)"),
        ({}, {"numerics": "unknown"}, "numerics (pytorch, unknown)"),
        ({}, {"split_id": "another"}, f"split ({REPORT_SPLIT_ID}, another)"),
        ({}, {"data_checksum": "another"}, "data checksum (578b33035034, another)"),
        ({"audio": AudioConfig(vad="none")}, {}, f"voice activity detection ({AudioConfig().vad}, none)"),
    ],
)
def test_runs_that_differ_in_more_than_what_is_asked_are_not_compared(
    tmp_path: Path, settings: dict, environment: dict, says: str
):
    record(tmp_path, "lr0.001-SiLU-2D", 100)
    record(tmp_path, "lr0.001-SiLU-Combined", 300, settings=settings, environment=environment)
    finding = found(tmp_path, TITLES[0])
    assert finding.verdict == Verdict.NOT_COMPARABLE
    assert finding.evidence[-1].endswith(f"They differ in {says}.")
    assert not any("points" in sentence for sentence in finding.evidence)


def test_a_claim_is_judged_at_the_greatest_length_at_which_its_runs_are_comparable(tmp_path: Path):
    for epochs, numerics in ((150, "winograd"), (30, "pytorch"), (10, "pytorch")):
        record(tmp_path, "lr0.001-SiLU-2D", 50 + epochs, epochs=epochs, folder=f"2d-{epochs}")
        record(
            tmp_path,
            "lr0.001-SiLU-Combined",
            300,
            epochs=epochs,
            folder=f"combined-{epochs}",
            environment={"numerics": numerics},
        )
    finding = found(tmp_path, TITLES[0])
    assert (finding.verdict, finding.epochs) == (Verdict.CONFIRMED, 30)
    assert "+55.0 points" in finding.evidence[-1]
    assert finding.evidence[2] == (
        "Runs of 150 epochs are set aside, where `2d` has 50.0\xa0%, and `combined` has 25.0\xa0%. "
        "`2d, 150 epochs` and `combined, 150 epochs` are not comparable. "
        "They differ in numerics (pytorch, winograd)."
    )


def test_short_runs_settle_nothing_that_longer_ones_contradict(tmp_path: Path):
    for epochs, mistakes, numerics in ((150, 250, "winograd"), (30, 350, "pytorch")):
        record(tmp_path, "lr0.001-SiLU-2D", mistakes, epochs=epochs, folder=f"2d-{epochs}")
        environment = {"numerics": numerics}
        record(tmp_path, "lr0.001-SiLU-Combined", 300, epochs=epochs, folder=f"of-{epochs}", environment=environment)
    finding = found(tmp_path, TITLES[0])
    assert finding.verdict == Verdict.UNDECIDED
    assert "it is the other way round" in finding.evidence[-1]


def test_short_runs_settle_nothing_that_a_longer_one_of_one_side_turns_round(tmp_path: Path):
    record(tmp_path, "lr0.001-SiLU-2D", 350, epochs=30, folder="2d-30")
    record(tmp_path, "lr0.001-SiLU-Combined", 300, epochs=30, folder="of-30")
    assert found(tmp_path, TITLES[0]).verdict == Verdict.CONTRADICTED
    record(tmp_path, "lr0.001-SiLU-2D", 320, folder="2d-150")  # better than before, and still worse than the other
    finding = found(tmp_path, TITLES[0])
    assert (finding.verdict, finding.epochs) == (Verdict.CONTRADICTED, 30)
    assert finding.set_aside == (
        "`2d, 150 epochs` is set aside, which has 20.0\xa0%: `lr0.001-SiLU-Combined` was not trained as long.",
    )
    record(tmp_path, "lr0.001-SiLU-2D", 200)
    finding = found(tmp_path, TITLES[0])
    assert finding.verdict == Verdict.UNDECIDED
    assert "it is the other way round" in finding.evidence[-1]


def test_of_several_runs_of_a_configuration_those_that_are_comparable_are_compared(tmp_path: Path):
    record(tmp_path, "lr0.001-SiLU-2D", 100, environment={"numerics": "winograd"})
    record(tmp_path, "lr0.001-SiLU-Combined", 300)
    record(tmp_path, "lr0.001-SiLU-Combined", 200, folder="again", environment={"numerics": "winograd"})
    finding = found(tmp_path, TITLES[0])
    assert finding.verdict == Verdict.CONFIRMED
    assert "+25.0 points" in finding.evidence[-1]


def test_one_pair_that_is_not_comparable_leaves_the_claim_open_and_the_others_are_shown(tmp_path: Path):
    for i, activation in enumerate(("ReLU", "SiLU", "ELU")):
        for rate in ("0.01", "0.001", "0.1"):
            other = {"precision": "fp32"} if (rate, activation) == ("0.1", "SiLU") else {}
            record(tmp_path, f"lr{rate}-{activation}-1D", 100 if rate == "0.01" else 250, seed=i, environment=other)
    finding = found(tmp_path, "0.01 is best for 1D")
    assert finding.verdict == Verdict.NOT_COMPARABLE
    assert sum("precision (bf16, fp32)" in sentence for sentence in finding.evidence) == 1
    assert any(sentence.startswith("These 2 pairs together: +37.5 points") for sentence in finding.evidence)


LOWER = "Lower learning rates are better for 2D and combined"


def record_rates(root: Path, model: str, errors: tuple[int, int], epochs: int = 30, **higher: str) -> None:
    """Runs of all activations at 0.001 and 0.01, with so many errors each; `higher` replaces surroundings at 0.01."""
    for i, activation in enumerate(("ReLU", "SiLU", "ELU")):
        for rate, wrong, environment in (("0.001", errors[0], {}), ("0.01", errors[1], higher)):
            name = f"lr{rate}-{activation}-{model}"
            folder = f"{name}-{epochs}"
            record(root, name, wrong, epochs=epochs, seed=i, folder=folder, environment=environment)


@pytest.mark.parametrize(
    ("of_2d", "combined", "verdict"),
    [
        ((200, 100), "not comparable", Verdict.CONTRADICTED),
        ((200, 100), "missing", Verdict.CONTRADICTED),
        ((100, 200), "not comparable", Verdict.NOT_COMPARABLE),
        ((100, 200), "missing", Verdict.MISSING),
        ((100, 103), "not comparable", Verdict.NOT_COMPARABLE),
    ],
)
def test_a_part_that_is_refuted_decides_though_another_cannot_be_judged(
    tmp_path: Path, of_2d: tuple[int, int], combined: str, verdict: Verdict
):
    record_rates(tmp_path, "2D", of_2d)
    if combined == "not comparable":
        record_rates(tmp_path, "Combined", (100, 200), precision="fp32")
    finding = found(tmp_path, LOWER)
    assert finding.verdict == verdict
    assert finding.epochs == (None if verdict == Verdict.MISSING else 30)
    points = f"{(of_2d[1] - of_2d[0]) / 4:+.1f} points"
    assert sum(sentence.startswith(f"These 3 pairs together: {points}") for sentence in finding.evidence) == 1


def test_a_refuted_part_is_seen_at_its_own_length(tmp_path: Path):
    """At 150 epochs the 2D runs are not comparable; there are no combined runs at 30."""
    record_rates(tmp_path, "2D", (200, 100), epochs=150, precision="fp32")
    record_rates(tmp_path, "2D", (200, 100), epochs=30)
    record_rates(tmp_path, "Combined", (100, 200), epochs=150)
    finding = found(tmp_path, LOWER)
    assert (finding.verdict, finding.epochs) == (Verdict.CONTRADICTED, 30)
    assert any("`lr0.001-ELU-Combined, 150 epochs` against" in sentence for sentence in finding.evidence)


def test_a_run_of_other_settings_does_not_take_the_place_of_the_reports(tmp_path: Path):
    record(tmp_path, "lr0.001-SiLU-2D", 100, settings={"seed": 1})
    record(tmp_path, "lr0.001-SiLU-Combined", 300, settings={"seed": 1})
    finding = found(tmp_path, TITLES[0])
    assert (finding.verdict, finding.evidence) == (Verdict.MISSING, ())


def test_silu_is_compared_with_relu_over_all_networks_and_rates_together(tmp_path: Path):
    pairs = [(model, rate) for model in ("1D", "2D", "Combined") for rate in ("0.001", "0.01", "0.1")]
    for i, (model, rate) in enumerate(pairs):
        for activation, wrong in (("SiLU", 100), ("ReLU", 90 if (model, rate) == ("1D", "0.1") else 120)):
            record(tmp_path, f"lr{rate}-{activation}-{model}", wrong, seed=2 * i + (activation == "SiLU"))
    finding = found(tmp_path, "SiLU beats ReLU in all networks and learning rates together")
    assert finding.verdict == Verdict.CONFIRMED
    *of_pairs, together = finding.picture.marks
    assert together.label == "SiLU over ReLU, all 9 together"
    assert (
        together.value == pytest.approx(np.mean([mark.value for mark in of_pairs])) == pytest.approx(0.0417, abs=1e-3)
    )
    assert together.low > 0
    (worse,) = [mark for mark in of_pairs if mark.value < 0]
    assert (worse.label, worse.runs) == ("SiLU over ReLU, 1D, rate 0.1", ("lr0.1-SiLU-1D", "lr0.1-ReLU-1D"))


def test_a_picture_shows_each_difference_with_its_interval_and_the_reports(tmp_path: Path):
    record_rates(tmp_path, "1D", (200, 100))
    finding = found(tmp_path, "0.01 is best for 1D")
    assert len({mark.label for mark in finding.picture.marks}) == len(finding.picture.marks) == 4
    ours, reports, *_ = finding_figure(finding.picture).data
    assert list(ours.x) == pytest.approx([25] * 4)
    assert [said[0] for said in ours.customdata] == [mark.label for mark in finding.picture.marks]
    assert reports.x[1] == pytest.approx(100 * reported_difference("lr0.01-SiLU-1D", "lr0.001-SiLU-1D"))
    rows = figure_rows(finding_figure(finding.picture))
    assert {row["series"] for row in rows} == {"ours", "the report"}


def test_a_long_axis_title_has_lines_that_a_phone_shows():
    mark = Mark("ResNet38", 0.38, 0.37, 0.39)
    short = finding_figure(Picture((mark,)))
    long = finding_figure(Picture((mark,), "accuracy in training above that in validation, points"))
    assert max(map(len, long.layout.xaxis.title.text.split("<br>"))) <= 22
    assert long.layout.height > short.layout.height > 100


def test_the_order_of_emotions_is_drawn_worst_first(tmp_path: Path):
    record(tmp_path, "lr0.001-SiLU-2D", 130)
    picture = found(tmp_path, "Fear is hardest").picture
    assert [mark.value for mark in picture.marks] == sorted(mark.value for mark in picture.marks)
    assert {mark.emotion: mark.report for mark in picture.marks if mark.report} == REPORT_F1
    assert all(mark.low <= mark.value <= mark.high for mark in picture.marks)


def test_an_improvement_by_other_than_the_reports_is_no_open_question(tmp_path: Path):
    """Variable length gives 0.9 points in the report; an interval without that contradicts it."""
    record(tmp_path, "lr0.001-SiLU-Combined", 100)
    write_run(tmp_path / "variable", CONFIGS["lr0.001-SiLU-Combined-variable"], predictions=nested(105))
    write_run(tmp_path / "lr0.001-SiLU-Combined", CONFIGS["lr0.001-SiLU-Combined"], predictions=nested(100))
    finding = found(tmp_path, "Variable length helps")
    (mark,) = finding.picture.marks
    assert mark.low < mark.high < mark.report == pytest.approx(0.009)
    assert finding.verdict == Verdict.CONTRADICTED


def test_another_activation_changes_no_claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    runs = [finding.runs for finding in findings([])]
    monkeypatch.setitem(ACTIVATIONS, "gelu", Activation("gelu", "GELU", "torch.nn", "GELU"))
    assert [finding.runs for finding in findings([])] == runs


def nested(wrong: int, seed: int = 0) -> Predictions:
    """Wrong on so many clips of all speakers: on those of fewer errors, and others."""
    said, order = TARGETS.copy(), np.random.default_rng(seed).permutation(len(TARGETS))
    said[order[:wrong]] = (said[order[:wrong]] + 1) % 6
    return answering(said)


@pytest.mark.parametrize(
    ("other", "verdict", "points"),
    [
        (nested(124), Verdict.CONFIRMED, 6),
        (nested(260), Verdict.CONTRADICTED, 40),  # better, but not by so little
        (nested(108, seed=1), Verdict.UNDECIDED, 2),  # perhaps not better at all, perhaps by 6
        (nested(108), Verdict.CONTRADICTED, 2),  # better beyond chance, and not by 6
        (nested(20), Verdict.CONTRADICTED, -20),
    ],
)
def test_better_by_so_much_is_tested_for_so_much(tmp_path: Path, other: Predictions, verdict: Verdict, points: float):
    first, second = "lr0.001-SiLU-2D", "lr0.001-ReLU-2D"
    assert reported_difference(first, second) == pytest.approx(0.059)
    write_run(tmp_path / first, CONFIGS[first], predictions=nested(100))
    write_run(tmp_path / second, CONFIGS[second], predictions=other)
    finding = found(tmp_path, TITLES[1])
    assert any(f"{points:+.1f} points" in sentence for sentence in finding.evidence)
    contradicted = verdict == Verdict.CONTRADICTED
    assert ("The report's +5.9 points are outside this interval." in finding.evidence) is contradicted
    assert finding.remark == ("it is ahead, but by another amount" if contradicted and points > 0 else "")
    assert finding.verdict == verdict, finding.evidence


@pytest.mark.parametrize(
    ("others", "verdict"),
    [((103, 106), Verdict.CONFIRMED), ((103, 200), Verdict.CONTRADICTED), ((96, 106), Verdict.UNDECIDED)],
)
def test_the_best_activation_is_tested_for_both_of_its_margins(
    tmp_path: Path, others: tuple[int, int], verdict: Verdict
):
    for activation, wrong in zip(("ELU", "ReLU", "SiLU"), (94, *others), strict=True):
        write_run(tmp_path / activation, CONFIGS[f"lr0.01-{activation}-1D"], predictions=nested(wrong))
    finding = found(tmp_path, "ELU is best for 1D, by 0.7 and 1.5 points")
    assert finding.verdict == verdict, finding.evidence


@pytest.mark.parametrize("module", ["analysis/findings", "analysis/evidence", "training/study"])
def test_the_reports_figures_stand_in_one_file(module: str):
    published = {value for result in REPORT_RESULTS.values() for value in result if value}
    published |= {*REPORT_F1.values(), *REPORT_RESNET101.values(), 0.29, 5.9}
    written = {form for value in published for form in (f"{value:g}", f"{100 * value:g} %", f"{100 * value:g}%")}
    source = (ROOT / "ser_core" / f"{module}.py").read_text(encoding="utf-8")
    assert not written & {number.strip() for number in re.findall(r"\d+(?:\.\d+)?(?: ?%)?", source)}


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [((180, 200), Verdict.CONFIRMED), ((131, 250), Verdict.UNDECIDED), ((100, 250), Verdict.CONTRADICTED)],
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
    assert found(tmp_path, "Fear is hardest").verdict == verdict
    longer = replace(CONFIGS["lr0.001-SiLU-2D"], epochs=300)
    write_run(tmp_path / "longer", longer, predictions=answering(TARGETS), environment={"split_id": "another"})
    assert found(tmp_path, "Fear is hardest").verdict == verdict


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
    set_val_accuracy(tmp_path / name, 0.3)  # as in the second epoch, the best
    evidence = " ".join(found(tmp_path, "ResNets overfit").evidence)
    assert (
        "lowest in epoch 2, with 30.0\u00a0% and 30.0\u00a0% right; most of the validation set was right in epoch 3, "
        "60.0\u00a0%"
    ) in evidence
    assert f"`{name}-by-accuracy, 150 epochs` is right for 100.0\u00a0%" in evidence
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


def test_damaged_records_take_no_finding_down(tmp_path: Path):
    for name in ("lr0.001-SiLU-2D", "lr0.001-SiLU-Combined", "lr0.001-ReLU-ResNet38", "lr0.001-ReLU-ResNet101"):
        record(tmp_path, name, 100)
    predictions = tmp_path / "lr0.001-SiLU-Combined" / "predictions.csv"
    lines = predictions.read_text().splitlines()
    predictions.write_text("\n".join([*lines[:-1], lines[1]]))  # a clip twice, another not at all
    history = tmp_path / "lr0.001-ReLU-ResNet38" / "history.csv"
    history.write_text(history.read_text().splitlines()[0])
    runs, unreadable = load_runs(tmp_path)
    assert list(unreadable) == ["lr0.001-ReLU-ResNet38"]
    claims = {finding.title: finding.verdict for finding in findings(runs)}
    assert claims["2D beats combined"] == claims["ResNets overfit"] == Verdict.MISSING

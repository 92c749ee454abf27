"""A checkpoint's card says what is true of its split."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser_core.corpus.splits import Split, load_split
from ser_core.records.checkpoints import CHECKPOINTS_DIR, list_checkpoints, load_config
from ser_core.records.model_card import model_card
from ser_core.records.runs import load_run
from tests.helpers import ROOT


def test_every_shipped_checkpoint_says_what_its_record_says():
    """Also those that were brought to today's form by tools/renew_checkpoints.py."""
    names = list_checkpoints(CHECKPOINTS_DIR)
    assert names
    for name in names:
        folder, run = CHECKPOINTS_DIR / name, load_run(ROOT / "runs" / name)
        config = load_config(folder)
        assert (folder / "README.md").read_text(encoding="utf-8") == model_card(run, load_split(run.train.split))
        assert config.temperature == run.test.temperature != 1
        assert config.provenance["test"]["temperature"] == config.temperature


def limits(split: Split) -> str:
    run = load_run(next(path.parent for path in sorted(Path(ROOT / "runs").glob("*/test.json"))))
    return " ".join(model_card(run, split).partition("## Limits")[2].split())


def test_the_reports_split_shares_all_speakers():
    assert "All 91 speakers of the test clips can be heard in training, too" in limits(load_split("report"))


@pytest.mark.parametrize("fold", ["fold1", "fold5"])
def test_a_fold_shares_none(fold: str):
    card = limits(load_split(fold))
    assert "Nobody who speaks in the test clips is heard in training" in card
    assert "less well" not in card


def test_a_split_of_a_file_may_share_some():
    fold = load_split("fold1")
    split = Split("mixed", (*fold.train, fold.test[0]), fold.val, fold.test[1:])
    some = f"1 of the {len(fold.test_speakers)} speakers"
    assert f"{some} of the test clips can be heard in training, too" in limits(split)


def test_the_card_says_how_clips_targets_and_weights_were_changed():
    def card(name: str) -> str:
        run = load_run(ROOT / "runs" / name)
        return model_card(run, load_split(run.train.split))

    assert "3 changed copies of each clip (noise) |" in card("lr0.001-ReLU-Conformer-base-copies3-noise0.5")
    said = "SpecAugment; label smoothing 0.1; raters' votes for 30 % of each label; weights averaged over steps"
    assert said in card("lr0.001-SiLU-Conformer").replace("\N{NO-BREAK SPACE}", " ")
    assert "; mixup 0.2 |" in card("lr0.001-ReLU-Conformer-base-mixup0.2")
    assert "learning rate 0.001, seed 42 |" in card("lr0.001-ReLU-Conformer-base")

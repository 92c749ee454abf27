"""Some of `python -m benchmarks kills`: what is killed, and what fills its disk, ends as ever when it is done again."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import kills
from ser_core.corpus.clips import Clip
from ser_core.corpus.folder import Corpus
from tests.helpers import LONG


@LONG
@pytest.mark.parametrize("name", ["cache", "download"])
def test_the_same_command_ends_as_if_nothing_had_happened(
    name: str, corpus: Corpus, clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kills, "mount", lambda *_: False)  # which not everybody may
    with kills.open_setting([corpus.path(clip) for clip in clips[:70]]) as setting:
        work, whole = kills.Work(name, setting), tmp_path / "whole"
        whole.mkdir()
        assert work.run(whole).status == 0
        expected = kills.content(whole)
        assert kills.killed(work, tmp_path, 1.5, expected) == ""
        assert kills.full(work, tmp_path, 0.5, expected, kills.sizes_in(whole)) == ""


def test_what_goes_wrong_is_seen(tmp_path: Path):
    """Files that are left over, missing or others, but for the time that they say."""
    for name, text in (("test.json", '{"training_seconds": 3.1}'), ("a", "a"), ("b", "b")):
        (tmp_path / name).write_text(text)
    before = kills.content(tmp_path)
    (tmp_path / "test.json").write_text('{"training_seconds": 4.5}')
    assert kills.difference(before, kills.content(tmp_path)) == ""
    (tmp_path / "a").write_text("other")
    (tmp_path / "b").rename(tmp_path / ".left")
    assert (
        kills.difference(before, kills.content(tmp_path)) == "1 left over (.left); 1 missing (b); 1 other content (a)"
    )

"""A clip's file that is no longer what it was is named, with what is wrong with it and what to do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ser_core.audio.preprocess import AudioConfig, load_audio
from ser_core.corpus.clip_file import load_clip
from ser_core.corpus.clips import find_clip
from ser_core.corpus.command import main
from ser_core.corpus.folder import Corpus
from ser_core.errors import CorpusError
from ser_core.features.cache import load_features
from tests.helpers import LFS_POINTER

CLIP = find_clip("1001_DFA_ANG_XX")
OTHER = find_clip("1001_IEO_ANG_HI")


@pytest.fixture
def copy(corpus: Corpus, tmp_path: Path) -> Corpus:
    """Two clips in a folder of their own."""
    copy = Corpus(tmp_path / "my clips")
    copy.folder.mkdir()
    for clip in (CLIP, OTHER):
        copy.path(clip).write_bytes(corpus.path(clip).read_bytes())
    return copy


def test_a_clip_is_its_sound(copy: Corpus):
    np.testing.assert_array_equal(copy.load(CLIP), load_audio(copy.path(CLIP)))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda whole: LFS_POINTER, "is a Git LFS pointer.*`git lfs pull`.*cremad download"),
        (lambda whole: b"", "is empty.*cremad download"),
        (lambda whole: whole[:30], "was cut off: it has 30 of 72,862 bytes.*cremad download"),
        (lambda whole: whole[:40_000], "was cut off: it has 40,000 of 72,862 bytes.*cremad download"),
        (lambda whole: whole[:5], "was cut off.*cremad download"),
        (lambda whole: bytes(len(whole)), "is not sound that can be read.*cremad download"),
        (lambda whole: b"<html>not found</html>", "is not sound that can be read.*cremad download"),
        (None, "is missing.*cremad download"),
    ],
)
def test_a_damaged_clip_is_named_with_what_is_wrong_and_what_to_do(copy: Corpus, damage, says: str):
    path = copy.path(CLIP)
    whole = path.read_bytes()
    path.unlink()
    if damage:
        path.write_bytes(damage(whole))
    with pytest.raises(CorpusError, match=f"^{CLIP.filename} {says} --to '{copy.folder}'"):
        copy.load(CLIP)
    assert len(copy.load(OTHER))


def test_a_folder_in_place_of_a_clip_is_a_sentence(copy: Corpus):
    copy.path(CLIP).unlink()
    copy.path(CLIP).mkdir()
    with pytest.raises(CorpusError, match=f"^{CLIP.filename} can't be opened"):
        load_clip(copy.path(CLIP))


def test_features_of_pointers_say_what_to_do(copy: Corpus, tmp_path: Path):
    copy.path(CLIP).write_bytes(LFS_POINTER)
    with pytest.raises(CorpusError, match=f"1 of 2 clips .*{CLIP.filename} is a Git LFS pointer.*git lfs pull"):
        load_features(copy, ["mel"], clips=[OTHER, CLIP], cache_dir=tmp_path / "cache")


@pytest.mark.parametrize("workers", [1, 2])
def test_features_name_a_damaged_clip_of_the_right_size(copy: Corpus, tmp_path: Path, workers: int):
    copy.path(CLIP).write_bytes(bytes(CLIP.n_bytes))
    options: dict[str, Any] = {"clips": [OTHER] * 64 + [CLIP], "audio": AudioConfig(vad="none"), "workers": workers}
    with pytest.raises(CorpusError, match=CLIP.filename):
        load_features(copy, ["mel"], cache_dir=tmp_path / "cache", **options)
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


def test_checking_a_folder_says_what_is_wrong_with_which_clip(copy: Corpus, capsys: pytest.CaptureFixture):
    copy.path(CLIP).write_bytes(LFS_POINTER)
    copy.path(OTHER).write_bytes(copy.path(OTHER).read_bytes()[:-1])
    with pytest.raises(SystemExit, match="2"):
        main(["check", str(copy.folder)])
    output = capsys.readouterr()
    assert f"{CLIP.filename} is a Git LFS pointer" in output.out
    assert f"{OTHER.filename} was cut off" in output.out
    assert "2 differ from the official checksum. Get the file with `git lfs pull`" in output.err


def test_checking_a_folder_notices_another_sound(copy: Corpus, capsys: pytest.CaptureFixture):
    copy.path(CLIP).write_bytes(copy.path(OTHER).read_bytes())
    with pytest.raises(SystemExit, match="2"):
        main(["check", str(copy.folder)])
    output = capsys.readouterr()
    assert f"{CLIP.filename} is not the official file" in output.out
    assert OTHER.filename not in output.out

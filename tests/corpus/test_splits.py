import json
from collections import Counter
from pathlib import Path

import pytest
from sklearn.model_selection import train_test_split

from ser_core.corpus.clips import load_index
from ser_core.corpus.splits import FOLD_IDS, SPLITS, Split, listing_4, load_split, report_split, speaker_folds
from ser_core.errors import ConfigError


def test_the_reports_split_is_listing_4_on_sorted_names():
    index = load_index()
    names, labels = sorted(index), [index[name].emotion for name in sorted(index)]
    train_val, test, train_val_labels, _ = train_test_split(
        names, labels, test_size=0.30, random_state=42, stratify=labels
    )
    train, val = train_test_split(train_val, test_size=0.05, random_state=42, stratify=train_val_labels)
    split = report_split()
    assert (set(split.train), set(split.val), set(split.test)) == (set(train), set(val), set(test))
    assert [len(part) for part in (split.train, split.val, split.test)] == [4948, 261, 2233]


def test_the_shared_clips_are_of_the_test_split(clips):
    assert sum(clip.report_split == "test" for clip in clips) >= 300


def test_the_duplicate_with_two_labels_straddles_the_split():
    index = load_index()
    parts = {index[name].report_split for name in ("1013_WSI_SAD_XX", "1013_WSI_DIS_XX")}
    assert parts == {"train", "test"}


def test_the_order_of_the_names_does_not_matter():
    index = load_index()
    names = list(reversed(index))
    assert listing_4(names, [index[name].emotion for name in names]) == {n: c.report_split for n, c in index.items()}


def test_the_reports_split_is_stratified():
    index, split = load_index(), report_split()
    whole = Counter(clip.emotion for clip in index.values())
    for part in (split.train, split.val, split.test):
        shares = Counter(index[name].emotion for name in part)
        for emotion, count in whole.items():
            assert shares[emotion] / len(part) == pytest.approx(count / len(index), abs=0.003)


def test_speaker_folds_share_no_actor_and_test_everyone_once():
    index, folds = load_index(), speaker_folds()
    assert tuple(fold.id for fold in folds) == FOLD_IDS
    tested = [name for fold in folds for name in fold.test]
    assert sorted(tested) == sorted(index)
    for fold in folds:
        actors = [{index[name].actor.id for name in part} for part in (fold.train, fold.val, fold.test)]
        assert sum(len(part) for part in actors) == len(set.union(*actors)) == 91
        assert len(fold.train) + len(fold.val) + len(fold.test) == len(index)
        shares = Counter(index[name].emotion for name in fold.test)
        assert max(shares.values()) / min(shares.values()) < 1.35


def test_folds_of_no_clips_are_not_folds_of_all():
    with pytest.raises(ConfigError, match="5 actors or more, not of 0"):
        speaker_folds([])
    of_four = [clip for clip in load_index().values() if clip.actor.id <= 1004]
    with pytest.raises(ConfigError, match="not of 4"):
        speaker_folds(of_four)


def test_a_split_knows_whether_speakers_are_shared():
    index, report, fold = load_index(), report_split(), speaker_folds()[0]
    assert report.shared_speakers == report.test_speakers == {clip.actor.id for clip in index.values()}
    assert not fold.shared_speakers
    assert fold.test_speakers == {index[name].actor.id for name in fold.test}
    mixed = Split("mixed", (*fold.train, fold.test[0]), fold.val, fold.test[1:])
    assert mixed.shared_speakers == {index[fold.test[0]].actor.id}


def test_splits_by_name():
    ids = {load_split(name).id for name in SPLITS}
    assert len(ids) == len(SPLITS) == 6
    assert load_split("report").id == report_split().id
    with pytest.raises(ConfigError, match="fold5"):
        load_split("fold6")


@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line", [b"\n", b"\r\n"])
@pytest.mark.parametrize("ending", ["", ".wav", ".WAV"])
def test_a_split_file_as_editors_leave_it_is_read(tmp_path: Path, begin: bytes, line: bytes, ending: str):
    fold = speaker_folds()[0]
    parts = {name: [clip + ending for clip in getattr(fold, name)] for name in ("train", "val", "test")}
    text = json.dumps(parts, indent=1).encode().replace(b"\n", line)
    (tmp_path / "mine.json").write_bytes(begin + text)
    assert load_split(str(tmp_path / "mine.json")).id == fold.id

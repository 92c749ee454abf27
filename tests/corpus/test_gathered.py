"""Several corpora to train on: names that don't collide, and nobody in two parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ser_core.corpus.clips import Clip
from ser_core.corpus.copies import COPY
from ser_core.corpus.folder import Corpus
from ser_core.corpus.gathered import Gathered, divide, open_corpora
from ser_core.corpus.registry import open_recordings
from ser_core.corpus.splits import load_split, report_split
from ser_core.errors import ConfigError, CorpusError

EMOTIONS = ("05", "04")


def ravdess(folder: Path, actors: int, content: bytes = b"sound") -> Path:
    """Empty-headed clips, named as RAVDESS's are."""
    folder.mkdir(parents=True, exist_ok=True)
    for actor in range(1, actors + 1):
        for emotion in EMOTIONS:
            name = f"03-01-{emotion}-01-01-01-{actor:02d}.wav"
            (folder / name).write_bytes(content + name.encode())
    return folder


def table(folder: Path, speakers: int = 3) -> Path:
    folder.mkdir(parents=True)
    rows = ["file,emotion,speaker"]
    for i in range(speakers):
        (folder / f"{i}.wav").write_bytes(b"sound %d" % i)
        rows.append(f"{i}.wav,joy,s{i}")
    (folder / "t.csv").write_text("\n".join(rows))
    return folder


def gathered(*paths: Path, own: dict | None = None, split: str = "report") -> Gathered:
    corpora = open_corpora(paths, own or {}, split)
    assert isinstance(corpora, Gathered)
    return corpora


@pytest.mark.parametrize(("speakers", "sizes"), [(3, (1, 1, 1)), (12, (9, 1, 2)), (24, (17, 2, 5))])
def test_nobody_is_in_two_parts_and_the_parts_are_always_the_same(
    speakers: int, sizes: tuple[int, int, int], tmp_path: Path
):
    recordings = open_recordings(ravdess(tmp_path, speakers))
    parts = divide(recordings)
    assert tuple(len(parts[part]) for part in ("train", "val", "test")) == sizes
    assert sorted(parts["train"] + parts["val"] + parts["test"]) == list(recordings.speakers or ())
    assert divide(open_recordings(tmp_path)) == parts
    if sizes[2] > 1:
        assert {int(actor) % 2 for actor in parts["test"]} == {0, 1}  # women and men


def test_too_few_speakers_or_unknown_ones_are_refused(tmp_path: Path):
    with pytest.raises(CorpusError, match=r"RAVDESS has 2 speaker\(s\): at least 3"):
        divide(open_recordings(ravdess(tmp_path / "two", 2)))
    (tmp_path / "tree" / "sad").mkdir(parents=True)
    (tmp_path / "tree" / "sad" / "1.wav").touch()
    with pytest.raises(CorpusError, match="Who speaks in tree isn't known"):
        divide(open_recordings(tmp_path / "tree"))


def test_crema_d_by_itself_is_as_ever(tmp_path: Path, shared: Path):
    assert open_corpora([], {}, "report") == Corpus.open()
    for folder in (shared / "clips", tmp_path, tmp_path / "nowhere"):
        assert open_corpora([folder], {}, "report") == Corpus(folder)
    with pytest.raises(ConfigError, match="--corpus names none"):
        open_corpora([tmp_path], {"joy": "HAP"}, "report")


def test_crema_d_keeps_its_split_beside_others(tmp_path: Path, shared: Path):
    both = gathered(shared / "clips", ravdess(tmp_path / "r", 3), split="fold1")
    split, own = both.split, load_split("fold1")
    for part in ("train", "val", "test"):
        assert getattr(split, part)[: len(getattr(own, part))] == getattr(own, part)
        assert len(getattr(split, part)) == len(getattr(own, part)) + len(EMOTIONS)
    assert both.name == "crema-d+ravdess"
    assert split.parts[0].split_id == own.id != split.id
    assert split.shared_speakers == frozenset()
    name = next(name for name in split.test if "/" in name)
    (clip,) = both.clips([name])
    assert clip.name == f"ravdess/{clip.path.stem}"
    assert both.said_speakers([name, own.test[0]]) == (clip.speaker, own.test[0][:4])
    assert clip.speaker.startswith("ravdess/")
    both.require(both.clips([name]))
    with pytest.raises(CorpusError, match="are missing from or damaged"):
        both.require(both.clips(own.train))


def test_the_split_is_known_by_its_clips_and_labels(tmp_path: Path):
    one = ravdess(tmp_path / "one", 4)
    usual = gathered(one).split
    assert usual.id != report_split().id
    assert gathered(ravdess(tmp_path / "same", 4)).split.id == usual.id
    assert gathered(one, own={"angry": "HAP"}).split.id != usual.id
    assert gathered(one, table(tmp_path / "t")).split.id != usual.id
    assert usual.parts[0].speakers.keys() == {"train", "val", "test"}


def test_files_that_changed_are_other_clips(tmp_path: Path):
    first, second = (gathered(ravdess(tmp_path / str(i), 3, b"%d" % i)) for i in range(2))
    assert first.split.id == second.split.id
    assert [clip.sha256 for clip in first.clips(first.split.test)] != [
        clip.sha256 for clip in second.clips(second.split.test)
    ]
    (clip, *_) = first.clips(first.split.train)
    clip.path.write_bytes(b"")
    with pytest.raises(CorpusError, match=r"is empty\. Replace it"):
        first.require([clip])


def test_two_corpora_of_one_kind_are_told_apart_by_their_folders(tmp_path: Path):
    folders = [table(tmp_path / name) for name in ("mine", "theirs")]
    for i in range(3):
        (folders[1] / f"{i}.wav").write_bytes(b"another %d" % i)
    corpora = [replace(open_recordings(folder), name="savee") for folder in folders]
    assert Gathered(None, corpora).names == ("savee-mine", "savee-theirs")


def test_corpora_that_cannot_be_told_apart_are_refused(tmp_path: Path, shared: Path):
    one, other = table(tmp_path / "a" / "mine"), table(tmp_path / "b" / "mine")
    with pytest.raises(ConfigError, match="Two corpora are called mine"):
        gathered(one, other)
    with pytest.raises(ConfigError, match="more than once"):
        gathered(shared / "clips", shared / "clips")
    with pytest.raises(ConfigError, match="mine is named more than once: name each"):
        gathered(one, one)
    (tmp_path / "link").symlink_to(one)
    for again in (one.parent / ".." / "a" / "mine", tmp_path / "link"):
        with pytest.raises(ConfigError, match="are the same folder: name each"):
            gathered(one, again)
    with pytest.raises(ConfigError, match="--split fold1 divides CREMA-D"):
        gathered(one, split="fold1")
    with pytest.raises(ConfigError, match="No clip has the label 'calm'"):
        gathered(one, own={"calm": "NEU"})
    with pytest.raises(CorpusError, match="There is no folder"):
        gathered(one, tmp_path / "nowhere")
    with pytest.raises(CorpusError, match=r"There is no folder and no table .*nowhere\.csv"):
        open_corpora([tmp_path / "nowhere.csv"], {}, "report")


def test_a_recording_is_in_one_part_whatever_its_files_are_called(tmp_path: Path):
    """Six speakers, of whom the second corpus calls each otherwise, with a clip more of each."""
    first, second = table(tmp_path / "a" / "one", 6), tmp_path / "b" / "other"
    second.mkdir(parents=True)
    rows = ["file,emotion,speaker"]
    for i in range(6):
        (second / f"copy{i}.wav").write_bytes((first / f"{i}.wav").read_bytes())
        (second / f"new{i}.wav").write_bytes(b"new %d" % i)
        rows += [f"copy{i}.wav,joy,t{i}", f"new{i}.wav,joy,t{i}"]
    (second / "t.csv").write_text("\n".join(rows))
    both = gathered(first, second)
    heard, tested = ({clip.sha256 for clip in both.clips(names)} for names in (both.split.train, both.split.test))
    assert not heard & tested
    assert len(both.split.train + both.split.val + both.split.test) == 12
    assert both.others[1].left_out == {COPY: tuple(f"copy{i}.wav" for i in range(6))}
    assert len(both.heard.split()) == len(both.split.train + both.split.val)
    for i in range(4):
        (second / f"new{i}.wav").write_bytes((first / f"{i}.wav").read_bytes())
    with pytest.raises(CorpusError, match=r"other has 2 speaker\(s\), 10 clips apart that are copies of others: at"):
        gathered(first, second)
    for i in range(6):
        (second / f"new{i}.wav").write_bytes(b"sound 0")
    with pytest.raises(CorpusError, match="All clips of other are in the other corpora, too"):
        gathered(first, second)


def test_clips_of_crema_d_stand_in_its_split_alone(tmp_path: Path, shared: Path, clips: list[Clip]):
    """By their content under another name, and by their name in another format."""
    folder = table(tmp_path / "mine", 5)
    (folder / "0.wav").write_bytes((shared / "clips" / clips[0].filename).read_bytes())
    (folder / "1.wav").rename(folder / f"{clips[1].name}.flac")
    text = (folder / "t.csv").read_text().replace("1.wav", f"{clips[1].name}.flac")
    (folder / "t.csv").write_text(text)
    (other,) = gathered(folder, shared / "clips").others
    assert other.left_out == {COPY: ("0.wav", f"{clips[1].name}.flac")}
    assert gathered(folder).others[0].left_out == {}

"""Corpora of all kinds, made of empty files that are named as theirs are, and the real clips of one."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from ser_core.corpus.command import main
from ser_core.corpus.copies import CONTRADICTED, COPY, without_copies
from ser_core.corpus.describe import open_described
from ser_core.corpus.labels import check_labels, emotion_of, parse_labels
from ser_core.corpus.registry import KINDS, kind_of, open_recordings
from ser_core.errors import ConfigError, CorpusError
from tests.helpers import ROOT, skip_or_fail

RAVDESS = ROOT.parent / "shared" / "ravdess" / "clips"


def make(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def facts(path: Path, labels: str = "") -> dict[str, tuple[str, str | None, str | None]]:
    """Emotion, speaker and sex of each clip by name."""
    clips = open_recordings(path, parse_labels(labels)).clips
    return {clip.name: (clip.emotion, clip.speaker, clip.sex) for clip in clips}


CORPORA = {
    "crema-d": (
        ("1001_DFA_ANG_XX.wav", "sub/1002_IEO_NEU_XX.wav"),
        {"1001_DFA_ANG_XX": ("ANG", "1001", "male"), "1002_IEO_NEU_XX": ("NEU", "1002", "female")},
        {},
    ),
    "ravdess": (
        (
            "Actor_12/03-01-05-01-02-01-12.wav",
            "Actor_01/03-01-02-01-01-01-01.wav",
            "03-01-08-01-01-01-01.wav",
            "03-02-05-01-01-01-01.wav",
            "01-01-04-01-01-01-03.mp4",
        ),
        {
            "03-01-05-01-02-01-12": ("ANG", "12", "female"),
            "03-01-02-01-01-01-01": ("NEU", "01", "male"),
            "03-01-04-01-01-01-03": ("SAD", "03", "male"),
        },
        {"label 'surprised', none of the six": 1, "song": 1},
    ),
    "emo-db": (
        ("03a01Fa.wav", "08b02Wb.wav", "16a05Lc.wav", "09a07Ta.wav", "10b10Nd.wav", "13a04Ea.wav", "14b01Aa.wav"),
        {
            "03a01Fa": ("HAP", "03", "male"),
            "08b02Wb": ("ANG", "08", "female"),
            "09a07Ta": ("SAD", "09", "female"),
            "10b10Nd": ("NEU", "10", "male"),
            "13a04Ea": ("DIS", "13", "female"),
            "14b01Aa": ("FEA", "14", "female"),
        },
        {"label 'boredom', none of the six": 1},
    ),
    "tess": (
        ("OAF_angry/OAF_back_angry.wav", "YAF_dog_ps.wav", "OA_bite_neutral.wav", "YAF_far_disgust.wav"),
        {
            "OAF_back_angry": ("ANG", "OAF", "female"),
            "OAF_bite_neutral": ("NEU", "OAF", "female"),
            "YAF_far_disgust": ("DIS", "YAF", "female"),
        },
        {"label 'pleasant surprise', none of the six": 1},
    ),
    "savee": (
        ("DC/a01.wav", "JK_sa15.wav", "KL/su02.wav", "JE_n30.wav"),
        {"DC_a01": ("ANG", "DC", "male"), "JK_sa15": ("SAD", "JK", "male"), "JE_n30": ("NEU", "JE", "male")},
        {"label 'surprise', none of the six": 1},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_corpus_is_known_by_the_names_of_its_files(kind: str, tmp_path: Path):
    names, clips, left_out = CORPORA[kind]
    recordings = open_recordings(make(tmp_path, *names, "._hidden.wav", "notes.txt"))
    assert (recordings.name, recordings.title) == (kind, KINDS[kind].title)
    assert facts(tmp_path) == clips
    assert {reason: len(names) for reason, names in recordings.left_out.items()} == left_out
    assert sum(recordings.emotions.values()) == len(clips)


def test_the_folder_of_a_speaker_alone_is_known(tmp_path: Path):
    assert facts(make(tmp_path / "DC", "a01.wav", "sa02.wav")).keys() == {"DC_a01", "DC_sa02"}


def test_a_clip_that_is_there_twice_counts_once(tmp_path: Path):
    name = "03-01-05-01-02-01-12.wav"
    recordings = open_recordings(make(tmp_path, f"a/{name}", f"b/{name}", "01-01-05-01-02-01-12.mp4"))
    assert [clip.path.name for clip in recordings.clips] == [name]
    assert list(recordings.left_out) == ["the same clip as another file"]


def test_the_checksum_is_of_names_and_labels_wherever_they_lie(tmp_path: Path):
    flat = open_recordings(make(tmp_path / "flat", "03a01Fa.wav", "03a01Wa.wav"))
    deep = open_recordings(make(tmp_path / "deep", "x/03a01Fa.wav", "y/03a01Wa.wav"))
    assert flat.checksum == deep.checksum
    assert open_recordings(flat.folder, {"anger": "SAD"}).checksum != flat.checksum


def test_other_files_of_a_known_corpus_are_named(tmp_path: Path):
    recordings = open_recordings(make(tmp_path, "03a01Fa.wav", "03a01Wa.wav", "test.wav"))
    assert recordings.left_out == {"not named as clips of EMO-DB are": ("test.wav",)}


def test_two_corpora_in_one_folder_are_refused(tmp_path: Path):
    make(tmp_path, "03a01Fa.wav", "OAF_back_angry.wav")
    with pytest.raises(CorpusError, match=r"several corpora: EMO-DB \(1\), TESS \(1\)"):
        open_recordings(tmp_path)


def test_folders_are_labels(tmp_path: Path):
    make(tmp_path, "train/Angry/anna/1.wav", "test/joy/1.flac", "sad/2.ogg", "surprise/3.wav", "grumpy/4.wav", "5.wav")
    make(tmp_path, "happy/sad/6.wav")
    recordings = open_recordings(tmp_path)
    assert facts(tmp_path) == {
        "train/Angry/anna/1.wav": ("ANG", None, None),
        "test/joy/1.flac": ("HAP", None, None),
        "sad/2.ogg": ("SAD", None, None),
    }
    assert recordings.speakers is None
    assert recordings.left_out == {
        "in no folder": ("5.wav",),
        "label 'grumpy', unknown (--labels says what it means)": ("grumpy/4.wav",),
        "folders of two emotions": ("happy/sad/6.wav",),
        "label 'surprise', none of the six": ("surprise/3.wav",),
    }
    assert facts(tmp_path, "grumpy=anger,sad=none")["grumpy/4.wav"][0] == "ANG"
    assert "sad/2.ogg" not in facts(tmp_path, "sad=none")


def test_names_of_any_bytes_can_be_written(tmp_path: Path):
    folder = os.fsencode(tmp_path) + b"/happy"
    Path(os.fsdecode(folder)).mkdir()
    Path(os.fsdecode(folder + b"/caf\xe9.wav")).touch()
    assert list(facts(tmp_path)) == [r"happy/caf\xe9.wav"]


@pytest.mark.parametrize(
    "text",
    [
        "file,emotion,speaker,gender\na/1.wav,Joy,anna,F\n2.wav,neutral,ben,male\n3.wav,surprise,anna,w\nno.wav,sad,ben,m\n",
        "Path;Label;Actor;Sex\na/1.wav;Joy;anna;F\n2.wav;neutral;ben;male\n3.wav;surprise;anna;w\nno.wav;sad;ben;m\n",
        "\ufefffilename\tlabel\tspeaker_id\tsex\na\\1.wav\tJoy\tanna\tF\n2.wav\tneutral\tben\tmale\n3.wav\tsur\tanna\t\n"
        "no.wav\tsad\tben\tm\n",
    ],
)
@pytest.mark.parametrize("whole_folder", [True, False])
def test_a_table_says_it_all(text: str, whole_folder: bool, tmp_path: Path):
    make(tmp_path, "a/1.wav", "2.wav", "3.wav")
    table = tmp_path / "my.csv"
    table.write_text(text, encoding="utf-8")
    path = tmp_path if whole_folder else table
    assert facts(path) == {"a/1.wav": ("HAP", "anna", "female"), "2.wav": ("NEU", "ben", "male")}
    recordings = open_recordings(path)
    assert recordings.speakers == ("anna", "ben")
    assert recordings.left_out["no such file"] == ("no.wav",)
    assert recordings.name == (tmp_path.name if whole_folder else "my")


def test_what_raters_do_not_agree_on_is_left_out(tmp_path: Path):
    """A row for each rater, of which no row is the file's emotion by itself."""
    make(tmp_path, "1.wav", "2.wav")
    rows = ("1.wav,happy", "1.wav,sad", "1.wav,angry", "2.wav,fear", "2.wav,fear")
    (tmp_path / "raters.csv").write_text("\n".join(("file,emotion", *rows)))
    recordings = open_recordings(tmp_path)
    assert [(clip.name, clip.emotion) for clip in recordings.clips] == [("2.wav", "FEA")]
    assert recordings.left_out["several emotions for one file"] == ("1.wav: happy, sad, angry",)


@pytest.mark.parametrize("header", ["file,emotion,label", "file,label,emotion", "Filename,Emotion,Label"])
def test_of_two_columns_that_may_be_meant_it_is_the_better_name(header: str, tmp_path: Path):
    make(tmp_path, "1.wav")
    said = {"emotion": "happy", "label": "sad"}
    row = ",".join(["1.wav", *(said[name.casefold()] for name in header.split(",")[1:])])
    (tmp_path / "clips.csv").write_text(f"{header}\n{row}\n")
    assert [clip.emotion for clip in open_recordings(tmp_path).clips] == ["HAP"]


@pytest.mark.parametrize(
    "header", ["file,emotion,emotion", "file,Emotion,emotion", "file, label ,LABEL", "file,a,FILE"]
)
def test_two_columns_of_one_name_are_refused(header: str, tmp_path: Path):
    make(tmp_path, "1.wav")
    (tmp_path / "t.csv").write_text(f"{header}\n1.wav,happy,sad\n")
    with pytest.raises(CorpusError, match=r"t\.csv has two columns (emotion|label|file), and one of them is meant"):
        open_recordings(tmp_path / "t.csv")


def test_speakers_that_a_table_leaves_open_are_unknown(tmp_path: Path):
    make(tmp_path, "1.wav", "2.wav")
    (tmp_path / "t.csv").write_text("file,emotion,speaker\n1.wav,sad,anna\n2.wav,sad,\n")
    assert open_recordings(tmp_path).speakers is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"name,feeling\n1.wav,sad\n", "needs the columns file and emotion"),
        (b"", "needs the columns file and emotion"),
        (b"file,emotion\n\xff\xfe.wav,sad\n", "can't be read: it is no text"),
        (b'file,emotion\n"1.wav,sad\n', "can't be read"),
        (b"file,emotion\nno.wav,sad\n", r"\(no such file: 1 clip\)\. A table names files from its own folder, here "),
        (b"file,emotion\nno.wav,sad\n1.wav,odd\n", "Say what labels mean with --labels"),
    ],
)
def test_a_table_that_says_nothing_is_a_sentence(text: bytes, says: str, tmp_path: Path):
    make(tmp_path, "1.wav")
    (tmp_path / "t.csv").write_bytes(text)
    with pytest.raises(CorpusError, match=says):
        open_recordings(tmp_path / "t.csv")


@pytest.mark.parametrize(
    "stray",
    [
        b"file,emotion\nelsewhere/9.wav,fear\n",
        "file,emotion\n1.wav,tr\u00e4urig\n".encode("latin-1"),
        b'"',
        b"",
        b"name,age\nanna,30\n",
    ],
)
def test_a_tree_with_another_table_in_it_is_a_tree(stray: bytes, tmp_path: Path):
    make(tmp_path, "happy/1.wav", "sad/2.wav")
    (tmp_path / "notes.csv").write_bytes(stray)
    assert [(clip.name, clip.emotion) for clip in open_recordings(tmp_path).clips] == [
        ("happy/1.wav", "HAP"),
        ("sad/2.wav", "SAD"),
    ]


def test_a_table_that_agrees_with_the_folders_says_more(tmp_path: Path):
    make(tmp_path, "happy/1.wav", "sad/2.wav")
    (tmp_path / "t.csv").write_text("file,emotion,speaker\n./happy/1.wav,joy,anna\nsad/2.wav,sad,ben\n")
    assert open_recordings(tmp_path).speakers == ("anna", "ben")


@pytest.mark.parametrize("rows", ["happy/1.wav,anger\nsad/2.wav,sad", "happy/1.wav,happy"])
def test_a_table_that_contradicts_the_folders_is_a_sentence(rows: str, tmp_path: Path):
    make(tmp_path, "happy/1.wav", "sad/2.wav")
    (tmp_path / "t.csv").write_text(f"file,emotion\n{rows}\n")
    with pytest.raises(CorpusError, match=r"give the table, .*t\.csv, if that is meant; if the folders are, move it"):
        open_recordings(tmp_path)
    assert open_recordings(tmp_path / "t.csv").clips


def test_a_table_in_another_encoding_is_a_sentence_where_it_is_meant(tmp_path: Path):
    make(tmp_path, "1.wav")
    (tmp_path / "t.csv").write_bytes("file,emotion\n1.wav,tr\u00e4urig\n".encode("latin-1"))
    for path in (tmp_path, tmp_path / "t.csv"):
        with pytest.raises(CorpusError, match=r"t\.csv can't be read: .*; save it as CSV in UTF-8\."):
            open_recordings(path)


def audformat(folder: Path, **tables: str) -> Path:
    make(folder, "db.yaml", "audio/1.wav", "audio/2.wav", "audio/3.wav")
    for name, text in tables.items():
        (folder / f"db.{name}.csv").write_text(text)
    return folder


def test_an_audformat_database_is_its_tables(tmp_path: Path):
    audformat(
        tmp_path,
        files="file,speaker,duration\naudio/1.wav,s1,0 days 00:00:02\naudio/2.wav,s2,0 days 00:00:01\n",
        train="file,emotion\naudio/1.wav,anger\naudio/3.wav,fear\n",
        test="file,emotion\naudio/2.wav,boredom\naudio/3.wav,sadness\n",
        speaker="speaker,gender\ns1,female\ns2,male\n",
    )
    assert facts(tmp_path, "boredom=NEU") == {
        "audio/1.wav": ("ANG", "s1", "female"),
        "audio/2.wav": ("NEU", "s2", "male"),
    }
    assert open_recordings(tmp_path).left_out["several emotions in the tables"] == ("audio/3.wav",)


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"emotion": "file,start,end,emotion\naudio/1.wav,0,1,anger\n"}, "tables of segments"),
        ({"files": "file,speaker\naudio/1.wav,s1\n"}, "no table db.*.csv of it has the columns"),
    ],
)
def test_what_isnt_read_of_audformat_is_said(tables: dict[str, str], says: str, tmp_path: Path):
    with pytest.raises(CorpusError) as error:
        open_recordings(audformat(tmp_path, **tables))
    assert says in str(error.value)


def test_what_is_no_corpus_is_a_sentence(tmp_path: Path):
    for path, says in (
        (tmp_path / "nowhere", "There is no folder"),
        (tmp_path, "no audio files"),
        (make(tmp_path, "one.wav") / "one.wav", "no folder and no table"),
        (tmp_path, "No clip of .* can be used"),
    ):
        if says == "no audio files":
            path = tmp_path / "empty"
            path.mkdir()
        with pytest.raises(CorpusError, match=says):
            open_recordings(path)
    assert kind_of(tmp_path) is kind_of(tmp_path / "nowhere") is None


def test_words_for_emotions():
    assert {emotion_of(word, {}) for word in ("angry", "ANG", " Anger ")} == {"ANG"}
    assert emotion_of("surprise", {}) is emotion_of("N", {}) is None
    assert emotion_of("Pleasant_Surprise", parse_labels("pleasant-surprise = happy")) == "HAP"
    assert parse_labels("joy=HAP, calm=none,") == {"joy": "HAP", "calm": None}


@pytest.mark.parametrize("text", ["joy", "joy=GLAD", "=HAP", "joy=", "joy=HAP,Joy=SAD"])
def test_a_label_map_that_says_nothing_is_a_sentence(text: str):
    with pytest.raises(ConfigError):
        parse_labels(text)


def test_a_label_that_no_clip_has_is_a_slip():
    check_labels({"joy": "HAP"}, ["Joy"])
    with pytest.raises(ConfigError, match=r"'joi'.*Labels here: calm, joy"):
        check_labels({"joi": "HAP"}, ["joy", "calm"])


def test_the_command_describes_a_corpus(tmp_path: Path, capsys: pytest.CaptureFixture):
    make(tmp_path, *CORPORA["emo-db"][0])
    main(["describe", str(tmp_path)])
    output = capsys.readouterr().out
    assert "EMO-DB, known by the names of its files: 6 clips" in output
    assert "speakers: 6 (4 female, 2 male)" in output
    assert "left out: label 'boredom', none of the six: 1 clip (16a05Lc)" in output
    main(["describe", str(make(tmp_path / "tree", "sad/1.wav")), "--labels", "sad=NEU"])
    output = capsys.readouterr().out
    assert "labels from a table or from folders: 1 clip of" in output
    assert "speakers: unknown" in output
    assert "neutral         1" in output
    for arguments in (["nowhere"], [str(tmp_path), "--labels", "joi=HAP"]):
        with pytest.raises(SystemExit, match="2"):
            main(["describe", *arguments])
        assert capsys.readouterr().err.startswith("error: ")


def test_copies_count_once_and_not_at_all_where_their_labels_differ(tmp_path: Path, capsys: pytest.CaptureFixture):
    contents = {
        **{"sad/1.wav": b"one", "sad/2.wav": b"one", "sad/3.wav": b"two", "sad/4.wav": b"other", "sad/5.wav": b"red"},
        **{"happy/1.wav": b"red", "happy/2.wav": b"red", "happy/3.wav": b"", "happy/4.wav": b""},
    }
    for name, content in contents.items():
        make(tmp_path, name)
        (tmp_path / name).write_bytes(content)
    recordings = open_described(tmp_path, None)
    assert [clip.name for clip in recordings.clips] == [
        *("happy/3.wav", "happy/4.wav"),  # empty files are damaged, and no copies
        *("sad/1.wav", "sad/3.wav", "sad/4.wav"),
    ]
    assert recordings.left_out == {
        COPY: ("sad/2.wav like sad/1.wav",),
        CONTRADICTED: ("happy/1.wav like happy/2.wav", "happy/2.wav like happy/1.wav", "sad/5.wav like happy/1.wav"),
    }
    main(["describe", str(tmp_path)])
    said = capsys.readouterr().out
    assert "left out: the same recording as another clip: 1 clip (sad/2.wav like sad/1.wav)" in said


def test_copies_that_all_contradict_each_other_are_no_corpus(tmp_path: Path):
    for name in ("sad/1.wav", "happy/1.wav"):
        make(tmp_path, name)
        (tmp_path / name).write_bytes(b"sound")
    with pytest.raises(CorpusError, match=r"under several labels \(happy/1\.wav like sad/1\.wav\)"):
        open_described(tmp_path, None)


@pytest.mark.parametrize(
    "names", [("1001_DFA_ANG_XX", "1001_DFA_SAD_XX"), ("03-01-03-01-02-01-07", "03-01-03-01-02-02-07")]
)
def test_published_corpora_keep_their_copies(names: tuple[str, ...], tmp_path: Path):
    for name in names:
        (tmp_path / f"{name}.wav").write_bytes(b"sound")
    assert tuple(clip.name for clip in open_described(tmp_path, None).clips) == names


def test_the_real_clips_of_ravdess():
    if not RAVDESS.is_dir():
        skip_or_fail("needs ../shared/ravdess, real clips of another corpus")
    recordings = open_recordings(RAVDESS.parent)
    assert recordings.name == "ravdess"
    assert recordings.left_out == {}
    assert without_copies(recordings) == recordings
    assert recordings.emotions == {"ANG": 96, "DIS": 96, "FEA": 96, "HAP": 96, "NEU": 144, "SAD": 96}
    assert Counter(sex for _, sex in {(clip.speaker, clip.sex) for clip in recordings.clips}) == {
        "female": 6,
        "male": 6,
    }

import csv
import re
import shutil
from pathlib import Path

import pytest

from ser_core.corpus.build import DATA_DIR, build_index
from ser_core.corpus.clips import DEFECTS, N_CLIPS, find_clip, load_actors, load_index
from ser_core.corpus.command import main
from ser_core.corpus.folder import Corpus, default_folder
from ser_core.corpus.names import SENTENCES, ClipName, parse_name
from ser_core.emotions import EMOTIONS
from ser_core.errors import CorpusError


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig") as table:
        return list(csv.DictReader(table))


def test_names_are_taken_apart():
    assert parse_name("1001_DFA_ANG_XX") == ClipName(1001, "DFA", "ANG", "XX")
    assert parse_name("some/folder/1091_IEO_SAD_HI.wav") == ClipName(1091, "IEO", "SAD", "HI")
    assert parse_name("1091_IEO_SAD_HI.WAV").actor == 1091


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("1001_DFA_ANG", "3 part"),
        ("1001_DFA_ANG_XX_2", "5 part"),
        ("1092_DFA_ANG_XX", "actor"),
        ("1000_DFA_ANG_XX", "actor"),
        ("abcd_DFA_ANG_XX", "actor"),
        ("1001_XXX_ANG_XX", "sentence"),
        ("1001_DFA_JOY_XX", "emotion"),
        ("1001_DFA_ang_XX", "emotion"),
        ("1001_DFA_ANG_ZZ", "intensity"),
        ("", "1 part"),
    ],
)
def test_a_bad_name_says_which_part_is_wrong(name: str, says: str):
    with pytest.raises(CorpusError, match=says):
        parse_name(name)


def test_the_index_has_every_official_clip_with_its_checksum(shared: Path):
    index = load_index()
    assert len(index) == N_CLIPS
    official = {Path(row["file"]).stem: (row["sha256"], int(row["bytes"])) for row in read(shared / "sha256.csv")}
    assert {name: (clip.sha256, clip.n_bytes) for name, clip in index.items()} == official


def test_the_index_has_the_official_votes(shared: Path):
    index = load_index()
    kinds = {"1": "voice", "2": "face", "3": "both"}
    rows = read(shared / "tabulatedVotes.csv")
    assert len(rows) == 3 * N_CLIPS
    for row in rows:
        votes = getattr(index[row["fileName"]], kinds[row[""][0]])
        assert votes.counts == tuple(int(row[emotion[0]]) for emotion in EMOTIONS)
        assert votes.total == int(row["numResponses"])


def test_the_index_agrees_with_the_official_summary(shared: Path):
    for row in read(shared / "summaryTable.csv"):
        clip = load_index()[row["FileName"]]
        for kind, column in (("voice", "VoiceVote"), ("face", "FaceVote"), ("both", "MultiModalVote")):
            assert set(row[column].split(":")) == {emotion[0] for emotion in getattr(clip, kind).majority}


def test_the_index_has_the_official_actors(shared: Path):
    rows = read(shared / "VideoDemographics.csv")
    actors = load_actors()
    assert len(actors) == len(rows) == 91
    for row in rows:
        actor = actors[int(row["ActorID"])]
        assert (actor.age, actor.race, actor.ethnicity) == (int(row["Age"]), row["Race"], row["Ethnicity"])
        assert actor.sex == row["Sex"].lower()


def test_durations_are_those_of_the_files(corpus: Corpus, clips: list):
    import soundfile

    for clip in clips:
        assert clip.seconds == pytest.approx(soundfile.info(corpus.path(clip)).duration)
    durations = [clip.seconds for clip in load_index().values()]
    assert sum(durations) / 3600 == pytest.approx(5.26, abs=0.005)
    assert (min(durations), max(durations)) == (pytest.approx(1.27, abs=0.005), pytest.approx(5.01, abs=0.005))


def test_voice_only_raters_name_the_intended_emotion_in_40_percent_of_ratings():
    clips = load_index().values()
    right = sum(clip.voice.counts[EMOTIONS.index(clip.emotion)] for clip in clips)
    assert right / sum(clip.voice.total for clip in clips) == pytest.approx(0.400, abs=0.0005)


def test_the_shipped_index_is_what_the_command_builds(shared: Path, tmp_path: Path):
    assert build_index(shared, tmp_path) == N_CLIPS
    for name in ("clips.csv", "actors.csv"):
        assert (tmp_path / name).read_bytes() == (DATA_DIR / name).read_bytes()


def test_building_the_index_without_tables_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit, match="2"):
        main(["index", str(tmp_path)])
    assert "sha256.csv does not exist" in capsys.readouterr().err


def test_known_defects_are_in_the_index_and_true():
    index = load_index()
    for name in DEFECTS:
        assert index[name].defect
    sums: dict[str, list[str]] = {}
    for clip in index.values():
        sums.setdefault(clip.sha256, []).append(clip.name)
    duplicates = {name for names in sums.values() if len(names) > 1 for name in names}
    assert duplicates == set(DEFECTS) - {"1076_MTI_SAD_XX"}
    assert find_clip("1001_DFA_ANG_XX").defect is None


@pytest.mark.parametrize("suffix", ["", ".wav", ".WAV", ".Wav"])
@pytest.mark.parametrize("folder", ["", "some/folder/", "/some.wav/", "C:\\clips\\", "..\\"])
def test_a_clip_is_found_by_the_name_of_its_file(folder: str, suffix: str):
    assert find_clip(f"{folder}1001_DFA_ANG_XX{suffix}").name == "1001_DFA_ANG_XX"


def test_every_clip_has_a_sentence_text():
    assert {clip.text for clip in load_index().values()} == set(SENTENCES.values())


def test_a_combination_that_was_not_recorded_is_an_error():
    with pytest.raises(CorpusError, match="did not record"):
        find_clip("1001_DFA_ANG_HI")


def test_the_corpus_folder_is_one_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("CREMAD_DIR", str(tmp_path))
    assert default_folder() == Corpus.open().folder == tmp_path
    assert Corpus.open("/elsewhere").folder == Path("/elsewhere")
    monkeypatch.delenv("CREMAD_DIR")
    assert "ser-cremad" in str(default_folder())


def test_missing_and_truncated_clips_are_counted(tmp_path: Path):
    clip = find_clip("1001_DFA_ANG_XX")
    with pytest.raises(CorpusError, match=r"1 of 1 clips .*cremad download"):
        Corpus(tmp_path).require([clip])
    (tmp_path / clip.filename).write_bytes(b"RIFF")
    with pytest.raises(CorpusError, match="damaged"):
        Corpus(tmp_path).require([clip])
    assert Corpus(tmp_path / "nowhere").present == frozenset()


def test_the_folder_above_the_clips_will_do(tmp_path: Path, corpus: Corpus):
    (tmp_path / "AudioWAV").mkdir()
    shutil.copy(corpus.path("1001_DFA_ANG_XX"), tmp_path / "AudioWAV")
    above = Corpus.open(tmp_path)
    assert above == Corpus(tmp_path / "AudioWAV")
    assert above.present == {"1001_DFA_ANG_XX"}
    (tmp_path / "1001_DFA_DIS_XX.wav").touch()  # a folder of clips is itself
    assert Corpus.open(tmp_path).folder == tmp_path


def test_names_may_end_in_capitals(tmp_path: Path, corpus: Corpus):
    shutil.copy(corpus.path("1001_DFA_ANG_XX"), tmp_path / "1001_DFA_ANG_XX.WAV")
    capitals = Corpus.open(tmp_path)
    assert capitals.present == {"1001_DFA_ANG_XX"}
    capitals.require([find_clip("1001_DFA_ANG_XX")])
    assert len(capitals.load("1001_DFA_ANG_XX"))


def test_misspelt_names_are_named(tmp_path: Path, corpus: Corpus, capsys: pytest.CaptureFixture):
    shutil.copy(corpus.path("1001_DFA_ANG_XX"), tmp_path)
    (tmp_path / "1040_ITH_SAD_X.wav").touch()
    (tmp_path / "holiday.wav").touch()
    (tmp_path / "._1001_DFA_ANG_XX.wav").touch()  # what a Mac leaves beside a file
    main(["check", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "1040_ITH_SAD_X.wav is no clip of CREMA-D; is it 1040_ITH_SAD_XX.wav?" in printed
    assert "holiday.wav is no clip of CREMA-D.\n" in printed
    assert "._1001" not in printed
    with pytest.raises(CorpusError, match="Misspelt may be 1040_ITH_SAD_XX"):
        Corpus(tmp_path).require([find_clip("1040_ITH_SAD_XX")])


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("a/b/1001_DFA_ANG_XX.wav", "They are in .*b: name that folder"),
        ("AudioMP3/1001_DFA_ANG_XX.mp3", "in another format, as 1001_DFA_ANG_XX.mp3"),
        ("notes.txt", "There are no CREMA-D clips in [^ ]*$"),
        ("", "There is no such folder"),
    ],
)
def test_what_is_there_in_place_of_clips_is_named(tmp_path: Path, capsys: pytest.CaptureFixture, file: str, says: str):
    folder = tmp_path / "corpus"
    if file:
        (folder / file).parent.mkdir(parents=True)
        (folder / file).touch()
    with pytest.raises(SystemExit) as stopped:
        main(["check", str(folder)])
    assert stopped.value.code == 2
    assert re.search(says, capsys.readouterr().err.strip())


def test_checking_a_folder_reports_defects_and_damage(
    corpus: Corpus, clips: list, tmp_path: Path, capsys: pytest.CaptureFixture
):
    main(["check", str(corpus.folder)])
    output = capsys.readouterr().out
    assert f"{len(clips)} of 7,442" in output
    assert "1076_MTI_SAD_XX: digital silence" in output
    (tmp_path / clips[0].filename).write_bytes(b"not a clip")
    with pytest.raises(SystemExit, match="2"):
        main(["check", str(tmp_path)])
    assert "1 differ" in capsys.readouterr().err

"""Classify with many recordings: a folder's worth of files, or a zip file of them."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from streamlit.testing.v1 import AppTest

from ser_app import classifying
from ser_app.classifying import ANSWERED, CLASSIFIED
from ser_app.tuning import MAX_SECONDS
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.corpus.folder import Corpus
from ser_core.serving.predictor import Predictor
from tests.app.helpers import labelled, set_source, texts

OpenPage = Callable[..., AppTest]
CLASSIFY = "pages/classify.py"


@pytest.fixture
def files(corpus: Corpus, clips) -> dict[str, bytes]:
    """Three good recordings, one that is clipped, one that is silent, and one that is none."""
    good = [clip for clip in clips if not clip.defect][:3]
    files = {f"day/{clip.filename}": corpus.path(clip).read_bytes() for clip in good}
    loud = np.clip(50 * load_audio(corpus.path(good[0])), -1, 1)
    for name, audio in (("loud.wav", loud), ("silent.wav", 0 * loud)):
        file = io.BytesIO()
        soundfile.write(file, audio, SAMPLE_RATE, format="WAV")
        files[name] = file.getvalue()
    return files | {"broken.wav": b"no sound"}


def upload(app: AppTest, files: dict[str, bytes]) -> AppTest:
    app.file_uploader[0].set_value([(name, data, "audio/wav") for name, data in files.items()]).run()
    assert not app.exception, app.exception
    return app


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return data.getvalue()


def test_the_odd_ones_come_first_and_can_be_filtered(
    open_page: OpenPage, two_checkpoints: Path, files: dict[str, bytes]
):
    app = upload(set_source(open_page(CLASSIFY), "folder"), {f"session/{name}": data for name, data in files.items()})
    table = app.dataframe[0].value
    good = [name for name in files if name.startswith("day/")]
    assert list(table["file"]) == ["silent.wav", "broken.wav", "loud.wav", *good]
    assert list(table["odd"]) == ["failed", "failed", "warned", "", "", ""]
    assert "clipped" in table["note"][2]
    kinds = labelled(app.get("button_group"), "Show only")
    assert [option.split()[-2:] for option in kinds.options] == [["failed", "(2)"], ["warned", "(1)"]]
    kinds.set_value(["warned"]).run()
    assert list(app.dataframe[0].value["file"]) == ["loud.wav"]
    labelled(app.slider, "Answer only from").set_value(95).run()
    labelled(app.get("button_group"), "Show only").set_value(["unsure"]).run()
    assert list(app.dataframe[0].value["odd"]) == ["unsure"] * 4
    assert not app.exception
    assert not any(
        prediction.speech.audio.size
        for prediction in app.session_state[ANSWERED].values()
        if prediction and hasattr(prediction, "speech")
    )


def test_a_zip_file_is_as_good_as_its_recordings(
    open_page: OpenPage, two_checkpoints: Path, files: dict[str, bytes], tmp_path: Path
):
    inside = {**files, "../../up.wav": files["loud.wav"], "__MACOSX/._a.wav": b"x", "x.xyz": b"", "notes.txt": b""}
    app = upload(set_source(open_page(CLASSIFY), "upload"), {"session.zip": zipped(inside)})
    table = app.dataframe[0].value
    assert set(table["file"]) == {*files, "../../up.wav", "x.xyz"}
    assert "x.xyz was left out" in table.set_index("file")["note"]["x.xyz"]
    labelled(app.selectbox, "Look at one").set_value("loud.wav").run()
    assert not app.exception
    assert app.metric[0].value == "Happiness"
    assert app.get("audio")
    assert len(app.session_state[CLASSIFIED]) == 1
    labelled(app.selectbox, "Look at one").set_value("broken.wav").run()
    assert "broken.wav: The audio could not be decoded" in texts(app)


def test_a_zip_file_of_one_recording_is_shown_as_that(open_page: OpenPage, two_checkpoints: Path, files):
    app = upload(set_source(open_page(CLASSIFY), "upload"), {"one.zip": zipped({"loud.wav": files["loud.wav"]})})
    assert not app.dataframe
    assert app.metric[0].value == "Happiness"


@pytest.mark.parametrize(
    ("data", "says"), [(b"no zip", "bad.zip can't be unpacked"), (zipped({}), "bad.zip holds no recordings.")]
)
def test_a_zip_file_without_recordings_is_a_sentence(open_page: OpenPage, data: bytes, says: str):
    assert says in texts(upload(set_source(open_page(CLASSIFY), "upload"), {"bad.zip": data}))


def test_progress_says_which_file_and_how_many_are_left(
    open_page: OpenPage, two_checkpoints: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
):
    said: list[tuple[float, str]] = []

    def show(place: object, text: str, done: int, n: int, share: float) -> None:
        said.append(((done + share) / n, text))

    monkeypatch.setattr(classifying, "LONG_SECONDS", 0.5)
    monkeypatch.setattr(classifying, "_show", show)
    upload(set_source(open_page(CLASSIFY), "upload"), files)
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert len(shares) > len(files)
    assert r"1 of 6: day/1001" in said[0][1]
    assert said[0][1].endswith("· 5 left")
    assert "6 of 6: broken.wav · 0 left, about" in said[-1][1]


def test_a_long_recording_shows_how_far_it_is_and_its_timeline_once(
    open_page: OpenPage, two_checkpoints: Path, corpus: Corpus, clips, monkeypatch: pytest.MonkeyPatch
):
    said: list[float] = []
    monkeypatch.setattr(classifying, "_show", lambda place, text, done, n, share: said.append(share))
    followed = []
    timeline = Predictor.timeline

    def watched(self, audio, **options):
        followed.append(options["hop_seconds"])
        return timeline(self, audio, **options)

    monkeypatch.setattr(Predictor, "timeline", watched)
    speech = np.concatenate([load_audio(corpus.path(clip)) for clip in clips[:8] if not clip.defect])
    file = io.BytesIO()
    soundfile.write(file, np.tile(speech, 4)[: 65 * SAMPLE_RATE], SAMPLE_RATE, format="WAV")
    app = upload(set_source(open_page(CLASSIFY), "upload"), {"talk.wav": file.getvalue()})
    assert said[-1] == 1
    assert "Over time" in texts(app)
    labelled(app.slider, "Answer only from").set_value(95).run()
    assert not app.exception
    assert followed == [1.0]
    assert classifying.hop_seconds(301) == 3


def test_recordings_to_tune_to_last_no_longer_than_one_may(open_page: OpenPage, files: dict[str, bytes], monkeypatch):
    assert MAX_SECONDS == 15 * 60
    monkeypatch.setattr("ser_app.tuning.MAX_SECONDS", 5.0)
    good = {name: data for name, data in files.items() if name.startswith("day/")}
    app = upload(set_source(open_page(CLASSIFY), "upload"), {**good, "broken.wav": b""})
    labelled(app.button, "Tune to these 4 recordings").click().run()
    assert not app.exception
    n = len([caption for caption in app.caption if "is tuned to" in caption.value])
    assert n == 1
    assert "is tuned to 4" not in texts(app)

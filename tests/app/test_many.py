"""Classify with many recordings: a folder's worth of files, or a zip file of them."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import streamlit as st
from streamlit.testing.v1 import AppTest

from ser_app import classifying, loaders, work_view
from ser_app.classifying import CLASSIFIED, FOLLOWED, remembered
from ser_app.uploads import MINUTES, Upload, max_seconds
from ser_core.audio import SAMPLE_RATE, detections
from ser_core.audio.preprocess import load_audio
from ser_core.corpus.folder import Corpus
from ser_core.serving.prediction import Prediction
from ser_core.serving.predictor import Predictor
from tests.app.helpers import choose_result, labelled, long_talk, set_source, texts
from tests.helpers import save_opinionated

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
    assert list(table["status"]) == ["failed", "failed", "warned", "", "", ""]
    assert "clipped" in table["note"][2]
    shown = [column for column in app.dataframe[0].proto.column_order if column in ("answer", "confidence", "note")]
    assert shown == ["answer", "confidence", "note"]
    kinds = labelled(app.get("button_group"), "Show only")
    assert [option.split()[-2:] for option in kinds.options] == [["failed", "(2)"], ["warned", "(1)"]]
    kinds.set_value(["warned"]).run()
    assert list(app.dataframe[0].value["file"]) == ["loud.wav"]
    labelled(app.slider, "Answer only from").set_value(95).run()
    labelled(app.get("button_group"), "Show only").set_value(["unsure"]).run()
    assert list(app.dataframe[0].value["status"]) == ["unsure"] * 4
    assert not app.exception
    answers = [answer.result for answer in remembered()._values.values()]
    assert len(answers) == len(files)
    assert not any(result.speech.audio.size for result in answers if isinstance(result, Prediction))


def test_what_outlives_a_session_does_not_tell_voices_apart(
    open_page: OpenPage, two_checkpoints: Path, files: dict[str, bytes]
):
    """Whoever brings the same sound again has its embedding nevertheless."""
    for _ in range(2):
        app = upload(set_source(open_page(CLASSIFY), "upload"), {"loud.wav": files["loud.wav"]})
        (shown,) = app.session_state[CLASSIFIED].values()
        assert shown.embedding is not None
        assert [answer.result.embedding for answer in remembered()._values.values()] == [None]


def test_a_zip_file_is_as_good_as_its_recordings(
    open_page: OpenPage, two_checkpoints: Path, files: dict[str, bytes], tmp_path: Path
):
    inside = {**files, "../../up.wav": files["loud.wav"], "__MACOSX/._a.wav": b"x", "x.xyz": b"", "notes.txt": b""}
    app = upload(set_source(open_page(CLASSIFY), "upload"), {"session.zip": zipped(inside)})
    table = app.dataframe[0].value
    assert set(table["file"]) == {*files, "../../up.wav", "x.xyz"}
    assert "x.xyz was left out" in table.set_index("file")["note"]["x.xyz"]
    choose_result(app, list(table["file"]).index("loud.wav"))
    assert not app.exception
    assert app.metric[0].value == "Happiness"
    assert app.get("audio")
    assert len(app.session_state[CLASSIFIED]) == 1
    choose_result(app, list(table["file"]).index("broken.wav"))
    assert "broken.wav: The audio could not be decoded" in texts(app)
    choose_result(app, list(table["file"]).index("x.xyz"))
    assert "x.xyz: x.xyz was left out" in texts(app)


def test_a_zip_file_of_one_recording_is_shown_as_that(open_page: OpenPage, two_checkpoints: Path, files):
    app = upload(set_source(open_page(CLASSIFY), "upload"), {"one.zip": zipped({"loud.wav": files["loud.wav"]})})
    assert not app.dataframe
    assert app.metric[0].value == "Happiness"


@pytest.mark.parametrize(
    ("data", "says"), [(b"no zip", "bad.zip can't be unpacked"), (zipped({}), "bad.zip holds no recordings.")]
)
def test_a_zip_file_without_recordings_is_a_sentence(open_page: OpenPage, data: bytes, says: str):
    assert says in texts(upload(set_source(open_page(CLASSIFY), "upload"), {"bad.zip": data}))


class Watched:
    """Takes the place of what draws progress: what was said, how much was drawn, and a visitor who cancels."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cancel_at: float = 2.0):
        self.said: list[tuple[float, str]] = []
        self.drawn = 0
        self.cancel_at = cancel_at
        monkeypatch.setattr(work_view, "DRAW_SECONDS", -1.0)
        draw = work_view.Progress.__call__

        def watched(progress: work_view.Progress, share: float, text: str, show: Callable | None = None) -> None:
            self.said.append((share, text))
            self.drawn += show is not None
            draw(progress, share, text, show)
            if share >= self.cancel_at:
                self.cancel_at = 2.0
                work_view._cancel(progress.keys)
                st.rerun()

        monkeypatch.setattr(work_view.Progress, "__call__", watched)


def counted_calls(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> list[object]:
    calls: list[object] = []
    function = getattr(owner, name)

    def watched(*arguments, **options):
        calls.append(arguments)
        return function(*arguments, **options)

    monkeypatch.setattr(owner, name, watched)
    return calls


def test_progress_says_which_file_and_the_table_fills(
    open_page: OpenPage, two_checkpoints: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
):
    watched = Watched(monkeypatch)
    monkeypatch.setattr(classifying, "LONG_SECONDS", 0.5)
    upload(set_source(open_page(CLASSIFY), "upload"), files)
    shares = [share for share, _ in watched.said]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert len(shares) > len(files) == watched.drawn
    assert watched.said[0][1].startswith("0 of 6 · day/1001")
    assert watched.said[-1][1].startswith("5 of 6 · broken.wav")


def test_cancelled_files_are_kept_and_the_others_follow_later(
    open_page: OpenPage, two_checkpoints: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
):
    Watched(monkeypatch, cancel_at=0.5)
    asked = counted_calls(monkeypatch, Predictor, "follow")
    app = upload(set_source(open_page(CLASSIFY), "upload"), files)
    assert "Cancelled. 3 of 6 recordings are classified." in texts(app)
    assert len(app.dataframe[0].value) == len(asked) == 3
    app.run()
    assert len(asked) == 3
    labelled(app.button, "Go on").click().run()
    assert not app.exception
    assert len(app.dataframe[0].value) == 6
    assert len(asked) == 5  # one can't be decoded
    assert "Cancelled" not in texts(app)


def test_the_same_content_is_answered_from_memory_whoever_brings_it(
    open_page: OpenPage, two_checkpoints: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
):
    upload(set_source(open_page(CLASSIFY), "upload"), files)
    asked, loaded = (counted_calls(monkeypatch, *of) for of in ((Predictor, "follow"), (Upload, "load")))
    app = upload(set_source(open_page(CLASSIFY), "upload"), {f"again-{name}": data for name, data in files.items()})
    assert len(app.dataframe[0].value) == 6
    assert (asked, loaded) == ([], [])
    app.multiselect[0].set_value(["glad", "sad"]).run()
    assert len(asked) == 5
    app.toggle[0].set_value(True).run()  # any sound changes answers
    assert len(asked) == 15
    save_opinionated(two_checkpoints, "sad", "FEA")
    app.run()
    assert len(asked) == 20
    assert not app.exception


def test_two_models_share_decoding_and_the_search_for_speech(
    open_page: OpenPage, two_checkpoints: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
):
    loaders._detections.clear()
    found, loaded = (counted_calls(monkeypatch, *of) for of in ((detections, "detect_speech"), (Upload, "load")))
    app = upload(set_source(open_page(CLASSIFY), "upload"), {"loud.wav": files["loud.wav"]})
    app.multiselect[0].set_value(["glad", "sad"]).run()
    assert [metric.value for metric in app.metric] == ["Happiness", "Sadness"]
    assert (len(found), len(loaded)) == (1, 1)


def test_a_long_recording_grows_and_its_pieces_are_its_timeline(
    open_page: OpenPage, two_checkpoints: Path, corpus: Corpus, clips, monkeypatch: pytest.MonkeyPatch
):
    watched = Watched(monkeypatch)
    asked, followed = (counted_calls(monkeypatch, Predictor, name) for name in ("follow", "timeline"))
    data = long_talk(corpus, clips)
    app = upload(set_source(open_page(CLASSIFY), "upload"), {"talk.wav": data})
    assert [share for share, _ in watched.said] == sorted(share for share, _ in watched.said)
    assert watched.said[-1][0] == pytest.approx(1)
    assert len(watched.said) > 4
    assert "average is the answer above" in texts(app)
    charts = [chart for chart in app.get("plotly_chart") if '"x":' in chart.proto.spec]
    assert charts
    labelled(app.slider, "Answer only from").set_value(95).run()
    assert not app.exception
    assert (len(asked), len(followed)) == (1, 0)
    assert app.metric[0].value == "Unsure"
    assert classifying.hop_seconds(301) == 3


def test_a_cancelled_recording_answers_from_what_was_heard_and_goes_on_from_there(
    open_page: OpenPage, two_checkpoints: Path, corpus: Corpus, clips, monkeypatch: pytest.MonkeyPatch
):
    watched = Watched(monkeypatch, cancel_at=0.4)
    asked = counted_calls(monkeypatch, Predictor, "follow")
    app = upload(set_source(open_page(CLASSIFY), "upload"), {"talk.wav": long_talk(corpus, clips)})
    assert app.metric[0].value == "Happiness"
    assert "Cancelled: only " in texts(app)
    assert "seconds were heard." in texts(app)
    assert "Over time" in texts(app)
    begun = len(watched.said)
    labelled(app.button, "Go on").click().run()
    assert not app.exception
    assert "Cancelled" not in texts(app)
    assert watched.said[begun][0] >= 0.4
    assert len(asked) == 1
    assert not app.session_state[FOLLOWED]


def test_a_recording_cancelled_before_anything_was_heard_says_so(
    open_page: OpenPage, two_checkpoints: Path, corpus: Corpus, clips, monkeypatch: pytest.MonkeyPatch
):
    Watched(monkeypatch, cancel_at=0.0)
    app = upload(set_source(open_page(CLASSIFY), "upload"), {"talk.wav": long_talk(corpus, clips)})
    assert "Cancelled before anything was heard" in texts(app)
    assert not app.metric


def test_recordings_to_tune_to_last_no_longer_than_one_may(open_page: OpenPage, files: dict[str, bytes], monkeypatch):
    assert max_seconds() == 15 * 60
    monkeypatch.setenv(MINUTES, str(5 / 60))
    good = {name: data for name, data in files.items() if name.startswith("day/")}
    app = upload(set_source(open_page(CLASSIFY), "upload"), {**good, "broken.wav": b""})
    labelled(app.button, "Tune to these 4 recordings").click().run()
    assert not app.exception
    n = len([caption for caption in app.caption if "is tuned to" in caption.value])
    assert n == 1
    assert "is tuned to 4" not in texts(app)

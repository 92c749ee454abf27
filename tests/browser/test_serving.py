"""The app for other people (docs/serving.md): behind a path, with headers, keeping nothing of a visitor."""

from __future__ import annotations

import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, Playwright, Response, expect

from ser_app.headers import HEADERS
from ser_app.page_scripts import CHUNK
from ser_app.room import VISITORS
from ser_core.audio import SAMPLE_RATE
from ser_core.corpus.folder import Corpus
from tests.browser.app_server import AppServer, OpenTab, launch, wait_until_idle
from tests.browser.microphone import keep_audio, microphone_flags, record, start, stop
from tests.helpers import BROWSER

pytestmark = BROWSER
PREFIX = "/ser"
TTL = 5
"""Seconds for which a closed tab can be come back to."""

NOTES = """
import ast, gc, os, signal, sys
from pathlib import Path

notes = Path(os.environ["NOTES"])
written = os.open(notes / "written", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

quiet = []
TONE = 3137

def sounds(thing):
    # Whether it begins with the tone, or has it a second later: samples of any kind and rate.
    import numpy as np
    if isinstance(thing, (bytes, bytearray)):
        ends = len(thing) // 4 * 4
        readings = [np.frombuffer(thing[:ends], np.int16)]
    else:
        readings = [thing.reshape(-1)] if thing.dtype.kind in "if" else []
    for samples in readings:
        for start in (40, 16000, 48000):
            piece = samples[start : start + 280].astype(np.float64)
            if len(piece) < 280 or not np.isfinite(piece).all() or not piece.any():
                continue
            power = np.abs(np.fft.rfft(piece * np.hanning(280), 2240)) ** 2
            bins = [round(TONE * 2240 / rate) for rate in (16000, 48000)]
            peaks = [power[at - 12 : at + 13].sum() for at in bins]
            if max(peaks) > 0.8 * power[20:].sum() > 0:
                return True
    return False

def note(event, args):
    if not quiet and event == "open" and (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        os.write(written, f"{args[0]}\\n".encode())

def count(number, frame):
    marks = ast.literal_eval((notes / "marks").read_text())
    left_out = gc.get_freeze_count()
    gc.unfreeze()
    gc.collect()
    gc.unfreeze()  # a long round ends with all left out
    things = {id(thing): thing for each in gc.get_objects() for thing in gc.get_referents(each)}
    kinds = {"bytes": bytes, "bytearray": bytes, "ndarray": lambda array: array.tobytes()}
    mine = {id(mark) for mark in marks}
    holds = [kinds[type(thing).__name__](thing) for key, thing in things.items()
             if type(thing).__name__ in kinds and key not in mine]
    found = " ".join(str(sum(mark in data for data in holds)) for mark in marks)
    sound = sum(sounds(thing) for thing in things.values()
                if type(thing).__name__ in kinds and getattr(thing, "nbytes", None) or
                type(thing) in (bytes, bytearray) and len(thing) > 640)
    names = [type(thing).__name__ for thing in things.values()]
    found += f" {sound} {names.count('Adaptation')} {names.count('Listener')} {left_out}"
    quiet.append(True)
    (notes / "new").write_text(found)
    (notes / "new").rename(notes / "held")
    quiet.clear()

signal.signal(signal.SIGUSR2, count)
sys.addaudithook(note)
"""
"""Runs in the app's process first: notes what is opened to be written, and says who holds a mark."""


class Served(NamedTuple):
    """The app, the folder of what its process notes, and the only temporary folder that it knows."""

    app: AppServer
    notes: Path
    temporary: Path


@pytest.fixture(scope="module")
def served(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    temporary = folder / "temporary"
    temporary.mkdir()
    environment = {
        "CREMAD_DIR": str(corpus.folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": str(TTL),
        "TMPDIR": str(temporary),
        "NOTES": str(folder),
        VISITORS: "2",
    }
    with AppServer(environment, "serve.py", NOTES, PREFIX) as app:
        yield Served(app, folder, temporary)


def looks_for_the_prefix(page: Page, answer: Response) -> bool:
    """Streamlit's own search, on every server: a page that is opened at /a/b asks at /a/b first, then at /a."""
    return answer.status == 404 and answer.url.startswith(f"{page.url.split('?')[0]}/_stcore/")


def test_behind_a_path_no_request_fails_and_no_header_forbids_anything(
    served: Served, playwright: Playwright, chromium: str, corpus: Corpus
):
    # Somebody speaks again and again; the beeps of a microphone without a file can be suppressed as noise.
    browser = launch(playwright, chromium, *microphone_flags(corpus.path("1001_DFA_ANG_XX")))
    page = browser.new_context(permissions=["microphone"]).new_page()
    failed: list[str] = []
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    # A blob is the browser's own: that one is forbidden is said on the console.
    page.on(
        "requestfailed",
        lambda request: failed.append(request.url) if not request.url.startswith("blob:") else None,
    )
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.on(
        "response",
        lambda answer: (
            failed.append(answer.url) if answer.status >= 400 and not looks_for_the_prefix(page, answer) else None
        ),
    )
    page.on(
        "console",
        lambda said: failed.append(said.text) if said.type == "error" and "status of 404" not in said.text else None,
    )
    page.goto(f"{served.app.url}/classify?source=example")
    expect(page.get_by_test_id("stMetricValue")).to_be_visible()
    wait_until_idle(page)
    page.get_by_role("radio", name="Record").click()
    wait_until_idle(page)
    page.get_by_role("button", name="Record", exact=True).first.click()
    stop = page.get_by_role("button", name="Stop recording")
    expect(stop).to_be_visible()
    page.wait_for_timeout(4_000)
    stop.click()
    expect(page.get_by_test_id("stMetricValue")).to_be_visible()
    wait_until_idle(page)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Live").click()
    wait_until_idle(page)
    page.get_by_role("button", name="Start listening").click()
    sound = page.get_by_text(re.compile(r"Level: -\d+ dBFS"))
    expect(sound.or_(page.get_by_role("button", name="Connect again")).first).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Stop listening").click()
    wait_until_idle(page)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Samples").click()
    expect(page.get_by_role("heading", name="Samples", level=1)).to_be_visible()
    wait_until_idle(page)
    assert page.url.startswith(f"{served.app.url}/samples")
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert failed == []
    assert f"{served.app.url}/static/js/{CHUNK}" in asked  # ser_app.page_scripts.warm_charts finds it here, too
    assert [url for url in asked if url.startswith("http") and not url.startswith(f"{served.app.url}/")] == []
    browser.close()


def test_every_answer_has_the_headers_and_a_form_of_another_site_uploads_nothing(served: Served):
    for path in ("/", "/live", f"/static/js/{CHUNK}", "/_stcore/health"):
        with urllib.request.urlopen(served.app.url + path) as answer:
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    upload = urllib.request.Request(f"{served.app.url}/_stcore/upload_file/session/file", b"sound", method="PUT")
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(upload)
    assert b"XSRF" in refused.value.read()


def marked(path: Path, audio: np.ndarray) -> list[bytes]:
    """Write int16 samples that end in noise of this file's own; what shows that something is it, or decoded of it."""
    noise = np.random.default_rng(len(audio)).integers(-90, 90, SAMPLE_RATE // 2, np.int16)
    soundfile.write(path, np.concatenate([audio, noise]), SAMPLE_RATE, subtype="PCM_16")
    return [path.stem.encode(), noise[:64].tobytes(), (noise[:64] / 2**15).astype(np.float32).tobytes()]


def open_files(app: AppServer) -> list[bytes]:
    """What lies in the files that the app's process holds open, also in those that have no name any more."""
    found = []
    for link in Path(f"/proc/{app.process.pid}/fd").iterdir():
        name = link.readlink().as_posix() if link.is_symlink() else ""
        if name.startswith("/") and not name.startswith(("/dev/", "/proc/", "/sys/")) and link.is_file():
            found.append(link.read_bytes())
    return found


def held(served: Served, marks: list[bytes]) -> list[int]:
    """How many bytes and arrays in the process's memory hold each mark, the tone of `tape`; adaptations; listeners; and
    how many objects the garbage collector leaves out of its rounds."""
    for name in ("marks", "held"):
        (served.notes / name).unlink(missing_ok=True)
    (served.notes / "marks").write_text(repr(marks))
    served.app.process.send_signal(signal.SIGUSR2)
    deadline = time.monotonic() + 30
    while not (served.notes / "held").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return [int(number) for number in (served.notes / "held").read_text().split()]


def held_at_last(served: Served, marks: list[bytes], gone: list[int]) -> list[int]:
    """The same some time after a tab was closed; a busy machine gets time again for what is to be `gone`."""
    for _ in range(6):
        time.sleep(2 * TTL)  # in peace: counting stops the server, which has its own clock for sessions
        found = held(served, marks)
        if found[: len(gone)] == gone:
            break
    return found


def tape(path: Path, clip: np.ndarray) -> Path:
    """A voice with a tone of 3,137 Hz, which survives a codec: it shows what the microphone heard."""
    voice = np.concatenate([clip, np.zeros(SAMPLE_RATE, np.int16)])
    tone = 3000 * np.sin(2 * np.pi * 3137 / SAMPLE_RATE * np.arange(len(voice)))
    soundfile.write(path, np.clip(voice / 4 + tone, -32768, 32767).astype(np.int16), SAMPLE_RATE, subtype="PCM_16")
    return path


def speak(page: Page, served: Served) -> None:
    """Tune to a voice and classify it, by recorders of Classify; and listen on Live, where the sound is kept."""
    page.goto(f"{served.app.url}/classify?source=record&models=lr0.01-ELU-1D")
    wait_until_idle(page)
    record(page, 1.5)
    expect(page.get_by_test_id("stMetricValue")).to_be_visible()
    page.get_by_text("Tune to my voice").click()
    record(page, 1.5, 1)
    expect(page.get_by_text("is tuned to 1 recording in a neutral voice.")).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Live").click()
    wait_until_idle(page)
    page.get_by_text("Settings").click()
    keep_audio(page)
    start(page)
    page.wait_for_timeout(1500)
    stop(page)


def test_what_a_visitor_brings_is_written_nowhere_and_gone_with_the_session(
    served: Served, open_tab: OpenTab, corpus: Corpus, tmp_path: Path
):
    clip, _ = soundfile.read(corpus.path("1001_DFA_ANG_XX"), dtype="int16")
    files = [tmp_path / "marked-5dd2c1b7-voice.wav", tmp_path / "marked-9e01a3f4-silence.wav"]
    marks = [*marked(files[0], clip), *marked(files[1], np.zeros(SAMPLE_RATE, np.int16))]
    page = open_tab("/classify?source=upload", url=served.app.url)
    wait_until_idle(page)
    (served.notes / "written").write_text("")
    page.locator("input[type=file]").set_input_files(files)
    for file in files:
        expect(page.get_by_role("button", name=f"Remove {file.name}")).to_be_visible()
    wait_until_idle(page)
    found = held(served, marks)
    assert 0 not in found[: len(marks)]  # they would be found
    assert found[-1] > 100_000  # libraries and models
    kept_open = open_files(served.app)
    assert kept_open
    assert [mark for mark in marks if any(mark in data for data in kept_open)] == []
    page.context.close()
    gone = [0] * len(marks)
    assert held_at_last(served, marks, gone)[: len(marks)] == gone
    assert (served.notes / "written").read_text() == ""
    assert not any(mark.decode(errors="replace") in served.app._said_since(0) for mark in marks)
    # The id that onnxruntime gives its process is all there is; it is as long as that.
    assert [path.name for path in served.temporary.rglob("*") if path.stat().st_size > 60 or path.name != ".ses"] == []


def test_a_newcomer_reads_that_there_is_no_room_until_somebody_leaves(served: Served, open_tab: OpenTab):
    first, _, newcomer = (open_tab(path, url=served.app.url) for path in ("/guess", "/live", "/guess?round=3"))
    full = newcomer.get_by_text("There is no room right now")
    expect(full).to_be_visible()
    expect(newcomer.get_by_text("You are next.")).to_be_visible()
    expect(first.get_by_role("heading", name="Guess yourself", level=1)).to_be_visible()
    first.context.close()
    expect(newcomer.get_by_role("heading", name="Guess yourself", level=1)).to_be_visible()
    expect(full).to_have_count(0)
    assert newcomer.url.endswith("/guess?round=3")


def test_what_a_visitor_says_is_gone_with_the_session(
    served: Served, corpus: Corpus, tmp_path: Path, playwright: Playwright, chromium: str
):
    clip, _ = soundfile.read(corpus.path("1001_DFA_ANG_XX"), dtype="int16")
    browser = launch(playwright, chromium, *microphone_flags(tape(tmp_path / "voice.wav", clip)))
    (served.notes / "written").write_text("")
    speak(browser.new_context(permissions=["microphone"]).new_page(), served)
    assert 0 not in held(served, [])  # its sound, what is known of the voice, and what listens
    browser.close()
    gone = [0, 0, 0]
    assert held_at_last(served, [], gone)[:3] == gone
    assert set((served.notes / "written").read_text().split("\n")) <= {"", "/dev/null"}

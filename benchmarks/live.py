"""The Live page in Chromium with a fake microphone: from the end of speech to its label, and what a listener costs.

Also: how many listeners this machine follows before their updates come late. Clips are those of the corpus.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from playwright.sync_api import Browser, Page, sync_playwright

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.corpus.clips import Clip, load_index
from ser_core.corpus.folder import Corpus
from ser_core.records.checkpoints import checkpoints_dir, default_checkpoint
from ser_core.serving.listener import Listener
from ser_core.serving.predictor import Predictor
from ser_core.serving.stream import StreamConfig, blocks
from tests.browser.app_server import AppServer, find_chromium, launch, wait_until_idle
from tests.browser.microphone import microphone_flags

N_CLIPS = 12
LEAD_SECONDS, GAP_SECONDS = 6.0, 2.5
QUIET = 0.004  # RMS below which the microphone's 20 ms are silence
SAME_SECONDS = 1.0  # between the end of speech by the browser's ear and by the model's
SILENT_SECONDS = 0.4  # after which speech has ended
CAPACITY_SECONDS = 12.0
MOST_LISTENERS = 64
FRAME = 960  # samples of 20 ms at 48 kHz

# In every frame of the page: note when the microphone is loud, by the browser's own clock.
WATCH_MICROPHONE = """
const original = navigator.mediaDevices?.getUserMedia?.bind(navigator.mediaDevices)
if (original) navigator.mediaDevices.getUserMedia = async constraints => {
  const stream = await original(constraints)
  const context = new AudioContext()
  const analyser = context.createAnalyser()
  analyser.fftSize = 1024
  context.createMediaStreamSource(stream).connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  window.levels = []
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length)
    window.levels.push([Date.now() / 1000, rms])
  }, 10)
  return stream
}
"""
# In the page: note up to when the sound is that the label is of.
WATCH_LABEL = """
() => {
  window.shown = []
  setInterval(() => {
    const heard = Number(document.querySelector(".utterance")?.dataset.heard ?? 0)
    if (heard !== window.shown.at(-1)?.[1]) window.shown.push([Date.now() / 1000, heard])
  }, 10)
}
"""


def chosen_clips(n: int) -> list[Clip]:
    """Clips of the test split that are on this machine, two to three seconds long."""
    present = Corpus.open().present
    fitting = [c for c in load_index().values() if c.report_split == "test" and c.name in present and 2 < c.seconds < 3]
    if len(fitting) < n:
        sys.exit("error: the clips of CREMA-D are not on this machine (see `python -m ser_core.cremad download`).")
    return fitting[:: len(fitting) // n][:n]


def write_tape(path: Path, *, loop: bool = False) -> Path:
    """What the microphone plays: clips between silences; played once unless `loop`."""
    gap = np.zeros(round(GAP_SECONDS * SAMPLE_RATE), np.float32)
    parts = [np.zeros(round(LEAD_SECONDS * SAMPLE_RATE), np.float32)]
    for clip in chosen_clips(N_CLIPS):
        parts += [load_audio(Corpus.open().path(clip)), gap]
    soundfile.write(path, np.concatenate(parts), SAMPLE_RATE, subtype="PCM_16")
    return path if loop else path.with_name(f"{path.name}%noloop")


def open_live(browser: Browser, server: AppServer, *, watch: bool = False) -> Page:
    """The Live page, its settings as they are."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    if watch:
        page.add_init_script(WATCH_MICROPHONE)
    page.goto(f"{server.url}/live")
    wait_until_idle(page)
    return page


def press(page: Page, name: str) -> None:
    """A button of the page's."""
    page.get_by_role("button", name=name).click()


def processor_seconds(pid: int) -> float:
    """Time that all threads of a process have computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def speech_ends(levels: list[tuple[float, float]]) -> list[float]:
    """Times at which the signal became silent and stayed so."""
    loud = [moment for moment, rms in levels if rms > QUIET]
    return [a for a, b in zip(loud, [*loud[1:], float("inf")], strict=True) if b - a > SILENT_SECONDS]


def latencies(
    levels: list[tuple[float, float]], shown: list[tuple[float, float]], utterances: list[dict[str, Any]]
) -> list[float]:
    """From the end of each stretch of speech to the first label that was computed from all of it.

    The end of the last stretch, and of the last utterance, tie stream time to the browser's clock.
    """
    ends = speech_ends(levels)
    ahead = ends[-1] - utterances[-1]["end"]
    found = []
    for end in ends:
        away, heard_all = min((abs(each["end"] + ahead - end), each["end"]) for each in utterances)
        if away < SAME_SECONDS:
            found += [moment - end for moment, heard in shown if heard >= heard_all][:1]
    return found


def measure_page(browser: Browser, server: AppServer) -> None:
    """Latency, and processor time of one listener."""
    page = open_live(browser, server, watch=True)
    page.evaluate(WATCH_LABEL)
    press(page, "Start listening")
    page.wait_for_timeout(1000 * LEAD_SECONDS - 1000)
    before, started = processor_seconds(server.process.pid), time.perf_counter()
    page.wait_for_timeout(1000 * N_CLIPS * (GAP_SECONDS + 2.5))
    share = (processor_seconds(server.process.pid) - before) / (time.perf_counter() - started)
    frame = next(frame for frame in page.frames if frame.evaluate("window.levels?.length ?? 0"))
    levels, shown = frame.evaluate("window.levels"), page.evaluate("window.shown")
    press(page, "Stop listening")
    with page.expect_download() as download:
        page.get_by_role("button", name="Utterances as JSON").click()
    found = latencies(levels, shown, json.loads(download.value.path().read_text()))
    print(
        f"end of speech to its label on screen: median {statistics.median(found):.2f} s, "
        f"longest {max(found):.2f} s, over {len(found)} of {len(speech_ends(levels))} clips"
    )
    print(f"processor time of the server with one listener: {share:.0%} of one core")
    page.close()


def late_share(predictor: Predictor, audio: np.ndarray, n: int) -> float:
    """Share of updates that didn't come in time, with n listeners who each hear the same at real speed."""
    listeners = [Listener(predictor) for _ in range(n)]
    frames = list(blocks(np.stack([audio] * 2), FRAME))[: round(CAPACITY_SECONDS * 50)]
    started = time.perf_counter()
    for i, frame in enumerate(frames):
        time.sleep(max(0.0, started + i * FRAME / 48_000 - time.perf_counter()))
        for listener in listeners:
            listener.feed(frame, 48_000)
    rows = sum(len(listener.look().rows) for listener in listeners)  # now, not when they have caught up
    while any(thread.name == "listener" for thread in threading.enumerate()):
        time.sleep(0.1)  # what they still have to do would take the time of the next ones
    return 1 - rows / (n * (CAPACITY_SECONDS / StreamConfig().hop_seconds - 1))


def measure_capacity() -> None:
    """How many listeners are followed, without their pages: these are drawn for each as well."""
    import soxr

    predictor = Predictor.load()
    clips = [load_audio(Corpus.open().path(clip)) for clip in chosen_clips(N_CLIPS)]
    audio = (soxr.resample(np.concatenate(clips), SAMPLE_RATE, 48_000) * 32767).astype(np.int16)
    late_share(predictor, audio, 1)
    n = 4
    while n <= MOST_LISTENERS:
        share = late_share(predictor, audio, n)
        print(f"{n:2} listeners who speak without a break: {max(share, 0):.0%} of the updates late", flush=True)
        if share > 0.05:
            break
        n += 4


def main() -> None:
    """Print all."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("error: Chromium was not found.")
    print(f"with the default checkpoint, {default_checkpoint(checkpoints_dir())}")
    with tempfile.TemporaryDirectory() as folder, AppServer() as server, sync_playwright() as playwright:
        tape = write_tape(Path(folder) / "tape.wav")
        browser = launch(playwright, chromium, *microphone_flags(tape))
        measure_page(browser, server)
        browser.close()
    measure_capacity()


if __name__ == "__main__":
    main()

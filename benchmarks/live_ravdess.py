"""The Live page with a fake microphone that plays RAVDESS: labels while each clip ends and after, against the truth.

Clips of all six emotions between silences, of speakers and a studio that nothing was trained on, as the page comes: the
default checkpoint and settings, with nothing tuned. Twice: the newest window's label, in the last second of each clip,
and the label of the utterance that the clip was, at its end; a clip of which there is no utterance is not right.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.signal
import soundfile
from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.live import press
from benchmarks.robustness import ravdess_clips
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.audio.vad import energy_intervals
from ser_core.corpus.recordings import Recording
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.records.checkpoints import default_checkpoint
from tests.browser.app_server import AppServer, find_chromium, launch, wait_until_idle
from tests.browser.microphone import microphone_flags

ACTORS = ("01", "02", "03", "04", "05", "06", "07", "08")
LEAD_SECONDS, GAP_SECONDS, TAIL_SECONDS = 6.0, 2.0, 4.0
LAST_SECONDS = 1.0
CALM, STRONG = "02", "02"  # as names of clips have it, of the emotion and of its intensity


@dataclass(frozen=True)
class Spoken:
    """A clip on the tape: its emotion, and when it ends, in seconds since the tape began."""

    emotion: str
    end: float


@dataclass(frozen=True)
class Session:
    """What the page keeps of a session: timeline and utterances, as it downloads them, and the audio as it arrived."""

    rows: list[dict[str, Any]]
    utterances: list[dict[str, Any]]
    audio: np.ndarray


def chosen_clips() -> list[Recording]:
    """The first clip of strong intensity of each emotion, of each actor; of neutral, which has none, not a calm one."""
    chosen: dict[tuple[str, str], Recording] = {}
    for clip in ravdess_clips():
        _, _, emotion, intensity, *_ = clip.name.split("-")
        if clip.speaker in ACTORS and emotion != CALM and (intensity == STRONG or clip.emotion == "NEU"):
            chosen.setdefault((clip.speaker, clip.emotion), clip)
    return [chosen[key] for key in sorted(chosen)]


def make_tape(clips: Sequence[Recording]) -> tuple[np.ndarray, list[Spoken]]:
    """The clips without the silence around them, between silences of our own."""
    gap = np.zeros(round(GAP_SECONDS * SAMPLE_RATE), np.float32)
    parts = [np.zeros(round(LEAD_SECONDS * SAMPLE_RATE), np.float32)]
    spoken = []
    for clip in clips:
        audio = load_audio(clip.path)
        loud = energy_intervals(audio, top_db=40, floor_dbfs=-65)
        parts.append(audio[loud[0, 0] : loud[-1, 1]])
        spoken.append(Spoken(clip.emotion, sum(map(len, parts)) / SAMPLE_RATE))
        parts.append(gap)
    return np.concatenate([*parts, np.zeros(round(TAIL_SECONDS * SAMPLE_RATE), np.float32)]), spoken


def listen(page: Page, seconds: float) -> Session:
    """Let the page hear the microphone for so long."""
    page.get_by_text("Settings").click()
    keep = page.locator("label", has_text="Keep this session's audio")
    page.wait_for_timeout(1000)  # a click on what still unfolds is lost
    keep.get_by_text("Keep").click()
    expect(keep.locator("input")).to_be_checked()
    wait_until_idle(page)
    press(page, "Start listening")
    page.wait_for_timeout(1000 * seconds)
    press(page, "Stop listening")
    expect(page.get_by_role("heading", name="This session")).to_be_visible(timeout=60_000)
    rows, utterances = (json.loads(download(page, f"{what} as JSON")) for what in ("Timeline", "Utterances"))
    audio, _ = soundfile.read(io.BytesIO(download(page, "Audio")), dtype="float32")
    return Session(rows, utterances, audio)


def download(page: Page, button: str) -> bytes:
    """What a button downloads."""
    with page.expect_download() as file:
        page.get_by_role("button", name=button, exact=True).click()
    return file.value.path().read_bytes()


def delay_seconds(tape: np.ndarray, received: np.ndarray) -> float:
    """How much later a moment of the tape is in what was received; negative where its beginning was missed."""
    correlation = scipy.signal.correlate(received, tape, mode="full")
    return float(np.argmax(correlation) - (len(tape) - 1)) / SAMPLE_RATE


def main() -> None:
    """Print the share that is right."""
    chromium, clips = find_chromium(), chosen_clips()
    if chromium is None or not clips:
        sys.exit("error: Chromium was not found." if clips else "error: the clips of RAVDESS are not here.")
    tape, spoken = make_tape(clips)
    with tempfile.TemporaryDirectory() as folder, AppServer() as server, sync_playwright() as playwright:
        file = Path(folder) / "tape.wav"
        soundfile.write(file, tape, SAMPLE_RATE, subtype="PCM_16")
        browser = launch(playwright, chromium, *microphone_flags(Path(f"{file}%noloop")))
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(f"{server.url}/live")
        wait_until_idle(page)
        session = listen(page, len(tape) / SAMPLE_RATE)
        browser.close()
    delay = delay_seconds(tape, session.audio)
    in_the_end: dict[str, list[bool]] = {emotion: [] for emotion in EMOTIONS}
    as_a_whole: dict[str, list[bool]] = {emotion: [] for emotion in EMOTIONS}
    for clip in spoken:
        end = clip.end + delay
        last = [row["emotion"] for row in session.rows if end - LAST_SECONDS < row["end"] <= end]
        in_the_end[clip.emotion] += [emotion == clip.emotion for emotion in last]
        ended = [
            row["answer"] for row in session.utterances if row["start"] < end and abs(row["end"] - end) < GAP_SECONDS
        ]
        as_a_whole[clip.emotion].append(ended[-1:] == [clip.emotion])
    print(f"{default_checkpoint()}, {len(spoken)} clips of {len(ACTORS)} actors; chance is {1 / len(EMOTIONS):.0%}")
    print_shares("labels of a last second", in_the_end)
    print_shares("utterances at their end", as_a_whole)


def print_shares(what: str, right: dict[str, list[bool]]) -> None:
    """How often labels are right, and those of each emotion."""
    labels = [label for each in right.values() for label in each]
    shares = ", ".join(f"{EMOTION_NAMES[emotion]} {np.mean(each):.0%}" for emotion, each in right.items() if each)
    print(f"{len(labels)} {what}: right {np.mean(labels):.0%}; {shares}")


if __name__ == "__main__":
    main()

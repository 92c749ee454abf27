"""The Live page with a fake microphone that plays RAVDESS: labels of the last second of each clip, against the truth.

Clips of all six emotions between silences, of speakers and a studio that nothing was trained on, as the page comes: the
default checkpoint and settings, with nothing tuned.
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


def listen(page: Page, seconds: float) -> tuple[list[dict[str, Any]], np.ndarray]:
    """The timeline, and the audio as it arrived."""
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
    with page.expect_download() as rows:
        page.get_by_role("button", name="Timeline as JSON").click()
    with page.expect_download() as audio:
        page.get_by_role("button", name="Audio", exact=True).click()
    received, _ = soundfile.read(io.BytesIO(audio.value.path().read_bytes()), dtype="float32")
    return json.loads(rows.value.path().read_text()), received


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
        rows, received = listen(page, len(tape) / SAMPLE_RATE)
        browser.close()
    delay = delay_seconds(tape, received)
    right: dict[str, list[bool]] = {emotion: [] for emotion in EMOTIONS}
    for clip in spoken:
        end = clip.end + delay
        last = [row["emotion"] for row in rows if end - LAST_SECONDS < row["end"] <= end]
        right[clip.emotion] += [emotion == clip.emotion for emotion in last]
    labels = [label for each in right.values() for label in each]
    print(f"{default_checkpoint()}, {len(spoken)} clips of {len(ACTORS)} actors, {len(labels)} labels of a last second")
    print(f"right: {np.mean(labels):.0%} (chance is {1 / len(EMOTIONS):.0%})")
    print(", ".join(f"{EMOTION_NAMES[emotion]} {np.mean(each):.0%}" for emotion, each in right.items() if each))


if __name__ == "__main__":
    main()

"""Visitors who browse, classify, record and listen live at once, in real Chromium, on a server with little to spare.

The browsers run on the machine of the server, and take most of it: a visitor waits less for a server by itself. First,
one visitor's classification beside another's large file; then all visitors together. Each classifies clips of its own,
whose answers are compared with what the library says of the same file. Chromium has one microphone for each of its
processes: those who record or listen live share two voices, and their labels are counted by voice.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import itertools
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from playwright.async_api import Browser, Error, Page, async_playwright, expect

from benchmarks import open_corpus
from benchmarks.live import processor_seconds
from benchmarks.live_memory import resident, threads
from ser_app.answers import verdict
from ser_app.navigation import PAGES
from ser_app.room import VISITORS
from ser_app.uploads import MINUTES
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.emotions import EMOTION_NAMES
from ser_core.errors import SERError
from ser_core.records.checkpoints import default_checkpoint
from ser_core.serving.prediction import MIN_CONFIDENCE, UNSURE
from ser_core.serving.predictor import Predictor
from tests.browser.app_server import CHROMIUM_FLAGS, AppServer, find_chromium
from tests.browser.microphone import microphone_flags

ROLES = ("browse", "classify", "record", "live", "browse", "classify", "browse", "classify", "browse", "classify")
"""What one visitor after another does, and again from the first."""

VOICES = ("1001_DFA_ANG_XX", "1002_IWL_FEA_XX")  # in which different emotions are heard, surely
READ_MS = 45_000  # that somebody looks at what was drawn
ARRIVE_SECONDS = 9.0  # from one visitor to the next
WAIT_MS = 60_000
LISTEN_SECONDS = 40.0
BESIDE = 8  # classifications alone, and beside a large file
CLOSED_TTL, CLOSED_SECONDS = 60, 120  # how long a closed tab is kept, and when memory is looked at after the last
LARGE_BYTES, LONG_HOURS = 99_000_000, 3
CODES = {name: code for code, name in EMOTION_NAMES.items()} | {UNSURE: UNSURE}
SOUND, ALERT = '[data-testid="stMetricValue"]', '[data-testid="stAlertContentError"]'


@dataclass
class Notes:
    """What was seen: answers by file, seconds of classifications and until a new tab's page is there, errors, what was
    done, and labels by voice."""

    answers: list[tuple[Path, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    heard: dict[str, Counter[str]] = field(default_factory=lambda: {voice: Counter() for voice in VOICES})


async def idle(page: Page) -> None:
    """Wait until the page's script has run; that nothing failed there is looked at."""
    app = page.get_by_test_id("stApp")
    await expect(app).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=WAIT_MS)
    await page.wait_for_timeout(300)
    await expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT_MS)
    await expect(page.get_by_test_id("stException")).to_have_count(0)


async def come(page: Page, address: str, notes: Notes) -> None:
    """Open a tab's first page, and wait until all of it is there."""
    started = time.perf_counter()
    await page.goto(address)
    await idle(page)
    notes.opened.append(time.perf_counter() - started)


Does = Callable[[Page, str, int, Notes], Awaitable[None]]


def browsing(visitor: int) -> Does:
    """Who looks at all pages but those that classify, again and again, from another first one than others."""
    names = [each.label for each in PAGES if each.label not in ("Home", "Classify", "Live")]
    pages = itertools.cycle(names[visitor % len(names) :] + names[: visitor % len(names)])

    async def browse(page: Page, url: str, visitor: int, notes: Notes) -> None:
        if page.url == "about:blank":
            await come(page, url, notes)
        name = next(pages)
        await page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
        await expect(page).to_have_url(re.compile(f"/{name.lower()}"), timeout=WAIT_MS)
        await idle(page)
        await page.mouse.wheel(0, 2000)
        await page.wait_for_timeout(READ_MS)
        notes.done["pages"] += 1

    return browse


async def classify_one(page: Page, file: Path) -> tuple[float, str]:
    """Upload a file, read the answer, and take the file away: seconds until the answer is there, and the answer."""
    started = time.perf_counter()
    await page.locator("input[type=file]").first.set_input_files(str(file))
    answer = page.locator(f"{SOUND}, {ALERT}").first
    await expect(answer).to_be_visible(timeout=WAIT_MS)
    seconds = time.perf_counter() - started
    await idle(page)
    said = [await answer.inner_text()]
    if await page.locator(SOUND).count():
        said.append(await page.get_by_test_id("stMetricDelta").first.inner_text())
    await page.get_by_role("button", name=f"Remove {file.name}").click()
    await expect(page.locator(f"{SOUND}, {ALERT}")).to_have_count(0, timeout=WAIT_MS)
    await idle(page)
    return seconds, " ".join(said)


def classifying(files: Iterator[Path]) -> Does:
    """Who classifies such files, one at a time."""

    async def classify(page: Page, url: str, visitor: int, notes: Notes) -> None:
        if page.url == "about:blank":
            await come(page, f"{url}/classify?source=upload", notes)
        file = next(files)
        seconds, said = await classify_one(page, file)
        notes.seconds.append(seconds)
        notes.answers.append((file, said))
        notes.done["uploads classified"] += 1
        await page.wait_for_timeout(READ_MS)

    return classify


async def record(page: Page, url: str, visitor: int, notes: Notes) -> None:
    """What the voice says, long enough for all of it; then it is taken away."""
    if page.url == "about:blank":
        await come(page, f"{url}/classify?source=record", notes)
    await page.get_by_role("button", name="Record", exact=True).first.click()
    stop = page.get_by_role("button", name="Stop recording")
    await expect(stop).to_be_visible(timeout=WAIT_MS)
    await page.wait_for_timeout(8_000)
    await stop.click()
    answer = page.locator(f"{SOUND}, {ALERT}").first
    await expect(answer).to_be_visible(timeout=WAIT_MS)
    notes.heard[voice_of(visitor)][CODES.get((await answer.inner_text()).lower(), "another answer")] += 1
    notes.done["recordings"] += 1
    await idle(page)
    await page.wait_for_timeout(READ_MS)
    await page.get_by_role("button", name="Clear recording").click()
    await expect(page.locator(f"{SOUND}, {ALERT}")).to_have_count(0, timeout=WAIT_MS)
    await idle(page)


async def live(page: Page, url: str, visitor: int, notes: Notes) -> None:
    """Listen for a while, look at the utterances, clear."""
    if page.url == "about:blank":
        await come(page, f"{url}/live", notes)
    await page.get_by_role("button", name="Start listening").click()
    await expect(page.get_by_text(re.compile(r"Level: -\d+ dBFS"))).to_be_visible(timeout=WAIT_MS)
    await page.wait_for_timeout(1000 * LISTEN_SECONDS)
    if await page.get_by_text("s behind: too many listen").count():
        notes.errors.append(f"visitor {visitor}: Live is behind")
    await page.get_by_role("button", name="Stop listening").click()
    await expect(page.get_by_text("This session").first).to_be_visible(timeout=WAIT_MS)
    async with page.expect_download(timeout=WAIT_MS) as download:
        await page.get_by_role("button", name="Utterances as CSV").click()
    said = csv.DictReader((await (await download.value).path()).read_text().splitlines())
    notes.heard[voice_of(visitor)].update(row["answer"] for row in said)
    notes.done["live sessions"] += 1
    await page.wait_for_timeout(READ_MS)
    await page.get_by_role("button", name="Clear").click()
    await idle(page)


def voice_of(visitor: int) -> str:
    """The one that a visitor's microphone hears: who records and who listens live have different ones at a time."""
    return VOICES[(visitor // len(ROLES) + (ROLES[visitor % len(ROLES)] == "live")) % len(VOICES)]


async def visit(browser: Browser, url: str, visitor: int, does: Does, notes: Notes, until: float) -> None:
    """Do it again and again; after an error, in a new tab."""
    page: Page | None = None
    while time.monotonic() < until:
        if page is None:
            page = await open_tab(browser, visitor, notes)
        try:
            await does(page, url, visitor, notes)
        except (Error, AssertionError, OSError) as error:  # a finding; others go on
            notes.errors.append(f"visitor {visitor}, {does.__name__}: {' '.join(str(error).splitlines()[:2])}")
            await page.context.close()
            page = None
    if page:
        await page.context.close()


async def open_tab(browser: Browser, visitor: int, notes: Notes) -> Page:
    """In a profile of its own; what goes wrong in it is noted."""
    context = await browser.new_context(viewport={"width": 1024, "height": 768}, reduced_motion="reduce")
    context.set_default_timeout(WAIT_MS)
    page = await context.new_page()
    page.on("pageerror", lambda error: notes.errors.append(f"visitor {visitor}, page: {error}"))
    page.on(
        "console",
        lambda said: (
            notes.errors.append(f"visitor {visitor}, console: {said.text}")
            if said.type == "error" and "status of 404" not in said.text  # Streamlit looks for its prefix
            else None
        ),
    )
    return page


async def one_more(browser: Browser, url: str, visitor: int, notes: Notes) -> None:
    """A newcomer while all are there."""
    page = await open_tab(browser, visitor, notes)
    started = time.perf_counter()
    try:
        await page.goto(url)
        full = page.get_by_text("There is no room right now")
        await expect(full.or_(page.get_by_role("heading", level=1)).first).to_be_visible(timeout=WAIT_MS)
        await expect(full).to_be_visible(timeout=5_000)
        print(f"one more visitor reads after {time.perf_counter() - started:.1f} s that there is no room", flush=True)
    except AssertionError:
        notes.errors.append("one more visitor was let in")
    except Error as error:
        notes.errors.append(f"one more visitor: {str(error).splitlines()[0]}")
    await page.context.close()


def copies(files: Iterator[Path], folder: Path, visitor: str) -> Iterator[Path]:
    """Clips under names of the visitor's own."""
    for number in itertools.count():
        yield Path(shutil.copy(file := next(files), folder / f"{visitor}-{number}-{file.name}"))


def large_files(folder: Path, speech: np.ndarray) -> dict[str, Path]:
    """One of 100 MB, and one of three hours; both hold speech."""
    large, long = folder / "large.wav", folder / "long.flac"
    stereo = np.repeat(speech, 6)[: LARGE_BYTES // 4]
    soundfile.write(large, np.stack([stereo, stereo], axis=1), 6 * SAMPLE_RATE, subtype="PCM_16")
    with soundfile.SoundFile(long, "w", SAMPLE_RATE // 2, 1, "PCM_S8") as file:
        for _ in range(round(LONG_HOURS * 3600 * SAMPLE_RATE / len(speech)) + 1):
            file.write(speech[::2])
    return {f"{large.stat().st_size / 1e6:.0f} MB": large, f"{LONG_HOURS} hours": long}


async def beside(browser: Browser, url: str, files: Iterator[Path], large: dict[str, Path], notes: Notes) -> None:
    """Print how long a visitor's classification takes alone, and while another's large file is brought and heard."""
    page = await open_tab(browser, -1, notes)
    await page.goto(f"{url}/classify?source=upload")
    await idle(page)
    await classify_one(page, next(files))

    async def several() -> list[float]:
        return [(await classify_one(page, next(files)))[0] for _ in range(BESIDE)]

    alone = await several()
    print(f"a classification alone: {spread(alone)}", flush=True)
    for what, file in large.items():
        other = await open_tab(browser, -2, notes)
        await other.goto(f"{url}/classify?source=upload")
        await idle(other)
        await other.locator("input[type=file]").first.set_input_files(str(file))
        seconds = await several()
        works = await other.get_by_role("button", name="Cancel").count()
        later = statistics.median(seconds) - statistics.median(alone)
        print(
            f"beside another's file of {what}: {spread(seconds)}; the median is {later:+.2f} s, the longest "
            f"{max(seconds) - max(alone):+.2f} s{', and it is still worked on' * (works > 0)}",
            flush=True,
        )
        await other.context.close()
    await page.context.close()


def spread(seconds: list[float]) -> str:
    """Median, 95th percentile and longest."""
    high = sorted(seconds)[min(len(seconds) - 1, int(0.95 * len(seconds)))]
    return f"median {statistics.median(seconds):.2f} s, 95 % within {high:.2f} s, longest {max(seconds):.2f} s"


def state(server: AppServer, when: str) -> str:
    """Memory, threads and open files of the server, as a line."""
    files = len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
    return f"{when}: {resident(server):,.0f} MB, {threads(server)} threads, {files} open files"


def computed(server: AppServer) -> tuple[float, float]:
    """Processor seconds of the server so far, and of all else that descends from this process, and of itself."""
    parents: dict[int, int] = {}
    seconds: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended just now
            fields = stat.read_text().rpartition(")")[2].split()
            pid = int(stat.parent.name)
            parents[pid] = int(fields[1])
            seconds[pid] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # with those of ended children

    def mine(pid: int) -> bool:
        return pid == os.getpid() or (pid in parents and pid != server.process.pid and mine(parents[pid]))

    return processor_seconds(server.process.pid), sum(seconds[pid] for pid in parents if mine(pid))


async def load(server: AppServer, folder: Path, n: int, minutes: float, chromium: str) -> Notes:
    """Both measurements."""
    corpus, clips = open_corpus()
    paths = iter([corpus.path(clip) for clip in sorted(clips, key=lambda clip: clip.name[5:] + clip.name)])
    speech = np.concatenate([load_audio(next(paths)) for _ in range(120)])
    large, notes = large_files(folder, speech), Notes()
    async with async_playwright() as playwright:

        async def launch(*flags: str) -> Browser:
            return await playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_FLAGS, *flags])

        browser, speaking = await launch(), {}
        for voice in VOICES:
            audio = np.concatenate([load_audio(corpus.path(voice)), np.zeros(3 * SAMPLE_RATE, np.float32)])
            soundfile.write(folder / f"{voice}.wav", audio, SAMPLE_RATE, subtype="PCM_16")
            speaking[voice] = await launch(*microphone_flags(folder / f"{voice}.wav"))
        await beside(browser, server.url, copies(paths, folder, "alone"), large, notes)
        print(state(server, "before the visitors come"), flush=True)
        until = time.monotonic() + n * ARRIVE_SECONDS + 60 * minutes
        visits = []
        for visitor in range(n):
            role = ROLES[visitor % len(ROLES)]
            own = classifying(copies(paths, folder, f"visitor-{visitor}"))
            does = {"browse": browsing(visitor), "classify": own, "record": record, "live": live}[role]
            where = speaking[voice_of(visitor)] if role in ("record", "live") else browser
            visits.append(asyncio.create_task(visit(where, server.url, visitor, does, notes, until)))
            await asyncio.sleep(ARRIVE_SECONDS)
        print(state(server, "all are there"), flush=True)
        began, worked = time.monotonic(), computed(server)
        for minute in range(1, int(minutes) + 1):
            await asyncio.sleep(max(0.0, began + 60 * minute - time.monotonic()))
            print(state(server, f"after {minute:2} min"), flush=True)
            if minute == int(minutes) // 2:
                await one_more(browser, server.url, n, notes)
        took = time.monotonic() - began
        ours, others = ((now - then) / took for now, then in zip(computed(server), worked, strict=True))
        print(
            f"of {os.cpu_count()} cores, the server took {ours:.2f}, the browsers and what moves them {others:.2f}",
            flush=True,
        )
        await asyncio.gather(*visits)
        for each in (browser, *speaking.values()):
            await each.close()
    await asyncio.sleep(CLOSED_SECONDS)
    print(state(server, f"{CLOSED_SECONDS / 60:.0f} min after the last tab was closed"), flush=True)
    return notes


def expected(predictor: Predictor, file: Path) -> str:
    """What the page should say of a file."""
    try:
        headline, detail = verdict(predictor(file).probabilities, MIN_CONFIDENCE)
    except SERError as error:
        return f"{file.name}: {error}"
    return f"{headline} {detail}"


def plain(text: str) -> str:
    """Without what differs between a sentence and how it is drawn."""
    return re.sub(r"[\W_]+", "", text).lower()


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10)
    asked = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        sys.exit("error: Chromium was not found.")
    environment = {
        VISITORS: str(asked.visitors),
        MINUTES: str(60 * LONG_HOURS + 15),  # three hours would be refused by the default
        "STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": str(CLOSED_TTL),
    }
    with tempfile.TemporaryDirectory() as folder, AppServer(environment, "serve.py") as server:
        notes = asyncio.run(load(server, Path(folder), asked.visitors, asked.minutes, chromium))
        log = server._said_since(0)
        predictor = Predictor.load(default_checkpoint())
        wrong = [(file.name, said) for file, said in notes.answers if plain(said) != plain(expected(predictor, file))]
    print(
        f"{asked.visitors} visitors for {asked.minutes:g} min: "
        + ", ".join(f"{n} {what}" for what, n in notes.done.items())
    )
    print(f"a classification among them: {spread(notes.seconds)}")
    print(f"a new tab's page, until all of it is there: {spread(notes.opened)}")
    print(f"answers that differ from the library's of the same file: {len(wrong)} of {len(notes.answers)}")
    for name, said in wrong[:5]:
        print(f"  {name}: {said}")
    for voice, labels in notes.heard.items():
        print(f"  heard of a voice of {voice}: " + ", ".join(f"{n} {label}" for label, n in labels.most_common()))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", log).splitlines()
    bad = [i for i, line in enumerate(lines) if re.search("Traceback|Error|Exception|WARNING|Segmentation", line)]
    for what, errors in (("pages", notes.errors), ("the server's log", [lines[i] for i in bad])):
        print(f"errors in {what}: {len(errors)}")
        for line, n in Counter(errors).most_common(8):
            print(f"  {n} x {line[:200]}")
    around = {j for i in bad for j in range(i - 5, i + 60)}
    print("\n".join(line for j, line in enumerate(lines) if j in around), file=sys.stderr)  # beside the results


if __name__ == "__main__":
    main()

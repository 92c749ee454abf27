"""A long life in one process: 10,000 classifications, 200 starts and stops of Live, and 8 hours of live audio.

Recordings come as uploads, in visits of 20 to Classify's own functions. A start of Live is a WebRTC connection over
aiortc within this process, whose frames a `Listener` hears; streamlit-webrtc's own part is in `live_memory`. The 8
hours are fed as fast as they are heard, window by window, and looked at twice for each second, as the page does.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import av
import numpy as np
import soxr
import streamlit as st
import torch
from aiortc import AudioStreamTrack, RTCPeerConnection

from benchmarks import open_corpus
from benchmarks.live import FRAME
from benchmarks.memory import megabytes
from ser_app.classifying import classify_uploads, remembered
from ser_app.loaders import predictor
from ser_app.microphone import samples_of
from ser_app.uploads import Upload, digest_of
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.errors import SERError
from ser_core.memory import give_back
from ser_core.serving.listener import Listener
from ser_core.serving.stream import blocks

CHECKPOINTS = {
    "lr6e-05-SiLU-Whisper-base": 500,
    "lr0.001-SiLU-Combined": 1_500,
    "lr0.001-SiLU-2D": 2_000,
    "lr0.01-ELU-1D": 6_000,
}
"""How many classifications each does: most by the quickest, which leaves as much behind as the others."""
VISIT = 20  # recordings
STARTS, LISTEN_SECONDS, PATIENCE_SECONDS = 200, 0.5, 60.0
HOURS, LIVE_CHECKPOINT = 8.0, "lr0.01-ELU-1D"
GAP_SECONDS = 2.0  # of silence after each clip
RATE = 48_000
SHARE = float(os.environ.get("LONG_LIFE_SHARE", "1"))  # of everything, to try it out


def sample(what: str, more: str = "") -> None:
    """Print what the process holds now."""
    gc.collect()
    give_back()
    status = Path("/proc/self/status").read_text()
    n_files, n_tasks = (len(list(Path("/proc/self", folder).iterdir())) for folder in ("fd", "task"))
    print(
        f"  {what:32} {megabytes(status, 'VmRSS'):6,.0f} MB, {threading.active_count()} Python threads, "
        f"{n_tasks} of the system, {n_files} open files{more}",
        flush=True,
    )


def classifications(files: list[Path]) -> None:
    """Visits with recordings that nobody brought before."""
    begun = time.monotonic()
    done = errors = 0
    for name, whole in CHECKPOINTS.items():
        n = round(whole * SHARE)
        predictor(name)
        for start in range(0, n, VISIT):
            data = [(file.name, file.read_bytes()) for file in files[start : min(start + VISIT, n)]]
            uploads = [
                Upload(f"{i} {title}", partial(bytes, sound), digest_of(sound)) for i, (title, sound) in enumerate(data)
            ]
            results = classify_uploads(uploads, [name], 0.4, False, lambda _: None)
            done += len(results)
            errors += sum(isinstance(result, SERError) for result in results.values())
            st.session_state.clear()  # the visitor leaves
            if start + VISIT >= n or (start + VISIT) % 1000 == 0:
                sample(
                    f"{done:,} classifications ({name.split('-')[-1]})", f"; {len(remembered()):,} answers remembered"
                )
    print(f"  {errors:,} of them without a voice; {(time.monotonic() - begun) / 60:.1f} min", flush=True)


class Microphone(AudioStreamTrack):
    """A browser's: 20 ms of a signal at a time, as they come, stereo."""

    def __init__(self, signal: np.ndarray):
        super().__init__()
        self._frames = itertools.cycle(blocks(signal, FRAME))
        self._at = 0

    async def recv(self) -> av.AudioFrame:
        await asyncio.sleep(FRAME / RATE)
        frame = av.AudioFrame.from_ndarray(np.repeat(next(self._frames), 2)[None], format="s16", layout="stereo")
        frame.sample_rate, frame.pts = RATE, self._at
        self._at += FRAME
        return frame


async def connection(listener: Listener, signal: np.ndarray) -> bool:
    """Connect, listen, and close; whether sound came."""
    browser, server = RTCPeerConnection(), RTCPeerConnection()
    heard: list[asyncio.Task] = []

    async def hear(track: AudioStreamTrack) -> None:
        while True:
            frame = await track.recv()
            assert isinstance(frame, av.AudioFrame)
            listener.feed(samples_of(frame), frame.sample_rate)

    server.on("track", lambda track: heard.append(asyncio.ensure_future(hear(track))))
    browser.addTrack(Microphone(signal))
    listener.expect()
    before = listener.look().seconds
    await browser.setLocalDescription(await browser.createOffer())
    await server.setRemoteDescription(browser.localDescription)
    await server.setLocalDescription(await server.createAnswer())
    await browser.setRemoteDescription(server.localDescription)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (silent := listener.look().seconds < before + LISTEN_SECONDS) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    await browser.close()
    await server.close()
    for task in heard:
        task.cancel()
    await asyncio.gather(*heard, return_exceptions=True)
    return not silent


def starts(signal: np.ndarray) -> None:
    """Visitors of Live, each of whom starts and stops ten times."""
    begun, n, n_silent = time.monotonic(), round(STARTS * SHARE), 0
    listener = Listener(predictor(LIVE_CHECKPOINT), keep_audio=True)
    for i in range(1, n + 1):
        n_silent += not asyncio.run(connection(listener, signal))
        if i % 10 == 0:
            listener = Listener(predictor(LIVE_CHECKPOINT), keep_audio=True)
        if i in (1, n) or i % 20 == 0:
            sample(f"{i} starts and stops")
    print(f"  {n_silent} of them without sound; {(time.monotonic() - begun) / 60:.1f} min", flush=True)


def half_seconds(signal: np.ndarray) -> Iterator[list[np.ndarray]]:
    """Frames, 25 at a time, without an end."""
    frames = itertools.cycle(blocks(np.stack([signal] * 2), FRAME))
    while True:
        yield list(itertools.islice(frames, 25))


def hours(signal: np.ndarray) -> None:
    """One session of Live."""
    begun = time.monotonic()
    listener = Listener(predictor(LIVE_CHECKPOINT))
    n = round(HOURS * SHARE * 7200)
    looks = 0.0
    for i, frames in enumerate(itertools.islice(half_seconds(signal), n), 1):
        for frame in frames:
            listener.feed(frame, RATE)
        while listener.look().backlog_seconds > 0.001:  # but for rounding
            time.sleep(0.0005)
        before = time.perf_counter()
        heard = listener.look()
        looks += time.perf_counter() - before
        if i % max(1, round(n / HOURS / 2)) == 0:
            moments = sum(len(each.moments) for each in heard.utterances)
            sample(
                f"{i / 7200:.2f} h",
                f"; {len(heard.rows):,} windows, {len(heard.utterances):,} utterances of {moments:,} moments; "
                f"a look takes {1000 * looks / max(1, round(n / HOURS / 2)):.2f} ms",
            )
            looks = 0.0
    print(f"  {(time.monotonic() - begun) / 60:.1f} min", flush=True)
    listener.clear()
    sample("cleared")


def main() -> None:
    """Print all, in one process."""
    logging.disable(logging.WARNING)  # of Streamlit, that there is no page
    torch.set_num_threads(1)
    corpus, clips = open_corpus()
    files = [corpus.path(clip) for clip in clips]
    if len(files) < max(CHECKPOINTS.values()) * SHARE:
        sys.exit("error: the whole corpus is needed.")
    gap = np.zeros(round(GAP_SECONDS * SAMPLE_RATE), np.float32)
    audio = np.concatenate([part for file in files[:: len(files) // 100][:100] for part in (load_audio(file), gap)])
    signal = (soxr.resample(audio, SAMPLE_RATE, RATE) * 32767).astype(np.int16)
    print(f"classifications, in visits of {VISIT} uploads:")
    sample("at first")
    classifications(files)
    print(f"starts and stops of Live, {LISTEN_SECONDS} s each:")
    starts(signal)
    print(f"{HOURS * SHARE:g} h of Live, 100 clips with {GAP_SECONDS:g} s of silence between them, again and again:")
    hours(signal)


if __name__ == "__main__":
    main()

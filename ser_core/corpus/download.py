"""Get CREMA-D clips from the official repository, or a mirror of it.

Each file is fetched to a temporary name, checked against the index's SHA-256 and renamed, so a clip in the folder is
whole and official. What is there already is not fetched again.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from ser_core.corpus.clips import Clip, load_index
from ser_core.corpus.folder import Corpus
from ser_core.errors import CorpusError
from ser_core.fetch import TIMEOUT_SECONDS, fetch_file

MIRRORS_VARIABLE = "CREMAD_MIRRORS"
"""Environment variable with other addresses of `AudioWAV/`, separated by spaces, tried in turn."""

MIRRORS = (
    "https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/master/AudioWAV/",
    "https://github.com/CheyneyComputerScience/CREMA-D/raw/master/AudioWAV/",
    "https://gitlab.com/cs-cooper-lab/crema-d-mirror/-/raw/master/AudioWAV/",
)
CONNECTIONS = 8


def mirrors() -> tuple[str, ...]:
    """Addresses to try, in order: those of `$CREMAD_MIRRORS`, or the official ones."""
    configured = os.environ.get(MIRRORS_VARIABLE, "").split()
    return tuple(f"{url.rstrip('/')}/" for url in configured or MIRRORS)


def sample_clips(n: int, seed: int = 0) -> list[Clip]:
    """`n` clips with as equal a share of each emotion as possible, the same ones every time."""
    clips = list(load_index().values())
    if not 1 <= n <= len(clips):
        raise CorpusError(f"A sample has 1 to {len(clips):,} clips, not {n:,}.")
    random.Random(seed).shuffle(clips)
    by_emotion: dict[str, list[Clip]] = {}
    for clip in clips:
        by_emotion.setdefault(clip.emotion, []).append(clip)
    ranked = sorted((i, emotion) for emotion, group in by_emotion.items() for i in range(len(group)))
    return [by_emotion[emotion][i] for i, emotion in ranked[:n]]


class Downloader:
    """Fetches clips into a corpus, remembering which mirror answered last. Safe to share between threads.

    Args:
        corpus: whose folder receives the clips.
        timeout_seconds: how long a mirror may say nothing, > 0.
    """

    def __init__(self, corpus: Corpus, *, timeout_seconds: float = TIMEOUT_SECONDS):
        self.corpus, self.timeout_seconds = corpus, timeout_seconds
        self.mirrors = mirrors()  # replaced by others, never changed in place: threads go through it

    def fetch(self, clip: Clip) -> Path:
        """The clip's file; downloaded if it is not there, or is not the official one.

        Raises:
            CorpusError: no mirror could deliver it intact, and what each said; or the folder can't be written to.
            DiskFullError: there is no room for it.
        """
        reasons = []
        for mirror in self.mirrors:
            reason = self._get(mirror, clip)
            if reason is None:
                others = (other for other in self.mirrors if other != mirror)
                self.mirrors = (mirror, *others)  # the next clip asks this one first
                return self.corpus.path(clip)
            reasons.append(reason)
        why = "; ".join(reasons) or "there is no address to get it from"
        raise CorpusError(f"{clip.filename} could not be downloaded: {why}. Check the network and try again.")

    def _get(self, mirror: str, clip: Clip) -> str | None:
        """Get a clip from one mirror; why that failed, or None."""
        try:
            target = self.corpus.path(clip)
            return fetch_file(mirror + clip.filename, clip.sha256, target, timeout_seconds=self.timeout_seconds)
        except OSError as error:
            why = error.strerror or str(error) or type(error).__name__
            raise CorpusError(f"{self.corpus.folder} can't be written to: {why}. Choose another folder.") from None


def fetch_clip(clip: Clip, corpus: Corpus) -> Path:
    """One clip, see `Downloader.fetch`."""
    return Downloader(corpus).fetch(clip)


def fetch_clips(clips: Sequence[Clip], corpus: Corpus, progress: Callable[[Clip], object] | None = None) -> None:
    """Download clips, eight at a time.

    Args:
        progress: called after each clip that is there.

    Raises:
        CorpusError: the first clip that no mirror could deliver; the clips fetched so far stay.
    """
    downloader, pool = Downloader(corpus), ThreadPoolExecutor(CONNECTIONS)
    try:
        jobs = {pool.submit(downloader.fetch, clip): clip for clip in clips}
        for job in as_completed(jobs):
            job.result()
            if progress:
                progress(jobs[job])
    finally:
        pool.shutdown(cancel_futures=True)

"""What the project's speed and memory claims are measured with: `python -m benchmarks [NAME…]`.

Every comparison runs both sides in one process run, one after the other, on the same data.
"""

from __future__ import annotations

import sys

from ser_core.corpus.clips import Clip, load_index
from ser_core.corpus.folder import Corpus


def open_corpus() -> tuple[Corpus, list[Clip]]:
    """The corpus and its sound clips on this machine; ends the program where there is none."""
    corpus = Corpus.open()
    clips = [clip for clip in load_index().values() if clip.name in corpus.present and not clip.defect]
    if not clips:
        sys.exit(f"error: there are no clips in {corpus.folder}. Set CREMAD_DIR, or download some.")
    return corpus, clips

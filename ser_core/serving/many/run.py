"""From paths to a table: what is missing or has changed is classified, and the table is written when all is known."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from ser_core.command import printable
from ser_core.serving.many.blocks import Block, Results, in_blocks
from ser_core.serving.many.columns import columns
from ser_core.serving.many.journal import Suspect, journal_of, open_journal
from ser_core.serving.many.listing import list_files
from ser_core.serving.many.settings import ManySettings
from ser_core.serving.many.table import write_table
from ser_core.words import counted

NAMED = 3  # files at most, of those whose rows are damaged

Classify = Callable[[Iterator[Block]], Results]
"""Makes results of blocks, in any order; it takes no more blocks than are in hand, and no file is left out."""


class Outcome(NamedTuple):
    """What a table holds.

    Attributes:
        files: all.
        known: those that were classified before.
        failed: those whose rows say what is wrong.
        left_out: files that were in it before, and are not named now.
    """

    files: int
    known: int
    failed: int
    left_out: int


def predict_many(paths: Iterable[Path], table: Path, settings: ManySettings, classify: Classify) -> Outcome:
    """Classify files and the recordings in folders into a table.

    A progress bar is drawn where standard error is a terminal. However it is stopped, what was found out is kept in
    the journal, and the next call goes on from there; a table is there whole, or as it was before. What is damaged in
    the journal is found out again, which a line on standard error says.

    Args:
        paths: files and folders.
        table: the file; its ending is one of `ser_core.serving.many.table.WRITERS`.
        settings: what is asked of each file.
        classify: does the work.

    Raises:
        ConfigError: the table has rows of other settings, see `ser_core.serving.many.journal.open_journal`.
    """
    with open_journal(table, settings) as journal:
        journal.list(list_files(paths))
        for sentence in _sentences(journal.check(), journal_of(table).name):
            print(printable(f"warning: {sentence}"), file=sys.stderr)
        before = journal.counts()
        if before.to_do:
            done = before.files - before.to_do
            bar = tqdm(total=before.files, initial=done, unit=" files", smoothing=0.05, disable=None)
            with bar, closing(classify(in_blocks(journal.to_do()))) as results:
                for some in results:
                    journal.add(some)
                    bar.update(len(some))
        names = columns(settings.windows is not None, settings.embeddings)
        write_table(table, journal.rows(), names)
        return Outcome(before.files, before.known, journal.counts().failed, before.left_out)


def _sentences(suspect: Suspect, journal: str) -> Iterator[str]:
    """What is found out again, and why."""
    if names := suspect.damaged:
        more = len(names) - NAMED
        named = ", ".join(names[:NAMED]) + (f" and {counted(more, 'more file')}" if more > 0 else "")
        yield f"{journal} is damaged: what it holds of {named} is not what was written, and is found out again."
    if suspect.unknown:
        files = counted(suspect.unknown, "file")
        yield f"{journal} holds {files} without checksums, from an older version of this program: found out again."

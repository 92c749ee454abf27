"""What goes to a worker at a time, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import NamedTuple, Protocol

BLOCK_FILES = 8
"""At most, of a block: enough for a batch; few, since what is in flight is what a stop loses."""
BLOCK_BYTES = 4 * 2**20
"""Of a block of several files; they are in memory together, decoded."""


class File(NamedTuple):
    """A file to classify.

    Attributes:
        number: of it in the journal.
        path: absolute, in the system's encoding.
        size: in bytes.
    """

    number: int
    path: bytes
    size: int


Block = tuple[File, ...]


class Row(NamedTuple):
    """A line of the table.

    Attributes:
        text: its values by column but for the file's name, as JSON.
        embedding: float32 numbers, if it has them.
    """

    text: str
    embedding: bytes | None = None


class Done(NamedTuple):
    """What was found out about a file.

    Attributes:
        number: of it in the journal.
        rows: of the table.
        failed: whether they say what is wrong with it.
        final: whether that holds as long as the file doesn't change; if not, it is tried again next time.
    """

    number: int
    rows: tuple[Row, ...]
    failed: bool = False
    final: bool = True


Results = Generator[list[Done], None, None]
"""Of blocks, or of parts of them, in whatever order they end; who closes it ends the work."""


class Work(Protocol):
    """What a worker has to know to begin, which is sent to it."""

    def begin(self) -> Callable[[Block], list[Done]]:
        """Get ready.

        Returns:
            what finds out about a block.

        Raises:
            SERError: it can't.
        """
        ...


def in_blocks(files: Iterable[File]) -> Iterator[Block]:
    """Files in blocks of so many and so large."""
    block: list[File] = []
    size = 0
    for file in files:
        if block and (len(block) == BLOCK_FILES or size + file.size > BLOCK_BYTES):
            yield tuple(block)
            block, size = [], 0
        block.append(file)
        size += file.size
    if block:
        yield tuple(block)

"""What stands in for the work of `ser predict --out`: processes import this, so it knows no large libraries."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ser_core.errors import CheckpointError
from ser_core.serving.many.blocks import Block, Done, Results
from ser_core.serving.many.columns import as_row
from ser_core.serving.many.listing import Listed
from ser_core.serving.many.settings import ManySettings

SETTINGS = ManySettings("stub", "0", 0.4, 180.0)


def listed(n: int) -> Iterator[Listed]:
    """So many files that are nowhere."""
    return (Listed(Path(f"/recordings/{i:06}.wav"), 1000, i) for i in range(n))


def stub(blocks: Iterator[Block]) -> Results:
    """The same row of each file, of 2 KB."""
    row = as_row({"answer": "ANG", "warnings": ["A sentence about it."]}, bytes(4 * 512))
    for block in blocks:
        yield [Done(file.number, (row,)) for file in block]


@dataclass(frozen=True)
class Unreliable:
    """Stands in for `Classification`: it ends the processes that do it.

    Attributes:
        always: number of a file that ends each process.
        once: number of one that ends the first.
        seen: a file that says that this has happened.
        damaged: whether it can't even begin.
    """

    always: int
    once: int
    seen: Path
    damaged: bool = False

    def begin(self) -> "Unreliable":
        if self.damaged:
            raise CheckpointError("It is damaged.")
        return self

    def __call__(self, block: Block) -> list[Done]:
        for file in block:
            if file.number == self.always:
                os.abort()
            if file.number == self.once and not self.seen.exists():
                self.seen.touch()
                os._exit(3)
        return [Done(file.number, (as_row({"answer": "ANG"}),)) for file in block]

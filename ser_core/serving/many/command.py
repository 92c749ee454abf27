"""What `ser predict --out` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_core.command import printable
from ser_core.places import require_writable
from ser_core.ray_cluster import require
from ser_core.records.checkpoints import checkpoint_folder, checkpoints_dir, load_config
from ser_core.serving.many.blocks import Block, Results
from ser_core.serving.many.classifier import Classification
from ser_core.serving.many.options import Many
from ser_core.serving.many.processes import classify_here
from ser_core.serving.many.run import Outcome, predict_many
from ser_core.serving.many.settings import ManySettings, checksum_of_adaptation, checksum_of_checkpoint
from ser_core.serving.prediction import HOP_SECONDS
from ser_core.workers import cores

if TYPE_CHECKING:
    from ser_core.serving.adaptation import Adaptation

STOPPED = "Stopped. What was classified is kept: go on with the same command."


def run(
    paths: Sequence[Path],
    many: Many,
    *,
    checkpoint: str | None,
    min_confidence: float,
    max_minutes: float,
    any_sound: bool,
    adaptation: Adaptation | None,
) -> None:
    """Make a table of files and folders; the exit status is 2 if some can't be used, and 130 after Ctrl-C.

    Raises:
        SERError: nothing can be made: a flag, the checkpoint, the place of the table or the cluster is wrong.
    """
    table = many.out
    assert table is not None
    require_writable(table.parent)
    root = checkpoints_dir()
    folder = checkpoint_folder(root, checkpoint)
    settings = ManySettings(
        checkpoint=load_config(folder).name,
        weights=checksum_of_checkpoint(folder),
        min_confidence=min_confidence,
        max_minutes=max_minutes,
        any_sound=any_sound,
        adaptation=checksum_of_adaptation(adaptation),
        windows=many.windows,
        hop=many.hop or HOP_SECONDS if many.windows is not None else None,
        embeddings=many.embeddings,
    )
    work = Classification(settings, root=root, adaptation=adaptation)
    if many.ray:
        require(many.ray)
        classify = partial(_on_cluster, address=many.ray, work=work, workers=many.workers)
    else:
        classify = partial(classify_here, work=work, workers=many.workers or cores())
    try:
        outcome = predict_many(paths, table, settings, classify)
    except KeyboardInterrupt:
        print(f"\n{STOPPED}", file=sys.stderr)
        sys.exit(130)
    _report(outcome, table)


def _on_cluster(blocks: Iterator[Block], **options: Any) -> Results:
    from ser_core.serving.many.cluster import classify_on_cluster  # Ray takes seconds to load

    yield from classify_on_cluster(blocks, **options)


def _report(outcome: Outcome, table: Path) -> None:
    files = _files(outcome.files)
    print(f"{files} in {table}" + (f"; {outcome.known:,} of them were known already." if outcome.known else "."))
    if outcome.left_out:
        verb = "is" if outcome.left_out == 1 else "are"
        gone = f"{_files(outcome.left_out)} of those in {table} before {verb} not named now and left out."
        print(printable(f"warning: {gone}"), file=sys.stderr)
    if outcome.failed:
        print(f"error: {outcome.failed:,} of {files} can't be used: the column `error` says why.", file=sys.stderr)
        sys.exit(2)


def _files(n: int) -> str:
    return f"{n:,} file{'' if n == 1 else 's'}"

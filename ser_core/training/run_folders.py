"""What stands under a run's name before it begins: what a killed process left, and what may not be lost."""

from __future__ import annotations

from pathlib import Path

from ser_core.errors import RunError
from ser_core.files import restore_folder
from ser_core.training.settings import Settings, difference_from
from ser_core.training.trainer import STATE_FILE


def put_right(folder: Path, partial: Path, checkpoint: Path) -> None:
    """Finish what a process left that was killed while its files, record or checkpoint got their names."""
    restore_folder(folder)
    restore_folder(checkpoint)
    if folder.is_dir():
        (folder / STATE_FILE).unlink(missing_ok=True)
    for temporary in partial.glob(".*"):  # half-written, see `replace_file`
        temporary.unlink()


def refuse_to_replace(asked: Settings, folder: Path, partial: Path, resume: bool) -> None:
    """Refuse to begin a run, or to go on with it, where that would lose another.

    Raises:
        RunError: what has the name, and in what it differs from what is asked; or there is nothing to resume.
    """
    if (partial / STATE_FILE).exists():
        if difference := difference_from(asked, partial):
            raise RunError(
                f"{partial} holds an interrupted run that is not this one ({difference}). Give it its own settings, "
                "choose another --name, or replace it with --restart."
            )
        if not resume:
            raise RunError(f"{partial} holds an interrupted run. Go on with --resume, or start over with --restart.")
    elif folder.exists():
        if difference := difference_from(asked, folder):
            raise RunError(
                f"{folder} holds a run that is not this one ({difference}). Choose another --name, or replace it with "
                "--restart."
            )
        raise RunError(f"{folder} already holds a finished run. Replace it with --restart, or choose another --name.")
    elif resume:
        raise RunError(f"There is nothing to resume in {partial}: start without --resume.")


def what_is_replaced(asked: Settings, folder: Path, partial: Path) -> list[str]:
    """Sentences about runs with other settings that a run takes the place of."""
    sentences = []
    if (partial / STATE_FILE).exists() and (difference := difference_from(asked, partial)):
        sentences.append(f"Gives up an interrupted run in {partial} that is not this one ({difference}).")
    if folder.exists() and (difference := difference_from(asked, folder)):
        sentences.append(f"Replaces, when it is whole, a run in {folder} that is not this one ({difference}).")
    return sentences

"""A run's name, and what stands under it before the run begins: what a killed process left, what may not be lost."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from reprlib import repr as brief  # of what somebody types: however long, it stays short

from ser_core.errors import ConfigError, DiskFullError, RunError
from ser_core.features.cache import default_cache_dir
from ser_core.files import SAME_COMMAND, full, is_full, new_folder, restore_folder
from ser_core.places import require_writable
from ser_core.records.runs import read_config, write_config
from ser_core.training.naming import LONGEST_NAME
from ser_core.training.saved_state import RESTART, STATE_FILE, read_state
from ser_core.training.settings import UNREADABLE, Settings, difference_from, read_settings

WITH_RESUME = "the same command with --resume goes on"
NAME = re.compile(rf"(?!.*\.(?:lock|log)$)[A-Za-z0-9][A-Za-z0-9._+-]{{0,{LONGEST_NAME - 1}}}", re.DOTALL)
"""Names that every file system takes, in one folder; a run in progress has a lock and a log beside it."""


def check_name(name: str, *, given: bool) -> None:
    """Refuse a name that no run can have.

    Args:
        given: by the user, and not made from the settings.

    Raises:
        ConfigError: which names a run can have.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"A run can't be called {brief(name)}: a name has 1 to {LONGEST_NAME} letters (a to z), digits and any of "
            ". _ + -, begins with a letter or a digit, and doesn't end in .lock or .log."
            + ("" if given else " What is wrong with it comes from the split's file: rename that.")
        )


def check_folders(runs_dir: Path, checkpoints_dir: Path, cache_dir: Path | None) -> None:
    """Refuse folders that can't be written to. One with features is only read if all of them are there.

    Raises:
        ConfigError: which, and why.
    """
    cache = cache_dir or default_cache_dir()
    for folder in (runs_dir, checkpoints_dir, *(() if cache.is_dir() else (cache,))):
        require_writable(folder)


def put_right(folder: Path, partial: Path, checkpoint: Path) -> None:
    """Finish what a process left that was killed while its files, record or checkpoint got their names."""
    restore_folder(folder)
    restore_folder(checkpoint)
    if folder.is_dir():
        (folder / STATE_FILE).unlink(missing_ok=True)
    for unfinished in partial.glob(".*"):  # see `replace_file`; nobody else writes here meanwhile
        if unfinished.is_dir():
            shutil.rmtree(unfinished)
        else:
            unfinished.unlink()


@contextmanager
def resumable(partial: Path, resume: bool) -> Iterator[None]:
    """Say how a run goes on that a full disk stops.

    Args:
        resume: whether the command says so already.

    Raises:
        DiskFullError: it does.
    """
    try:
        yield
    except (DiskFullError, OSError) as error:
        says = str(error)
        if isinstance(error, OSError):
            if not is_full(error):
                raise
            says = full(Path(error.filename).parent if isinstance(error.filename, str) else partial)
        if (partial / STATE_FILE).exists() and not resume:  # without it, the command is refused
            says = says.replace(SAME_COMMAND, WITH_RESUME)
        raise DiskFullError(says) from None


def refuse_to_replace(asked: Settings, folder: Path, partial: Path, checkpoint: Path, resume: bool) -> bool:
    """Refuse to begin a run, or to go on with it, where that would lose another.

    Returns:
        whether there is something to go on with.

    Raises:
        RunError: what has the name, and in what it differs from what is asked; or what is to go on is damaged.
    """
    start_over = RESTART if resume else "--restart"
    if (partial / STATE_FILE).exists():
        difference = difference_from(asked, partial)
        if difference == UNREADABLE:
            raise RunError(
                f"{partial} holds an interrupted run that can't go on: {difference}. Start over with {start_over}, or "
                "choose another --name."
            )
        if difference and not difference_from(asked, partial, epochs=False):
            epochs = read_settings(partial).config.epochs
            raise RunError(
                f"{partial} holds an interrupted run of {epochs} epochs, over which its learning rate falls: it can't "
                f"become one of {asked.config.epochs}. Go on with --epochs {epochs} --resume, or train "
                f"{asked.config.epochs} with {start_over}."
            )
        if difference:
            raise RunError(
                f"{partial} holds an interrupted run that is not this one ({difference}). Give it its own settings, "
                f"choose another --name, or replace it with {start_over}."
            )
        if not resume:
            raise RunError(f"{partial} holds an interrupted run. Go on with --resume, or start over with --restart.")
        read_state(partial)
        return True
    if folder.exists():
        difference = difference_from(asked, folder)
        if difference and not difference_from(asked, folder, epochs=False):
            epochs = read_settings(folder).config.epochs
            raise RunError(
                f"{folder} holds a finished run of {epochs} epochs, over which its learning rate fell: it can't become "
                f"one of {asked.config.epochs}. Train {asked.config.epochs} with {start_over}, or under another --name."
            )
        if difference:
            raise RunError(
                f"{folder} holds a run that is not this one ({difference}). Choose another --name, or replace it with "
                f"{start_over}."
            )
        raise RunError(
            f"{folder} already holds a finished run. Replace it with {start_over}, or choose another --name."
        )
    if checkpoint.exists():
        raise RunError(
            f"{checkpoint} holds weights that have no record in {folder.parent}. Choose another --name, or replace "
            f"them with {start_over}."
        )
    return False


def what_is_replaced(asked: Settings, folder: Path, partial: Path) -> list[str]:
    """Sentences about runs with other settings, or fewer epochs, that a run takes the place of."""
    sentences = []
    if (partial / STATE_FILE).exists() and (difference := difference_from(asked, partial)):
        sentences.append(f"Gives up an interrupted run in {partial} that is not this one ({difference}).")
    epochs, kept = _epochs_of_a_shorter(asked, folder)
    if epochs and not kept.exists():
        sentences.append(f"Keeps the record of {epochs} epochs in {folder}, when it is whole, as {kept.name}.")
    elif folder.exists() and (difference := difference_from(asked, folder)):
        sentences.append(f"Replaces, when it is whole, a run in {folder} that is not this one ({difference}).")
    return sentences


def keep_shorter(new: Path, folder: Path) -> None:
    """Keep the record of a run that a longer one with the same settings takes the place of: as `NAME-30`, of 30 epochs.

    So that it can still be compared with others of its length. What has that name already stays.
    """
    epochs, kept = _epochs_of_a_shorter(read_settings(new), folder)
    if epochs and not kept.exists():
        with new_folder(kept) as copy:
            shutil.copytree(folder, copy, dirs_exist_ok=True)


def _epochs_of_a_shorter(asked: Settings, folder: Path) -> tuple[int, Path]:
    """How long the run in a folder was trained, 0 if it isn't a shorter one with the same settings; its name then."""
    if folder.is_dir() and not difference_from(asked, folder, epochs=False):
        epochs = read_settings(folder).config.epochs
        kept = folder.with_name(f"{folder.name}-{epochs}")
        if epochs < asked.config.epochs and NAME.fullmatch(kept.name):
            return epochs, kept
    return 0, folder


def say_what_finished(partial: Path, commit: str | None) -> None:
    """Let the record of a run say which code finished it, if other code had begun it."""
    config = read_config(partial)
    if commit != config.environment.git_commit:
        write_config(partial, replace(config, environment=replace(config.environment, finished_commit=commit)))

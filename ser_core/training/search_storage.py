"""The file with the trials of searches, of SQLite: reading leaves it as it is, and only Optuna's is written to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ser_core.errors import ConfigError, DiskFullError, RunError
from ser_core.files import full
from ser_core.places import require_writable

if TYPE_CHECKING:
    import optuna

WAIT_SECONDS = 60.0  # for another worker that writes
OF_ITSELF = {"alembic_version"}  # a table that Optuna has, and doesn't list as its own
Mode = Literal["ro", "rwc", "rw"]


def require_optuna() -> None:
    """Look whether Optuna is there, before anything is written.

    Raises:
        ConfigError: it is not installed.
    """
    if find_spec("optuna") is None:
        raise ConfigError("Optuna is not installed. Get it with `pip install -r requirements-search.txt`.")


def _connect(file: Path, mode: Mode) -> sqlite3.Connection:
    """A connection; whatever its name has in it, the file is this one."""
    where = f"{file.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(where, uri=True, timeout=WAIT_SECONDS, check_same_thread=False)


def storage_in(file: Path, write: bool = False) -> optuna.storages.RDBStorage:
    """The trials in a file.

    Args:
        write: whether more of them can be written, see `require_place`; if not, the file stays as it is.
    """
    import optuna

    mode: Mode = "rwc" if write else "ro"
    # The path of the file is none in this address, which gives `?` and `#` in names a meaning.
    return optuna.storages.RDBStorage(
        "sqlite:///search",
        engine_kwargs={"creator": lambda: _connect(file, mode)},
        skip_table_creation=not write,
    )


def require_place(file: Path) -> None:
    """Look whether trials can be written to a file, which need not be there yet. Nothing is changed.

    Raises:
        ConfigError: Optuna is not installed, the folder can't be written to, or the file holds something else.
    """
    require_optuna()
    require_writable(file.parent)
    if not file.exists():
        return
    from optuna.storages._rdb.models import BaseModel

    if others := tables_in(file) - BaseModel.metadata.tables.keys() - OF_ITSELF:
        raise ConfigError(
            f"{file} holds something else than trials of a search (a table {min(others)}): choose another --storage."
        )


def require_trials(file: Path) -> None:
    """Look whether there are trials to be read in a file that is there.

    Raises:
        ConfigError: Optuna is not installed, or the file is none of its.
    """
    require_optuna()
    if not {"studies", "trials"} <= tables_in(file):
        raise no_trials(file)


def tables_in(file: Path) -> set[str]:
    """Names of the tables in a file.

    Raises:
        ConfigError: it is none of SQLite.
        RunError: another program holds it, or it can't be opened.
    """
    if not file.is_file():
        raise ConfigError(f"{file} is no file: choose another --storage.")
    try:
        return _tables(file, "ro")
    except sqlite3.DatabaseError as error:
        if not file.with_name(f"{file.name}-journal").exists():
            raise _said(file, error) from None
    try:  # a program that was killed as it wrote left what only a writer can put right
        return _tables(file, "rw")
    except sqlite3.DatabaseError as error:
        raise _said(file, error) from None


def _tables(file: Path, mode: Mode) -> set[str]:
    with closing(_connect(file, mode)) as database:
        rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name for (name,) in rows if not name.startswith("sqlite_")}


@contextmanager
def storage_errors(file: Path) -> Iterator[None]:
    """Say what is wrong with a file of trials that SQLite can't read or write.

    Raises:
        DiskFullError: there is no room.
        RunError: another program holds it, or it can't be opened or written to.
        ConfigError: it holds no trials, or is damaged.
    """
    require_optuna()
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise _said(file, error) from None


def _said(file: Path, error: BaseException) -> DiskFullError | RunError | ConfigError:
    """What to say where SQLAlchemy or Optuna fails, by the error of SQLite's beneath."""
    beneath: BaseException | None = error
    while beneath is not None and not isinstance(beneath, sqlite3.Error):
        beneath = getattr(beneath, "orig", None) or beneath.__cause__
    code = getattr(beneath, "sqlite_errorcode", 0) & 0xFF  # extended codes have more bits
    if code == sqlite3.SQLITE_FULL:
        return DiskFullError(full(file.parent))
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return RunError(f"Another program holds {file}. Nothing in it is lost: try again when that is done.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
        return RunError(f"{file} can't be used ({beneath}). What is in it stays as it is.")
    return no_trials(file)


def no_trials(file: Path) -> ConfigError:
    """What to say of a file that is none of Optuna's."""
    return ConfigError(f"{file} holds no trials of a search, or is damaged: choose another --storage.")

"""What is known already: a database beside the table, which a stop or a crash leaves whole.

It knows each file by its path, size and time of writing, and keeps its rows. What a worker found out is in it for good
as soon as it is written, so that only what was in flight is done again. One process writes to it at a time.

A file's rows have a digest: where a bit of them flips on a disk, they are found out again.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from ser_core.errors import ConfigError, DiskFullError
from ser_core.files import full
from ser_core.serving.many.blocks import Done, File, Row
from ser_core.serving.many.columns import error_row
from ser_core.serving.many.listing import Listed
from ser_core.serving.many.settings import ManySettings

FORMAT = "1"
PAGE = 1000  # files that are looked up at a time

TO_DO, FINAL, AGAIN = range(3)
"""States of a file: to classify; classified; could not be classified for a reason that may pass."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS files (
    number INTEGER PRIMARY KEY, path BLOB UNIQUE, name TEXT, size INTEGER, modified INTEGER, listing INTEGER,
    state INTEGER, failed INTEGER DEFAULT 0, digest TEXT
);
CREATE TABLE IF NOT EXISTS rows (
    number INTEGER, position INTEGER, text TEXT, embedding BLOB, PRIMARY KEY (number, position)
);
CREATE INDEX IF NOT EXISTS to_do ON files (state, listing, number);
"""
NEW_COLUMN = "ALTER TABLE files ADD COLUMN digest TEXT"
"""For journals that are older than digests."""
DAMAGED = (
    "The journal's rows of {name} were damaged while the table was written: the same command finds them out again."
)


class Suspect(NamedTuple):
    """Files whose rows can't be relied on.

    Attributes:
        damaged: names of those whose rows are not what was written.
        unknown: how many have rows from a version of this program that wrote no digests.
    """

    damaged: list[str]
    unknown: int


class Digest:
    """Sixteen hexadecimal digits by which a changed bit of a file's rows is noticed.

    Args:
        failed: whether the rows say what is wrong with the file.
    """

    def __init__(self, failed: object):
        self._total = hashlib.blake2b(repr(failed).encode(), digest_size=8)

    def add(self, row: Row) -> None:
        """Count a row in; damage may have made anything of its values."""
        self._total.update(repr(tuple(row)).encode())

    def __str__(self) -> str:
        return self._total.hexdigest()


class Counts(NamedTuple):
    """Of the files that are named now.

    Attributes:
        files: all.
        to_do: those that are not classified, or have changed since.
        known: those that are classified.
        failed: those whose rows say what is wrong.
        left_out: files that the listing before named, and this one doesn't.
    """

    files: int
    to_do: int
    known: int
    failed: int
    left_out: int


def journal_of(table: Path) -> Path:
    """Where the journal of a table is."""
    return table.with_name(f"{table.name}.journal")


class Journal:
    """See `open_journal`."""

    def __init__(self, database: sqlite3.Connection):
        self._database = database
        self._listing = 0

    def require(self, settings: ManySettings, table: Path) -> None:
        """Check that the rows in it are of these settings; a new one takes them.

        Raises:
            ConfigError: they are not, and in what.
        """
        known = dict(self._database.execute("SELECT name, value FROM settings"))
        (empty,) = self._database.execute("SELECT NOT EXISTS (SELECT * FROM rows)").fetchone()
        if empty and not table.exists():  # nothing was found out yet
            values = settings.as_text() | {"format": FORMAT}
            with self._database:
                self._database.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", values.items())
            return
        way_out = f"Ask for the same, choose another --out, or remove {table} and {journal_of(table).name}."
        if known.get("format") != FORMAT:
            raise ConfigError(f"{journal_of(table)} is of another version of this program. {way_out}")
        if differences := settings.differences(known):
            raise ConfigError(f"{table} is made with other settings: {'; '.join(differences)}. {way_out}")

    def list(self, files: Iterable[Listed]) -> None:
        """Take note of the files that are named now: what is new or has changed is to do."""
        before = self._database.execute("SELECT MAX(listing) FROM files").fetchone()[0] or 0
        self._listing = before + 1
        with self._database:
            for file in files:
                self._list(file)

    def _list(self, file: Listed) -> None:
        path = os.fsencode(os.path.abspath(file.path))  # noqa: PTH100 (links stay as they are)
        known = self._database.execute(
            "SELECT size, modified, listing, state FROM files WHERE path = ?", (path,)
        ).fetchone()
        *before, listing, state = known or (None, None, None, TO_DO)
        if file.problem is not None and listing == self._listing:
            return  # what a folder leaves out was named
        same = before == [file.size, file.modified] and state == FINAL
        (number,) = self._database.execute(
            "INSERT INTO files (path, name, size, modified, listing, state) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (path) DO UPDATE SET name = excluded.name, size = excluded.size,"
            " modified = excluded.modified, listing = excluded.listing, state = excluded.state RETURNING number",
            (path, shown(file.path), file.size, file.modified, self._listing, FINAL if same else TO_DO),
        ).fetchone()
        if file.problem is not None:
            self._store(Done(number, (error_row(file.problem),), failed=True, final=False))

    def to_do(self) -> Iterator[File]:
        """What is to classify, also while results are added."""
        last = 0
        query = (
            "SELECT number, path, size FROM files WHERE state = ? AND listing = ? AND number > ?"
            " ORDER BY number LIMIT ?"
        )
        while page := self._database.execute(query, (TO_DO, self._listing, last, PAGE)).fetchall():
            yield from (File(*values) for values in page)
            last = page[-1][0]

    def add(self, results: Iterable[Done]) -> None:
        """Keep what was found out, for good; a file's rows take the place of those it had."""
        with self._database:
            for done in results:
                self._store(done)

    def check(self) -> Suspect:
        """Compare what is known of the files that are named now with its digests; what can't be relied on is to do."""
        with self._database:
            unknown = self._database.execute(
                "UPDATE files SET state = ? WHERE listing = ? AND state = ? AND digest IS NULL",
                (TO_DO, self._listing, FINAL),
            ).rowcount
        query = (
            "SELECT files.number, name, failed, digest, position, text, embedding FROM files LEFT JOIN rows"
            " ON rows.number = files.number WHERE listing = ? AND state = ? ORDER BY files.number, position"
        )
        damaged = {}
        found = self._database.execute(query, (self._listing, FINAL))
        for (number, name, failed, digest), rows in itertools.groupby(found, itemgetter(0, 1, 2, 3)):
            total = Digest(failed)
            for *_, position, text, embedding in rows:
                if position is not None:
                    total.add(Row(text, embedding))
            if str(total) != digest:
                damaged[number] = name
        with self._database:
            self._database.executemany(
                "UPDATE files SET state = ? WHERE number = ?", ((TO_DO, number) for number in damaged)
            )
        return Suspect(list(damaged.values()), unknown)

    def _store(self, done: Done) -> None:
        failed, digest = int(done.failed), Digest(int(done.failed))
        for row in done.rows:
            digest.add(row)
        self._database.execute("DELETE FROM rows WHERE number = ?", (done.number,))
        self._database.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?)",
            ((done.number, position, row.text, row.embedding) for position, row in enumerate(done.rows)),
        )
        state = FINAL if done.final else AGAIN
        self._database.execute(
            "UPDATE files SET state = ?, failed = ?, digest = ? WHERE number = ?",
            (state, failed, str(digest), done.number),
        )

    def counts(self) -> Counts:
        """How many files there are of each kind."""
        return Counts(
            *self._database.execute(
                "SELECT COUNT(*) FILTER (WHERE listing = :now),"
                " COUNT(*) FILTER (WHERE listing = :now AND state = :to_do),"
                " COUNT(*) FILTER (WHERE listing = :now AND state = :final),"
                " COUNT(*) FILTER (WHERE listing = :now AND failed),"
                " COUNT(*) FILTER (WHERE listing = :now - 1) FROM files",
                {"now": self._listing, "to_do": TO_DO, "final": FINAL},
            ).fetchone()
        )

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Names and rows of the files that are named now, in order of their names.

        Raises:
            ConfigError: rows are not what was written.
        """
        query = (
            "SELECT number, name, failed, digest, text, embedding FROM files JOIN rows USING (number) WHERE listing = ?"
            " ORDER BY name, number, position"
        )
        found = self._database.execute(query, (self._listing,))
        for (_, name, failed, digest), rows in itertools.groupby(found, itemgetter(0, 1, 2, 3)):
            total = Digest(failed)
            for *_, text, embedding in rows:
                total.add(row := Row(text, embedding))
                yield name, row
            if str(total) != digest:
                raise ConfigError(DAMAGED.format(name=name))


@contextmanager
def open_journal(table: Path, settings: ManySettings) -> Iterator[Journal]:
    """The journal of a table, which is made where there is none.

    Raises:
        ConfigError: the table was made with other settings, or nobody knows with which; another process writes to it;
            the journal is damaged.
        DiskFullError: there is no room for the journal.
    """
    path = journal_of(table)
    if table.exists() and not path.exists():
        raise ConfigError(
            f"{table} is there already, and {path.name}, which would say how it was made, is not. Choose another "
            f"--out, or remove {table}."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        database = sqlite3.connect(path, timeout=0, isolation_level="DEFERRED")
        try:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.text_factory = _as_text
            database.executescript(SCHEMA)
            if "digest" not in [column for _, column, *_ in database.execute("PRAGMA table_info(files)")]:
                database.execute(NEW_COLUMN)
            _mend_indexes(database)
            journal = Journal(database)
            journal.require(settings, table)
            yield journal
        finally:
            database.close()
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise DiskFullError(full(path.parent)) from None
        if "locked" not in str(error):
            raise ConfigError(f"{path} can't be written: {error}. Choose another --out.") from None
        raise ConfigError(f"{table} is being made by another process. Wait for it, or choose another --out.") from None
    except sqlite3.DatabaseError as error:
        raise ConfigError(f"{path} can't be used ({error}). Remove it and {table.name} to begin anew.") from None


def _mend_indexes(database: sqlite3.Connection) -> None:
    """Make anew what is only there to find rows: where that is damaged, files would be missing without a word.

    Raises:
        sqlite3.DatabaseError: more than that is damaged.
    """
    for mend in (True, False):
        (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
        if found == "ok":
            return
        if mend:
            database.execute("REINDEX")
    raise sqlite3.DatabaseError("database disk image is malformed")


def _as_text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")  # damage may have made it anything


def shown(path: Path) -> str:
    """A path as text; bytes of a name that are no UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")

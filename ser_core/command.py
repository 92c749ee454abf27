"""What the project's commands have in common: errors are sentences and exit with 2, and output never fails.

Who stops reading (`ser predict … | head -1`) ends a command quietly; what a terminal's encoding can't show is escaped.
"""

from __future__ import annotations

import codecs
import errno
import functools
import io
import json
import os
import select
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, ParamSpec, TextIO, TypeVar

from ser_core.errors import SERError
from ser_core.files import FULL, full, is_full

P = ParamSpec("P")
R = TypeVar("R")


OUT_OF_MEMORY = "Out of memory."
JOINERS = "\u200c\u200d"  # without which some scripts and emoji look otherwise
CLOSED_PIPE = 128 + 13  # what a shell says of a program that SIGPIPE ended
OF_THE_SYSTEM = {
    *FULL,
    *(getattr(errno, name) for name in ("EACCES", "EPERM", "EROFS", "ENOTDIR", "ENAMETOOLONG")),
}
"""Errors of files that are no fault of the program's: not allowed, no such place, a full disk."""


def friendly_errors(
    interrupted: str = "Stopped.", less_memory: str = "Close other programs."
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a command print a `SERError`, or that memory or the disk ran out, as a sentence and exit 2.

    Args:
        interrupted: what to say on Ctrl-C, after which the exit status is 130.
        less_memory: what to do where memory ran out.
    """

    def decorate(main: Callable[P, R]) -> Callable[P, R]:
        return output_never_fails(_wrap(main, interrupted=interrupted, less_memory=less_memory))

    return decorate


def _wrap(main: Callable[P, R], *, interrupted: str, less_memory: str) -> Callable[P, R]:
    no_memory = f"{OUT_OF_MEMORY} {less_memory}"

    @functools.wraps(main)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return main(*args, **kwargs)
        except SERError as error:
            _fail(str(error))
        except MemoryError:
            _fail(no_memory)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            _fail(no_memory)
        except OSError as error:
            if is_full(error) and isinstance(error.filename, str):
                _fail(full(Path(error.filename).parent))
            if error.errno not in OF_THE_SYSTEM:
                raise
            _fail(": ".join(str(part) for part in (error.filename, error.strerror) if part) + ".")
        except KeyboardInterrupt:
            print(f"\n{interrupted}", file=sys.stderr)
            sys.exit(130)

    return wrapper


def output_never_fails(main: Callable[P, R]) -> Callable[P, R]:
    """Make a command end quietly where nobody reads its output; what can't be shown is escaped, as in JSON."""

    @functools.wraps(main)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        _open_what_is_closed()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # what stands in for it elsewhere shows everything
                stream.reconfigure(errors="escape")
        try:
            try:
                return main(*args, **kwargs)
            finally:
                _flush()  # here, where it can be caught, and not when the interpreter ends
        except BrokenPipeError:
            unread = [stream for stream in (sys.stdout, sys.stderr) if _is_unread(stream)]
            if not unread:
                raise  # it is another pipe
            for stream in unread:
                _forget(stream)
            sys.exit(CLOSED_PIPE)

    return wrapper


def _open_what_is_closed() -> None:
    """Take what is said where a shell has closed an output (`2>&-`), which then is None, and say it to nobody."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))


def _flush() -> None:
    """Write what is printed, or say why that can't be done.

    Raises:
        BrokenPipeError: nobody reads it.
    """
    if sys.stdout is None:  # as in a process that was started without it
        return
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _forget(sys.stdout)
        _fail(f"The output can't be written: {error.strerror}.")


def _is_unread(stream: TextIO | None) -> bool:
    """Whether it is a pipe that nobody reads."""
    if stream is None:
        return False
    poll = select.poll()
    poll.register(stream.fileno(), 0)
    return bool(poll.poll(0))  # of errors, it says those that it wasn't asked for


def _forget(stream: TextIO) -> None:
    """Let what is left go nowhere: the interpreter writes it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _escape(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error("escape", _escape)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch says that the CPU or the GPU has no memory left."""
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text


def printable(text: str) -> str:
    """What a terminal shows and doesn't obey: names may hold colours, line ends, and letters that turn a line round."""
    return "".join(json.dumps(char)[1:-1] if _is_obeyed(char) else char for char in text)


def _is_obeyed(char: str) -> bool:
    category = unicodedata.category(char)
    return category in ("Cc", "Cs", "Zl", "Zp") or (category == "Cf" and char not in JOINERS)


def _fail(sentence: str) -> NoReturn:
    try:
        print("\n".join(map(printable, f"error: {sentence}".split("\n"))), file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:  # as where the disk is full to which it goes: the exit status says it, too
        _forget(sys.stderr)
    sys.exit(2)

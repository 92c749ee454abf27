"""What the project's commands have in common: errors are sentences, and exit with 2."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar

from ser_core.errors import SERError

P = ParamSpec("P")
R = TypeVar("R")


OUT_OF_MEMORY = "Out of memory."


def friendly_errors(
    interrupted: str = "Stopped.", less_memory: str = "Close other programs."
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a command print a `SERError`, or that memory ran out, as a sentence and exit 2.

    Args:
        interrupted: what to say on Ctrl-C, after which the exit status is 130.
        less_memory: what to do where memory ran out.
    """
    return functools.partial(_wrap, interrupted=interrupted, less_memory=less_memory)


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
        except KeyboardInterrupt:
            print(f"\n{interrupted}", file=sys.stderr)
            sys.exit(130)

    return wrapper


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch says that the CPU or the GPU has no memory left."""
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text


def _fail(sentence: str) -> NoReturn:
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(2)

"""What the project's commands have in common: errors are sentences, and exit with 2."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar

from ser_core.errors import SERError

P = ParamSpec("P")
R = TypeVar("R")


def friendly_errors(interrupted: str = "Stopped.") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a command print a `SERError`, or that memory ran out, as a sentence and exit 2.

    Args:
        interrupted: what to say on Ctrl-C, after which the exit status is 130.
    """
    return functools.partial(_wrap, interrupted=interrupted)


def _wrap(main: Callable[P, R], *, interrupted: str) -> Callable[P, R]:
    @functools.wraps(main)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return main(*args, **kwargs)
        except SERError as error:
            _fail(str(error))
        except MemoryError:
            _fail(OUT_OF_MEMORY)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            _fail(OUT_OF_MEMORY)
        except KeyboardInterrupt:
            print(f"\n{interrupted}", file=sys.stderr)
            sys.exit(130)

    return wrapper


OUT_OF_MEMORY = "Out of memory. Make --batch-size smaller, or close other programs."


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch says that the CPU or the GPU has no memory left."""
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text


def _fail(sentence: str) -> NoReturn:
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(2)

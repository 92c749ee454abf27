"""What the project's commands have in common: errors are sentences, and exit with 2."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar

from ser_core.errors import SERError

P = ParamSpec("P")
R = TypeVar("R")


def friendly_errors(main: Callable[P, R]) -> Callable[P, R]:
    """Print a `SERError` or running out of memory as a sentence and exit 2; on Ctrl-C exit 130."""

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
            print("\nStopped.", file=sys.stderr)
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

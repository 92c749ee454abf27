"""`python -m ser_core.cremad`: see `ser_core.corpus.__main__`."""

from ser_core.corpus.__main__ import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

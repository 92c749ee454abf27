"""`python -m ser_core.cremad`: see `ser_core.corpus.command`."""

from ser_core.corpus.command import main

if __name__ == "__main__":
    main(prog="python -m ser_core.cremad")

"""`python -m ser_core`: see `ser_core.commands`."""

from ser_core.commands import main

if __name__ == "__main__":
    main(prog="python -m ser_core")

"""`python -m ser_core.evaluate`: see `ser_core.evaluation.command`."""

from ser_core.evaluation.command import main

if __name__ == "__main__":
    main(prog="python -m ser_core.evaluate")

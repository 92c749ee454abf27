"""Train many configurations and record them all: `python grid.py --help`, see `ser_core.training.grid_command`."""

from ser_core.training.grid_command import main

if __name__ == "__main__":
    main(prog="python grid.py")

"""Train one configuration and record it: `python train.py --help`, see `ser_core.training.command`."""

from ser_core.training.command import main

if __name__ == "__main__":
    main(prog="python train.py")

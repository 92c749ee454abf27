"""`python -m ser_core.stream`: see `ser_core.serving.stream_command`."""

from ser_core.serving.stream_command import main

if __name__ == "__main__":
    main(prog="python -m ser_core.stream")

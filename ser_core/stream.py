"""`python -m ser_core.stream`: see `ser_core.serving.stream_command`; from here, `SpeechStream`."""

from ser_core.serving.stream import SpeechStream, StreamConfig, StreamPrediction
from ser_core.serving.stream_command import main

__all__ = ["SpeechStream", "StreamConfig", "StreamPrediction"]

if __name__ == "__main__":
    main(prog="python -m ser_core.stream")

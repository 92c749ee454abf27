"""Files of many kinds, made of samples."""

import io

import av
import numpy as np
import soundfile

from ser_core.audio.decode import Decoded

RATE = 48_000


def encode(samples: np.ndarray, container: str, codec: str, rate: int = RATE) -> bytes:
    """Encode `[channels, samples]` as browsers and phones do."""
    buffer = io.BytesIO()
    layout = "mono" if len(samples) == 1 else "stereo"
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        block = round(0.1 * rate)  # some encoders take no more at once
        for start in range(0, samples.shape[1], block):
            part = np.ascontiguousarray(samples[:, start : start + block])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, start
            for packet in stream.encode(frame):
                output.mux(packet)
        for packet in stream.encode(None):
            output.mux(packet)
    return buffer.getvalue()


def written(samples: np.ndarray, rate: int, **options: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.T, rate, **options)
    return buffer.getvalue()


def dominant_frequency(samples: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))


def seconds(decoded: Decoded) -> float:
    return decoded.samples.shape[1] / decoded.rate

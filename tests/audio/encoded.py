"""Files of many kinds, made of samples."""

import io

import av
import numpy as np
import soundfile

from ser_core.audio.decode import Decoded
from tests.helpers import tone

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


SOUND = 0.5 * tone(440, 1, RATE)[None]
MADE = {
    ".aiff": lambda: written(SOUND, RATE, format="AIFF"),
    ".aifc": lambda: written(SOUND, RATE, format="AIFF", subtype="FLOAT"),
    ".au": lambda: written(SOUND, RATE, format="AU"),
    ".caf": lambda: written(SOUND, RATE, format="CAF"),
    ".nist": lambda: written(SOUND, RATE, format="NIST"),
    ".rf64": lambda: written(SOUND, RATE, format="RF64"),
    ".voc": lambda: written(SOUND, RATE, format="VOC"),
    ".w64": lambda: written(SOUND, RATE, format="W64"),
    ".wav": lambda: written(SOUND, RATE, format="WAV"),
    ".flac": lambda: written(SOUND, RATE, format="FLAC"),
    ".ogg": lambda: written(SOUND, RATE, format="OGG"),
    ".mp3": lambda: written(SOUND, RATE, format="MP3"),
    ".mp2": lambda: encode(SOUND, "mp2", "mp2"),
    ".ac3": lambda: encode(SOUND, "ac3", "ac3"),
    ".opus": lambda: encode(SOUND, "ogg", "libopus"),
    ".webm": lambda: encode(SOUND, "webm", "libopus"),
    ".mka": lambda: encode(SOUND, "matroska", "flac"),
    ".mkv": lambda: encode(SOUND, "matroska", "aac"),
    ".m4a": lambda: encode(SOUND, "ipod", "aac"),
    ".mp4": lambda: encode(SOUND, "mp4", "aac"),
    ".mov": lambda: encode(SOUND, "mov", "pcm_s16le"),
    ".3gp": lambda: encode(SOUND, "3gp", "aac"),
    ".aac": lambda: encode(SOUND, "adts", "aac"),
    ".avi": lambda: encode(SOUND, "avi", "mp3"),
    ".flv": lambda: encode(SOUND, "flv", "aac"),
    ".mts": lambda: encode(SOUND, "mpegts", "aac"),
    ".wv": lambda: encode(SOUND, "wv", "wavpack"),
    ".tta": lambda: encode(SOUND, "tta", "tta"),
    ".avr": lambda: written(SOUND, RATE, format="AVR"),
    ".gxf": lambda: encode(SOUND, "gxf", "pcm_s16le"),
    ".htk": lambda: written(SOUND, RATE, format="HTK"),
    ".ircam": lambda: written(SOUND, RATE, format="IRCAM"),
    ".nut": lambda: encode(SOUND, "nut", "pcm_s16le"),
    ".paf": lambda: written(SOUND, RATE, format="PAF"),
    ".pvf": lambda: written(SOUND, RATE, format="PVF"),
    ".sds": lambda: written(SOUND, RATE, format="SDS", subtype="PCM_16"),
    ".sf": lambda: written(SOUND, RATE, format="IRCAM"),
    ".sox": lambda: encode(SOUND, "sox", "pcm_s32le"),
    ".svx": lambda: written(SOUND, RATE, format="SVX"),
    ".wtv": lambda: encode(SOUND, "wtv", "mp2"),
}
"""Files of many kinds that hold a second of 440 Hz, by their ending."""

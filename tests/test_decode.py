import io
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from ser_core.decode import decode
from ser_core.errors import AudioError
from tests.helpers import tone

RATE = 48_000


def encode(samples: np.ndarray, container: str, codec: str, rate: int = RATE) -> bytes:
    """Encode `[channels, samples]` as browsers and phones do."""
    buffer = io.BytesIO()
    layout = "mono" if len(samples) == 1 else "stereo"
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return buffer.getvalue()


def written(samples: np.ndarray, rate: int, **options: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.T, rate, **options)
    return buffer.getvalue()


def dominant_frequency(samples: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "MP3"])
def test_what_libsndfile_reads(container: str):
    samples, rate = decode(written(0.5 * tone(440, 1, RATE)[None], RATE, format=container))
    assert rate == RATE
    assert samples.shape[0] == 1
    assert samples.dtype == np.float32
    assert dominant_frequency(samples[0], rate) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    ("container", "codec"), [("webm", "libopus"), ("ogg", "libopus"), ("mp4", "aac"), ("adts", "aac")]
)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_browsers_and_phones_record(container: str, codec: str, channels: int):
    samples, rate = decode(encode(np.tile(0.5 * tone(440, 1, RATE), (channels, 1)), container, codec))
    assert samples.shape[0] == channels
    assert samples.shape[1] / rate == pytest.approx(1, abs=0.1)
    assert dominant_frequency(samples[0], rate) == pytest.approx(440, abs=2)
    assert samples[0].std() == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_wav_sample_formats(subtype: str):
    expected = 0.5 * tone(100, 0.5, 16_000)
    samples, _ = decode(written(expected[None], 16_000, format="WAV", subtype=subtype))
    np.testing.assert_allclose(samples[0], expected, atol=0.03 if subtype in ("PCM_U8", "ULAW") else 1e-4)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_rates_and_channels(rate: int, channels: int):
    samples, found = decode(written(np.tile(tone(100, 0.2, rate), (channels, 1)), rate, format="WAV"))
    assert (samples.shape, found) == ((channels, round(0.2 * rate)), rate)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([0.5, -0.5]), [0.5, -0.5]),
        (np.array([16384, -32768], dtype=np.int16), [0.5, -1]),
        (np.array([2**30, -(2**31)], dtype=np.int32), [0.5, -1]),
        (np.array([192, 0], dtype=np.uint8), [0.5, -1]),
        (np.array([0.5, -0.5], dtype=np.float64), [0.5, -0.5]),
    ],
)
def test_arrays_are_scaled_to_one(array: np.ndarray, expected: list[float]):
    samples, _ = decode(array, sample_rate=16_000)
    np.testing.assert_allclose(samples, [expected])


def test_files_paths_and_open_files_are_the_same(corpus, clips):
    path = corpus.path(clips[0])
    from_path, _ = decode(path)
    with path.open("rb") as file:
        np.testing.assert_array_equal(decode(file)[0], from_path)
    np.testing.assert_array_equal(decode(str(path))[0], from_path)
    np.testing.assert_array_equal(decode(path.read_bytes())[0], from_path)


def test_a_recording_that_was_cut_off_is_read_up_to_the_cut():
    whole = encode(0.5 * tone(440, 4, RATE)[None], "webm", "libopus")
    samples, rate = decode(whole[: len(whole) // 2])
    assert 1 < samples.shape[1] / rate < 3


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"", "no bytes"),
        (b"this is a text, not sound", "could not be decoded"),
        (b"RIFF" + bytes(200), "could not be decoded"),
        (b"\x1a\x45\xdf\xa3" + bytes(100), "could not be decoded"),
        ("nowhere.wav", "does not exist"),
        (".", "folder"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(source: bytes | str, says: str):
    with pytest.raises(AudioError, match=says):
        decode(source)


def test_a_video_without_sound_is_a_sentence():
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    with pytest.raises(AudioError, match="no sound track"):
        decode(buffer.getvalue())


@pytest.mark.parametrize(
    ("array", "rate", "says"),
    [
        (np.zeros(16_000, np.float32), None, "sample rate"),
        (np.zeros(16_000, np.float32), 4_000, "4000 Hz"),
        (np.zeros(16_000, np.float32), 384_000, "384000 Hz"),
        (np.zeros((16_000, 2), np.float32), 16_000, "16000 channels"),
        (np.zeros((2, 2, 2), np.float32), 16_000, "dimensions"),
        (np.zeros(0, np.float32), 16_000, "no samples"),
        (np.array([0.1, np.nan]), 16_000, "not numbers"),
        (np.array([0.1, np.inf]), 16_000, "not numbers"),
        (np.array([True, False]), 16_000, "bool"),
        (np.array(["a"]), 16_000, "not supported"),
    ],
)
def test_unusable_arrays_are_a_sentence(array: np.ndarray, rate: int | None, says: str):
    with pytest.raises(AudioError, match=says):
        decode(array, sample_rate=rate)


def test_a_wav_without_samples_is_a_sentence():
    with pytest.raises(AudioError, match="no samples"):
        decode(written(np.zeros((1, 0), np.float32), 16_000, format="WAV"))


def test_a_rate_for_a_file_is_refused(tmp_path: Path):
    with pytest.raises(AudioError, match="Only arrays"):
        decode(tmp_path / "a.wav", sample_rate=16_000)

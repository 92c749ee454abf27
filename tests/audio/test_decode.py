import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from ser_core.audio.decode import decode
from ser_core.audio.preprocess import load_audio, read_audio
from ser_core.errors import AudioError
from ser_core.serving import predict_command as predict_cli
from ser_core.serving import stream_command as stream_cli
from ser_core.serving.predictor import Predictor
from tests.audio.encoded import RATE, SOUND, dominant_frequency, encode, seconds, written
from tests.helpers import LFS_POINTER, tone

BREAKS_OFF = "The recording breaks off at {:.1f} s: what should follow is missing or damaged."


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "MP3"])
def test_what_libsndfile_reads(container: str):
    decoded = decode(written(0.5 * tone(440, 1, RATE)[None], RATE, format=container))
    samples, rate = decoded.samples, decoded.rate
    assert rate == RATE
    assert decoded.warnings == ()
    assert samples.shape[0] == 1
    assert samples.dtype == np.float32
    assert dominant_frequency(samples[0], rate) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    ("container", "codec"), [("webm", "libopus"), ("ogg", "libopus"), ("mp4", "aac"), ("adts", "aac")]
)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_browsers_and_phones_record(container: str, codec: str, channels: int):
    decoded = decode(encode(np.tile(0.5 * tone(440, 1, RATE), (channels, 1)), container, codec))
    samples, rate = decoded.samples, decoded.rate
    assert decoded.warnings == ()
    assert samples.shape[0] == channels
    assert samples.shape[1] / rate == pytest.approx(1, abs=0.1)
    assert dominant_frequency(samples[0], rate) == pytest.approx(440, abs=2)
    assert samples[0].std() == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_wav_sample_formats(subtype: str):
    expected = 0.5 * tone(100, 0.5, 16_000)
    samples = decode(written(expected[None], 16_000, format="WAV", subtype=subtype)).samples
    np.testing.assert_allclose(samples[0], expected, atol=0.03 if subtype in ("PCM_U8", "ULAW") else 1e-4)


@pytest.mark.parametrize(
    ("container", "subtype"),
    [
        *(("WAV", subtype) for subtype in ("GSM610", "G721_32", "NMS_ADPCM_16", "NMS_ADPCM_24", "NMS_ADPCM_32")),
        *(("WAV", subtype) for subtype in ("IMA_ADPCM", "MS_ADPCM")),
        *(("AU", subtype) for subtype in ("G721_32", "G723_24", "G723_40")),
        *((container, "GSM610") for container in ("AIFF", "W64")),
        *(("W64", subtype) for subtype in ("IMA_ADPCM", "MS_ADPCM")),
    ],
)
def test_codecs_of_telephones_and_recorders(container: str, subtype: str):
    decoded = decode(written(0.5 * tone(440, 2, 8_000)[None], 8_000, format=container, subtype=subtype))
    assert (decoded.rate, decoded.warnings) == (8_000, ())
    assert seconds(decoded) == pytest.approx(2, abs=0.1)
    assert dominant_frequency(decoded.samples[0], decoded.rate) == pytest.approx(440, abs=2)
    assert decoded.samples.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_where_one_decoder_fails_at_the_start_the_other_is_asked(monkeypatch: pytest.MonkeyPatch):
    def fails(*args: object, **options: object) -> None:
        raise soundfile.LibsndfileError(1)

    data = written(0.5 * tone(440, 1, RATE)[None], RATE, format="WAV")
    monkeypatch.setattr(soundfile.SoundFile, "read", fails)
    decoded = decode(data)
    assert (seconds(decoded), decoded.warnings) == (1, ())


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_rates_and_channels(rate: int, channels: int):
    decoded = decode(written(np.tile(tone(100, 0.2, rate), (channels, 1)), rate, format="WAV"))
    assert (decoded.samples.shape, decoded.rate) == ((channels, round(0.2 * rate)), rate)


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
    np.testing.assert_allclose(decode(array, sample_rate=16_000).samples, [expected])


def test_files_paths_and_open_files_are_the_same(corpus, clips):
    path = corpus.path(clips[0])
    from_path = decode(path)
    with path.open("rb") as file:
        assert decode(file) == from_path
    assert decode(str(path)) == from_path
    assert decode(path.read_bytes()) == from_path


def test_a_recording_that_was_cut_off_is_read_up_to_the_cut():
    whole = encode(0.5 * tone(440, 4, RATE)[None], "webm", "libopus")
    decoded = decode(whole[: len(whole) // 2])
    assert 1 < seconds(decoded) < 3
    assert decoded.warnings == (BREAKS_OFF.format(seconds(decoded)),)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"", "no bytes"),
        (b"this is a text, not sound", "could not be decoded"),
        (LFS_POINTER, "is a Git LFS pointer.*`git lfs pull`"),
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
        *((np.zeros(31_000), rate, f"has a sample rate of {rate} Hz") for rate in (-1, 0, 1, 4_000)),
        ((0, np.zeros(31_000)), None, "has a sample rate of 0 Hz"),
        (np.zeros(16_000, np.float32), 384_000, "384000 Hz"),
        (np.zeros((20, 16_000), np.float32), 16_000, "20 channels"),
        (np.zeros((2, 2, 2), np.float32), 16_000, "dimensions"),
        (np.zeros(0, np.float32), 16_000, "no samples"),
        (np.array([0.1, np.nan]), 16_000, "not numbers"),
        (np.array([0.1, np.inf]), 16_000, "not numbers"),
        (np.array([True, False]), 16_000, "bool"),
        (np.array(["a"]), 16_000, "not supported"),
    ],
)
def test_unusable_arrays_are_a_sentence(array: np.ndarray | tuple[int, np.ndarray], rate: int | None, says: str):
    with pytest.raises(AudioError, match=says):
        decode(array, sample_rate=rate)


@pytest.mark.parametrize(("container", "after"), [("WAV", 0), ("WAV", 4), ("WAV", 30), ("FLAC", 9)])
@pytest.mark.parametrize("error", [KeyError, TypeError, AttributeError, AssertionError, Exception])
def test_whatever_goes_wrong_in_a_reader_is_named(error: type[Exception], container: str, after: int):
    with pytest.raises(AudioError, match=rf"The (audio|Failing) can't be read \({error.__name__}"):
        decode(Failing(written(0.5 * tone(440, 4, RATE)[None], RATE, format=container), error, after))


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_what_is_no_fault_of_a_reader_goes_through(error: type[BaseException]):
    with pytest.raises(error):
        decode(Failing(written(SOUND, RATE, format="WAV"), error, 0))


class Failing(io.BytesIO):
    """A file that raises an error when it was read so many times."""

    def __init__(self, data: bytes, error: type[BaseException], after: int):
        super().__init__(data)
        self.error, self.left = error, after

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise self.error("it went wrong")
        return super().read(size)


def test_a_wav_without_samples_is_a_sentence():
    with pytest.raises(AudioError, match="no samples"):
        decode(written(np.zeros((1, 0), np.float32), 16_000, format="WAV"))


def test_a_rate_for_a_file_is_refused(tmp_path: Path):
    with pytest.raises(AudioError, match="Only arrays"):
        decode(tmp_path / "a.wav", sample_rate=16_000)


# Recordings that are damaged, cut off, or change midway.

Make = Callable[[np.ndarray, int], bytes]
MAKERS: dict[str, Make] = {
    "wav": lambda samples, rate: written(samples, rate, format="WAV"),
    "flac": lambda samples, rate: written(samples, rate, format="FLAC"),
    "vorbis": lambda samples, rate: written(samples, rate, format="OGG"),
    "opus": lambda samples, rate: encode(samples, "ogg", "libopus", rate),
    "webm": lambda samples, rate: encode(samples, "webm", "libopus", rate),
    "mp3": lambda samples, rate: written(samples, rate, format="MP3"),
    "lame": lambda samples, rate: encode(samples, "mp3", "libmp3lame", rate),
    "m4a": lambda samples, rate: encode(samples, "mp4", "aac", rate),
    "aac": lambda samples, rate: encode(samples, "adts", "aac", rate),
}


@pytest.fixture(scope="module")
def babble() -> np.ndarray:
    """Four seconds of noise `[1, samples]`: it compresses to an even number of bytes a second."""
    return np.random.default_rng(0).normal(0, 0.1, (1, 4 * RATE)).astype(np.float32)


@pytest.mark.parametrize("kind", ["wav", "flac", "webm", "mp3", "lame", "aac"])
def test_where_a_file_breaks_off_is_said(kind: str, babble: np.ndarray):
    whole = MAKERS[kind](babble, RATE)
    assert decode(whole).warnings == ()
    decoded = decode(whole[: len(whole) // 2])
    assert seconds(decoded) == pytest.approx(2, abs=0.25)
    assert decoded.warnings == (BREAKS_OFF.format(seconds(decoded)),)


@pytest.mark.parametrize("kind", ["AIFF", "AU", "CAF", "NIST", "RF64", "SVX", "VOC", "W64", "avi"])
def test_where_a_file_of_samples_breaks_off_is_said(kind: str):
    sound = 0.5 * tone(440, 4, 16_000)[None]
    pcm = encode(sound, "avi", "pcm_s16le", 16_000) if kind == "avi" else b""
    whole = pcm or written(sound, 16_000, format=kind, subtype="PCM_16")
    assert decode(whole).warnings == ()
    decoded = decode(whole[: len(whole) * 2 // 3])
    assert seconds(decoded) == pytest.approx(2.67, abs=0.15)
    assert decoded.warnings == (BREAKS_OFF.format(seconds(decoded)),)


@pytest.mark.parametrize("unknown", [0, 0xFFFFFFFF])
def test_an_avi_file_that_knows_no_end_is_whole(unknown: int):
    whole = bytearray(encode(0.5 * tone(440, 2, 16_000)[None], "avi", "pcm_s16le", 16_000))
    whole[4:8] = unknown.to_bytes(4, "little")
    assert decode(bytes(whole)).warnings == ()


@pytest.mark.parametrize("kind", ["flac", "opus", "mp3", "lame", "m4a", "aac"])
def test_behind_what_is_damaged_a_recording_goes_on(kind: str, babble: np.ndarray):
    damaged = bytearray(MAKERS[kind](babble, RATE))
    place, some = round(0.6 * len(damaged)), len(damaged) // 20  # at 2.4 s; within a page of Ogg, which last 1 s
    damaged[place : place + some] = np.random.default_rng(1).bytes(some)
    decoded = decode(bytes(damaged))
    assert 2.9 < seconds(decoded) < 3.9
    (warning,) = decoded.warnings
    found = re.fullmatch(r"The recording is damaged at (\d\.\d) s.*: what can't be decoded there is left out.", warning)
    assert float(found[1]) == pytest.approx(2.2, abs=0.3)


def test_mp3_in_a_wav_file_is_read_as_mp3_is(babble: np.ndarray, capfd: pytest.CaptureFixture[str]):
    data = encode(babble, "wav", "libmp3lame", RATE)
    whole = decode(data)
    assert (seconds(whole), whole.warnings) == (pytest.approx(4, abs=0.1), ())
    decoded = decode(data[: len(data) // 2] + bytes(len(data) // 20) + data[len(data) * 11 // 20 :])
    assert 3.5 < seconds(decoded) < 3.95
    assert re.fullmatch(r"The recording is damaged at [12]\.\d s.*", decoded.warnings[0])
    assert capfd.readouterr().err == ""


def test_webm_has_no_way_back_from_a_damage_and_breaks_off_there(babble: np.ndarray):
    damaged = bytearray(MAKERS["webm"](babble, RATE))
    damaged[len(damaged) // 2 : len(damaged) * 3 // 5] = bytes(len(damaged) * 3 // 5 - len(damaged) // 2)
    decoded = decode(bytes(damaged))
    assert seconds(decoded) == pytest.approx(2, abs=0.25)
    assert decoded.warnings == (BREAKS_OFF.format(seconds(decoded)),)


@pytest.mark.parametrize("size", [0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_file_whose_header_knows_no_end_is_whole(size: int):
    """Recorders that write to a pipe can't go back to the header and say how much it was."""
    whole = bytearray(written(tone(440, 1, RATE)[None], RATE, format="WAV"))
    place = whole.index(b"data") + 4
    whole[place : place + 4] = size.to_bytes(4, "little")
    decoded = decode(bytes(whole))
    assert (seconds(decoded), decoded.warnings) == (1, ())


@pytest.mark.parametrize("kind", ["mp3", "lame", "aac", "flac", "opus"])
@pytest.mark.parametrize("tail", [bytes(3000), b"TAG" + bytes(125)], ids=["zeros", "tag"])
def test_tags_and_zeros_at_the_end_are_no_damage(kind: str, tail: bytes, babble: np.ndarray):
    decoded = decode(MAKERS[kind](babble, RATE) + tail)
    assert decoded.warnings == ()
    assert seconds(decoded) == pytest.approx(4, abs=0.05)


@pytest.mark.parametrize("kind", ["flac", "vorbis", "opus", "mp3", "lame", "aac"])
@pytest.mark.parametrize(
    ("before", "after"),
    [((RATE, 1), (RATE, 2)), ((RATE, 2), (RATE, 1)), ((RATE, 1), (16_000, 1)), ((16_000, 1), (RATE, 2))],
    ids=["mono-stereo", "stereo-mono", "48-16", "16-48"],
)
def test_what_changes_midway_is_converted(kind: str, before: tuple[int, int], after: tuple[int, int]):
    """Two recordings, one behind the other: 440 Hz, then 660 Hz, at their own loudness on all channels."""
    parts = [
        MAKERS[kind](np.tile(0.5 * tone(frequency, 2, rate), (channels, 1)), rate)
        for frequency, (rate, channels) in ((440, before), (660, after))
    ]
    decoded = decode(b"".join(parts))
    samples, rate = decoded.samples, decoded.rate
    assert rate in (before[0], RATE)  # opus is always decoded at 48 kHz
    assert samples.shape[0] == max(before[1], after[1])
    assert seconds(decoded) == pytest.approx(4, abs=0.15)
    assert decoded.warnings == ()
    for channel in samples:
        first, second = channel[rate // 4 : rate * 7 // 4], channel[-rate * 7 // 4 : -rate // 4]
        for part, frequency in ((first, 440), (second, 660)):
            assert dominant_frequency(part, rate) == pytest.approx(frequency, abs=2)
            assert part.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_a_chain_whose_second_part_is_damaged_keeps_the_first(babble: np.ndarray):
    first, second = MAKERS["opus"](babble, RATE), MAKERS["opus"](np.tile(babble, (2, 1)), RATE)
    decoded = decode(first + second[:100])
    assert seconds(decoded) == pytest.approx(4, abs=0.05)
    assert decoded.warnings == (BREAKS_OFF.format(4),)


@pytest.mark.parametrize("kind", ["opus", "vorbis"])
@pytest.mark.parametrize("share", [0.5, 0.7, 0.85, 0.99, 1])
def test_where_an_ogg_file_breaks_off_is_said(kind: str, share: float, babble: np.ndarray):
    whole = MAKERS[kind](np.tile(babble, (1, 5)), RATE)
    decoded = decode(whole[: round(share * len(whole))])
    assert decoded.warnings == ((BREAKS_OFF.format(seconds(decoded)),) if share < 1 else ())


def test_a_damage_reaches_speech_and_prediction(checkpoints: Path, corpus, tmp_path: Path, capsys):
    """From the bytes to `Speech.warnings`, `Prediction.warnings`, rows and both command lines."""
    predictor = Predictor.load("1d-fixed", root=checkpoints)
    speech = load_audio(corpus.folder / "1001_DFA_ANG_XX.wav")
    whole = written(np.tile(speech, 3)[None], 16_000, format="FLAC")
    path = tmp_path / "cut.flac"
    path.write_bytes(whole[: len(whole) // 2])
    (warning,) = decode(path).warnings
    assert warning.startswith("The recording breaks off at 3.")
    prediction = predictor(path)
    assert prediction.warnings[0] == prediction.speech.warnings[0] == warning
    assert next(predictor.classify_many([path])).warnings[0] == warning
    assert predictor.prepare(*read_audio(path)).warnings[0] == warning
    predict_cli.main([str(path), "--checkpoint", "lr0.001-SiLU-2D", "--format", "json"])
    captured = capsys.readouterr()
    assert json.loads(captured.out)[0]["warnings"][0] == warning
    assert f"warning: {path}: {warning}" in captured.err
    stream_cli.main([str(path), "--checkpoint", "lr0.001-SiLU-2D"])
    assert f"warning: {path}: {warning}" in capsys.readouterr().err


@pytest.mark.parametrize("source", [None, 3, {"a": 1}, object()])
def test_what_is_no_audio_at_all_is_named_by_its_type(source):
    with pytest.raises(AudioError, match=f"not of type {type(source).__name__}"):
        decode(source)

"""What a good player would play is what is heard: whatever headers say, however many parts, tracks and channels."""

import io
import struct
from collections.abc import Callable
from functools import partial

import av
import numpy as np
import pytest
import soundfile
from av.container import InputContainer
from av.stream import Disposition

from ser_core.audio.decode import decode
from ser_core.audio.downmix import CANCEL, Downmix
from ser_core.audio.preprocess import load_audio, read_audio, resample
from ser_core.audio.tracks import MOST_TRACKS, MOST_TRIED, choose_track, ordinal
from ser_core.errors import AudioError
from ser_core.records.checkpoints import CHECKPOINTS_DIR
from ser_core.serving.predictor import Predictor
from tests.audio.encoded import RATE, dominant_frequency, encode, seconds, written
from tests.helpers import case, tone

SECONDS = 4
HALF = SECONDS * 16_000  # bytes of half the samples
SOUND = 0.3 * tone(440, SECONDS)[None]


@pytest.fixture(scope="module")
def report() -> Predictor:
    """The best of the report's networks that are quick."""
    return Predictor.load("lr0.001-SiLU-2D", root=CHECKPOINTS_DIR)


def changed(kind: str, name: bytes, offset: int, number: str, value: int) -> bytes:
    """A file of one kind, with another number somewhere behind a name in its header."""
    data = bytearray(written(SOUND, 16_000, format=kind, subtype="PCM_16"))
    struct.pack_into(number, data, data.index(name) + offset, value)
    return bytes(data)


WRONG_SIZES = {
    "wav": ("WAV", b"data", 4, "<I"),
    "rf64": ("RF64", b"ds64", 16, "<Q"),
    "aiff": ("AIFF", b"SSND", 4, ">I"),
    "caf": ("CAF", b"data", 4, ">Q"),
    "au": ("AU", b".snd", 8, ">I"),
    "w64": ("W64", b"data", 16, "<Q"),
}


@pytest.mark.parametrize("promised", [0, HALF])
@pytest.mark.parametrize("kind", WRONG_SIZES)
def test_a_header_that_promises_nothing_or_too_little_hides_no_sound(kind: str, promised: int):
    decoded = decode(changed(*WRONG_SIZES[kind], promised))
    assert (seconds(decoded), decoded.warnings) == (SECONDS, ())
    np.testing.assert_allclose(decoded.samples, SOUND, atol=1e-4)


@pytest.mark.parametrize("promised", [0, SECONDS * 8_000])
def test_neither_does_the_header_of_a_flac_file(promised: int):
    data = bytearray(written(SOUND, 16_000, format="FLAC"))
    place = data.index(b"fLaC") + 18  # with the number of samples in the last 36 bits
    described = int.from_bytes(data[place : place + 8]) >> 36 << 36
    data[place : place + 8] = (described | promised).to_bytes(8)
    assert seconds(decode(bytes(data))) == SECONDS


@pytest.mark.parametrize("kind", ["WAV", "AIFF"])
def test_what_follows_the_samples_is_no_sound(kind: str):
    title = b"name" + struct.pack("<I" if kind == "WAV" else ">I", 20_000) + bytes(range(1, 201)) * 100
    decoded = decode(written(SOUND, 16_000, format=kind) + title)
    assert (seconds(decoded), decoded.warnings) == (SECONDS, ())


def test_a_recording_without_samples_is_still_empty():
    title = b"LIST" + (20_000).to_bytes(4, "little") + bytes(20_000)
    with pytest.raises(Exception, match="holds no samples"):
        decode(written(SOUND[:, :0], 16_000, format="WAV") + title)


def test_the_decoder_that_finds_more_counts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ser_core.audio.sndfile.find_samples", lambda file, size: None)  # so that headers are believed
    assert seconds(decode(changed(*WRONG_SIZES["aiff"], 0))) == SECONDS  # by FFmpeg
    assert seconds(decode(changed(*WRONG_SIZES["w64"], 0))) == SECONDS  # by libsndfile


JOINED: dict[str, Callable[[np.ndarray, int], bytes]] = {
    "wav": lambda samples, rate: written(samples, rate, format="WAV"),
    "m4a": lambda samples, rate: encode(samples, "mp4", "aac", rate),
    "mov": lambda samples, rate: encode(samples, "mov", "aac", rate),
    "webm": lambda samples, rate: encode(samples, "webm", "libopus", rate),
    "flv": lambda samples, rate: encode(samples, "flv", "aac", rate),
    "tta": lambda samples, rate: encode(samples, "tta", "tta", rate),
    "wv": lambda samples, rate: encode(samples, "wv", "wavpack", rate),
    "avi": lambda samples, rate: encode(samples, "avi", "pcm_s16le", rate),
    "flac": lambda samples, rate: written(samples, rate, format="FLAC"),
    **{
        kind.lower(): partial(written, format=kind, subtype="PCM_16")
        for kind in ("AIFF", "AU", "CAF", "NIST", "RF64", "SVX", "VOC", "W64")
    },
}


@pytest.mark.parametrize("kind", JOINED)
def test_joined_files_are_heard_one_after_another(kind: str):
    parts = [JOINED[kind](0.5 * tone(frequency, 2, RATE)[None], RATE) for frequency in (440, 660, 880)]
    decoded = decode(b"".join(parts))
    assert seconds(decoded) == pytest.approx(6, abs=0.2)
    assert decoded.warnings == ()
    for second, frequency in ((0.5, 440), (2.5, 660), (4.7, 880)):
        part = decoded.samples[0, round(second * RATE) : round((second + 1) * RATE)]
        assert dominant_frequency(part, RATE) == pytest.approx(frequency, abs=2)


@pytest.mark.parametrize(
    ("first", "second"),
    [("flac", "wav"), ("wav", "flac"), ("aiff", "wav"), ("w64", "tta"), ("caf", "m4a")],
)
def test_so_are_joined_files_of_two_kinds(first: str, second: str):
    parts = [JOINED[kind](0.5 * tone(440, 2, RATE)[None], RATE) for kind in (first, second)]
    decoded = decode(b"".join(parts))
    assert seconds(decoded) == pytest.approx(4, abs=0.1)
    assert decoded.warnings == ()


def test_the_header_of_a_wav_file_that_a_flac_file_keeps_is_no_other_recording():
    data = JOINED["flac"](SOUND, 16_000)
    kept = b"riff" + b"RIFF" + bytes(4) + b"WAVE"
    described = 4 + 4 + 34  # the beginning, and the first block with its header
    data = data[:described] + b"\x02" + len(kept).to_bytes(3) + kept + data[described:]
    decoded = decode(data)
    assert (seconds(decoded), decoded.warnings) == (SECONDS, ())


def film(*tracks: np.ndarray, default: int = 0) -> bytes:
    """A Matroska file with several sound tracks `[samples]`."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        streams = [output.add_stream("flac", rate=RATE, layout="mono") for _ in tracks]
        for number, stream in enumerate(streams):
            stream.disposition = Disposition.default if number == default else Disposition(0)
        for stream, track in zip(streams, tracks, strict=True):
            samples = np.round(track * 32767).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, 0
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                output.mux(packet)
    return buffer.getvalue()


def test_of_several_tracks_that_one_is_heard_which_is_not_silent():
    silence, music = np.zeros(2 * RATE, np.float32), 0.5 * tone(440, 2, RATE)
    decoded = decode(film(silence, music))
    assert dominant_frequency(decoded.samples[0], RATE) == pytest.approx(440, abs=2)
    assert decoded.warnings == ("The file has 2 sound tracks: the second is heard, since the first is silent.",)
    assert not decode(film(silence, silence)).samples.any()


def test_a_file_of_many_silent_tracks_is_read_a_few_times_and_not_once_for_each():
    data, opened = film(*[np.zeros(RATE, np.float32)] * (MOST_TRIED + 5)), []

    def again() -> InputContainer:
        opened.append(av.open(io.BytesIO(data), "r"))
        return opened[-1]

    with av.open(io.BytesIO(data), "r") as container:
        number, said = choose_track(container, again)
    assert number == 0
    assert said is not None
    assert said.startswith(f"The file has {MOST_TRIED + 5} sound tracks: the first is heard")
    assert len(opened) == MOST_TRIED


def test_more_tracks_than_any_film_has_are_refused():
    with pytest.raises(AudioError, match=f"The file has {MOST_TRACKS + 1} sound tracks, and at most {MOST_TRACKS}"):
        decode(film(*[np.zeros(1000, np.float32)] * (MOST_TRACKS + 1)))


@pytest.mark.parametrize(
    ("number", "said"), [(0, "first"), (8, "9th"), (10, "11th"), (20, "21st"), (21, "22nd"), (22, "23rd")]
)
def test_the_number_of_a_track_is_said_as_people_do(number: int, said: str):
    assert ordinal(number) == said


def test_a_track_that_is_too_quiet_is_passed_over_like_a_silent_one():
    rng = np.random.default_rng(0)
    faint, fainter = (10 ** (db / 20) * rng.normal(size=2 * RATE).astype(np.float32) for db in (-74, -80))
    decoded = decode(film(faint, 0.5 * tone(440, 2, RATE)))
    assert dominant_frequency(decoded.samples[0], RATE) == pytest.approx(440, abs=2)
    said = "The file has 2 sound tracks: the second is heard, since the first is too quiet (-74 dB)."
    assert decoded.warnings == (said,)
    decoded = decode(film(np.zeros_like(faint), fainter, faint))
    assert decoded.samples.std() == pytest.approx(1e-4, rel=0.1)  # all are too quiet: the first that isn't silent
    assert decoded.warnings == ("The file has 3 sound tracks: the second is heard, since the first is silent.",)


@pytest.mark.parametrize(("default", "ordinal", "frequency"), [(0, "first", 440), (1, "second", 660)])
def test_of_several_tracks_the_default_is_heard_as_players_do(default: int, ordinal: str, frequency: int):
    decoded = decode(film(0.5 * tone(440, 2, RATE), 0.5 * tone(660, 2, RATE), default=default))
    assert dominant_frequency(decoded.samples[0], RATE) == pytest.approx(frequency, abs=2)
    (warning,) = decoded.warnings
    assert warning.startswith(f"The file has 2 sound tracks: the {ordinal} is heard, the others are not.")


@pytest.mark.parametrize("loss", [1.0, 0.95])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_channels_in_opposite_phase_do_not_vanish(rate: int, loss: float):
    left = 0.5 * tone(440, 2, rate)
    audio, warnings = read_audio(np.stack([left, -loss * left]), sample_rate=rate)
    assert audio.std() == pytest.approx(left.std(), rel=0.01)
    assert warnings == ("The channels cancel each other, as they are in opposite phase: only the loudest is heard.",)


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("first", [True, False], ids=["at the start", "at the end"])
def test_channels_in_opposite_phase_in_a_part_of_a_recording_do_not_vanish(first: bool, rate: int):
    rng = np.random.default_rng(0)
    opposite, alike = 0.5 * tone(440, 2, rate), 0.1 * rng.normal(size=4 * rate).astype(np.float32)
    parts = [np.stack([opposite, -0.95 * opposite]), np.stack([alike, 0.8 * alike])]
    audio, warnings = read_audio(np.concatenate(parts if first else parts[::-1], axis=1), sample_rate=rate)
    heard = resample(np.concatenate([opposite, 0.9 * alike] if first else [0.9 * alike, opposite]), rate)
    changed = (2 if first else 4) * 16_000
    near = np.abs(np.arange(len(heard)) - changed) <= 1_700
    np.testing.assert_allclose(audio[~near], heard[~near], atol=1e-3)
    assert warnings == (CANCEL,)


@pytest.mark.parametrize("first", [True, False], ids=["at the start", "at the end"])
def test_live_is_the_same_after_half_a_second_at_most(first: bool):
    noise = np.random.default_rng(0).normal(0, 0.1, 64_000).astype(np.float32)
    opposite = (np.arange(64_000) < 32_000) == first
    samples = np.stack([noise, np.where(opposite, -noise, noise)])
    live, heard = Downmix(16_000).push(samples), read_audio(samples, sample_rate=16_000)[0]
    late = np.arange(64_000) % 32_000 >= 8_000
    np.testing.assert_allclose(live[late], heard[late], atol=1e-6)
    np.testing.assert_allclose(heard, noise, atol=1e-6)


def test_pauses_of_a_part_in_opposite_phase_are_heard_like_it():
    noise = np.random.default_rng(0).normal(0, 0.1, 64_000).astype(np.float32)
    noise[:8_000] *= 0.01
    noise[16_000:24_000] *= 0.01
    samples = np.stack([noise, np.r_[-noise[:32_000], noise[32_000:]]])
    np.testing.assert_allclose(read_audio(samples, sample_rate=16_000)[0], noise, atol=1e-6)


@pytest.mark.parametrize("hum", [0.0, 0.001])
def test_sound_that_is_not_cancelled_is_averaged_as_ever(hum: float):
    """Also with a hum in opposite phase beside the voice, and where channels are opposite for a moment."""
    rng = np.random.default_rng(0)
    voice = rng.normal(0, 0.1, 160_000).astype(np.float32)
    voice[:50_000] = voice[90_000:130_000] = 0
    other = 0.7 * np.roll(voice, 20) + rng.normal(0, 0.01, len(voice)).astype(np.float32)
    other[60_000:62_000] = -voice[60_000:62_000]
    samples = np.stack([voice + hum * tone(50, 10), other - hum * tone(50, 10)])
    audio, warnings = read_audio(samples, sample_rate=16_000)
    np.testing.assert_array_equal(audio, samples.mean(axis=0))
    assert warnings == ()


@pytest.mark.parametrize("channels", [2, 8])
def test_a_voice_on_one_channel_is_averaged_as_ever(channels: int):
    samples = np.zeros((channels, 16_000), np.float32)
    samples[1] = 0.5 * tone(440, 1)
    audio, warnings = read_audio(samples, sample_rate=16_000)
    np.testing.assert_array_equal(audio, samples.mean(axis=0))
    assert warnings == ()


def test_a_file_may_not_open_others(tmp_path):
    """As playlists would, whatever they name."""
    soundfile.write(tmp_path / "a.wav", SOUND[0], 16_000)
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{tmp_path / 'a.wav'}\n#EXT-X-ENDLIST\n"
    with pytest.raises(Exception, match="could not be decoded"):
        decode(playlist.encode())


# What people had trouble with elsewhere.


@pytest.mark.parametrize(
    "name",
    [
        "wav-size-0/data0.wav",
        "streamed-flac/flac_lie_0.flac",
        "streamed-flac/streamed_by_ffmpeg.flac",
        "opposite-phase/phase.wav",
    ],
)
def test_the_anger_of_a_case_is_heard(name: str, report: Predictor):
    prediction = report(case(name))
    assert prediction.emotion == "ANG"
    assert prediction.confidence > 0.75


def test_the_case_of_a_wav_without_size_is_all_there():
    assert len(load_audio(case("wav-size-0/data0.wav"))) == pytest.approx(1.9 * 16_000, abs=1_600)

"""A live signal: however it is cut and at whatever rate it comes, predictions are those of its windows offline."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soxr
import torch

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.decode import decode
from ser_core.audio.downmix import CANCEL, Downmix
from ser_core.audio.preprocess import load_audio, resample
from ser_core.emotions import EMOTIONS
from ser_core.errors import AudioError, ConfigError
from ser_core.places import CHECKPOINTS_VARIABLE
from ser_core.records.checkpoints import CheckpointConfig
from ser_core.serving.prediction import UNSURE, Prediction
from ser_core.serving.predictor import Predictor
from ser_core.serving.rows import stream_row
from ser_core.serving.stream import RingBuffer, SpeechStream, StreamConfig, StreamPrediction, blocks, classify_window
from ser_core.serving.stream_command import main, parse_arguments
from tests.helpers import LONG, ROOT, case, save_opinionated

HOP = StreamConfig().hop
NAMES = ("1001_DFA_ANG_XX", "1001_ITH_NEU_XX", "1004_IOM_FEA_XX")


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """A quick one: a stream does the same with all."""
    return Predictor.load("lr0.001-SiLU-2D")


@pytest.fixture(scope="module")
def signal(corpus) -> np.ndarray:
    """Three clips between silences, at 16 kHz."""
    gap = np.zeros(SAMPLE_RATE * 2, np.float32)
    parts = [gap]
    for name in NAMES:
        parts += [load_audio(corpus.folder / f"{name}.wav"), gap]
    return np.concatenate(parts)[:-1234]


def run(stream: SpeechStream, samples: np.ndarray, rate: int, cuts: list[int]) -> list[StreamPrediction]:
    heard = []
    for block in np.split(samples, cuts, axis=-1):
        heard += stream.push(block, rate)
    return heard + stream.finish()


def assert_same(first: Prediction | None, second: Prediction | None) -> None:
    assert (first is None) == (second is None)
    if first and second:
        np.testing.assert_allclose(list(first.probabilities.values()), list(second.probabilities.values()), atol=1e-5)


BLOCKS = {
    "int16": lambda x: np.round(x * 32768).astype(np.int16),
    "int32": lambda x: np.round(x * 2.0**31).astype(np.int32),
    "float64": lambda x: x.astype(np.float64),
    "one row": lambda x: x[None],
    "one column, as sound cards give it": lambda x: x[:, None],
    "stereo": lambda x: np.stack([x, x]),
    "stereo, as sound cards give it": lambda x: np.stack([x, x], axis=1),
    "list": lambda x: x.tolist(),
    "tensor": torch.from_numpy,
}


@pytest.mark.parametrize("kind", BLOCKS)
def test_blocks_of_any_kind_are_the_same_signal(predictor: Predictor, corpus, kind: str):
    heard: list[np.ndarray] = []
    signal = load_audio(corpus.folder / f"{NAMES[0]}.wav")[: SAMPLE_RATE // 4]
    stream = SpeechStream(predictor, on_audio=heard.append)
    for block in blocks(signal, 320):
        stream.push(BLOCKS[kind](block), SAMPLE_RATE)
    np.testing.assert_allclose(np.concatenate(heard), signal, atol=2e-5)


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (np.zeros((4, 2), np.float32), r"What \(4, 2\) samples are isn't plain"),
        (np.zeros((2, 2), np.float32), r"What \(2, 2\) samples are isn't plain"),
        (np.zeros((320, 320), np.float32), "320 channels"),
        (np.zeros((9, 320), np.float32), "9 channels"),
        (np.full(320, 1000, np.int64), "scale of int64 samples"),
        (np.full(320, 1000.0), "goes up to 1,000: divide it"),
        (np.zeros(320, bool), "of bool"),
        (np.zeros((2, 2, 2)), r"not \(2, 2, 2\)"),
        (None, "not of type NoneType"),
        (b"\0\0", "not of type bytes"),
    ],
)
def test_a_block_that_may_mean_anything_is_refused(predictor: Predictor, block, says: str):
    with pytest.raises(AudioError, match=says):
        SpeechStream(predictor).push(block, SAMPLE_RATE)


@pytest.mark.parametrize("rate", [None, "16000", 0, -1, 4_000, 1e9, 44_100.5, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_a_sentence(predictor: Predictor, rate):
    with pytest.raises(AudioError, match=r"not (None|'16000'|[-0-9.]+|nan|inf)"):
        SpeechStream(predictor).push(np.zeros(320, np.float32), rate)


@pytest.mark.parametrize("shape", [(0,), (0, 0), (0, 320), (0, 2), (2, 0), (320, 0)])
def test_an_empty_block_is_nothing(predictor: Predictor, shape: tuple[int, ...]):
    stream = SpeechStream(predictor)
    assert stream.push(np.zeros(shape, np.float32), SAMPLE_RATE) == []
    stream.push(np.zeros((320, 2), np.float32), SAMPLE_RATE)
    assert stream.n_samples == 320


@pytest.mark.parametrize("turned", [False, True])
def test_the_few_samples_at_the_end_come_as_those_before(predictor: Predictor, turned: bool):
    stream = SpeechStream(predictor)
    for n in (320, 5, 1, 0):
        block = np.zeros((2, n), np.float32)
        stream.push(block.T if turned and n else block, SAMPLE_RATE)
    assert stream.n_samples == 326


@LONG
def test_the_case_of_a_sound_card_is_the_float_signal():
    """Its script prints a line for floats, 16-bit integers, and one column of floats."""
    script = case("stream-int16/push.py")
    run = subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, text=True, check=True)
    heard = [line[13:] for line in run.stdout.splitlines()]
    assert len(heard) == 3
    assert set(heard) == {heard[0]}


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000, 8_000])
@pytest.mark.parametrize("seed", [0, 1])
def test_blocks_of_any_size_give_what_the_windows_give_offline(
    predictor: Predictor, signal: np.ndarray, rate: int, seed: int
):
    if rate == 44_100:
        predictor = Predictor.load()  # the app's, which takes seconds
    samples = np.stack([soxr.resample(signal, SAMPLE_RATE, rate)] * 2)  # stereo
    whole = resample(samples[0], rate)
    rng = np.random.default_rng(seed)
    cuts = sorted(rng.integers(0, samples.shape[1], size=(7, 900)[seed]).tolist())
    config = StreamConfig(window_seconds=(3.0, 1.5)[seed], smoothing=0)
    stream = SpeechStream(predictor, config)
    heard = run(stream, samples, rate, cuts)

    ends = [*range(HOP, len(whole) + 1, HOP)]
    if ends[-1] < len(whole):
        ends.append(len(whole))
    assert [round(prediction.end * SAMPLE_RATE) for prediction in heard] == ends
    assert stream.seconds == len(whole) / SAMPLE_RATE
    spoken = 0
    for prediction, end in zip(heard, ends, strict=True):
        start = max(0, end - config.window)
        assert prediction.start == start / SAMPLE_RATE
        assert_same(prediction.prediction, classify_window(predictor, whole[start:end]))
        spoken += prediction.prediction is not None
    assert len(heard) / 4 < spoken < len(heard)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_channels_in_opposite_phase_are_heard_as_in_files(predictor: Predictor, signal: np.ndarray, rate: int):
    left = soxr.resample(signal, SAMPLE_RATE, rate)
    config = StreamConfig(smoothing=0)
    expected = run(SpeechStream(predictor, config), left, rate, [])
    heard = [
        run(SpeechStream(predictor, config), np.stack([left, -0.95 * left]), rate, cuts)
        for cuts in ([], list(range(0, len(left), rate // 50)), [5, 1_000, 54_321])
    ]
    for predictions in heard:
        assert len(predictions) == len(expected)
        for prediction, same, first in zip(predictions, expected, heard[0], strict=True):
            assert (prediction.prediction is None) == (first.prediction is None)
            if prediction.prediction and first.prediction:
                assert prediction.smoothed == pytest.approx(first.smoothed, abs=1e-3)
                assert CANCEL in prediction.prediction.warnings
            if prediction.start > 1 and same.prediction:  # all of it behind the first moment, in which nothing is known
                assert prediction.smoothed == pytest.approx(same.smoothed, abs=0.05)


def test_live_channels_are_averaged_until_they_cancel_each_other_and_again_when_they_do_not():
    rng = np.random.default_rng(0)
    voice = rng.normal(0, 0.1, 160_000).astype(np.float32)
    right = np.concatenate((voice[:40_000], -voice[40_000:80_000], voice[80_000:]))
    both = np.stack([voice, right])
    downmix = Downmix(SAMPLE_RATE)
    mixed = np.concatenate([downmix.push(both[:, start : start + 320]) for start in range(0, 160_000, 320)])
    np.testing.assert_array_equal(Downmix(SAMPLE_RATE).push(both), mixed)
    np.testing.assert_allclose(mixed[:40_000], voice[:40_000], atol=1e-6)
    np.testing.assert_allclose(mixed[120_000:], voice[120_000:], atol=1e-6)
    long_cancelled = Downmix(SAMPLE_RATE)
    cancelled = long_cancelled.push(np.stack([voice, -0.9 * voice]))
    assert long_cancelled.heard == 0
    np.testing.assert_array_equal(cancelled[1_600:], voice[1_600:])
    one = np.stack([voice, 0 * voice])  # a voice on one of two channels is averaged, as in files
    np.testing.assert_array_equal(Downmix(SAMPLE_RATE).push(one), one.mean(axis=0))
    np.testing.assert_array_equal(Downmix(SAMPLE_RATE).push(one[:1]), voice)


def test_where_somebody_speaks_it_is_what_the_predictor_says(predictor: Predictor, signal: np.ndarray):
    heard = run(SpeechStream(predictor, StreamConfig(smoothing=0)), signal, SAMPLE_RATE, [])
    for prediction in heard:
        if prediction.prediction:
            start, end = (round(seconds * SAMPLE_RATE) for seconds in (prediction.start, prediction.end))
            assert_same(prediction.prediction, predictor.classify(signal[start:end]))
            assert prediction.smoothed == pytest.approx(prediction.prediction.probabilities)


def test_silence_and_noise_are_nobody(predictor: Predictor):
    rng = np.random.default_rng(0)
    for samples in (
        np.zeros(5 * SAMPLE_RATE),
        rng.normal(0, 0.01, 5 * SAMPLE_RATE),
        rng.normal(0, 0.2, 5 * SAMPLE_RATE),
    ):
        heard = run(SpeechStream(predictor), samples.astype(np.float32), SAMPLE_RATE, [])
        assert len(heard) == 10
        assert all(prediction.prediction is prediction.smoothed is None for prediction in heard)


@pytest.mark.parametrize("vad", ["energy", "none"])
def test_silence_is_nobody_whatever_the_checkpoint_does_about_it(predictor: Predictor, signal: np.ndarray, vad: str):
    config = predictor.config
    other = CheckpointConfig(**{**vars(config), "audio": type(config.audio)(vad=vad)})
    noise = np.random.default_rng(0).normal(0, 0.05, SAMPLE_RATE * 3).astype(np.float32)
    assert classify_window(Predictor(other, predictor.model), noise) is None
    spoken = signal[: SAMPLE_RATE * 4]
    assert classify_window(Predictor(other, predictor.model), spoken) is not None


def test_who_stops_speaking_is_silent_within_a_second(predictor: Predictor, signal: np.ndarray):
    end = next(i for i in range(2 * SAMPLE_RATE, len(signal)) if not signal[i : i + SAMPLE_RATE].any())
    heard = run(SpeechStream(predictor), signal[: end + 2 * SAMPLE_RATE], SAMPLE_RATE, [])
    for prediction in heard:
        if prediction.end > end / SAMPLE_RATE + 1:
            assert prediction.prediction is None


def test_probabilities_are_smoothed_while_somebody_speaks(predictor: Predictor, signal: np.ndarray):
    raw = run(SpeechStream(predictor, StreamConfig(smoothing=0)), signal, SAMPLE_RATE, [])
    smooth = run(SpeechStream(predictor, StreamConfig(smoothing=0.8)), signal, SAMPLE_RATE, [])
    expected = None
    for plain, smoothed in zip(raw, smooth, strict=True):
        if plain.prediction is None:
            expected = None
            assert smoothed.smoothed is None
            continue
        shares = np.array(list(plain.prediction.probabilities.values()))
        expected = shares if expected is None else 0.8 * expected + 0.2 * shares
        np.testing.assert_allclose(list(smoothed.smoothed.values()), expected, atol=1e-5)
        assert sum(smoothed.smoothed.values()) == pytest.approx(1, abs=1e-5)


def test_what_is_smoothed_is_answered_from_the_predictors_confidence_on(predictor: Predictor, signal: np.ndarray):
    heard = run(SpeechStream(predictor, StreamConfig(smoothing=0.8)), signal, SAMPLE_RATE, [])
    spoken = [moment for moment in heard if moment.smoothed]
    bar = float(np.median([max(moment.smoothed.values()) for moment in spoken]))
    strict = Predictor(predictor.config, predictor.model, min_confidence=bar)
    rows = [stream_row(moment) for moment in run(SpeechStream(strict, StreamConfig(smoothing=0.8)), signal, 16_000, [])]
    for row, moment in zip(rows, heard, strict=True):
        if moment.smoothed:
            assert row["answer"] == (row["emotion"] if max(moment.smoothed.values()) >= bar else UNSURE)
        else:
            assert row["answer"] is row["emotion"] is None
    assert {UNSURE} < {row["answer"] for row in rows}


def test_who_is_late_hears_the_newest_only(predictor: Predictor, signal: np.ndarray):
    stream = SpeechStream(predictor)
    (heard,) = stream.push(signal[: 10 * HOP + 100], SAMPLE_RATE, newest_only=True)
    assert heard.end == 10 * HOP / SAMPLE_RATE
    assert (
        stream.push(signal[10 * HOP + 100 : 11 * HOP], SAMPLE_RATE, newest_only=True)[0].end == 11 * HOP / SAMPLE_RATE
    )


def test_after_a_pause_a_window_begins_anew_and_time_goes_on(predictor: Predictor, signal: np.ndarray):
    stream = SpeechStream(predictor)
    stream.push(signal[: 8 * HOP], SAMPLE_RATE)
    stream.forget()
    assert len(stream.window()) == 0
    (heard,) = stream.push(np.zeros(HOP, np.float32), SAMPLE_RATE)
    assert heard.prediction is None
    assert (heard.start, heard.end) == (4.0, 4.5)


def test_the_rate_may_change(predictor: Predictor, signal: np.ndarray):
    stream = SpeechStream(predictor)
    for rate in (48_000, 16_000, 44_100):
        stream.push(np.zeros(rate, np.float32), rate)
    stream.finish()
    assert stream.seconds == pytest.approx(3, abs=0.001)
    assert stream.finish() == []


def test_settings_may_change(predictor: Predictor, signal: np.ndarray):
    stream = SpeechStream(predictor)
    stream.push(signal[: 5 * SAMPLE_RATE], SAMPLE_RATE)
    assert len(stream.window()) == 3 * SAMPLE_RATE
    stream.config = StreamConfig(window_seconds=5)
    np.testing.assert_array_equal(stream.window(), signal[: 5 * SAMPLE_RATE])


def test_another_model_or_setting_begins_its_own_smoothing(predictor: Predictor, signal: np.ndarray):
    spoken = signal[2 * SAMPLE_RATE :]
    stream = SpeechStream(predictor)
    stream.push(spoken[: 3 * HOP], SAMPLE_RATE)
    stream.predictor = Predictor(predictor.config, predictor.model)
    (heard,) = stream.push(spoken[2 * HOP : 3 * HOP], SAMPLE_RATE)
    assert heard.smoothed == heard.prediction.probabilities
    stream.config = StreamConfig(smoothing=0.9)
    (heard,) = stream.push(spoken[2 * HOP : 3 * HOP], SAMPLE_RATE)
    assert heard.smoothed == heard.prediction.probabilities
    stream.config = StreamConfig(smoothing=0.9)
    (heard,) = stream.push(spoken[2 * HOP : 3 * HOP], SAMPLE_RATE)
    assert heard.smoothed != heard.prediction.probabilities


def test_windows_classified_elsewhere_give_the_same(predictor: Predictor, signal: np.ndarray):
    pushed, taken = SpeechStream(predictor), SpeechStream(predictor)
    heard = []
    for block in blocks(signal[: 6 * SAMPLE_RATE], 1000):
        heard += [taken.smoothed(window, window.classify()) for window in list(taken.windows(block, SAMPLE_RATE))]
    assert heard == pushed.push(signal[: 6 * SAMPLE_RATE], SAMPLE_RATE)
    assert any(moment.prediction for moment in heard)


def test_the_end_is_classified_once_and_whatever_the_settings_were(predictor: Predictor, signal: np.ndarray):
    stream = SpeechStream(predictor)
    stream.push(signal[: 3 * HOP], SAMPLE_RATE)
    stream.config = StreamConfig(hop_seconds=2)
    stream.push(signal[3 * HOP : 3 * HOP + 100], SAMPLE_RATE)
    assert [heard.end for heard in stream.finish()] == [(3 * HOP + 100) / SAMPLE_RATE]
    assert stream.finish() == []


@pytest.mark.parametrize(
    "samples", [np.zeros((2, 3, 4), np.float32), np.float32(1), np.array([0, np.nan], np.float32)], ids=str
)
def test_what_is_no_audio_is_refused(predictor: Predictor, samples: np.ndarray):
    with pytest.raises(AudioError):
        SpeechStream(predictor).push(samples, 16_000)


@pytest.mark.parametrize(
    "settings",
    [
        {"window_seconds": 0.5},
        {"window_seconds": 6},
        {"hop_seconds": 0},
        {"hop_seconds": 4},
        {"hop_seconds": 1e-9},
        {"smoothing": 1},
        {"smoothing": "0.5"},
        {"window_seconds": "3"},
    ],
)
def test_impossible_settings_are_refused(settings: dict):
    with pytest.raises(ConfigError):
        StreamConfig(**settings)


def test_a_ring_buffer_keeps_the_newest():
    rng, kept, ring = np.random.default_rng(0), np.zeros(0, np.float32), RingBuffer(100)
    for _ in range(200):
        block = rng.random(rng.integers(0, 150)).astype(np.float32)
        ring.write(block)
        kept = np.concatenate((kept, block))
        n = int(rng.integers(1, 150))
        np.testing.assert_array_equal(ring.newest(n), kept[-min(n, 100) :])
    ring.clear()
    assert len(ring.newest(100)) == 0


def test_blocks_are_all_of_the_signal():
    samples = np.arange(20).reshape(2, 10)
    assert [block.shape[-1] for block in blocks(samples, 4)] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(list(blocks(samples, 3)), axis=1), samples)


def test_the_command_follows_a_file(corpus, predictor: Predictor, capsys: pytest.CaptureFixture):
    path = corpus.folder / f"{NAMES[0]}.wav"
    main([str(path), "--checkpoint", predictor.config.name, "--format", "json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    decoded = decode(path)
    samples, rate = decoded.samples, decoded.rate
    assert [row["end"] for row in rows][:4] == [0.5, 1.0, 1.5, 2.0]
    assert rows[-1]["end"] == pytest.approx(samples.shape[1] / rate, abs=1e-3)
    assert rows[-1]["emotion"] in EMOTIONS
    assert rows[-1]["answer"] in (*EMOTIONS, UNSURE)
    main([str(path), "--checkpoint", predictor.config.name, "--min-confidence", "1"])
    assert {line.split()[1] for line in capsys.readouterr().out.splitlines()[1:]} <= {UNSURE, "–"}


def test_the_command_in_real_time_prints_a_label_a_line(
    corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setenv(CHECKPOINTS_VARIABLE, str(save_opinionated(tmp_path, "glad", "HAP").parent))
    path = corpus.folder / f"{NAMES[0]}.wav"
    decoded = decode(path)
    samples, rate = decoded.samples, decoded.rate
    started = time.monotonic()
    main([str(path), "--real-time", "--hop", "1"])
    assert time.monotonic() - started > samples.shape[1] / rate - 0.2
    _, *lines = capsys.readouterr().out.splitlines()
    heard = run(SpeechStream(Predictor.load(), StreamConfig(hop_seconds=1)), samples, rate, [])
    spoken = ["HAP" if prediction.prediction else "–" for prediction in heard]
    assert [line.split()[:2] for line in lines] == [[f"{p.end:.1f}", s] for p, s in zip(heard, spoken, strict=True)]
    assert "HAP" in spoken


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-file.wav"], "no-such-file.wav"),
        (["README.md"], "README.md"),
        (["x.wav", "--window", "9"], "window_seconds is from 1 to 5, not 9.0."),
    ],
)
def test_the_command_fails_with_a_sentence(arguments: list[str], says: str, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert says in said
    assert parse_arguments(arguments[:1]).file == Path(arguments[0])

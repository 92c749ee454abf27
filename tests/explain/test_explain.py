"""Explanations name what a network uses: sanity checks on shipped checkpoints and real clips, and where they lie."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.kept import kept_intervals, part_of
from ser_core.emotions import EMOTIONS
from ser_core.errors import ConfigError
from ser_core.explain.methods import UNFIT, deletion, explain, methods_for, possible_methods
from ser_core.explain.seen import look
from ser_core.models.registry import build_model
from ser_core.records.checkpoints import (
    CHECKPOINTS_DIR,
    CheckpointConfig,
    list_checkpoints,
    load_config,
    save_checkpoint,
)
from ser_core.serving.forward import forward
from ser_core.serving.pieces import piece_spans
from ser_core.serving.prediction import WINDOW_SECONDS
from ser_core.serving.predictor import Predictor
from ser_core.training.config import usual_config
from tests.helpers import LONG, ROOT

NAMES = list_checkpoints(CHECKPOINTS_DIR)
CLIP = "1001_DFA_ANG_XX"
SMALL = [name for name in NAMES if "Whisper" not in name]


@cache
def shipped(name: str) -> Predictor:
    return Predictor.load(name, root=CHECKPOINTS_DIR)


def some(clips, n: int) -> list[str]:
    """Names of sound clips of the test part, spread over all of them."""
    sound = [clip.name for clip in clips if clip.report_split == "test" and not clip.defect]
    return sound[:: len(sound) // n][:n]


@LONG
@pytest.mark.parametrize("name", NAMES)
def test_hiding_the_most_important_fifth_loses_more_than_hiding_any_fifth(name: str, corpus, clips):
    """On average over a few clips; `python -m benchmarks explanations` does it over all."""
    predictor = shipped(name)
    for method in methods_for(predictor):
        lost = []
        for clip in some(clips, 2 if "Whisper" in name else 5):
            speech = predictor.prepare(corpus.load(clip), any_sound=True)
            explanation = explain(predictor, speech, predictor.classify_speech(speech).emotion, method)
            lost.append(deletion(predictor, speech, explanation))
        important, anything = np.mean(lost, axis=0)
        assert important > anything + 0.05, method


@pytest.mark.parametrize("name", NAMES)
def test_other_weights_are_explained_otherwise(name: str, corpus):
    predictor = shipped(name)
    torch.manual_seed(0)
    config = predictor.config
    other = Predictor(config, build_model(config.model, config.activation, config.form, config.features))
    speech = predictor.prepare(corpus.load(CLIP))
    for method in methods_for(predictor):
        maps = [explain(one, speech, "ANG", method).values.ravel() for one in (predictor, other)]
        assert not np.ptp(maps[1]) or abs(spearmanr(*maps).statistic) < 0.7, method


@pytest.mark.parametrize("name", NAMES)
def test_explanations_are_of_what_the_predictor_says(name: str, corpus):
    predictor = shipped(name)
    speech = predictor.prepare(corpus.load(CLIP))
    said = predictor.classify_speech(speech).probabilities
    assert look(predictor, speech, "SAD").probability("SAD") == pytest.approx(said["SAD"], abs=1e-5)


# Of those that hear nothing around speech; the others hear some of the silence, and spread their gradients over it.
@pytest.mark.parametrize("name", [name for name in SMALL if not load_config(CHECKPOINTS_DIR / name).audio.vad_pad])
def test_a_second_of_silence_before_it_shifts_an_explanation_by_a_second(name: str, corpus):
    predictor, audio = shipped(name), corpus.load(CLIP)
    later = np.concatenate((np.zeros(SAMPLE_RATE, np.float32), audio))
    for method in methods_for(predictor):
        one, other = (explain(predictor, predictor.prepare(sound), "ANG", method) for sound in (audio, later))
        assert other.kept[0, 0] - one.kept[0, 0] == pytest.approx(1, abs=0.05)
        seconds = np.arange(0.5, 1.5, 0.02)
        before, after, wrong = one.on(seconds), other.on(seconds + 1), other.on(seconds + 0.6)
        before, after, wrong = (found.reshape(-1, len(seconds)).sum(axis=0) for found in (before, after, wrong))
        assert np.corrcoef(before, after)[0, 1] > 0.7, method
        assert not np.corrcoef(before, wrong)[0, 1] > 0.7, method


def test_pauses_are_left_out_and_times_go_on_after_them(corpus):
    predictor, audio = shipped("lr0.001-SiLU-2D"), corpus.load(CLIP)
    twice = np.concatenate((audio, np.zeros(2 * SAMPLE_RATE, np.float32), audio))
    found = explain(predictor, predictor.prepare(twice), "ANG")
    assert len(found.kept) > 1
    assert np.all(np.diff(found.times) > 0)
    middle = len(audio) / SAMPLE_RATE + 1
    assert np.isnan(found.on(np.array([middle])))
    assert not np.isnan(found.on(found.times)).any()
    assert found.times[-1] > middle


def test_of_long_speech_the_window_in_which_the_emotion_is_likeliest_is_explained(corpus, clips):
    predictor = shipped("lr0.01-ELU-1D")
    sounds = [corpus.load(clip) for clip in clips[:8] if not clip.defect]
    speech = predictor.prepare(np.concatenate(sounds))
    kept = kept_intervals(speech, predictor.config.audio)
    spans = piece_spans(len(speech.waveform), WINDOW_SECONDS)
    windows = [speech.waveform[start:end] for start, end in spans]
    said = forward(predictor.model, predictor.config, None, windows).probabilities
    for emotion in ("ANG", "SAD"):
        found, likely = explain(predictor, speech, emotion), said[:, EMOTIONS.index(emotion)]
        assert not found.whole
        assert found.probability == pytest.approx(likely.max(), abs=1e-5)
        np.testing.assert_allclose(found.kept * SAMPLE_RATE, part_of(kept, *spans[likely.argmax()]))


@pytest.mark.parametrize("form", ["fixed", "variable", "mean"])
@pytest.mark.parametrize("model", ["1d", "2d", "combined"])
def test_every_network_and_form_is_explained(checkpoints, corpus, model: str, form: str):
    predictor = Predictor.load(f"{model}-{form}", root=checkpoints)
    speech = predictor.prepare(corpus.load(CLIP))
    for method in possible_methods(predictor):
        found = explain(predictor, speech, "HAP", method)
        assert found.values.shape[-1] == len(found.times)
        assert np.all(np.diff(found.times) >= 0)
        if found.values.ndim == 2:
            bands = found.names if found.hertz is None else found.hertz
            assert len(bands) == len(found.values)


def test_a_network_of_several_windows_is_explained_as_one_of_one(tmp_path: Path, corpus):
    usual = usual_config("conformer", mel_windows=(1024, 2048))
    torch.manual_seed(0)
    network = build_model(usual.model, usual.activation, usual.form, usual.features, usual.network)
    config = CheckpointConfig(
        "windows", usual.model, usual.activation, usual.form, usual.audio, usual.features, {}, network=usual.network
    )
    save_checkpoint(tmp_path / "windows", config, network.state_dict(), "untrained")
    predictor = Predictor.load("windows", root=tmp_path)
    speech = predictor.prepare(corpus.load(CLIP))
    for method in possible_methods(predictor):
        found = explain(predictor, speech, "HAP", method)
        bands = () if method == "occlusion" else (usual.features.n_mels,)
        assert found.values.shape == (*bands, len(found.times))


def test_an_adapted_predictor_explains_what_it_says_then(corpus):
    predictor = shipped("lr0.01-ELU-1D")
    speech = predictor.prepare(corpus.load(CLIP))
    adapted = predictor.adapt([corpus.load(CLIP)], sample_rate=SAMPLE_RATE)
    said = adapted.classify_speech(speech).probabilities["ANG"]
    assert said != pytest.approx(predictor.classify_speech(speech).probabilities["ANG"], abs=1e-3)
    assert explain(adapted, speech, "ANG", "integrated-gradients").probability == pytest.approx(said, abs=1e-5)


def test_integrated_gradients_add_up(corpus):
    predictor = shipped("lr0.01-ELU-1D")
    speech = predictor.prepare(corpus.load(CLIP))
    seen, found = look(predictor, speech, "ANG"), explain(predictor, speech, "ANG", "integrated-gradients")
    before, after = (float(np.log(seen.probabilities(part, "ANG")[0])) for part in (seen.averages, seen.inputs))
    assert found.values.sum() == pytest.approx(after - before, abs=0.1)


def test_what_cannot_be_explained_says_so(corpus):
    predictor = shipped("lr0.01-ELU-1D")
    speech = predictor.prepare(corpus.load(CLIP))
    with pytest.raises(ConfigError, match="is explained by occlusion, integrated-gradients, not by 'grad-cam'"):
        explain(predictor, speech, "ANG", "grad-cam")
    with pytest.raises(ConfigError, match="An emotion is one of anger"):
        explain(predictor, speech, "surprise")
    with pytest.raises(ConfigError, match="emotion is one of ANG"):
        look(predictor, speech, "JOY")


def test_an_emotion_has_a_name_and_letters(corpus):
    predictor = shipped("lr0.01-ELU-1D")
    speech = predictor.prepare(corpus.load(CLIP))
    by_letters, by_name = explain(predictor, speech, "ANG"), explain(predictor, speech, "anger")
    assert by_letters.emotion == by_name.emotion == "ANG"
    np.testing.assert_array_equal(by_letters.values, by_name.values)


def test_methods_that_are_not_offered_are_possible():
    for name in NAMES:
        predictor = shipped(name)
        unfit = set(UNFIT.get(predictor.config.model, ()))
        assert unfit <= set(possible_methods(predictor))
        assert set(methods_for(predictor)) == set(possible_methods(predictor)) - unfit


def test_captum_is_imported_when_its_methods_are_asked_for():
    """It takes seconds, and brings matplotlib."""
    check = "import sys, ser_core.explain.methods; sys.exit(bool({'captum', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0

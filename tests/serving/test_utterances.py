"""Utterances: they begin with a voice, their labels settle, and they end with a pause."""

from __future__ import annotations

import numpy as np
import pytest

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import Speech
from ser_core.emotions import EMOTIONS
from ser_core.errors import ConfigError
from ser_core.serving.prediction import UNSURE, Prediction
from ser_core.serving.rows import UTTERANCE_COLUMNS, utterance_row
from ser_core.serving.stream import StreamPrediction
from ser_core.serving.utterances import Moment, Utterance, UtteranceConfig, Utterances, labels_of

BAR = 0.4
CONFIG = UtteranceConfig(first_seconds=1.0, sure=0.9, half_life=1.0, margin=0.2, hold_seconds=1.5, settle_seconds=1.0)


def shares(**of: float) -> dict[str, float]:
    """Probabilities by emotion: those that are given, and the rest over the others."""
    rest = (1 - sum(of.values())) / (len(EMOTIONS) - len(of))
    return {emotion: of.get(emotion, rest) for emotion in EMOTIONS}


def window(end: float, *voice: tuple[float, float], **of: float) -> StreamPrediction:
    """A window of 3 s that ends at `end`, with a voice from and to these seconds of the stream."""
    start = max(0.0, end - 3)
    if not voice:
        return StreamPrediction(start, end, None, None)
    audio = np.zeros(round((end - start) * SAMPLE_RATE), np.float32)
    intervals = np.array([[round((a - start) * SAMPLE_RATE), round((b - start) * SAMPLE_RATE)] for a, b in voice])
    speech = Speech(audio, audio, intervals)
    return StreamPrediction(start, end, Prediction(shares(**of), (), speech, "a"), shares(**of))


def moments(*heard: dict[str, float]) -> list[Moment]:
    """One each half second, each with enough of a voice."""
    return [Moment(0.5 * (i + 1), 1.0, each) for i, each in enumerate(heard)]


def follow(*windows: StreamPrediction, config: UtteranceConfig = CONFIG) -> tuple[Utterance, ...]:
    utterances = Utterances(config)
    for each in windows:
        utterances.hear(each)
    return utterances.all()


def test_an_utterance_begins_goes_on_and_ends():
    windows = [window(1.0), window(1.5, (0.9, 1.5), ANG=0.8), window(2.0, (0.9, 1.9), ANG=0.8)]
    (going_on,) = follow(*windows)
    assert (going_on.start, going_on.end, going_on.ended) == (pytest.approx(0.9), pytest.approx(1.9), False)
    assert going_on.label(BAR) == "ANG"
    assert not going_on.settled(BAR)
    (over,) = follow(*windows, window(2.5, (0.9, 1.9), ANG=0.8), window(3.0))
    assert over.ended
    assert over.settled(BAR)
    assert over.seconds == pytest.approx(1.0)


def test_what_was_said_before_a_pause_is_another_utterance():
    """The window still holds it: the voice of before doesn't count for the new one's times."""
    first, second = follow(
        window(1.0, (0.2, 1.0), ANG=0.9),
        window(2.0),
        window(2.5, (0.2, 1.1), (2.2, 2.5), SAD=0.9),
        window(3.0, (0.2, 1.1), (2.2, 3.0), SAD=0.9),
    )
    assert (first.start, first.end, first.label(BAR), first.ended) == (pytest.approx(0.2), 1.0, "ANG", True)
    assert (second.start, second.end, second.label(BAR), second.ended) == (pytest.approx(2.2), 3.0, "SAD", False)


def test_who_never_pauses_begins_another_utterance_and_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    """Hours of a radio don't grow without end."""
    monkeypatch.setattr("ser_core.serving.utterances.MAX_MOMENTS", 4)
    monkeypatch.setattr("ser_core.serving.utterances.MAX_ENDED_MOMENTS", 10)
    heard = follow(*(window(i, (max(0, i - 3), i), ANG=0.8) for i in range(1, 31)))
    assert [len(each.moments) for each in heard] == [4, 4, 2]
    assert [(each.start, each.end) for each in heard] == [(20, 24), (24, 28), (28, 30)]
    assert [each.ended for each in heard] == [True, True, False]


def test_nobody_is_no_utterance_and_the_end_comes_once():
    assert follow() == follow(window(1.0), window(1.5)) == ()
    utterances = Utterances()
    utterances.hear(window(1.0, (0.2, 1.0), ANG=0.9))
    utterances.end()
    utterances.end()
    assert len(utterances.all()) == 1


def test_another_model_begins_another_utterance():
    other = window(2.0, (0.2, 2.0), SAD=0.9)
    tuned = Prediction(other.smoothed, (), other.prediction.speech, "a", adapted_to=2)
    first, second = follow(
        window(1.0, (0.2, 1.0), ANG=0.9), StreamPrediction(other.start, other.end, tuned, other.smoothed)
    )
    assert (first.adapted_to, second.adapted_to) == (0, 2)
    assert second.label(BAR) == "SAD"


def test_no_label_is_shown_before_enough_was_heard_unless_it_is_sure():
    doubtful, sure = window(1.0, (0.6, 1.0), ANG=0.6), window(1.0, (0.6, 1.0), ANG=0.95)
    assert follow(doubtful)[0].label(BAR) is None
    assert follow(sure)[0].label(BAR) == "ANG"
    assert follow(doubtful, window(2.0, (0.8, 2.0), ANG=0.6))[0].labels(BAR) == [None, "ANG"]
    # Who says a word now and then gets a label, too; and so does an utterance that ends early.
    halting = [window(end, (0.8, 1.0), (end - 0.1, end), ANG=0.6) for end in (1.5, 2.0, 2.5, 3.0, 3.5)]
    assert follow(doubtful, *halting)[0].labels(BAR)[-2:] == [None, "ANG"]
    assert follow(doubtful, window(2.0))[0].label(BAR) == "ANG"


def test_a_tenth_of_a_second_is_called_nothing_however_sure_the_network_is():
    (click,) = follow(window(1.0, (0.8, 0.9), ANG=0.99))
    assert click.label(BAR) is None
    (click,) = follow(window(1.0, (0.8, 0.9), ANG=0.99), window(4.0))
    assert (click.ended, click.label(BAR)) == (True, UNSURE)
    (shout,) = follow(window(1.0, (0.5, 0.9), ANG=0.99), window(4.0))
    assert shout.label(BAR) == "ANG"


def test_a_label_is_left_only_with_evidence():
    anger, slightly = shares(ANG=0.5, SAD=0.3), shares(ANG=0.4, SAD=0.45)
    assert labels_of(0.0, moments(anger, slightly, anger), BAR, CONFIG) == ["ANG"] * 3
    assert labels_of(0.0, moments(anger, shares(ANG=0.2, SAD=0.5)), BAR, CONFIG) == ["ANG", "SAD"]
    for_long = labels_of(0.0, moments(anger, *[slightly] * 4), BAR, CONFIG)
    assert for_long == ["ANG"] * 4 + ["SAD"]  # it has been the likeliest for 1.5 s
    no_bar = shares(ANG=0.25, SAD=0.37)
    assert labels_of(0.0, moments(anger, *[no_bar] * 4), BAR, CONFIG) == ["ANG"] * 4 + [UNSURE]


def test_what_has_ended_is_called_by_no_emotion_that_has_lost_the_bar():
    (utterance,) = follow(window(1.0, (0.0, 1.0), ANG=0.5), window(1.5, (0.0, 1.5), ANG=0.2, SAD=0.3), window(3.0))
    assert utterance.ended
    assert utterance.shares["ANG"] < BAR
    assert utterance.labels(BAR)[-2:] == ["ANG", UNSURE]


def test_a_label_near_the_bar_does_not_come_and_go():
    below, barely, far_below = shares(ANG=0.38), shares(ANG=0.42), shares(ANG=0.19, SAD=0.2)
    assert labels_of(0.0, moments(below, barely, below, barely), BAR, CONFIG) == [UNSURE, "ANG", "ANG", "ANG"]
    assert labels_of(0.0, moments(barely, far_below), BAR, CONFIG) == ["ANG", UNSURE]


def test_a_label_settles_when_it_stood_for_a_while():
    heard = [window(end, (0.2, end), ANG=0.95) for end in (1.0, 1.5, 2.0)]
    assert [follow(*heard[:n])[0].settled(BAR) for n in (1, 2, 3)] == [False, False, True]
    lost = [*heard, window(2.5, (0.2, 2.5), ANG=0.3)]
    (fading,) = follow(*lost, config=UtteranceConfig(half_life=0.1))
    assert fading.label(BAR) == "ANG"
    assert not fading.settled(BAR)
    changed = [*heard, window(2.5, (0.2, 2.5), SAD=0.9999)]
    utterance = follow(*changed, config=UtteranceConfig(half_life=0.1))[0]
    assert utterance.label(BAR) == "SAD"
    assert not utterance.settled(BAR)


def test_a_label_is_of_all_that_was_heard_and_the_newest_counts_most():
    alone = shares(ANG=0.6, SAD=0.3)
    (utterance,) = follow(window(1.0, (0.0, 1.0), SAD=0.6, ANG=0.3), window(2.0, (0.0, 1.0), ANG=0.6, SAD=0.3))
    assert alone["SAD"] < utterance.shares["SAD"] < utterance.shares["ANG"] < alone["ANG"]
    assert sum(utterance.shares.values()) == pytest.approx(1)
    # Half as much, one half-life ago: the mean of the logarithms, 1 to 2.
    expected = np.exp((2 * np.log(alone["ANG"]) + np.log(0.3)) / 3) / np.exp((2 * np.log(0.3) + np.log(0.6)) / 3)
    assert utterance.shares["ANG"] / utterance.shares["SAD"] == pytest.approx(expected)


def test_the_same_of_another_confidence_is_another_answer():
    (utterance,) = follow(window(2.0, (0.0, 2.0), ANG=0.5), window(3.0))
    assert (utterance.label(0.4), utterance.label(0.6)) == ("ANG", UNSURE)


def test_a_row_says_what_was_shown():
    (utterance,) = follow(window(1.0, (0.0, 1.0), ANG=0.6), window(2.0, (0.0, 2.0), SAD=0.99), window(3.0))
    row = utterance_row(utterance, BAR)
    assert tuple(row) == UTTERANCE_COLUMNS
    assert (row["start"], row["end"], row["seconds"]) == (0.0, 2.0, 2.0)
    assert (row["answer"], row["emotion"], row["changes"]) == ("SAD", "SAD", 1)
    assert row["confidence"] == row["SAD"] == round(utterance.shares["SAD"], 4)
    unsure = utterance_row(utterance, 1.0)
    assert (unsure["answer"], unsure["emotion"], unsure["changes"]) == (UNSURE, "SAD", 0)


@pytest.mark.parametrize("wrong", [{"half_life": 0}, {"margin": 1.5}, {"sure": "0.5"}, {"hold_seconds": float("nan")}])
def test_settings_out_of_range_are_refused(wrong: dict):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        UtteranceConfig(**wrong)

"""Utterances of a live signal: each begins with a voice, its label settles, and it ends with a pause.

The newest window alone changes its mind as the words pass by. An utterance's answer is made of all its windows, the
newest of which counts most, and a label that was shown is left for another one only with evidence. How much evidence is
measured: `python -m benchmarks live_utterances`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent
from ser_core.errors import ConfigError
from ser_core.serving.prediction import UNSURE, answer_from, likeliest, require_seconds

if TYPE_CHECKING:
    from ser_core.serving.prediction import Prediction
    from ser_core.serving.stream import StreamPrediction

MAX_UTTERANCES = 10_000  # that are remembered, of the newest
MAX_MOMENTS = 600  # of one: five minutes at two a second; who speaks on begins another
MAX_ENDED_MOMENTS = 50_000  # of all that have ended: seven hours
HALTING = 2.5  # times as long may it take to say as much as the first label needs
LEAST_PROBABILITY = 1e-4  # one window that rules an emotion out doesn't do so for good


@dataclass(frozen=True)
class UtteranceConfig:
    """How an utterance gets its label.

    The defaults are chosen by benchmarks/results/live_utterances.txt: right at the end about as often as the smoothed
    newest window, 0.2 s later on average, with less than a third of its changes.

    Attributes:
        first_seconds: of a voice in the newest window, from which on there is a label, > 0.
        sure: probability that gives a label earlier, 0 to 1.
        least_seconds: of a voice, without which nothing is said of an utterance, however sure the network is, > 0:
            that is a cough or a click rather than a word.
        half_life: seconds after which a window counts half as much as the newest one, > 0.
        margin: how much more likely another emotion has to be than the label for the label to change, 0 to 1.
        hold_seconds: or for how long it has to be the likeliest, whatever its lead, > 0.
        settle_seconds: how long a label has to stand to be settled, > 0.
    """

    first_seconds: float = 1.0
    sure: float = 0.8
    least_seconds: float = 0.3
    half_life: float = 1.0
    margin: float = 0.2
    hold_seconds: float = 1.5
    settle_seconds: float = 1.0

    def __post_init__(self) -> None:
        for name in ("first_seconds", "least_seconds", "half_life", "hold_seconds", "settle_seconds"):
            require_seconds(name, getattr(self, name))
        for name, value in (("sure", self.sure), ("margin", self.margin)):
            if not (isinstance(value, Real) and 0 <= value <= 1):
                raise ConfigError(f"{name} is from 0 to 1, not {value!r}.")


@dataclass(frozen=True, eq=False)
class Moment(ByContent):
    """What is known of an utterance at the end of one of its windows.

    Attributes:
        end: in seconds since the stream began.
        voice_seconds: of a voice in the window.
        shares: probabilities by emotion, of all windows up to this one.
    """

    end: float
    voice_seconds: float
    shares: dict[str, float]


@dataclass(frozen=True)
class Utterance:
    """Speech between two pauses.

    Attributes:
        start, end: of the voice, in seconds since the stream began; so far, while it goes on.
        moments: at least one, in order.
        ended: whether a pause, or another part of the signal, came after it.
        checkpoint, adapted_to: of the model, see `Prediction`.
        config: how it gets its label.
    """

    start: float
    end: float
    moments: tuple[Moment, ...]
    ended: bool
    checkpoint: str
    adapted_to: int = 0
    config: UtteranceConfig = field(default=UtteranceConfig(), repr=False)

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start

    @property
    def shares(self) -> dict[str, float]:
        """Probabilities by emotion, of all of it."""
        return self.moments[-1].shares

    def labels(self, min_confidence: float) -> list[str | None]:
        """What is shown at each of its moments, see `labels_of`; and what is shown once it ended.

        An emotion that has lost `min_confidence` by then is no answer: what nobody sees change needs no patience.
        """
        labels = labels_of(self.start, self.moments, min_confidence, self.config)
        if not self.ended:
            return labels
        if not any(moment.voice_seconds >= self.config.least_seconds for moment in self.moments):
            return [*labels, UNSURE]
        last = labels[-1]
        kept = last in self.shares and self.shares[last] >= min_confidence
        return [*labels, last if kept else answer_from(self.shares, min_confidence)]

    def label(self, min_confidence: float) -> str | None:
        """What is shown at last; None while it has only begun."""
        return self.labels(min_confidence)[-1]

    def settled(self, min_confidence: float) -> bool:
        """Whether its label is unlikely to change: it stood for a while, or the utterance has ended."""
        return self.ended or is_settled(self.moments, self.labels(min_confidence), min_confidence, self.config)


def labels_of(
    start: float, moments: Sequence[Moment], min_confidence: float, config: UtteranceConfig
) -> list[str | None]:
    """The label at each moment of an utterance that began at `start`, in seconds.

    None until enough of it was heard, or an emotion is sure. Then an emotion, or `UNSURE` while none has
    `min_confidence`. An emotion is left for another one only if that leads by the margin, or for long, and for `UNSURE`
    only if it falls below `min_confidence` by the margin, or if another one leads for long and hasn't it either.
    """
    shown: list[str | None] = []
    label, leader, since = None, UNSURE, 0.0
    for moment in moments:
        best = likeliest(moment.shares)
        share = moment.shares[best]
        if best != leader:
            leader, since = best, moment.end
        if label in (None, UNSURE):
            is_sure = share >= config.sure and moment.voice_seconds >= config.least_seconds
            if label or is_sure or is_enough(start, moment, config):
                label = answer_from(moment.shares, min_confidence)
        elif share >= min_confidence:
            if share - moment.shares[label] >= config.margin or moment.end - since >= config.hold_seconds:
                label = best
        elif moment.shares[label] < min_confidence - config.margin or (
            best != label and moment.end - since >= config.hold_seconds
        ):
            label = UNSURE
        shown.append(label)
    return shown


def is_enough(start: float, moment: Moment, config: UtteranceConfig) -> bool:
    """Whether that much was heard that a label is worth showing; somebody who speaks haltingly gets one, too."""
    return moment.voice_seconds >= config.first_seconds or moment.end - start >= HALTING * config.first_seconds


def is_settled(
    moments: Sequence[Moment], labels: Sequence[str | None], min_confidence: float, config: UtteranceConfig
) -> bool:
    """Whether there is a label, the last one stood for as long as it takes, and an emotion has `min_confidence`."""
    if labels[-1] in moments[-1].shares and moments[-1].shares[labels[-1]] < min_confidence:
        return False
    first = len(labels) - 1
    while first and labels[first - 1] == labels[-1]:
        first -= 1
    return labels[-1] is not None and moments[-1].end - moments[first].end >= config.settle_seconds


class Utterances:
    """Follows the windows of one signal, in order.

    Args:
        config: see `UtteranceConfig`.
    """

    def __init__(self, config: UtteranceConfig = UtteranceConfig()):
        self.config = config
        self._ended: deque[Utterance] = deque()
        self._n_moments = 0  # of those that have ended
        self._current: _Current | None = None
        self._last_end = 0.0  # of the voice that was heard last

    def hear(self, heard: StreamPrediction) -> None:
        """The next window: it begins an utterance, goes on with it, or, where nobody speaks, ends it."""
        if heard.prediction is None:
            self.end()
            return
        if self._current and not (self._current.has_room and self._current.is_of(heard.prediction)):
            self.end()  # another model's word is nothing to go on with
        spans = heard.start + heard.prediction.speech.intervals / SAMPLE_RATE
        if self._current is None:
            # A voice that began before the last utterance ended is that one's, which the window still holds.
            begins = [float(begin) for begin, _ in spans if begin >= self._last_end]
            self._current = _Current(heard.prediction, begins[0] if begins else self._last_end, self.config)
        self._current.add(heard, heard.prediction, float(spans[-1, 1]))
        self._last_end = self._current.end

    def end(self) -> None:
        """A pause: what is heard from now on is another utterance."""
        if self._current:
            self._ended.append(self._current.so_far(ended=True))
            self._n_moments += len(self._ended[-1].moments)
            while len(self._ended) > MAX_UTTERANCES or self._n_moments > MAX_ENDED_MOMENTS:
                self._n_moments -= len(self._ended.popleft().moments)
        self._current = None

    def all(self) -> tuple[Utterance, ...]:
        """All of them, in order; the last one may go on."""
        return (*self._ended, self._current.so_far(ended=False)) if self._current else tuple(self._ended)


class _Current:
    """The utterance that goes on."""

    def __init__(self, prediction: Prediction, start: float, config: UtteranceConfig):
        self.start = self.end = start
        self._checkpoint, self._adapted_to, self._config = prediction.checkpoint, prediction.adapted_to, config
        self._moments: list[Moment] = []
        self._evidence, self._weight, self._at = np.zeros(len(EMOTIONS)), 0.0, 0.0

    @property
    def has_room(self) -> bool:
        return len(self._moments) < MAX_MOMENTS

    def is_of(self, prediction: Prediction) -> bool:
        return (prediction.checkpoint, prediction.adapted_to) == (self._checkpoint, self._adapted_to)

    def add(self, heard: StreamPrediction, prediction: Prediction, end: float) -> None:
        weight = prediction.speech_seconds
        kept = 0.5 ** ((heard.end - self._at) / self._config.half_life)
        self._evidence = kept * self._evidence + weight * log_probabilities(prediction.probabilities)
        self._weight = kept * self._weight + weight
        self._at, self.end = heard.end, max(self.end, end)
        self._moments.append(Moment(heard.end, weight, normalized(self._evidence / self._weight)))

    def so_far(self, *, ended: bool) -> Utterance:
        moments = tuple(self._moments)
        return Utterance(self.start, self.end, moments, ended, self._checkpoint, self._adapted_to, self._config)


def log_probabilities(probabilities: Mapping[str, float]) -> np.ndarray:
    """float64 `[6]`, in the order of `EMOTIONS`."""
    return np.log(np.maximum([probabilities[emotion] for emotion in EMOTIONS], LEAST_PROBABILITY))


def normalized(log_shares: np.ndarray) -> dict[str, float]:
    """Probabilities by emotion that sum to 1, of logarithms `[6]` of what is in proportion to them."""
    shares = np.exp(log_shares - log_shares.max())
    return dict(zip(EMOTIONS, (shares / shares.sum()).tolist(), strict=True))

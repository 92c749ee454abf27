"""A round of guessing emotions: ten test clips, and how many of them a listener, the raters and a model get right.

A round has a number, and the same number means the same ten clips on every machine and in every version of Python:
the order of the clips comes from a hash of their names. They are of the test part of the report's split, on which no
model was trained that knows that split, so that listener and model hear them for the first time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ser_core.corpus.clips import Clip, load_index
from ser_core.emotions import EMOTIONS
from ser_core.once import once

ROUND_CLIPS = 10
LAST_ROUND = 9999
"""Rounds have numbers from 1 to this."""


@once
def _candidates() -> tuple[Clip, ...]:
    """Test clips that are as they should be."""
    return tuple(clip for clip in load_index().values() if clip.report_split == "test" and not clip.defect)


def _drawn(number: int, what: str) -> Callable[[str], bytes]:
    """A key by which names are in another order for each round."""
    return lambda name: hashlib.sha256(f"{number} {what} {name}".encode()).digest()


def round_clips(number: int) -> tuple[Clip, ...]:
    """The ten clips of a round: each emotion once or twice, ten actors, in an order that tells nothing.

    Args:
        number: of the round, 1 to `LAST_ROUND`.
    """
    by_draw, order = _drawn(number, "clip"), _drawn(number, "order")
    emotions = sorted(EMOTIONS, key=_drawn(number, "emotion"))
    candidates = sorted(_candidates(), key=lambda clip: by_draw(clip.name))
    chosen: list[Clip] = []
    for i in range(ROUND_CLIPS):
        emotion, actors = emotions[i % len(emotions)], {clip.actor.id for clip in chosen}
        chosen.append(next(c for c in candidates if c.emotion == emotion and c.actor.id not in actors))
    return tuple(sorted(chosen, key=lambda clip: order(clip.name)))


def round_number(text: str | None) -> int | None:
    """The number of a round as an address has it; None where it is none."""
    number = int(text) if text and text.isascii() and text.isdigit() else 0
    return number if 1 <= number <= LAST_ROUND else None


def rater_is_right(clip: Clip) -> float:
    """Share of the raters who only heard a clip and chose what was meant, 0..1: what one of them gets on average."""
    return float(clip.voice.shares[EMOTIONS.index(clip.emotion)])


def crowd_is_right(clip: Clip) -> float:
    """Whether most raters who only heard a clip chose what was meant: 1 or 0; where emotions tie, its share of them."""
    majority = clip.voice.majority
    return (clip.emotion in majority) / len(majority)


class Scores(NamedTuple):
    """How many clips each gets right.

    Attributes:
        clips: how many were answered: those that were left out count for nobody.
        you: right answers of the listener.
        crowd: of the raters' majority, see `crowd_is_right`.
        rater: of one rater, on average.
        model: of the model; None where there is none, or it has no answer to some clip.
    """

    clips: int
    you: int
    crowd: float
    rater: float
    model: int | None


def scores(clips: Sequence[Clip], answers: Sequence[str | None], model: Mapping[str, str]) -> Scores:
    """Score a round.

    Args:
        clips: that were played.
        answers: of the listener, an emotion for each clip; None for one that was left out.
        model: emotions that it answered, by the names of clips.
    """
    answered = [(clip, answer) for clip, answer in zip(clips, answers, strict=True) if answer is not None]
    known = all(clip.name in model for clip, _ in answered)
    return Scores(
        len(answered),
        sum(clip.emotion == answer for clip, answer in answered),
        sum(crowd_is_right(clip) for clip, _ in answered),
        sum(rater_is_right(clip) for clip, _ in answered),
        sum(clip.emotion == model[clip.name] for clip, _ in answered) if known and answered else None,
    )

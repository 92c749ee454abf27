"""Explain an answer.

predictor = Predictor.load()
speech = predictor.prepare(audio)
explanation = explain(predictor, speech, "anger", "occlusion")
explanation.times, explanation.values
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ser_core.analysis.explanation import METHODS, Explanation, Method
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import Speech
from ser_core.errors import ConfigError
from ser_core.explain.gradients import grad_cam, integrated_gradients, last_block
from ser_core.explain.occlusion import occlusion
from ser_core.explain.seen import Seen, look
from ser_core.serving.adaptation import emotion_named
from ser_core.serving.predictor import Predictor

FUNCTIONS: dict[Method, Callable[[Seen, str], np.ndarray]] = {
    "occlusion": occlusion,
    "integrated-gradients": integrated_gradients,
    "grad-cam": grad_cam,
}


UNFIT: dict[str, tuple[Method, ...]] = {"combined": ("grad-cam",)}
"""By network, the methods that don't name well enough what it uses.

Hiding the fifth that Grad-CAM names costs the combined network 5.0 points of its answer's probability, hiding any fifth
1.2, and for one clip in three it costs no more (benchmarks/results/explanations.txt): the network has its spectral
features, too. Integrated gradients name a fifth of the same image that costs 38.6 points.
"""


def possible_methods(predictor: Predictor) -> tuple[Method, ...]:
    """All methods that can be computed: Grad-CAM takes the 2D convolutions of the report's networks."""
    return tuple(m for m in METHODS if m != "grad-cam" or last_block(predictor.model) is not None)


def methods_for(predictor: Predictor) -> tuple[Method, ...]:
    """The methods to offer for this network, those that name what it uses, see `UNFIT`."""
    unfit = UNFIT.get(predictor.config.model, ())
    return tuple(method for method in possible_methods(predictor) if method not in unfit)


def explain(predictor: Predictor, speech: Speech, emotion: str, method: Method = "occlusion") -> Explanation:
    """Which times, and by which method also which bands, speak for an emotion.

    The same network, speech, emotion and method give the same explanation. A predictor that is adapted to a speaker
    explains what it says then.

    Args:
        speech: as `predictor.prepare` returns it, or as it stands in a `Prediction` of this predictor. Of more than
            6 s of it, the 3 s in which the emotion is likeliest are explained.
        emotion: one of the six, by its name or its letters as in `EMOTIONS`; the answer or another one.
        method: one of `possible_methods(predictor)`; better, of `methods_for(predictor)`.

    Raises:
        ConfigError: there is no such emotion, or the method doesn't explain this network.
        NoSpeechError: there is no speech.
    """
    if method not in possible_methods(predictor):
        offered = ", ".join(methods_for(predictor))
        raise ConfigError(f"{predictor.config.name} is explained by {offered}, not by {method!r}.")
    emotion = emotion_named(emotion)
    seen = look(predictor, speech, emotion)
    values = FUNCTIONS[method](seen, emotion)
    banded = values.ndim == 2
    hertz, names = seen.bands() if banded else (None, ())
    return Explanation(
        checkpoint=predictor.config.name,
        emotion=emotion,
        method=method,
        values=values,
        times=seen.seconds(seen.centres[seen.main] if banded else seen.step_centres),
        kept=seen.kept / SAMPLE_RATE,
        hertz=hertz,
        names=names,
        probability=seen.probability(emotion),
        whole=seen.whole,
    )


class Lost(NamedTuple):
    """The probability that is lost when a share of what was explained is hidden.

    Attributes:
        important: of what speaks most for the emotion, in -1..1.
        random: of as much of anything, the average over some draws, in -1..1.
    """

    important: float
    random: float


def deletion(
    predictor: Predictor, speech: Speech, explanation: Explanation, *, share: float = 0.2, draws: int = 5, seed: int = 0
) -> Lost:
    """Whether an explanation names what matters: hide that, and see whether more is lost than with anything else.

    After Samek et al., "Evaluating the visualization of what a deep neural network has learned" (2017).

    Args:
        predictor, speech: those that the explanation is of.
        share: of the values that are hidden at once, 0 to 1.
        draws: of random values, > 0.
        seed: of those.
    """
    seen = look(predictor, speech, explanation.emotion)
    chosen = explanation.most_important(share)
    rng = np.random.default_rng(seed)
    hidden = np.stack([chosen, *(rng.permutation(chosen.ravel()).reshape(chosen.shape) for _ in range(draws))])
    inputs = seen.without_times(hidden) if chosen.ndim == 1 else seen.without_cells(hidden)
    lost = seen.probability(explanation.emotion) - seen.probabilities(inputs, explanation.emotion)
    return Lost(float(lost[0]), float(lost[1:].mean()))

"""What a network gets of some speech, and what it says when a part of that is hidden.

A part is hidden behind the average: each band, or feature, has the mean that it has over this speech. The voice, the
level and the microphone stay so; what is said and how goes. Silence in place of it is a sound of its own: with a fifth
of its time silenced, wherever that is, the 1D CNN says something else altogether, and hiding the important fifth costs
no more than hiding another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.kept import in_recording, kept_intervals, part_of
from ser_core.audio.preprocess import Speech
from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent
from ser_core.errors import ConfigError
from ser_core.features.filterbanks import mel_frequencies
from ser_core.features.inputs import network_inputs
from ser_core.features.spectral import spectral_features
from ser_core.features.whisper import HOP_LENGTH, N_MELS
from ser_core.forks import step
from ser_core.models.registry import MODELS
from ser_core.serving.forward import answer
from ser_core.serving.pieces import piece_spans
from ser_core.serving.prediction import WINDOW_SECONDS
from ser_core.serving.predictor import Predictor

BATCH_SIZE = 16
STEP_SECONDS = 0.1
"""Of time that is hidden as one."""


@dataclass(frozen=True, eq=False)
class Seen(ByContent):
    """What a network gets of one piece of speech.

    Attributes:
        predictor: the network and all that belongs to it.
        inputs: float32 `[1, …, frames]` by name, time being the last axis.
        centres: float64 `[frames]` by name: the sample of the piece that each frame is about. There are fewer than
            frames where an input is padded.
        kept: int64 `[n, 2]`: sample intervals of the recording that the piece consists of, as far as it is seen.
        samples: of the piece that are seen, > 0.
        whole: whether the piece is all of the speech.
    """

    predictor: Predictor
    inputs: dict[str, Tensor]
    centres: dict[str, np.ndarray]
    kept: np.ndarray
    samples: int
    whole: bool

    @property
    def main(self) -> str:
        """The input that is explained band by band: the mel image where there is one."""
        return "mel" if "mel" in self.inputs else next(iter(self.inputs))

    @property
    def n_steps(self) -> int:
        """Steps of `STEP_SECONDS`, the last of which may be shorter."""
        return -(-self.samples // round(STEP_SECONDS * SAMPLE_RATE))

    @property
    def step_centres(self) -> np.ndarray:
        """The sample in the middle of each step, `[n_steps]`."""
        size = round(STEP_SECONDS * SAMPLE_RATE)
        starts = np.arange(self.n_steps) * size
        return (starts + np.minimum(starts + size, self.samples)) / 2

    def seconds(self, samples: np.ndarray) -> np.ndarray:
        """Seconds in the recording of samples of the piece, `[m]`."""
        return in_recording(self.kept, samples) / SAMPLE_RATE

    @cached_property
    def averages(self) -> dict[str, Tensor]:
        """What a part is hidden behind, shaped as the inputs; padding stays what it is."""
        averages = {}
        for name, value in self.inputs.items():
            n = len(self.centres[name])
            averages[name] = value.clone()
            averages[name][..., :n] = value[..., :n].mean(-1, keepdim=True)
        return averages

    def without_times(self, hidden: np.ndarray) -> dict[str, Tensor]:
        """The inputs without some of the time.

        Args:
            hidden: bool `[cases, n_steps]`.

        Returns:
            float32 `[cases, …, frames]` by name.
        """
        inputs = {}
        for name, value in self.inputs.items():
            steps = np.minimum(self.centres[name] // round(STEP_SECONDS * SAMPLE_RATE), self.n_steps - 1).astype(int)
            mask = torch.zeros(len(hidden), value.shape[-1], dtype=torch.bool)
            mask[:, : len(steps)] = torch.from_numpy(hidden[:, steps])
            mask = mask.view(len(hidden), *(1,) * (value.ndim - 2), -1)
            inputs[name] = torch.where(mask, self.averages[name], value)
        return inputs

    def without_cells(self, hidden: np.ndarray) -> dict[str, Tensor]:
        """The inputs without some bands at some times of the main one; others stay as they are.

        Args:
            hidden: bool `[cases, bands, frames]`.

        Returns:
            float32 `[cases, …, frames]` by name.
        """
        main = self.inputs[self.main]
        mask = torch.zeros(len(hidden), *main.shape[-2:], dtype=torch.bool)
        mask[..., : hidden.shape[-1]] = torch.from_numpy(hidden)
        mask = mask.view(len(hidden), *(1,) * (main.ndim - 3), *main.shape[-2:])  # all windows at once
        return self.with_main(torch.where(mask, self.averages[self.main], main))

    def with_main(self, main: Tensor) -> dict[str, Tensor]:
        """All inputs, with this one `[cases, …, frames]` in place of the main one."""
        others = {name: value.expand(len(main), *value.shape[1:]) for name, value in self.inputs.items()}
        return others | {self.main: main}

    def log_probabilities(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """What the network says about inputs like these: `[cases, 6]`. Gradients flow through it."""
        predictor, arguments = self.predictor, dict(inputs)
        if predictor.config.form == "mean" and "spectral" in arguments:
            arguments["spectral"] = arguments["spectral"].mean(-1).unsqueeze(1)
        logits, _ = answer(predictor.model, predictor.config, predictor.adaptation, arguments)
        return logits.log_softmax(1)

    def probabilities(self, inputs: Mapping[str, Tensor], emotion: str) -> np.ndarray:
        """Of an emotion, for inputs like these: float32 `[cases]`."""
        n = len(next(iter(inputs.values())))
        batches = []
        for start in range(0, n, BATCH_SIZE):
            with step, torch.inference_mode():
                batch = {name: value[start : start + BATCH_SIZE] for name, value in inputs.items()}
                batches.append(self.log_probabilities(batch)[:, EMOTIONS.index(emotion)].exp().numpy())
        return np.concatenate(batches)

    def probability(self, emotion: str) -> float:
        """Of an emotion, for all that is seen."""
        return float(self.probabilities(self.inputs, emotion)[0])

    def bands(self) -> tuple[np.ndarray | None, tuple[str, ...]]:
        """Of the main input: centres in Hz, float64 `[bands]`, or names; the other one is None or empty."""
        features = self.predictor.config.features
        match self.main:
            case "spectral":
                return None, features.channel_names
            case "whisper":
                return mel_frequencies(N_MELS, SAMPLE_RATE / 2), ()
        hertz, rows = mel_frequencies(features.n_mels, features.fmax), self.inputs["mel"].shape[-2]
        return np.interp(_squeezed(features.n_mels, rows), np.arange(features.n_mels), hertz), ()


def look(predictor: Predictor, speech: Speech, emotion: str) -> Seen:
    """What a network gets of prepared speech.

    More than 6 s of speech are classified in windows; of those that don't overlap, it is the one in which the emotion
    is likeliest.

    Args:
        speech: prepared by this predictor.
        emotion: one of `EMOTIONS`.

    Raises:
        ConfigError: there is no such emotion.
        NoSpeechError: there is no speech.
    """
    if emotion not in EMOTIONS:
        raise ConfigError(f"emotion is one of {', '.join(EMOTIONS)}, not {emotion!r}.")
    kept = kept_intervals(speech.require(), predictor.config.audio)
    spans = piece_spans(len(speech.waveform), WINDOW_SECONDS)
    pieces = [
        _seen(predictor, speech.waveform[start:end], part_of(kept, start, end), len(spans)) for start, end in spans
    ]
    return pieces[0] if len(pieces) == 1 else max(pieces, key=lambda piece: piece.probability(emotion))


def _seen(predictor: Predictor, waveform: np.ndarray, kept: np.ndarray, n_pieces: int) -> Seen:
    config = predictor.config
    features, n = config.features, len(waveform)
    arrays = network_inputs(waveform, MODELS[config.model].inputs, config.form, features)
    if config.form == "mean" and "spectral" in arrays:  # the mean is taken when the network is asked
        arrays["spectral"] = spectral_features(waveform, features)
    centres, seen = {}, 0
    for name, array in arrays.items():
        frames = array.shape[-1]
        if name == "spectral":
            at = np.arange(min(frames, 1 + n // features.hop_length)) * features.hop_length
            seen = max(seen, min(n, frames * features.hop_length) if config.form == "fixed" else n)
        else:
            hop = HOP_LENGTH if name == "whisper" else features.mel_hop_length
            squeezed = name == "mel" and config.form != "variable"
            at = (_squeezed(1 + n // hop, frames) if squeezed else np.arange(frames)) * hop
            seen = n
        centres[name] = np.clip(at, 0, n - 1).astype(np.float64)
    inputs = {name: torch.from_numpy(np.ascontiguousarray(array))[None] for name, array in arrays.items()}
    return Seen(predictor, inputs, centres, part_of(kept, 0, seen) if n_pieces == 1 else kept, seen, n_pieces == 1)


def _squeezed(n: int, to: int) -> np.ndarray:
    """Where `to` equal parts of `n` rows or columns have their middles, counted in those: float64 `[to]`."""
    return np.clip((np.arange(to) + 0.5) * n / to - 0.5, 0, n - 1)

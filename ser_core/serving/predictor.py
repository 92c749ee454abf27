"""Audio in, emotion out.

    python -m ser_core.predict FILE… [--checkpoint NAME] [--format table|json|csv]

From Python:

    predictor = Predictor.load("lr0.001-SiLU-2D")
    prediction = predictor("speech.wav")
    prediction.answer  # the emotion, or "unsure"
    prediction.emotion, prediction.confidence, prediction.probabilities
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.decode import AudioSource
from ser_core.audio.preprocess import Speech, preprocess, read_audio
from ser_core.emotions import EMOTIONS
from ser_core.errors import ConfigError, NoSpeechError, SERError
from ser_core.features.inputs import network_inputs
from ser_core.models.registry import MODELS
from ser_core.records.checkpoints import CheckpointConfig, checkpoints_dir, default_checkpoint, load_model
from ser_core.serving.prediction import (
    HOP_SECONDS,
    MIN_CONFIDENCE,
    WINDOW_SECONDS,
    Prediction,
    TimedPrediction,
    window_spans,
)
from ser_core.serving.voice import require_voice

LONGEST_CLIP_SECONDS = 6.0  # of speech classified as a whole; CREMA-D's longest recording lasts 5 s
BATCH_SIZE = 32


class Predictor:
    """A trained model with its own preprocessing: from any audio to probabilities. Safe to share between threads.

    Args:
        config: the checkpoint's description.
        model: its network, in evaluation mode, on the CPU.
        min_confidence: below this probability of the likeliest emotion the answer is "unsure"; 0 (never) to 1.

    Raises:
        ConfigError: `min_confidence` is out of its range.
    """

    def __init__(self, config: CheckpointConfig, model: nn.Module, *, min_confidence: float = MIN_CONFIDENCE):
        if not 0 <= min_confidence <= 1:
            raise ConfigError(f"min_confidence is a probability from 0 to 1, not {min_confidence}.")
        self.config = config
        self.min_confidence = min_confidence
        self.model = model.eval().requires_grad_(False)

    @staticmethod
    def load(
        checkpoint: str | None = None, *, root: Path | None = None, min_confidence: float = MIN_CONFIDENCE
    ) -> Predictor:
        """Load a checkpoint by name, or the best that can be used (`ser_core.records.checkpoints`).

        Args:
            root: the folder of checkpoints, see `ser_core.records.checkpoints.checkpoints_dir`.
            min_confidence: see `Predictor`.

        Raises:
            CheckpointError: there is no such checkpoint, or it is damaged.
            ConfigError: `min_confidence` is out of its range.
        """
        root = root or checkpoints_dir()
        return Predictor(*load_model(root / (checkpoint or default_checkpoint(root))), min_confidence=min_confidence)

    def __call__(self, source: AudioSource, *, sample_rate: int | None = None) -> Prediction:
        """Classify one recording.

        More than 6 s of speech, longer than anything the models were trained on, are classified in windows of 3 s
        whose probabilities are averaged.

        Args:
            source: a path, bytes, a binary file, or samples (`[samples]` or `[channels, samples]`).
            sample_rate: of an array of samples, in Hz.

        Raises:
            AudioError: the audio can't be read.
            NoSpeechError: it is silent, holds under 0.2 s of speech, or no voice is recognised in it.
        """
        return self.classify(*read_audio(source, sample_rate=sample_rate))

    def classify(self, audio: np.ndarray, warnings: Sequence[str] = (), *, any_sound: bool = False) -> Prediction:
        """The same for float32 `[samples]` at 16 kHz, as `ser_core.audio.preprocess.load_audio` returns it.

        Args:
            warnings: what is known to be wrong with the recording, see `ser_core.audio.preprocess.read_audio`.
            any_sound: classify it even where no voice is recognised, as in some shouts.
        """
        return self.classify_speech(self.prepare(audio, warnings, any_sound=any_sound))

    def classify_speech(self, speech: Speech) -> Prediction:
        """The same for speech that was prepared already, with this model's preprocessing."""
        return self._predict([speech])[0]

    def prepare(self, audio: np.ndarray, warnings: Sequence[str] = (), *, any_sound: bool = False) -> Speech:
        """The speech in `[samples]` at 16 kHz, with this model's preprocessing.

        Raises:
            NoSpeechError: there is none, or under 0.2 s; or no voice is recognised in it, unless `any_sound` will do.
        """
        speech = preprocess(audio, self.config.audio, warnings).require()
        return speech if any_sound else require_voice(speech, self.config.audio)

    def classify_many(self, sources: Sequence[AudioSource]) -> Iterator[Prediction | SERError]:
        """Classify files one after another, faster than one by one: in order, errors in place of predictions."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(sources), BATCH_SIZE):
                prepared = list(pool.map(self._prepare_or_error, sources[start : start + BATCH_SIZE]))
                predictions = iter(self._predict([item for item in prepared if isinstance(item, Speech)]))
                yield from (next(predictions) if isinstance(item, Speech) else item for item in prepared)

    def timeline(
        self, audio: np.ndarray, *, window_seconds: float = WINDOW_SECONDS, hop_seconds: float = HOP_SECONDS
    ) -> list[TimedPrediction]:
        """Classify overlapping windows of float32 `[samples]` at 16 kHz."""
        spans = window_spans(len(audio), window_seconds, hop_seconds)
        speeches = [self._speech_or_none(audio[start:end]) for start, end in spans]
        predictions = iter(self._predict([speech for speech in speeches if speech]))
        return [
            TimedPrediction(start / SAMPLE_RATE, end / SAMPLE_RATE, next(predictions) if speech else None)
            for (start, end), speech in zip(spans, speeches, strict=True)
        ]

    def _prepare_or_error(self, source: AudioSource) -> Speech | SERError:
        try:
            return self.prepare(*read_audio(source))
        except SERError as error:
            return error

    def _speech_or_none(self, audio: np.ndarray) -> Speech | None:
        try:
            return self.prepare(audio)
        except NoSpeechError:
            return None

    def _predict(self, speeches: Sequence[Speech]) -> list[Prediction]:
        """Predictions of prepared speech; long ones are cut into windows, and all windows share batches."""
        pieces = [_pieces(speech.waveform) for speech in speeches]
        flat = [piece for group in pieces for piece in group]
        rows = [self._probabilities(flat[start : start + BATCH_SIZE]) for start in range(0, len(flat), BATCH_SIZE)]
        probabilities = np.concatenate(rows) if rows else np.zeros((0, len(EMOTIONS)))
        ends = np.cumsum([len(group) for group in pieces])
        return [
            self._prediction(speech, probabilities[end - len(group) : end].mean(axis=0), len(group))
            for speech, group, end in zip(speeches, pieces, ends, strict=True)
        ]

    def _prediction(self, speech: Speech, probabilities: np.ndarray, n_windows: int) -> Prediction:
        warnings = list(speech.warnings)
        if n_windows > 1:
            warnings.append(
                f"{speech.seconds:.0f} s of speech are longer than the clips this model knows: "
                f"this is the average over {n_windows} windows of {WINDOW_SECONDS:g} s."
            )
        named = dict(zip(EMOTIONS, (float(p) for p in probabilities), strict=True))
        return Prediction(named, tuple(warnings), speech, self.config.name, self.min_confidence)

    def inputs(self, speech: Speech) -> dict[str, np.ndarray]:
        """What the network gets for this speech, see `ser_core.features.inputs.network_inputs`."""
        return self._inputs(speech.waveform)

    def _inputs(self, waveform: np.ndarray) -> dict[str, np.ndarray]:
        names = MODELS[self.config.model].inputs
        return network_inputs(waveform, names, self.config.form, self.config.features)

    def _probabilities(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        arrays = [self._inputs(waveform) for waveform in waveforms]
        arguments: dict[str, Tensor] = {}
        for name in arrays[0]:
            clips = [torch.from_numpy(array[name]) for array in arrays]
            if self.config.form == "variable":
                arguments[f"{name}_lengths"] = lengths = torch.tensor([clip.shape[-1] for clip in clips])
                clips = [nn.functional.pad(clip, (0, int(lengths.max()) - clip.shape[-1])) for clip in clips]
            arguments[name] = torch.stack(clips)
        with torch.inference_mode():
            return (self.model(**arguments) / self.config.temperature).softmax(1).numpy()


def _pieces(waveform: np.ndarray) -> list[np.ndarray]:
    if len(waveform) <= LONGEST_CLIP_SECONDS * SAMPLE_RATE:
        return [waveform]
    return [waveform[start:end] for start, end in window_spans(len(waveform), WINDOW_SECONDS, HOP_SECONDS)]

"""Audio in, emotion out.

python -m ser_core.predict FILE… [--checkpoint NAME] [--format table|json|csv]

predictor = Predictor.load("lr0.001-SiLU-2D")
prediction = predictor("speech.wav")
prediction.answer  # the emotion, or "unsure"
prediction.emotion, prediction.confidence, prediction.probabilities
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from torch import nn

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.decode import Recording
from ser_core.audio.limit import Limit
from ser_core.audio.mono import PART_SECONDS, mono_parts
from ser_core.audio.preprocess import Detect, Speech, detect_speech, preprocess
from ser_core.audio.source import AudioSource, is_samples, several
from ser_core.emotions import EMOTIONS
from ser_core.errors import CheckpointError, ConfigError, SERError
from ser_core.records.checkpoints import CheckpointConfig, checkpoint_folder, checkpoints_dir, load_model
from ser_core.records.embedding import EmbeddingStatistics, load_statistics
from ser_core.serving.adaptation import Adaptation, learn_from
from ser_core.serving.arguments import inputs_of
from ser_core.serving.following import Following
from ser_core.serving.forward import forward
from ser_core.serving.outputs import Outputs
from ser_core.serving.pieces import BATCH_SIZE, batches, is_average, pieces, warned_if_short
from ser_core.serving.prediction import (
    HOP_SECONDS,
    MIN_CONFIDENCE,
    WINDOW_SECONDS,
    Prediction,
    TimedPrediction,
    require_probability,
)
from ser_core.serving.progress import Heard, HeardOf, share_of, unheard
from ser_core.serving.voice import require_voice
from ser_core.serving.windows import timed_predictions
from ser_core.workers import cores


class Predictor:
    """A trained model with its own preprocessing: from any audio to probabilities. Safe to share between threads.

    Args:
        config: the checkpoint's description.
        model: its network, in evaluation mode, on the CPU.
        statistics: of its embeddings in training, which `adapt` needs.
        adaptation: to a speaker, see `adapt`.
        min_confidence: below this probability of the likeliest emotion the answer is "unsure"; 0 (never) to 1.
        max_seconds: what lasts longer is refused, > 0; None for what the setting says, see `ser_core.audio.limit`.
        any_sound: classify recordings even where no voice is recognised, as in some shouts.

    Raises:
        ConfigError: `min_confidence` or `max_seconds` is out of its range.
    """

    def __init__(
        self,
        config: CheckpointConfig,
        model: nn.Module,
        statistics: EmbeddingStatistics | None = None,
        adaptation: Adaptation | None = None,
        *,
        min_confidence: float = MIN_CONFIDENCE,
        max_seconds: float | None = None,
        any_sound: bool = False,
    ):
        self.config = config
        self.min_confidence = require_probability(min_confidence)
        self.max_seconds = Limit(max_seconds).seconds
        self.any_sound = any_sound
        self.model = model.eval().requires_grad_(False)
        self.statistics = statistics
        self.adaptation = adaptation
        self.detect: Detect = detect_speech  # or what remembers what it found, see `ser_core.audio.detections`

    @staticmethod
    def load(
        checkpoint: str | None = None,
        *,
        root: str | Path | None = None,
        min_confidence: float = MIN_CONFIDENCE,
        max_seconds: float | None = None,
        any_sound: bool = False,
    ) -> Predictor:
        """Load a checkpoint by name, or the best that can be used (`ser_core.records.checkpoints`).

        Args:
            root: the folder of checkpoints, see `ser_core.records.checkpoints.checkpoints_dir`.
            min_confidence, max_seconds, any_sound: see `Predictor`.

        Raises:
            CheckpointError: there is no such checkpoint, or it is damaged.
            ConfigError: `min_confidence` or `max_seconds` is out of its range.
        """
        root = Path(root) if root else checkpoints_dir()
        folder = checkpoint_folder(root, checkpoint)
        model, statistics = load_model(folder), load_statistics(folder)
        predictor = Predictor(*model, statistics, min_confidence=min_confidence, max_seconds=max_seconds)
        predictor.any_sound = any_sound
        return predictor

    def __call__(self, source: AudioSource, *, sample_rate: int | None = None, heard: Heard = unheard) -> Prediction:
        """Classify one recording.

        More than 6 s of speech, longer than anything the models were trained on, are classified in windows of 3 s
        whose probabilities are averaged. A recording of more than 5 minutes is read and classified part by part, in
        windows that don't overlap: it takes no more memory than a short one.

        Args:
            source: a path, bytes, a binary file, or samples of any kind, see `ser_core.audio.source.AudioSource`.
            sample_rate: of samples, in Hz.
            heard: is told how much of a long recording is classified already, see `ser_core.serving.progress`.

        Raises:
            AudioError: the audio can't be read.
            NoSpeechError: it is silent, holds under 0.2 s of speech, or no voice is recognised in it.
        """
        result = self._hear(source, sample_rate, heard)
        return result if isinstance(result, Prediction) else self.classify_speeches([result], heard)[0]

    def classify(
        self, audio: np.ndarray, warnings: Sequence[str] = (), *, any_sound: bool = False, heard: Heard = unheard
    ) -> Prediction:
        """The same for float32 `[samples]` at 16 kHz, as `ser_core.audio.preprocess.load_audio` returns it.

        Args:
            warnings: what is known to be wrong with the recording, see `ser_core.audio.preprocess.read_audio`.
            any_sound: see `Predictor`.
            heard: see `Predictor.__call__`.
        """
        return self._whole(self.follow(audio, warnings, any_sound=any_sound), heard)

    def follow(self, audio: np.ndarray, warnings: Sequence[str] = (), *, any_sound: bool = False) -> Following:
        """The same, a few windows a step, with all that is known so far: see `ser_core.serving.following`."""
        size = PART_SECONDS * SAMPLE_RATE
        parts = (audio[start : start + size] for start in range(0, max(1, len(audio)), size))
        hop_seconds = HOP_SECONDS if len(audio) <= size else WINDOW_SECONDS
        return Following(self, parts, hop_seconds, warnings, any_sound=any_sound)

    def classify_speech(self, speech: Speech) -> Prediction:
        """The same for speech that was prepared already, with this model's preprocessing."""
        return self.classify_speeches([speech])[0]

    def prepare(self, audio: np.ndarray, warnings: Sequence[str] = (), *, any_sound: bool = False) -> Speech:
        """The speech in `[samples]` at 16 kHz, with this model's preprocessing.

        Raises:
            NoSpeechError: there is none, or under 0.2 s; or no voice is recognised in it, unless `any_sound` will do.
        """
        speech = preprocess(audio, self.config.audio, warnings, self.detect).require()
        return speech if any_sound or self.any_sound else require_voice(speech, self.config.audio)

    def classify_many(
        self,
        sources: Iterable[AudioSource],
        *,
        sample_rate: int | None = None,
        threads: int | None = None,
        heard: HeardOf | None = None,
    ) -> Iterator[Prediction | SERError]:
        """Classify recordings one after another, faster than one by one: in order, errors in place of predictions.

        Args:
            sources: recordings of any kind, also mixed.
            sample_rate: of those that are samples without a rate, in Hz.
            threads: that read and prepare recordings, > 0; as many as cores by default.
            heard: is told the source and how many of its seconds are classified already, of each of more than 5
                minutes, by several threads at a time.

        Raises:
            AudioError: `sources` is one recording, not several.
            ConfigError: `threads` is no number of threads.
        """
        if threads is not None and not (isinstance(threads, int) and threads > 0):
            raise ConfigError(f"threads is a whole number above 0, not {threads!r}.")
        return self._classify_many(several(sources), sample_rate, threads, heard)

    def _classify_many(
        self, sources: Iterator[AudioSource], sample_rate: int | None, threads: int | None, heard: HeardOf | None
    ) -> Iterator[Prediction | SERError]:
        def hear(source: AudioSource) -> Speech | Prediction | SERError:
            rate = sample_rate if is_samples(source) else None
            try:
                return self._hear(source, rate, partial(heard, source) if heard else unheard)
            except SERError as error:
                return error

        with ThreadPoolExecutor(threads or cores()) as pool:
            while batch := list(itertools.islice(sources, BATCH_SIZE)):
                results = list(pool.map(hear, batch))
                predictions = iter(self.classify_speeches([item for item in results if isinstance(item, Speech)]))
                yield from (next(predictions) if isinstance(item, Speech) else item for item in results)

    def _hear(self, source: AudioSource, sample_rate: int | None, heard: Heard) -> Speech | Prediction:
        """The speech of a recording; of a long one, which isn't kept, what the model says about it."""
        recording = Recording(source, sample_rate=sample_rate, max_seconds=self.max_seconds)
        parts = mono_parts(recording)
        first, second = next(parts), next(parts, None)
        if second is None:
            return warned_if_short(self.prepare(first, recording.warnings))
        parts = itertools.chain((first, second), parts)
        return self._whole(Following(self, parts, WINDOW_SECONDS, recording.warnings), heard)

    def _whole(self, following: Following, heard: Heard) -> Prediction:
        """What the model says about a recording when all of it was heard."""
        for seconds in following:
            heard(seconds)
        return following.answer()

    def adapt(
        self, sources: Iterable[AudioSource], *, sample_rate: int | None = None, emotion: str | None = None
    ) -> Predictor:
        """A predictor for the voice, room and microphone of these recordings; this one stays as it is.

        What they have in common is brought to what training clips have in common. Nobody has to say which emotion is
        in them; the more emotions there are, the better. If all are in one, say which: otherwise it is taken for the
        voice, and taken away. Few recordings change little, see `ser_core.serving.adaptation`.

        Args:
            sources: recordings of one speaker, or of several that were made alike; those that can't be used are left
                out, and named in `adaptation.left_out` of what is returned.
            sample_rate: of arrays of samples, in Hz.
            emotion: that all recordings are in, as "neutral"; None if they are in several, or if it isn't known.

        Raises:
            CheckpointError: the checkpoint is older than adaptation, or than that to an emotion.
            ConfigError: `emotion` is none of the six.
            AudioError: `sources` is one recording, not a sequence of them.
            SERError: no recording can be used, and what is wrong with the first few.
        """
        adapted = copy.copy(self)
        adapted.adaptation = learn_from(self, several(sources), sample_rate, emotion)
        return adapted

    def embeddings(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        """What the network makes of speech before it is classified, and before any adaptation.

        Args:
            waveforms: of prepared speech, float32 `[samples]` each, at most 6 s long.

        Returns:
            float32 `[clips, width]`.

        Raises:
            CheckpointError: the network says nothing of an embedding.
        """
        embeddings = self.outputs(waveforms).embeddings
        if embeddings is None:
            raise CheckpointError(f"The network of checkpoint {self.config.name} has no embedding.")
        return embeddings

    def timeline(
        self,
        audio: np.ndarray,
        *,
        window_seconds: float = WINDOW_SECONDS,
        hop_seconds: float = HOP_SECONDS,
        heard: Heard = unheard,
    ) -> list[TimedPrediction]:
        """Classify overlapping windows of float32 `[samples]` at 16 kHz.

        Raises:
            ConfigError: `window_seconds` or `hop_seconds` is under 0.001, or no number.
        """
        return list(timed_predictions(self, [audio], window_seconds, hop_seconds, heard))

    def classify_speeches(self, speeches: Sequence[Speech], heard: Heard = unheard) -> list[Prediction]:
        """Predictions of prepared speech; long ones are cut into windows, and all windows share batches."""
        groups = [pieces(speech.waveform) for speech in speeches]
        seconds = sum(len(speech.audio) for speech in speeches) / SAMPLE_RATE
        outputs = self.outputs([piece for group in groups for piece in group], share_of(seconds, heard))
        ends = np.cumsum([len(group) for group in groups])
        return [
            self.prediction(
                speech,
                outputs.part(end - len(group), end).mean(),
                [*speech.warnings, *is_average(speech.seconds, len(group))],
            )
            for speech, group, end in zip(speeches, groups, ends, strict=True)
        ]

    def prediction(self, speech: Speech, outputs: Outputs, warnings: Sequence[str]) -> Prediction:
        """Of what the network says about it, one row."""
        named = dict(zip(EMOTIONS, map(float, outputs.probabilities[0]), strict=True))
        embedding = None if outputs.embeddings is None else outputs.embeddings[0]
        return Prediction(
            named,
            tuple(warnings),
            speech,
            self.config.name,
            self.min_confidence,
            embedding=embedding,
            adapted_to=self.adaptation.n_clips if self.adaptation else 0,
        )

    def inputs(self, speech: Speech) -> dict[str, np.ndarray]:
        """What the network gets for this speech, see `ser_core.features.inputs.network_inputs`."""
        return inputs_of(speech.waveform, self.config)

    def outputs(self, waveforms: Sequence[np.ndarray], done: Callable[[float], None] = unheard) -> Outputs:
        """What the network says about prepared speech, batch by batch; `done` is told which share of it is there."""
        outputs: list[Outputs] = []
        groups = batches(waveforms)
        for batch in groups:
            outputs.append(forward(self.model, self.config, self.adaptation, batch))
            done(len(outputs) / len(groups))
        return Outputs.joined(outputs)

"""Corpus to cached features on all cores, against a plain script that calls librosa feature by feature.

The plain script is what one writes first: one process, one clip after the other, every function on the waveform. Both
use the same voice activity detection, so that they must give the same numbers.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import librosa
import numpy as np
from PIL import Image

from benchmarks import open_corpus
from ser_core.audio.preprocess import AudioConfig
from ser_core.audio.vad import ENERGY_FRAME_LENGTH, ENERGY_HOP_LENGTH
from ser_core.corpus.clips import Clip
from ser_core.corpus.folder import Corpus
from ser_core.features.cache import load_features

ENERGY = AudioConfig(vad="energy")


def plain(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """27 × 301 features and 64 × 64 image of one clip, librosa call by librosa call."""
    audio, rate = librosa.load(path, sr=16_000, mono=True)
    intervals = librosa.effects.split(
        audio, top_db=ENERGY.vad_top_db, frame_length=ENERGY_FRAME_LENGTH, hop_length=ENERGY_HOP_LENGTH
    )
    speech = np.concatenate([audio[start:end] for start, end in intervals])
    speech = (speech - speech.mean()) / speech.std()
    spectral = np.concatenate(
        [
            librosa.feature.zero_crossing_rate(speech, frame_length=512, hop_length=160),
            librosa.feature.chroma_stft(y=speech, sr=rate, n_fft=512, hop_length=160, tuning=0.0),
            librosa.feature.mfcc(y=speech, sr=rate, n_mfcc=13, n_fft=512, hop_length=160, n_mels=40),
            librosa.feature.rms(y=speech, frame_length=512, hop_length=160),
        ]
    )
    spectral = librosa.util.fix_length(spectral, size=301, axis=1)
    mel = librosa.feature.melspectrogram(y=speech, sr=rate, n_fft=1024, hop_length=256, n_mels=64, fmax=8_000)
    scaled = librosa.power_to_db(mel, ref=np.max) / 80 + 1
    image = Image.fromarray(scaled.astype(np.float32)).resize((64, 64), Image.Resampling.BILINEAR)
    return spectral.astype(np.float32), np.asarray(image)


def cached(clips: list[Clip], corpus: Corpus, audio: AudioConfig) -> tuple[float, dict[str, np.ndarray]]:
    """Seconds that a fresh cache of both inputs takes, and its content."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        features = load_features(corpus, ("spectral", "mel"), clips=clips, audio=audio, cache_dir=Path(folder))
        return time.perf_counter() - started, {name: values.stack() for name, values in features.items()}


def main() -> None:
    """Print clips a second of both, their ratio and the largest difference."""
    corpus, clips = open_corpus()
    plain(corpus.path(clips[0]))  # librosa compiles itself on its first calls: that is not counted

    started = time.perf_counter()
    expected = [plain(corpus.path(clip)) for clip in clips]
    plain_seconds = time.perf_counter() - started
    ours_seconds, ours = cached(clips, corpus, ENERGY)
    print(f"plain librosa script, one process   {len(clips) / plain_seconds:7.1f} clips/s")
    print(f"load_features, {os.cpu_count()} processes          {len(clips) / ours_seconds:7.1f} clips/s")
    print(f"ratio                               {plain_seconds / ours_seconds:7.1f} x")
    spectral_error = max(np.abs(a - b).max() for a, (b, _) in zip(ours["spectral"], expected, strict=True))
    image_error = max(np.abs(a[0] - b).max() for a, (_, b) in zip(ours["mel"], expected, strict=True))
    print(f"largest difference: spectral {spectral_error:.1e} (MFCC reach hundreds), mel image {image_error:.1e}")
    seconds, _ = cached(clips, corpus, AudioConfig())
    print(f"all {len(clips):,} clips with the default, neural voice activity detection: {seconds:.1f} s")


if __name__ == "__main__":
    main()

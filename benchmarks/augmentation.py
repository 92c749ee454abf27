"""What training on changed copies of the clips costs: time with them and SpecAugment, over time without.

Copies are computed once, before the first epoch, and kept; an epoch takes one of them. So both are measured by
themselves, on the same clips, one after the other, and added up for a whole training of the usual length.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks import open_corpus
from ser_core.audio.preprocess import AudioConfig
from ser_core.corpus.clips import Clip
from ser_core.corpus.folder import Corpus
from ser_core.emotions import EMOTIONS
from ser_core.errors import SERError
from ser_core.features.feature_set import FeatureSet
from ser_core.models.pretrained import load_encoder
from ser_core.models.registry import MODELS
from ser_core.training.allocator import keep_freed_memory
from ser_core.training.batches import ClipTensors, load_inputs
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.device import Device
from ser_core.training.trainer import Trainer

FEATURE_CLIPS, EPOCH_CLIPS, ROUNDS = 1000, 192, 3
WHOLE_PART = 4948  # clips that the report's split trains on
CONFIGS = (
    TrainConfig(model="2d", activation="silu", audio=AudioConfig(pipeline="voice"), copies=8, spec_augment=2),
    usual_config("whisper-base"),
)
"""As docs/training.md has them for recordings of any origin."""


def features(
    corpus: Corpus, clips: Sequence[Clip], config: TrainConfig, copy: int | None = None
) -> tuple[dict[str, FeatureSet], float]:
    """Of the clips as they are or of a changed copy, computed anew, and the seconds that took."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        found = load_inputs(config, clips, corpus, copy=copy, cache_dir=Path(folder))
        return found, time.perf_counter() - started


def trainer(config: TrainConfig, clips: Sequence[Clip], inputs: dict[str, FeatureSet], device: Device) -> Trainer:
    """Of some clips only, of which one is validated."""
    of_some = {name: FeatureSet.join([found[i] for i in range(EPOCH_CLIPS)]) for name, found in inputs.items()}
    labels = [EMOTIONS.index(clip.emotion) for clip in clips[:EPOCH_CLIPS]]
    data = ClipTensors(of_some, labels, config.form, device.device)
    return Trainer(config, data, range(EPOCH_CLIPS), range(1), device)


def main() -> None:
    """Print clips a second, and how long a whole training takes, with and without."""
    keep_freed_memory()
    corpus, present = open_corpus()
    clips = [clip for clip in present if clip.report_split == "train"][:FEATURE_CLIPS]
    device = Device.choose("cpu")
    print(f"{os.cpu_count()} processes for features, {device.label} for epochs; median of {ROUNDS} alternating rounds")
    for config in CONFIGS:
        try:
            if MODELS[config.model].pretrained:
                load_encoder(config.model)
        except SERError as error:
            sys.exit(f"error: {error}")
        plain, plain_seconds = features(corpus, clips, config)
        changed, changed_seconds = features(corpus, clips, config, copy=0)
        without = trainer(replace(config, copies=0, spec_augment=0), clips, plain, device)
        with_changes = trainer(config, clips, changed, device)
        rounds = [(without.run_epoch().seconds, with_changes.run_epoch().seconds) for _ in range(ROUNDS)]
        epochs = [median(seconds) for seconds in zip(*rounds, strict=True)]
        once, copies = (WHOLE_PART / FEATURE_CLIPS * seconds for seconds in (plain_seconds, changed_seconds))
        whole = [once + config.epochs * WHOLE_PART / EPOCH_CLIPS * seconds for seconds in epochs]
        whole[1] += config.copies * copies
        print(
            f"{config.model:12}  features: {FEATURE_CLIPS / plain_seconds:.0f} clips/s, of changed copies "
            f"{FEATURE_CLIPS / changed_seconds:.0f} clips/s; epochs: {EPOCH_CLIPS / epochs[0]:.1f} clips/s without, "
            f"{EPOCH_CLIPS / epochs[1]:.1f} with\n{'':12}  {WHOLE_PART:,} clips, {config.epochs} epochs, "
            f"{config.copies} copies: {whole[0] / 60:.1f} min without, {whole[1] / 60:.1f} min with "
            f"({whole[1] / whole[0]:.2f} x)",
            flush=True,
        )


if __name__ == "__main__":
    main()

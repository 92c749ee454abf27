"""Statistics for checkpoints that are older than adaptation: `python tools/embedding_statistics.py NAME…`.

It needs the corpus, of which it hears a thousand clips: that takes two minutes for a large network. Training writes the
same by itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from ser_core.corpus.clips import by_name  # noqa: E402
from ser_core.corpus.folder import Corpus  # noqa: E402
from ser_core.corpus.splits import load_split  # noqa: E402
from ser_core.emotions import EMOTIONS  # noqa: E402
from ser_core.features.cache import load_features  # noqa: E402
from ser_core.models.registry import MODELS  # noqa: E402
from ser_core.records.checkpoints import checkpoints_dir, load_model  # noqa: E402
from ser_core.records.embedding import save_statistics  # noqa: E402
from ser_core.training.batches import ClipTensors  # noqa: E402
from ser_core.training.embedding import embedding_statistics, some_of  # noqa: E402


def main() -> None:
    """Write `embedding.safetensors` into the folders of the checkpoints that are named."""
    for name in sys.argv[1:]:
        folder = checkpoints_dir() / name
        config, model = load_model(folder)
        names = load_split(config.provenance["train"]["split"]).train
        clips = by_name([names[i] for i in some_of(len(names)).tolist()])
        inputs = load_features(
            Corpus.open(),
            MODELS[config.model].inputs,
            form=config.form,
            audio=config.audio,
            features=config.features,
            clips=clips,
        )
        labels = [EMOTIONS.index(clip.emotion) for clip in clips]
        data = ClipTensors(inputs, labels, config.form, torch.device("cpu"))
        statistics = embedding_statistics(model, data, torch.arange(len(clips)))
        if statistics is None:
            sys.exit(f"error: {name} has no embedding.")
        save_statistics(folder, statistics)
        print(f"{name}: {len(statistics.mean)} numbers")


if __name__ == "__main__":
    main()

"""What checkpoints of older versions lack, added to them: `python tools/renew_checkpoints.py NAME…`.

The statistics that adaptation needs, the temperature that makes probabilities believable, and a model card of today's
form. The record, which holds the test clips' probabilities, follows. It needs the corpus, and takes a minute for a
large network once the features are in the cache. Training writes the same by itself. A map has to be drawn again, with
`ser map`: it holds model scores, which the temperature changes.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from ser_core.command import friendly_errors  # noqa: E402
from ser_core.corpus.clips import by_name  # noqa: E402
from ser_core.corpus.folder import Corpus  # noqa: E402
from ser_core.corpus.splits import load_split  # noqa: E402
from ser_core.emotions import EMOTIONS  # noqa: E402
from ser_core.features.cache import load_features  # noqa: E402
from ser_core.models.registry import MODELS  # noqa: E402
from ser_core.records.checkpoints import checkpoints_dir, load_model, save_checkpoint  # noqa: E402
from ser_core.records.model_card import model_card  # noqa: E402
from ser_core.records.predictions import PROBABILITY_DECIMALS  # noqa: E402
from ser_core.records.runs import RUNS_DIR, load_run, write_result  # noqa: E402
from ser_core.training.batches import ClipTensors  # noqa: E402
from ser_core.training.calibration import fit_temperature, probabilities  # noqa: E402
from ser_core.training.device import Device, full_precision  # noqa: E402
from ser_core.training.embedding import embedding_statistics  # noqa: E402
from ser_core.training.trainer import predict_logits  # noqa: E402

SMALLEST = 0.5 * 10**-PROBABILITY_DECIMALS  # what a probability that a record rounds to 0 may have been


@friendly_errors()
def main() -> None:
    """Renew the checkpoints that are named, and their records."""
    for name in sys.argv[1:]:
        print(f"{name}: temperature {renew(name)}")


def renew(name: str) -> float:
    """Bring a checkpoint and its record to today's form.

    Returns:
        its temperature.
    """
    folder, run = checkpoints_dir() / name, load_run(RUNS_DIR / name)
    config, model = load_model(folder)
    split = load_split(run.train.split)
    clips = by_name((*split.train, *split.val))
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
    train, val = torch.arange(len(clips)).split([len(split.train), len(split.val)])
    with torch.inference_mode():
        logits = predict_logits(model, data, val, full_precision(Device.choose("cpu")))
    temperature = fit_temperature(logits, data.labels[val])

    # The record's probabilities are of one temperature and get another: its answers stay, and so do its figures.
    before = run.predictions()
    found = torch.tensor(before.probabilities).clamp(min=SMALLEST).log() * run.test.temperature
    predictions = replace(before, probabilities=probabilities(found, temperature).numpy())
    write_result(run.folder, predictions, replace(run.test, temperature=temperature))
    renewed = load_run(run.folder)
    provenance = {**asdict(renewed.config), "test": asdict(renewed.test)}
    save_checkpoint(
        folder,
        replace(config, temperature=temperature, provenance=provenance),
        load_file(folder / "model.safetensors"),
        model_card(renewed, split),
        embedding_statistics(model, data, train),
    )
    return temperature


if __name__ == "__main__":
    main()

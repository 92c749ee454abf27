"""Write what the shipped checkpoints say of twenty real clips: `python tools/pin_probabilities.py CLIPS_DIR`.

CLIPS_DIR holds wav files of CREMA-D; some of them, spread over the names, are taken. `tests/serving/test_pinned.py`
compares what is computed later, on other machines and with other libraries: run this after a checkpoint has changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from ser_core.command import friendly_errors  # noqa: E402
from ser_core.corpus.clips import load_index  # noqa: E402
from ser_core.corpus.folder import Corpus  # noqa: E402
from ser_core.files import write_text  # noqa: E402
from ser_core.records.checkpoints import CHECKPOINTS_DIR, list_checkpoints  # noqa: E402
from ser_core.serving.predictor import Predictor  # noqa: E402

PINNED = ROOT / "tests" / "serving" / "pinned.json"
CLIPS = 20
DECIMALS = 5


def said_of(checkpoint: str, corpus: Corpus, names: list[str]) -> dict[str, list[float]]:
    """Probabilities of each clip, in the order of `EMOTIONS`."""
    predictor = Predictor.load(checkpoint, root=CHECKPOINTS_DIR)
    found = (predictor.classify(corpus.load(name), any_sound=True) for name in names)
    return {
        name: [round(p, DECIMALS) for p in prediction.probabilities.values()]
        for name, prediction in zip(names, found, strict=True)
    }


@friendly_errors()
def main() -> None:
    """Write the table."""
    corpus = Corpus(Path(sys.argv[1]))
    present = [name for name, clip in load_index().items() if name in corpus.present and not clip.defect]
    names = present[:: len(present) // CLIPS][:CLIPS]
    pinned = {checkpoint: said_of(checkpoint, corpus, names) for checkpoint in list_checkpoints(CHECKPOINTS_DIR)}
    rows = [
        f' "{checkpoint}": {{\n' + ",\n".join(f'  "{name}": {json.dumps(row)}' for name, row in said.items()) + "\n }"
        for checkpoint, said in pinned.items()
    ]
    write_text(PINNED, "{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()

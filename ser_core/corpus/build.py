"""Build the shipped index from the official tables: `python -m ser_core.cremad index CSV_DIR`.

CSV_DIR holds `VideoDemographics.csv` and `tabulatedVotes.csv` of the official repository, and `sha256.csv`: a table
`file,sha256,bytes` of its `AudioWAV` folder. The result is two small tables under `ser_core/corpus/data/`.
"""

from __future__ import annotations

import csv
from pathlib import Path

from ser_core.checksums import write_sums
from ser_core.corpus.clips import DATA_DIR, load_actors, load_index
from ser_core.corpus.names import parse_name
from ser_core.corpus.splits import listing_4
from ser_core.errors import CorpusError

MODALITIES = {"1": "voice", "2": "face", "3": "both"}  # first digit of the row id in tabulatedVotes.csv
VOTE_COLUMNS = ("A", "D", "F", "H", "N", "S")  # the order of EMOTIONS


def build_index(csv_dir: Path, out_dir: Path = DATA_DIR) -> int:
    """Write `clips.csv` and `actors.csv` to `out_dir`; returns the number of clips.

    Raises:
        CorpusError: a table is missing.
    """
    wavs = {Path(row["file"]).stem: row for row in _read(csv_dir / "sha256.csv")}
    votes: dict[str, dict[str, str]] = {name: {} for name in wavs}
    for row in _read(csv_dir / "tabulatedVotes.csv"):
        votes[row["fileName"]][MODALITIES[row[""][0]]] = " ".join(row[column] for column in VOTE_COLUMNS)

    names = sorted(wavs)
    split = listing_4(names, [parse_name(name).emotion for name in names])
    _write(
        out_dir / "clips.csv",
        ("name", "bytes", "split", "voice", "face", "both", "sha256"),
        [
            (
                name,
                wavs[name]["bytes"],
                split[name],
                *(votes[name][m] for m in MODALITIES.values()),
                wavs[name]["sha256"],
            )
            for name in names
        ],
    )
    _write(
        out_dir / "actors.csv",
        ("actor", "age", "sex", "race", "ethnicity"),
        [
            (row["ActorID"], row["Age"], row["Sex"].lower(), row["Race"], row["Ethnicity"])
            for row in _read(csv_dir / "VideoDemographics.csv")
        ],
    )
    write_sums(out_dir, ("actors.csv", "clips.csv"))
    load_actors.cache_clear()
    load_index.cache_clear()
    return len(names)


def _read(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as table:
            return list(csv.DictReader(table))
    except FileNotFoundError:
        raise CorpusError(f"{path} does not exist: the index is built from the official tables beside it.") from None


def _write(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)

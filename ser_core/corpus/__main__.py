"""`python -m ser_core.cremad`: download, check and index the corpus."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from ser_core.command import friendly_errors
from ser_core.corpus.clip_file import damage_of, how_to_replace
from ser_core.corpus.clips import load_index
from ser_core.corpus.folder import CORPUS_VARIABLE, Corpus
from ser_core.errors import CorpusError

LISTED = 10  # of the damaged clips


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m ser_core.cremad", description="The CREMA-D corpus.")
    commands = parser.add_subparsers(dest="command", required=True)
    download = commands.add_parser("download", help="get clips from the official repository; run again to go on")
    download.add_argument("--sample", type=int, metavar="N", help="only N clips, balanced over the emotions")
    download.add_argument(
        "--to", metavar="DIR", help=f"folder for the clips (default: ${CORPUS_VARIABLE} or the user's cache)"
    )
    check = commands.add_parser("check", help="compare the clips in a folder with the official checksums")
    check.add_argument("folder", nargs="?", metavar="DIR")
    index = commands.add_parser("index", help="rebuild the shipped index from the official tables")
    index.add_argument("csv_dir", type=Path, metavar="CSV_DIR")
    return parser.parse_args(arguments)


@friendly_errors()
def main(arguments: list[str] | None = None) -> None:
    """Do what the command line says."""
    args = parse_arguments(arguments)
    match args.command:
        case "download":
            _download(Corpus.open(args.to), args.sample)
        case "check":
            _check(Corpus.open(args.folder))
        case "index":
            from ser_core.corpus.build import build_index

            print(f"{build_index(args.csv_dir):,} clips indexed.")


def _download(corpus: Corpus, sample: int | None) -> None:
    from tqdm import tqdm

    from ser_core.corpus.download import fetch_clips, sample_clips

    clips = sample_clips(sample) if sample is not None else list(load_index().values())
    with tqdm(total=sum(clip.n_bytes for clip in clips), unit="B", unit_scale=True, desc="CREMA-D") as bar:
        fetch_clips(clips, corpus, lambda clip: bar.update(clip.n_bytes))
    print(f"{len(clips):,} clips are in {corpus.folder}.")


def _check(corpus: Corpus) -> None:
    clips = [clip for clip in load_index().values() if clip.name in corpus.present]
    if not clips:
        raise CorpusError(f"There are no CREMA-D clips in {corpus.folder}.")
    damaged = {clip.filename: damage for clip in clips if (damage := _damage(corpus.path(clip), clip.sha256))}
    print(f"{len(clips):,} of {len(load_index()):,} clips are in {corpus.folder}.")
    for clip in clips:
        if clip.defect:
            print(f"known defect of the official data: {clip.name}: {clip.defect}")
    if damaged:
        for name, damage in list(damaged.items())[:LISTED]:
            print(f"{name} {damage}")
        if len(damaged) > LISTED:
            print(f"and {len(damaged) - LISTED:,} more")
        advice = how_to_replace(corpus.folder, next(iter(damaged.values())))
        raise CorpusError(f"{len(damaged):,} differ from the official checksum. {advice}")
    print("All of them have their official checksum.")


def _damage(path: Path, sha256: str) -> str | None:
    """What is wrong with a clip's file, to follow its name in a sentence; None if it is the official one."""
    try:
        official = hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        official = False
    return None if official else damage_of(path) or "is not the official file"


if __name__ == "__main__":
    main()

"""Download, check and index CREMA-D, and describe any corpus: `ser corpus`, `python -m ser_core.cremad`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg, subcommand

from ser_core.command import friendly_errors
from ser_core.command_line import CorpusFolder, Labels, parse
from ser_core.corpus.clip_file import damage_of, how_to_replace
from ser_core.corpus.clips import load_index
from ser_core.corpus.folder import Corpus
from ser_core.errors import CorpusError

LISTED = 10  # of the damaged clips


PROG = "ser corpus"


@dataclass(frozen=True)
class Download:
    """Get clips from the official repository or a mirror; run it again to go on.

    Attributes:
        sample: only so many clips, balanced over the emotions.
        to: folder for the clips.
    """

    sample: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: all clips)")] = None
    to: CorpusFolder = None


@dataclass(frozen=True)
class Check:
    """Compare the clips in a folder with the official checksums.

    Attributes:
        folder: the one with the wav files.
    """

    folder: Positional[Annotated[CorpusFolder, arg(metavar="[DIR]")]] = None


@dataclass(frozen=True)
class Index:
    """Rebuild the shipped index from the official tables.

    Attributes:
        csv_dir: folder with VideoDemographics.csv, tabulatedVotes.csv and sha256.csv.
    """

    csv_dir: Positional[Annotated[Path, arg(metavar="CSV_DIR")]]


@dataclass(frozen=True)
class Describe:
    """Say what a corpus of any kind holds: CREMA-D, RAVDESS, EMO-DB, TESS, SAVEE, a table, or a folder an emotion.

    Attributes:
        path: its folder, or a table in CSV with the columns file and emotion, and maybe speaker and sex.
        labels: what labels mean, beside what they usually do.
    """

    path: Positional[Annotated[Path, arg(metavar="PATH")]]
    labels: Labels = None


COMMANDS = (
    Annotated[Download, subcommand("download")]
    | Annotated[Check, subcommand("check")]
    | Annotated[Describe, subcommand("describe")]
    | Annotated[Index, subcommand("index")]
)


def parse_arguments(arguments: Sequence[str] | None = None, prog: str = PROG) -> Download | Check | Describe | Index:
    """The command line.

    Raises:
        CorpusError: a sample of more clips than there are, or of none.
    """
    args = parse(
        COMMANDS, arguments, prog=prog, description="Download, check and index CREMA-D, or describe any corpus."
    )
    if isinstance(args, Download) and args.sample is not None:
        from ser_core.corpus.download import sample_clips

        sample_clips(args.sample)
    return args


@friendly_errors()
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> None:
    """Do what the command line says."""
    match parse_arguments(arguments, prog):
        case Download(sample, to):
            _download(Corpus.open(to), sample)
        case Check(folder):
            _check(Corpus.open(folder))
        case Describe(path, labels):
            from ser_core.corpus.describe import describe

            print("\n".join(describe(path, labels)))
        case Index(csv_dir):
            from ser_core.corpus.build import build_index

            print(f"{build_index(csv_dir):,} clips indexed.")


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
        raise CorpusError(f"There are no CREMA-D clips in {corpus.folder}.{corpus.whats_here()}")
    damaged = {clip.filename: damage for clip in clips if (damage := _damage(corpus.path(clip), clip.sha256))}
    print(f"{len(clips):,} of {len(load_index()):,} clips are in {corpus.folder}.")
    for clip in clips:
        if clip.defect:
            print(f"known defect of the official data: {clip.name}: {clip.defect}")
    for name, meant in list(corpus.misspelt().items())[:LISTED]:
        print(f"{name} is no clip of CREMA-D{f'; is it {meant}.wav?' if meant else '.'}")
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

"""Get the pretrained encoders that networks are trained from: `ser encoder`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ser_core.command import friendly_errors
from ser_core.command_line import choice, parse
from ser_core.models.pretrained import SOURCES, download_encoder, keep_encoder

PROG = "ser encoder"
HELP = """Get a pretrained encoder, for training.

    {prog} whisper-base                      from the Hugging Face hub
    {prog} whisper-base --file model.bin     from a file that is here already

Training does the first by itself. It is kept in $SER_ENCODERS_DIR, or the user's cache."""


@dataclass(frozen=True)
class EncoderCommand:
    """The command line.

    Attributes:
        name: of the network.
        file: the hub's model.safetensors, or the model.bin of a conversion for CTranslate2.
    """

    name: Positional[Annotated[choice(SOURCES), arg(help="of the network.")]]  # type: ignore[valid-type]
    file: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: the hub's)")] = None


def parse_arguments(arguments: Sequence[str] | None = None, prog: str = PROG) -> EncoderCommand:
    """The command line."""
    return parse(EncoderCommand, arguments, prog=prog, description=HELP.format(prog=prog))


@friendly_errors()
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> None:
    """Do what the command line says."""
    args = parse_arguments(arguments, prog)
    path = keep_encoder(args.name, args.file) if args.file else download_encoder(args.name)
    print(f"{args.name}: {path.stat().st_size / 1e6:.1f} MB, kept in {path}")

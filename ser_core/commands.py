"""The console command: `ser predict`, `ser corpus`, `ser train` and the others of `COMMANDS`.

Each is a module with a function `main(arguments, prog)`, which is imported when it is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from ser_core.command import output_never_fails

COMMANDS = {
    "predict": ("ser_core.serving.predict_command", "Say which emotion is heard in audio files."),
    "stream": ("ser_core.serving.stream_command", "Say which emotion is heard as a recording goes on."),
    "corpus": ("ser_core.corpus.command", "Download, check and index CREMA-D, or describe any corpus."),
    "evaluate": ("ser_core.evaluation.command", "Evaluate a checkpoint on a corpus of any kind, and record it."),
    "map": ("ser_core.evaluation.map_command", "Draw where a checkpoint puts its test clips."),
    "train": ("ser_core.training.command", "Train one configuration and record it."),
    "grid": ("ser_core.training.grid_command", "Train many configurations and record them all."),
    "encoder": ("ser_core.models.command", "Get a pretrained encoder, for training."),
}


@output_never_fails
def main(arguments: Sequence[str] | None = None, prog: str = "ser") -> None:
    """Do what the first argument says with the others."""
    name, *others = [*(sys.argv[1:] if arguments is None else arguments), ""]
    if name in COMMANDS:
        import_module(COMMANDS[name][0]).main(others[:-1], f"{prog} {name}")
    else:
        _help([name, *others][:-1], prog)


def _help(arguments: Sequence[str], prog: str) -> None:
    """Show all commands, or say that there is no such one, as each of them does."""
    from tyro.extras import subcommand_cli_from_dict

    stand_ins = {name: _stand_in(text) for name, (_, text) in COMMANDS.items()}
    subcommand_cli_from_dict(stand_ins, prog=prog, description="Speech emotion recognition on CREMA-D.", args=arguments)


def _stand_in(text: str) -> Callable[[], None]:
    def command() -> None: ...

    command.__doc__ = text
    return command

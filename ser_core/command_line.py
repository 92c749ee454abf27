"""What the project's command lines have in common: tyro makes each from a dataclass, with its docstring as help.

A field `sample_size: int = 3` of the dataclass is the flag `--sample-size`. Only commands import this: the library and
the app need no command line.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_type_hints

import tyro
from tyro.conf import DisallowNone, FlagCreatePairsOff, OmitArgPrefixes, UseAppendAction, arg

from ser_core.errors import ConfigError

T = TypeVar("T")

Switch = FlagCreatePairsOff[Annotated[bool, arg(help_behavior_hint="")]]
"""A flag that is there or not, without a `--no-` of its own."""

CheckpointName = Annotated[
    str | None, arg(metavar="NAME", help_behavior_hint="(default: the best on the validation clips)")
]
CorpusFolder = Annotated[
    Path | None, arg(metavar="DIR", help_behavior_hint="(default: $CREMAD_DIR, or the user's cache)")
]

Corpora = UseAppendAction[
    Annotated[tuple[Path, ...], arg(metavar="PATH", help_behavior_hint="(default: $CREMAD_DIR, or the user's cache)")]
]
"""May be given several times."""

Labels = Annotated[
    str | None, arg(metavar="joy=HAP,calm=NEU,…", help_behavior_hint="(default: what the usual words mean)")
]


def parse(
    kind: Any, arguments: Sequence[str] | None, *, prog: str | None = None, description: str | None = None
) -> Any:
    """What a command line says, as a dataclass, or one of several for subcommands; `--help` and mistakes end here.

    Args:
        kind: the dataclass.
        arguments: what follows the command's name; of this process if None.
        prog: the command's name, as it is typed.
        description: what `--help` says first, if not the dataclass's docstring.

    Raises:
        ConfigError: an argument is empty.
    """
    _refuse_empty(sys.argv[1:] if arguments is None else arguments)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(
                kind, prog=prog, description=description, args=arguments, config=(DisallowNone, OmitArgPrefixes)
            )
    finally:
        print(_in_a_line(said.getvalue()), end="", file=sys.stderr)


def _refuse_empty(arguments: Sequence[str]) -> None:
    """An empty name of a file would be the current folder."""
    flag = ""
    for argument in arguments:
        if argument.startswith("--"):
            flag = argument.removesuffix("=")
        if not argument or (argument.startswith("--") and argument.endswith("=")):
            after = f" after {flag}" if flag else ""
            raise ConfigError(
                f"The argument{after} is empty, as that of a shell's variable which isn't set. Fill it in."
            )


def _in_a_line(said: str) -> str:
    """What tyro says; in one line if a number is none, or a choice is none of those there are."""
    text = re.sub(r"\s+", " ", re.sub(r"\x1b\[[\d;]*m|[─│╭╮╰╯]", " ", said))
    found = re.search(r"Error parsing (\S+):.*? (int|float)\b.*?: ('.*?'|\".*?\") ", text)
    if found:
        flag, kind, value = found.groups()
        return f"error: {flag} takes a {'whole ' * (kind == 'int')}number, not {value}.\n"
    found = re.search(r"Error parsing (\S+): no type matching (\S.*?) could be instantiated from \[(.*?)\]\. ", text)
    if found:
        return _not_a_choice(found[1], re.split(r"\s*,\s*", found[2].strip("{}")), found[3])
    found = re.search(r"invalid choice (.*?) for argument '(\S+)'\. Expected one of \((.*?)\) ?\.", text)
    if found:
        return _not_a_choice(found[2], sorted(set(re.findall(r"'(.*?)'", found[3])) - {"None"}), found[1])
    return said


def _not_a_choice(flag: str, choices: Sequence[str], given: str) -> str:
    *some, last = choices
    return f"error: {flag} takes {', '.join(some)}{' or ' * bool(some)}{last}, not {given}.\n"


def choice(names: Iterable[str]) -> Any:
    """The type of a flag whose values are known when the command starts, as those of a registry."""
    return Literal[tuple(names)]


def flags_of(
    make: Callable[..., T],
    kind: type[Any],
    special: dict[str, Any],
    unset: Callable[[str, Any], str] | None = None,
) -> Callable[..., T]:
    """What tyro makes the flags of a dataclass from, if that is to know nothing of command lines.

    Args:
        make: is called with the fields' values, but for those that are None: the flags that weren't given and have no
            default of their own.
        kind: the dataclass.
        special: other types for some of its fields, annotated for tyro; those that may be None have None as default.
        unset: if given, no flag has a default: what `--help` says instead, of a field's name and its default.
    """
    hints = get_type_hints(kind) | {name: hint for name, hint in special.items() if name in get_type_hints(kind)}
    if unset:
        hints = {field.name: _unset(hints[field.name], field, unset) for field in fields(kind)}

    def construct(**values: Any) -> T:
        return make(**{key: value for key, value in values.items() if value is not None})

    for name, hint in hints.items():
        if not hasattr(hint, "__metadata__"):  # as tyro itself says it where a dataclass needs no constructor
            hints[name] = Annotated[hint, arg(help_behavior_hint=lambda default: f"(default: {default})")]
    construct.__doc__ = kind.__doc__
    construct.__annotations__ = hints
    parameters = []
    for field in fields(kind):
        default = None if _may_be_none(hints[field.name]) else field.default
        if default is MISSING:
            assert field.default_factory is not MISSING, f"{field.name} has no default"
            default = field.default_factory()
        annotated = {"default": default, "annotation": hints[field.name]}
        parameters.append(inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, **annotated))
    construct.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return construct


def _unset(hint: Any, field: Field[Any], unset: Callable[[str, Any], str]) -> Any:
    """The type of a flag without a default; what may be None already stays as it is."""
    if field.default is MISSING or _may_be_none(hint):
        return hint
    inner, *annotations = get_args(hint) if hasattr(hint, "__metadata__") else (hint,)
    said = arg(help_behavior_hint=f"(default: {unset(field.name, field.default)})")
    return Annotated[(inner | None, *annotations, said)]


def _may_be_none(hint: Any) -> bool:
    inner = getattr(hint, "__origin__", hint) if hasattr(hint, "__metadata__") else hint
    return type(None) in getattr(inner, "__args__", ())

"""Where the weights of pretrained encoders come from, and where they are kept.

Training takes them from the folder of encoders, and downloads what is missing there. A shipped checkpoint holds its
own, and needs none of this.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ser_core.errors import CheckpointError
from ser_core.fetch import fetch_file
from ser_core.files import replace_file
from ser_core.places import how_to_run

if TYPE_CHECKING:
    from torch import Tensor

ENCODERS_VARIABLE = "SER_ENCODERS_DIR"
"""Environment variable that says where encoders are kept."""

HUB_VARIABLE = "SER_HUB"
"""Environment variable with the address of another copy of the hub."""

HUB = "https://huggingface.co"


@dataclass(frozen=True)
class Source:
    """A model's file on the hub.

    Attributes:
        path: of the file, at one commit of its repository.
        sha256: of the file.
        megabytes: of the file; the encoder is a smaller part of it.
    """

    path: str
    sha256: str
    megabytes: int


SOURCES = {
    "whisper-base": Source(
        "openai/whisper-base/resolve/e37978b90ca9030d5170a5c07aadb050351a65bb/model.safetensors",
        "07cadb9f25677c8d50df603e66a98fbd842cce45047139baeb16e6219a1e807b",
        290,
    ),
    "whisper-tiny": Source(
        "openai/whisper-tiny/resolve/169d4a4341b33bc18d8881c4b69c2e104e1cc0af/model.safetensors",
        "7ebd0e69e78190ffe1438491fa05cc1f5c1aa3a4c4db3bc1723adbb551ea2395",
        151,
    ),
}
"""Encoders by the name of the network that has them; the licence of both is MIT."""


def encoders_dir() -> Path:
    """Where encoders are kept: `$SER_ENCODERS_DIR`, or a folder of the user's cache."""
    if configured := os.environ.get(ENCODERS_VARIABLE):
        return Path(configured).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("ser-cremad") / "encoders"


def encoder_file(name: str) -> Path:
    """Where the encoder of that name is, or would be."""
    return encoders_dir() / f"{name}.safetensors"


def have_encoder(name: str) -> Path:
    """Download an encoder if it is not there.

    Returns:
        the encoder's file.

    Raises:
        CheckpointError: it can't be downloaded, and why.
    """
    path = encoder_file(name)
    return path if path.exists() else download_encoder(name)


def load_encoder(name: str) -> dict[str, Tensor]:
    """An encoder's pretrained weights, downloaded if they are not there.

    Args:
        name: one of `SOURCES`.

    Returns:
        the state of its `ser_core.models.whisper.WhisperEncoder`, float32.

    Raises:
        CheckpointError: they can't be downloaded, and why; or the file is damaged, or of another model.
    """
    from ser_core.models.whisper_weights import read_encoder

    path = have_encoder(name)
    found, state = read_encoder(path)
    if found != name:
        raise CheckpointError(
            f"{path} holds {found}. Remove it, and get the right one with `{how_to_run('encoder')} {name}`."
        )
    return state


def download_encoder(name: str) -> Path:
    """Get an encoder from the hub, whose file must have the known checksum.

    Returns:
        the encoder's file.

    Raises:
        CheckpointError: it could not be had, and why.
    """
    source, target = SOURCES[name], encoder_file(name)
    whole = target.with_name(f"{name}.download.safetensors")
    url = f"{os.environ.get(HUB_VARIABLE, HUB).rstrip('/')}/{source.path}"
    try:
        why = fetch_file(url, source.sha256, whole, progress=True)
    except OSError as error:
        why = f"{target.parent} can't be written to: {error.strerror or error}"
    if why:
        raise CheckpointError(
            f"The encoder of {name} ({source.megabytes} MB) could not be downloaded: {why}. Try again, or get the file "
            f"{url} by other means and give it to `{how_to_run('encoder')} {name} --file FILE`."
        )
    keep_encoder(name, whole)
    whole.unlink()
    return target


def keep_encoder(name: str, published: Path) -> Path:
    """Keep the encoder alone of a published file, in 16 bits.

    Args:
        name: which it must be.
        published: see `ser_core.models.whisper_weights.read_encoder`.

    Returns:
        the encoder's file.

    Raises:
        CheckpointError: it is damaged, or of another model.
    """
    from safetensors.torch import save_file

    from ser_core.models.whisper_weights import read_encoder

    found, state = read_encoder(published)
    if found != name:
        raise CheckpointError(f"{published} holds {found}, not {name}.")
    target = encoder_file(name)
    try:
        with replace_file(target) as path:
            save_file({key: value.half() for key, value in state.items()}, path, {"model": name})
    except OSError as error:
        raise CheckpointError(f"{target.parent} can't be written to: {error.strerror or error}.") from None
    return target

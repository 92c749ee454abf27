"""The features of many clips on disk, with checksums that are compared whenever they are read.

    values.f32      the numbers of all clips, clip after clip
    starts.npy, channels.npy    see `FeatureSet`
    checksums.json  CRC-32 of each of these files

CRC-32 finds every changed byte that a disk or a memory gets wrong, and takes a tenth of a second for the features of
all clips of CREMA-D.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ser_core.features.feature_set import FeatureSet
from ser_core.files import new_folder

VALUES, STARTS, CHANNELS, CHECKSUMS = "values.f32", "starts.npy", "channels.npy", "checksums.json"


class DamagedFeaturesError(Exception):
    """A file that is not as it was written; the message names it. Who reads it computes anew."""


class FeatureWriter:
    """Writes the clips of one input into a folder as they come, see `new_features`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.file = (folder / VALUES).open("wb")
        self.checksum = 0
        self.ends = [0]
        self.channels: tuple[int, ...] = ()

    def add(self, clip: np.ndarray) -> None:
        """The next clip, `[..., length]`."""
        data = np.ascontiguousarray(clip, dtype=np.float32).tobytes()
        self.file.write(data)
        self.checksum = zlib.crc32(data, self.checksum)
        self.ends.append(self.ends[-1] + clip.size)
        self.channels = clip.shape[:-1]

    def finish(self) -> None:
        """What is known when all clips are there."""
        self.file.close()
        checksums = {VALUES: self.checksum}
        for name, numbers in ((STARTS, self.ends), (CHANNELS, self.channels)):
            data = io.BytesIO()  # numpy itself doesn't say why it can't write to a disk
            np.save(data, numbers)
            (self.folder / name).write_bytes(data.getvalue())
            checksums[name] = zlib.crc32(data.getvalue())
        (self.folder / CHECKSUMS).write_text(json.dumps(checksums))


@contextmanager
def new_features(folder: Path) -> Iterator[FeatureWriter]:
    """Writes a set of features, which gets its place when the block ends without an error.

    Raises:
        DiskFullError: there is no room for it.
    """
    with new_folder(folder) as new:
        writer = FeatureWriter(new)
        try:
            yield writer
            writer.finish()
        finally:
            writer.file.close()


def read_features(folder: Path) -> FeatureSet:
    """A set of features, mapped into memory: runs side by side share it.

    Raises:
        DamagedFeaturesError: a file is missing, or not as it was written, and which.
    """
    try:
        checksums = json.loads((folder / CHECKSUMS).read_bytes())
        small = {name: (folder / name).read_bytes() for name in (STARTS, CHANNELS)}
        values = np.memmap(folder / VALUES, np.float32, mode="c")
        for name, data in (small | {VALUES: values.data}).items():
            if zlib.crc32(data) != checksums[name]:
                raise DamagedFeaturesError(f"{name} is not as it was written")
        starts, channels = (np.load(io.BytesIO(data)) for data in small.values())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFeaturesError(str(error)) from None
    return FeatureSet(values, starts, tuple(channels.tolist()))

"""What can be told of a file without understanding it: whether it changed, and whether its content is there at all."""

from __future__ import annotations

from pathlib import Path

Fingerprint = tuple[tuple[str, int, int, int, int], ...]
"""Path, times of writing and of any change (ns), size (bytes) and inode of files; zeros where there is none."""

LFS_POINTER = b"version https://git-lfs"
"""How a Git LFS pointer begins: the short text that a clone without Git LFS has in place of a large file."""

POINTER = "is a Git LFS pointer, a text in place of the file"
"""What to say of one, after its name."""
PULL = "Get the file with `git lfs pull` in its folder"
"""What to do about it; `.` or another way follows."""


def fingerprint(*paths: Path) -> Fingerprint:
    """Differs from an earlier one when any of these files was written, replaced or removed since."""
    return tuple(_state(path) for path in paths)


def _state(path: Path) -> tuple[str, int, int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return str(path), 0, 0, 0, 0
    return str(path), status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino

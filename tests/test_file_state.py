import os
from pathlib import Path

from ser_core.file_state import fingerprint


def test_whatever_becomes_of_a_file_shows(tmp_path: Path):
    path, other = tmp_path / "file", tmp_path / "other"
    seen = [fingerprint(path)]

    def changed() -> None:
        seen.append(fingerprint(path))

    path.write_bytes(b"one")
    changed()
    assert fingerprint(path) == seen[-1]
    path.write_bytes(b"longer")
    changed()
    other.write_bytes(b"as long")
    kept = path.stat()
    os.utime(other, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    other.replace(path)  # of the same age
    changed()
    with path.open("r+b") as file:
        file.write(b"AS LONG")
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    changed()
    path.unlink()
    assert fingerprint(path) == seen[0]
    assert len(set(seen)) == len(seen) == 5


def test_every_file_counts(tmp_path: Path):
    paths = [tmp_path / "a", tmp_path / "b"]
    before = fingerprint(*paths)
    paths[1].touch()
    assert fingerprint(*paths) != before

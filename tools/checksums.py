"""Write `SHA256SUMS` of shipped records and checkpoints that have none: `python tools/checksums.py`.

Those of older versions, that is: what training, `ser evaluate` and `ser map` write has them. They are of the files that
git tracks: `git add` a new record first, and what this writes afterwards.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from ser_core.checksums import SUMS_FILE, write_sums  # noqa: E402
from tools.build_hook import shipped_files  # noqa: E402


def shipped_folders(root: Path) -> dict[Path, list[str]]:
    """Folders of shipped records and checkpoints, and the names of the files in each that have sums: not the card."""
    folders = defaultdict[Path, list[str]](list)
    for path in map(Path, shipped_files(root)):
        if len(path.parts) > 2 and path.name not in (SUMS_FILE, "README.md"):
            folders[root / path.parent].append(path.name)
    return dict(folders)


if __name__ == "__main__":
    for folder, names in shipped_folders(ROOT).items():
        if not (folder / SUMS_FILE).is_file():
            write_sums(folder, names)
            print(folder / SUMS_FILE)

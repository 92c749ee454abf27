"""Commands that are killed at random moments, and whose disk fills up: whether the same command then ends as ever.

Each kind of work is done once without a disturbance. Then its main process is ended by SIGKILL, twenty times at other
moments; and its folder lies on a disk that holds a part of what it needs. Each time the same command is given again,
and must leave the same files with the same content, and no process.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.server
import json
import os
import random
import re
import resource
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import open_corpus
from ser_core.checksums import SUMS_FILE, check_sums

N_CLIPS = 70  # so many jobs that two processes compute features
KILLS = 20
SHARES = (0.02, 0.3, 0.6, 0.9)
"""Of what is written, that fits on the disk."""
SMALLEST = 8192  # bytes of a disk
PATIENCE = 30.0  # seconds in which the processes of a killed one end: one that loads torch sees it when that is done
LIMIT = 300.0  # seconds that a command may take
MARK = "SER_KILLS"  # environment variable by which processes are found
ROOT = Path(__file__).parents[1]
CHECKPOINT = "lr0.01-ELU-1D"
RESUME, DONE = "Go on with --resume", "already holds a finished run"
SECONDS = re.compile(rb'("training_seconds": |; )[\d.,]+( s|)|^(\d+(?:,[^,\n]+){5}),[^,\n]+$', re.MULTILINE)
"""What differs in the files of two equal runs: how long they took."""

LOAD = """
import os, sys
from pathlib import Path
from ser_core.audio.preprocess import AudioConfig
from ser_core.command import friendly_errors
from ser_core.corpus.clips import load_index
from ser_core.corpus.folder import Corpus
corpus, place = Corpus(Path(sys.argv[1])), Path(sys.argv[2])
clips = [clip for clip in load_index().values() if clip.name in corpus.present]
"""
BUILD = f"""{LOAD}
from ser_core.features.cache import load_features
options = dict(clips=clips, audio=AudioConfig(vad="energy"), cache_dir=place, workers=2)
friendly_errors()(load_features)(corpus, ["spectral", "mel"], **options)
"""
DOWNLOAD = f"""{LOAD}
from ser_core.corpus.download import fetch_clips
friendly_errors()(fetch_clips)(clips, Corpus(place))
"""
SAVE = f"""{LOAD}
from dataclasses import replace
from ser_core.records.checkpoints import load_config, save_checkpoint
from safetensors.torch import load_file
known = Path(os.environ["SER_CHECKPOINTS_DIR"]) / "{CHECKPOINT}"
weights = load_file(known / "model.safetensors")
friendly_errors()(save_checkpoint)(place / "saved", load_config(known), weights, "A card.")
"""
TRAIN = "import ser_core.training.experiment as e; e.SAVE_EVERY_SECONDS = 0; "
TRAIN += "from ser_core.training.command import main; main()"


class Setting(NamedTuple):
    """What all kinds of work have in common.

    Attributes:
        clips: folder of wav files.
        split: file of a split of them.
        url: that serves them.
    """

    clips: Path
    split: Path
    url: str


class Ended(NamedTuple):
    """How a command ended, its exit status and all that it said."""

    status: int
    said: str


Kind = Callable[[Setting, Path], list[str]]
"""The command line that does it in a folder."""


def _training(setting: Setting, place: Path) -> list[str]:
    options = ["--split", str(setting.split), "--vad=energy", "--epochs=12", "--device=cpu", "--form=mean"]
    return [*options, "--model=1d", "--act=elu", "--name=run", f"--corpus={setting.clips}", f"--out={place}"]


def _grid(setting: Setting, place: Path) -> list[str]:
    names = [f"lr0.01-ELU-1D-mean-{setting.split.stem}", f"lr0.001-ELU-1D-{setting.split.stem}"]
    options = ["report", "--split", str(setting.split), "--only", *names, "--epochs=6", "--jobs=2", "--device=cpu"]
    return ["-m", "ser_core", "grid", *options, f"--corpus={setting.clips}", f"--out={place}", f"--cache={place}/cache"]


def _predict(setting: Setting, place: Path) -> list[str]:
    options = ["--out", f"{place}/results.csv", "--checkpoint", CHECKPOINT, "--workers", "2"]
    return ["-m", "ser_core.predict", str(setting.clips), *options]


def _evaluate(setting: Setting, place: Path) -> list[str]:
    return ["-m", "ser_core.evaluate", f"--corpus={setting.clips}", f"--checkpoint={CHECKPOINT}", f"--out={place}"]


def _script(text: str) -> Kind:
    return lambda setting, place: ["-c", text, str(setting.clips), str(place)]


KINDS: Mapping[str, Kind] = {
    "train": lambda setting, place: ["-c", TRAIN, *_training(setting, place), f"--cache={place}/cache"],
    "grid": _grid,
    "cache": _script(BUILD),
    "evaluate": _evaluate,
    "predict": _predict,
    "download": _script(DOWNLOAD),
    "checkpoint": _script(SAVE),
}


@contextlib.contextmanager
def open_setting(clips: Sequence[Path]) -> Iterator[Setting]:
    """The clips in a folder of their own, which a server serves."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = root / "clips"
        folder.mkdir()
        for clip in clips:
            (folder / clip.name).symlink_to(clip)
        names = sorted(clip.stem for clip in clips)
        split = {"train": names[: len(names) // 2], "val": names[len(names) // 2 : -20], "test": names[-20:]}
        (root / "small.json").write_text(json.dumps(split))
        handler = functools.partial(Handler, directory=str(folder))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield Setting(folder, root / "small.json", f"http://127.0.0.1:{server.server_port}/")
            server.shutdown()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder quietly, also to those who end meanwhile."""

    def handle(self) -> None:
        """See the library."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


class Work:
    """One kind of work.

    Args:
        name: one of `KINDS`.
        setting: what it works on.

    Attributes:
        longest_stay: seconds from the end of a main process to that of the last one that it started.
    """

    def __init__(self, name: str, setting: Setting):
        self.name, self.setting = name, setting
        self.longest_stay = 0.0

    def run(self, place: Path, *, kill_after: float = LIMIT, most_bytes: int | None = None) -> Ended:
        """Give the command once; a process that it left is a `RuntimeError`.

        Args:
            place: its folder.
            kill_after: seconds, after which its main process is killed.
            most_bytes: of a file.
        """
        ended = self._give(place, [], kill_after, most_bytes)
        if ended.status == 2 and RESUME in ended.said:  # which it asks for
            ended = self._give(place, ["--resume"], kill_after, most_bytes)
        return ended

    def _give(self, place: Path, more: Sequence[str], kill_after: float, most_bytes: int | None) -> Ended:
        mark = secrets.token_hex(8)
        environment = os.environ | {MARK: mark, "CREMAD_MIRRORS": self.setting.url, "SER_GIT_COMMIT": "0" * 40}
        environment |= {"SER_CHECKPOINTS_DIR": str(ROOT / "checkpoints"), "OMP_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = str(ROOT)
        command = [sys.executable, *KINDS[self.name](self.setting, place), *more]
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            if most_bytes is not None:
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
            try:
                process.wait(kill_after)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            output.seek(0)
            said = output.read().decode(errors="replace")
        self.longest_stay = max(self.longest_stay, require_none_left(mark))
        return Ended(process.returncode, said)

    def finish(self, place: Path, expected: Mapping[str, str]) -> str:
        """Give the command again; in what it ends otherwise than undisturbed, empty where in nothing."""
        ended = self.run(place)
        if ended.status and DONE not in ended.said:
            return f"ends with {ended.status}: {_last_line(ended.said)}"
        return difference(expected, content(place))


def require_none_left(mark: str) -> float:
    """Seconds until no process is left that has a mark; one that stays is ended, and a `RuntimeError`."""
    started = time.monotonic()
    while left := _marked(mark):
        if time.monotonic() > started + PATIENCE:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            raise RuntimeError(f"{len(left)} processes left")
        time.sleep(0.05)
    return time.monotonic() - started


def _marked(mark: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def content(place: Path) -> dict[str, str]:
    """Checksums of all files in a folder by their paths in it, whatever time they say; of locks and logs, the paths.

    `SHA256SUMS` are of files that say times: they have to be right.
    """
    found = {}
    for path in sorted(path for path in place.rglob("*") if path.is_file()):
        data = SECONDS.sub(rb"\1\3", path.read_bytes())
        if path.name.endswith((".lock", ".journal")):
            data = b""
        elif path.name == SUMS_FILE:
            names = [line.split()[1] for line in data.decode().splitlines()]
            try:
                check_sums(path.parent, *names)
            except (OSError, ValueError) as error:
                names.append(str(error))
            data = " ".join(names).encode()
        found[str(path.relative_to(place))] = hashlib.sha256(data).hexdigest()
    return found


def sizes_in(place: Path) -> list[int]:
    """Bytes of each file in a folder."""
    return [path.stat().st_size for path in place.rglob("*") if path.is_file()]


def difference(expected: Mapping[str, str], found: Mapping[str, str]) -> str:
    """In what files differ, in a few words; empty if in nothing."""
    left, missing = sorted(found.keys() - expected.keys()), sorted(expected.keys() - found.keys())
    other = sorted(path for path in expected.keys() & found.keys() if expected[path] != found[path])
    kinds = (("left over", left), ("missing", missing), ("other content", other))
    return "; ".join(f"{len(paths)} {what} ({paths[0]})" for what, paths in kinds if paths)


def _last_line(said: str) -> str:
    return next((line for line in reversed(said.splitlines()) if line.strip()), "nothing was said")


def killed(work: Work, root: Path, seconds: float, expected: Mapping[str, str]) -> str:
    """Kill it after so many seconds; what goes wrong then, or nothing."""
    with tempfile.TemporaryDirectory(dir=root) as name:
        place = Path(name)
        try:
            work.run(place, kill_after=seconds)
            return work.finish(place, expected)
        except RuntimeError as error:
            return str(error)


def full(work: Work, root: Path, share: float, expected: Mapping[str, str], sizes: Sequence[int]) -> str:
    """Let it fill a disk, and then make room; what goes wrong, or nothing.

    Args:
        share: of what it writes that the disk holds; where no disk can be mounted, of the largest file that it may
            write.
        sizes: of the files that it writes, in bytes.
    """
    with tempfile.TemporaryDirectory(dir=root) as name:
        place = Path(name)
        mounted = mount(place, max(SMALLEST, int(share * sum(sizes))))
        try:
            ended = work.run(place, most_bytes=None if mounted else int(share * max(sizes)))
            wrong = "" if ended.status == 0 or _says_it(ended) else f"says {_last_line(ended.said)}"
            if mounted:
                mount(place, 1 << 30, "remount,")
            return wrong or work.finish(place, expected)
        except RuntimeError as error:
            return str(error)
        finally:
            if mounted:
                subprocess.run(["umount", str(place)], check=True)


def _says_it(ended: Ended) -> bool:
    """Whether it ends with a sentence that says that the disk is full, and what to do."""
    return ended.status in (1, 2) and "Traceback" not in ended.said and "is full" in ended.said


def mount(place: Path, n_bytes: int, how: str = "") -> bool:
    """Make a folder a disk of that size, if that is allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"{how}size={n_bytes}", "tmpfs", str(place)]
    return sys.platform == "linux" and subprocess.run(command, check=False, capture_output=True).returncode == 0


def main(names: Sequence[str] = tuple(KINDS), kills: int = KILLS) -> None:
    """Print what became of each kind of work."""
    corpus, clips = open_corpus()
    rng = random.Random(0)
    with open_setting([corpus.path(clip) for clip in clips[:N_CLIPS]]) as setting, tempfile.TemporaryDirectory() as top:
        for name in names:
            work, root = Work(name, setting), Path(top) / name
            (whole := root / "whole").mkdir(parents=True)
            started = time.perf_counter()
            ended = work.run(whole)
            seconds, expected = time.perf_counter() - started, content(whole)
            sizes = sizes_in(whole)
            assert ended.status == 0, ended.said
            print(f"{name}: {len(expected)} files of {sum(sizes) / 1e6:.2f} MB in {seconds:.1f} s", flush=True)
            outcomes = {
                "killed": [killed(work, root, rng.random() * seconds, expected) for _ in range(kills)],
                "on a full disk": [full(work, root, share, expected, sizes) for share in SHARES],
            }
            for what, wrong in outcomes.items():
                print(f"  {what:14} {wrong.count(''):2} of {len(wrong)} end as undisturbed", flush=True)
                for sentence in sorted({one for one in wrong if one}):
                    print(f"    {wrong.count(sentence)} x {sentence}", flush=True)
            print(f"  the last process ends within {work.longest_stay:.1f} s of the main one", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or tuple(KINDS))

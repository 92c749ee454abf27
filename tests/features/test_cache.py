import errno
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from ser_core.audio.changes.augment import AugmentationConfig, augment
from ser_core.audio.preprocess import AudioConfig, load_audio, preprocess
from ser_core.corpus.folder import Corpus
from ser_core.corpus.gathered import GatheredClip
from ser_core.corpus.identity import content_of
from ser_core.errors import CorpusError, DiskFullError
from ser_core.features import stored
from ser_core.features.cache import cache_key, code_checksum, load_features
from ser_core.features.clip_waveform import ChangedCopy, clip_waveform
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import network_inputs
from ser_core.features.mel import log_mel, mel_image
from ser_core.features.spectral import fix_frames, spectral_features
from tests.helpers import ROOT
from tests.sounds import write_sounds

ENERGY = AudioConfig(vad="energy")


def built(cache: Path) -> list[str]:
    """Names of the folders in a cache, also of those that aren't finished."""
    return [path.name for path in cache.iterdir() if path.is_dir()]


@pytest.fixture
def few(clips) -> list:
    return [clip for clip in clips if not clip.defect][:6]


def test_features_are_those_of_the_functions(corpus, few, tmp_path: Path):
    both = load_features(corpus, ("spectral", "mel"), clips=few, cache_dir=tmp_path)
    spectral, images = both["spectral"], both["mel"]
    assert spectral.stack().shape == (6, 27, 301)
    assert images.stack().shape == (6, 1, 64, 64)
    for i, clip in enumerate(few):
        waveform = preprocess(load_audio(corpus.path(clip))).waveform
        np.testing.assert_allclose(spectral.stack()[i], fix_frames(spectral_features(waveform)), atol=1e-3)
        np.testing.assert_allclose(images[i], mel_image(log_mel(waveform)), atol=1e-5)


def test_variable_lengths_keep_their_lengths(corpus, few, tmp_path: Path):
    features = load_features(corpus, ["mel"], form="variable", clips=few, cache_dir=tmp_path)["mel"]
    assert len(features) == 6
    for i, clip in enumerate(few):
        waveform = preprocess(load_audio(corpus.path(clip))).waveform
        assert features[i].shape == (1, 64, 1 + len(waveform) // 256)


def test_one_process_and_two_give_the_same(corpus, clips, tmp_path: Path):
    one, two = (
        load_features(corpus, ["spectral"], clips=clips[:130], audio=ENERGY, cache_dir=tmp_path / str(n), workers=n)[
            "spectral"
        ]
        for n in (1, 2)
    )
    np.testing.assert_allclose(one.values, two.values, atol=1e-3)


def test_the_cache_is_read_without_the_corpus(corpus, few, tmp_path: Path):
    calls = []
    options = {"clips": few, "cache_dir": tmp_path, "progress": lambda done, total: calls.append((done, total))}
    built = load_features(corpus, ["spectral"], **options)["spectral"]
    assert calls[-1] == (6, 6)
    again = load_features(Corpus(tmp_path / "nowhere"), ["spectral"], **options)["spectral"]
    assert len(calls) == 1
    np.testing.assert_array_equal(again.values, built.values)


def test_every_setting_and_the_data_have_a_cache_of_their_own(clips):
    keys = [
        cache_key(clips, "spectral", "fixed", AudioConfig(), FeatureConfig()),
        cache_key(clips, "mel", "fixed", AudioConfig(), FeatureConfig()),
        cache_key(clips, "spectral", "variable", AudioConfig(), FeatureConfig()),
        cache_key(clips, "spectral", "fixed", AudioConfig(vad_threshold=0.4), FeatureConfig()),
        cache_key(clips, "spectral", "fixed", AudioConfig(normalize=False), FeatureConfig()),
        cache_key(clips, "spectral", "fixed", AudioConfig(), FeatureConfig(n_mfcc=20)),
        cache_key(clips[1:], "spectral", "fixed", AudioConfig(), FeatureConfig()),
        cache_key(clips[::-1], "spectral", "fixed", AudioConfig(), FeatureConfig()),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0] == cache_key(clips, "spectral", "fixed", AudioConfig(), FeatureConfig())


def test_changed_code_has_a_cache_of_its_own(clips, monkeypatch: pytest.MonkeyPatch):
    arguments: Any = (clips, "spectral", "fixed", AudioConfig(), FeatureConfig())
    before = cache_key(*arguments)
    monkeypatch.setattr("ser_core.features.cache.code_checksum", lambda: "other code")
    assert cache_key(*arguments) != before


@pytest.mark.parametrize(
    "library", ["numpy", "scipy", "soundfile", "av", "soxr", "silero-vad", "onnxruntime", "pillow"]
)
def test_another_version_of_a_library_that_computes_has_a_cache_of_its_own(
    clips, monkeypatch: pytest.MonkeyPatch, library: str
):
    arguments: Any = (clips, "spectral", "fixed", AudioConfig(), FeatureConfig())
    code_checksum.cache_clear()
    before = cache_key(*arguments)
    code_checksum.cache_clear()
    monkeypatch.setattr("ser_core.features.cache.version", lambda name: "0.0" if name == library else version(name))
    assert cache_key(*arguments) != before
    code_checksum.cache_clear()


def test_another_setting_is_not_read_from_the_cache(corpus, few, tmp_path: Path):
    first = load_features(corpus, ["spectral"], clips=few, cache_dir=tmp_path)["spectral"]
    other = load_features(corpus, ["spectral"], clips=few, cache_dir=tmp_path, audio=AudioConfig(vad="none"))[
        "spectral"
    ]
    assert not np.array_equal(first.values, other.values)
    assert len(built(tmp_path)) == 2


def test_a_killed_build_leaves_nothing_that_is_read(corpus, clips, tmp_path: Path):
    script = f"""
from pathlib import Path
from typing import Any
from ser_core.corpus.clips import load_index
from ser_core.corpus.folder import Corpus
from ser_core.features.cache import load_features
def hang(done, total):
    print(done, flush=True)
    while True: pass
corpus, cache = Corpus(Path({str(corpus.folder)!r})), Path({str(tmp_path)!r})
load_features(corpus, ["spectral"], clips=[load_index()[{clips[0].name!r}]], cache_dir=cache, progress=hang)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout.readline() == b"1\n"
        os.kill(process.pid, signal.SIGKILL)
    assert [name[:12] for name in built(tmp_path)] == [".unfinished-"]
    features = load_features(corpus, ["spectral"], clips=clips[:1], cache_dir=tmp_path)["spectral"]
    assert features.stack().shape == (1, 27, 301)
    assert [name[:9] for name in built(tmp_path)] == ["spectral-"]  # and what it left is removed


def children(pid: int) -> list[int]:
    """Processes that a process started, and that run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(folder.name))
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_workers_of_a_killed_build_end_and_free_its_lock(corpus, clips, tmp_path: Path):
    script = f"""
from pathlib import Path
from typing import Any
from ser_core.audio.preprocess import AudioConfig
from ser_core.corpus.clips import load_index
from ser_core.corpus.folder import Corpus
from ser_core.features.cache import load_features
def hang(done, total):
    print(done, flush=True)
    while True: pass
corpus = Corpus(Path({str(corpus.folder)!r}))
clips = [clip for clip in load_index().values() if clip.name in corpus.present][:200]
audio, cache = AudioConfig(vad="energy"), Path({str(tmp_path)!r})
load_features(corpus, ["mel"], clips=clips, audio=audio, cache_dir=cache, workers=3, progress=hang)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout.readline() == b"64\n"
        workers = children(process.pid)
        assert len(workers) == 3
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while running := [pid for pid in workers if is_running(pid)]:
        assert time.monotonic() < deadline, running
        time.sleep(0.05)
    with FileLock(tmp_path / ".computing.lock", timeout=1):  # it was theirs as well
        pass
    load_features(corpus, ["mel"], clips=clips[:1], audio=ENERGY, cache_dir=tmp_path)
    assert [name[:4] for name in built(tmp_path)] == ["mel-"]


def test_workers_end_with_their_work(corpus, clips, tmp_path: Path):
    before = children(os.getpid())
    load_features(corpus, ["mel"], clips=clips[:70], audio=ENERGY, cache_dir=tmp_path, workers=2)
    assert children(os.getpid()) == before


def test_no_clips_are_not_all_clips(corpus, tmp_path: Path):
    with pytest.raises(CorpusError, match="empty"):
        load_features(corpus, ["mel"], clips=[], cache_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_build_that_fails_cleans_up(corpus, few, tmp_path: Path):
    def fail(_done: int, _total: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        load_features(corpus, ["mel"], clips=few, cache_dir=tmp_path, progress=fail)
    assert built(tmp_path) == []


def test_of_two_that_need_the_same_one_computes(corpus, clips, tmp_path: Path):
    script = f"""
from pathlib import Path
from typing import Any
from ser_core.corpus.clips import load_index
from ser_core.corpus.folder import Corpus
from ser_core.features.cache import load_features
corpus, cache = Corpus(Path({str(corpus.folder)!r})), Path({str(tmp_path)!r})
clips = [clip for clip in load_index().values() if clip.name in corpus.present][:80]
calls = []
features = load_features(corpus, ["spectral"], clips=clips, cache_dir=cache, progress=lambda *counts: calls.append(1))
print(features["spectral"].values.sum(), bool(calls))
"""
    processes = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) for _ in range(2)]
    outputs = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    (first, first_computed), (second, second_computed) = outputs
    assert first == second
    assert sorted([first_computed, second_computed]) == [b"False", b"True"]
    assert len(built(tmp_path)) == 1


def test_a_missing_corpus_is_a_sentence(few, tmp_path: Path):
    with pytest.raises(CorpusError, match="6 of 6 clips"):
        load_features(Corpus(tmp_path), ["mel"], clips=few, cache_dir=tmp_path / "cache")["mel"]


def test_the_silent_clip_has_finite_features(corpus, clips, tmp_path: Path):
    silent = [clip for clip in clips if clip.defect == "digital silence"]
    for name in ("spectral", "mel"):
        features = load_features(corpus, [name], clips=silent, cache_dir=tmp_path)[name]
        assert np.isfinite(features.values).all()


def test_the_forms_of_the_inputs():
    waveform = np.random.default_rng(0).normal(size=32_000).astype(np.float32)
    both, config = ("spectral", "mel"), FeatureConfig()
    shapes = {
        form: {name: array.shape for name, array in network_inputs(waveform, both, form, config).items()}
        for form in ("fixed", "variable", "mean")
    }
    assert shapes == {
        "fixed": {"spectral": (27, 301), "mel": (1, 64, 64)},
        "variable": {"spectral": (27, 201), "mel": (1, 64, 126)},
        "mean": {"spectral": (1, 27), "mel": (1, 64, 64)},
    }


def test_what_is_drawn_of_a_clip_is_its_own(tmp_path: Path):
    """The same sound under one file name in two folders, or two corpora; a stem that is a clip's name says it alone."""
    path = write_sounds(tmp_path, "001.wav") / "001.wav"
    copy = ChangedCopy(0, AugmentationConfig(noise=1.0))
    names = ("mine/anger/001.wav", "mine/fear/001.wav", "yours/001.wav", "001", "other/001")
    one, *others = (clip_waveform(path, name, ENERGY, copy) for name in names)
    again = clip_waveform(path, names[0], ENERGY, copy)
    np.testing.assert_array_equal(one, again)
    assert not any(np.array_equal(one, other) for other in others)
    assert not np.array_equal(others[0], others[1])
    np.testing.assert_array_equal(others[2], others[3])


def test_the_clips_of_crema_d_are_changed_as_ever(corpus, few):
    """Which records of trained networks rest on."""
    augmentation, path = AugmentationConfig(), corpus.path(few[0])
    rng = np.random.default_rng([3, zlib.crc32(few[0].name.encode())])
    expected = preprocess(augment(load_audio(path), rng, augmentation), ENERGY).waveform
    changed = clip_waveform(path, few[0].name, ENERGY, ChangedCopy(3, augmentation))
    np.testing.assert_array_equal(changed, expected)


def test_clips_of_several_folders_get_their_names(tmp_path: Path):
    names = [f"{folder}/{i}.wav" for folder in ("anger", "fear") for i in range(3)]
    write_sounds(tmp_path, *names)
    for name in names:
        (tmp_path / name).write_bytes((tmp_path / names[0]).read_bytes())
    sha256 = content_of(tmp_path / names[0])
    clips = [GatheredClip(f"mine/{name}", tmp_path / name, "ANG", sha256, "mine/anna") for name in names]
    corpus: Any = SimpleNamespace(path=lambda clip: clip.path, require=lambda clips: None)
    copy = ChangedCopy(0, AugmentationConfig(noise=1.0))
    options: Any = {"clips": clips, "audio": ENERGY, "copy": copy, "cache_dir": tmp_path / "cache"}
    features = load_features(corpus, ["spectral"], **options)["spectral"].stack()
    assert len({row.tobytes() for row in features}) == len(names)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_clip_whose_sound_was_changed_is_not_trained_on(corpus, clips, tmp_path: Path, workers: int):
    """All that is known of its file but the checksum stays: name, size, header."""
    chosen = clips[:70]
    for clip in chosen:
        shutil.copy(corpus.path(clip), tmp_path)
    path = tmp_path / chosen[3].filename
    data = path.read_bytes()
    path.write_bytes(data[:44] + bytes(len(data) - 44))
    options: Any = {"clips": chosen, "audio": ENERGY, "cache_dir": tmp_path / "cache", "workers": workers}
    with pytest.raises(CorpusError, match=rf"^{path.name} is not the official file\. Get it whole with .*download"):
        load_features(Corpus(tmp_path), ["mel"], **options)
    assert built(tmp_path / "cache") == []
    path.write_bytes(data)
    assert len(load_features(Corpus(tmp_path), ["mel"], **options)["mel"]) == 70


def test_a_recording_that_changes_while_its_corpus_is_in_use_is_a_sentence(tmp_path: Path):
    clip = GatheredClip("mine/a", write_sounds(tmp_path, "a.wav") / "a.wav", "ANG", "0" * 64, "mine/anna")
    corpus: Any = SimpleNamespace(path=lambda clip: clip.path, require=lambda clips: None)
    options: Any = {"clips": [clip], "audio": ENERGY, "cache_dir": tmp_path / "cache"}
    with pytest.raises(CorpusError, match="was changed while its corpus was in use"):
        load_features(corpus, ["mel"], **options)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-2] ^= 4
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a bit": flip,
    "cut off": cut,
    "empty": lambda path: path.write_bytes(b""),
    "another": lambda path: path.write_text("[]"),
    "gone": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("file", ["values.f32", "starts.npy", "channels.npy", "checksums.json"])
def test_damaged_features_are_computed_anew_and_that_is_said(
    file: str, damage: str, corpus, few, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    options: Any = {"clips": few[:2], "audio": ENERGY, "cache_dir": tmp_path}
    whole = load_features(corpus, ["mel", "spectral"], **options)
    values, images = np.array(whole["spectral"].values), whole["mel"].values
    (folder,) = tmp_path.glob("spectral-*")
    DAMAGE[damage](folder / file)
    with pytest.raises(CorpusError, match="2 of 2 clips are missing"):  # it isn't given out without the corpus, either
        load_features(Corpus(tmp_path / "nowhere"), ["mel", "spectral"], **options)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        again = load_features(corpus, ["mel", "spectral"], **options)
    assert caplog.messages == [f"The features in {folder} are damaged: they are computed anew."]
    np.testing.assert_array_equal(again["spectral"].values, values)
    np.testing.assert_array_equal(again["mel"].values, images)
    assert sorted(name.partition("-")[0] for name in built(tmp_path)) == ["mel", "spectral"]


def test_a_disk_that_keeps_nothing_whole_is_a_sentence(corpus, few, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    finish = stored.FeatureWriter.finish

    def finish_badly(writer: stored.FeatureWriter) -> None:
        finish(writer)
        cut(writer.folder / "values.f32")

    monkeypatch.setattr(stored.FeatureWriter, "finish", finish_badly)
    with pytest.raises(CorpusError, match="damaged while it was written: check that disk"):
        load_features(corpus, ["mel"], clips=few[:1], audio=ENERGY, cache_dir=tmp_path)


def test_a_full_disk_is_a_sentence_and_leaves_what_was_there(
    corpus, few, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    load_features(corpus, ["mel"], clips=few[:1], audio=ENERGY, cache_dir=tmp_path)
    before = built(tmp_path)

    def add(writer: stored.FeatureWriter, clip: np.ndarray) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(stored.FeatureWriter, "add", add)
        with pytest.raises(DiskFullError, match=rf"The disk of {tmp_path} is full\."):
            load_features(corpus, ["spectral", "mel"], clips=few[:2], audio=ENERGY, cache_dir=tmp_path)
    assert built(tmp_path) == before
    load_features(corpus, ["spectral", "mel"], clips=few[:2], audio=ENERGY, cache_dir=tmp_path)
    assert len(built(tmp_path)) == 3

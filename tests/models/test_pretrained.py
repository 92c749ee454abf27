"""Getting a pretrained encoder: from a stand-in for the hub, and from a file."""

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import load_file

from ser_core.errors import CheckpointError
from ser_core.models.command import main
from ser_core.models.pretrained import SOURCES, Source, encoder_file, load_encoder
from ser_core.models.whisper import SIZES
from tests.models.whisper_files import SMALL, assert_same, hub_file, random_state


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def state():
    return random_state()


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, state, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is served as the hub, with a small encoder that bears the name of Whisper tiny."""
    folder = tmp_path / "hub"
    folder.mkdir()
    published = hub_file(folder / "model.safetensors", state)
    monkeypatch.setitem(SIZES, "whisper-tiny", SMALL)
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    monkeypatch.setitem(SOURCES, "whisper-tiny", Source("model.safetensors", digest, 1))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("SER_HUB", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("SER_ENCODERS_DIR", str(tmp_path / "encoders"))
    yield folder
    server.shutdown()
    server.server_close()


def test_a_missing_encoder_is_downloaded_once_and_kept_in_16_bits(hub: Path, state):
    assert_same(load_encoder("whisper-tiny"), state)
    assert [path.name for path in encoder_file("whisper-tiny").parent.iterdir()] == ["whisper-tiny.safetensors"]
    assert {str(value.dtype) for value in load_file(encoder_file("whisper-tiny")).values()} == {"torch.float16"}
    (hub / "model.safetensors").unlink()
    assert_same(load_encoder("whisper-tiny"), state)


def test_another_file_than_the_known_one_is_refused(hub: Path):
    published = hub / "model.safetensors"
    published.write_bytes(published.read_bytes()[:-1] + b"!")
    with pytest.raises(CheckpointError, match="wrong checksum"):
        load_encoder("whisper-tiny")
    assert not encoder_file("whisper-tiny").exists()


def test_a_hub_out_of_reach_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SER_HUB", "http://127.0.0.1:9")
    with pytest.raises(CheckpointError, match=r"could not be reached.*ser_core encoder whisper-tiny --file FILE"):
        load_encoder("whisper-tiny")


def test_a_folder_that_cannot_be_written_to_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SER_ENCODERS_DIR", str(tmp_path / "file"))
    with pytest.raises(CheckpointError, match="can't be written to"):
        load_encoder("whisper-tiny")


def test_the_command_takes_a_file_that_is_here(hub: Path, state, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("SER_HUB", "http://127.0.0.1:9")
    main(["whisper-tiny", "--file", str(hub / "model.safetensors")])
    assert f"kept in {encoder_file('whisper-tiny')}" in capsys.readouterr().out
    assert_same(load_encoder("whisper-tiny"), state)


def test_the_command_takes_no_other_models_file(hub: Path, capsys):
    with pytest.raises(SystemExit):
        main(["whisper-base", "--file", str(hub / "model.safetensors")])
    assert "holds whisper-tiny, not whisper-base" in capsys.readouterr().err
    assert not encoder_file("whisper-base").exists()


def test_an_encoder_under_anothers_name_is_refused(hub: Path):
    main(["whisper-tiny", "--file", str(hub / "model.safetensors")])
    encoder_file("whisper-tiny").rename(encoder_file("whisper-base"))
    with pytest.raises(CheckpointError, match=r"holds whisper-tiny. Remove it"):
        load_encoder("whisper-base")


def test_sources_are_pinned():
    source = SOURCES["whisper-base"]
    assert source.path.startswith("openai/whisper-base/resolve/")
    assert len(source.path.split("/resolve/")[1].split("/")[0]) == 40, "at one commit"
    assert len(bytes.fromhex(source.sha256)) == 32

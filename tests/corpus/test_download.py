import functools
import http.server
import re
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pooch
import pytest
import requests
import urllib3

from ser_core.corpus.clips import Clip, find_clip
from ser_core.corpus.command import main
from ser_core.corpus.download import Downloader, fetch_clip, fetch_clips, mirrors, sample_clips
from ser_core.corpus.folder import Corpus
from ser_core.errors import CorpusError


class Mirror(http.server.ThreadingHTTPServer):
    """Knows what was asked for."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.requests: list[str] = []
        self.truncate, self.url = False, f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, counts requests, and can cut answers short."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Mirror)
        self.server.requests.append(self.path)
        if self.server.truncate:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"RIFF")
            return
        super().do_GET()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def mirror(shared: Path) -> Iterator[Mirror]:
    server = Mirror(("127.0.0.1", 0), functools.partial(Handler, directory=str(shared / "clips")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def use_mirror(mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREMAD_MIRRORS", mirror.url)


def test_a_clip_is_fetched_once_and_is_official(mirror, corpus: Corpus, tmp_path: Path):
    clip = find_clip("1001_DFA_ANG_XX")
    local = Corpus(tmp_path / "new" / "folder")
    path = fetch_clip(clip, local)
    assert path.read_bytes() == corpus.path(clip).read_bytes()
    assert fetch_clip(clip, local) == path
    assert mirror.requests == ["/1001_DFA_ANG_XX.wav"]


def test_what_is_there_is_not_fetched_again(mirror, clips: list, tmp_path: Path):
    local, done = Corpus(tmp_path), list[Clip]()
    fetch_clips(clips[:5], local)
    fetch_clips(clips[:12], local, done.append)
    assert len(done) == 12
    assert len(mirror.requests) == 12
    assert {path.name for path in tmp_path.iterdir()} == {clip.filename for clip in clips[:12]}


def test_a_damaged_clip_is_replaced(mirror, corpus: Corpus, tmp_path: Path):
    clip = find_clip("1001_DFA_ANG_XX")
    (tmp_path / clip.filename).write_bytes(b"RIFF")
    assert fetch_clip(clip, Corpus(tmp_path)).read_bytes() == corpus.path(clip).read_bytes()


def test_mirrors_are_tried_in_turn(mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("CREMAD_MIRRORS", f"http://127.0.0.1:9/ {mirror.url}nowhere {mirror.url}")
    assert fetch_clip(find_clip("1001_DFA_ANG_XX"), Corpus(tmp_path)).is_file()


def test_the_mirror_that_answered_is_asked_first(mirror, clips: list, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("CREMAD_MIRRORS", f"{mirror.url}nowhere {mirror.url}")
    downloader = Downloader(Corpus(tmp_path))
    for clip in clips[:3]:
        downloader.fetch(clip)
    assert [path.count("nowhere") for path in mirror.requests] == [1, 0, 0, 0]


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CorpusError, match="can't be written"):
        fetch_clip(find_clip("1001_DFA_ANG_XX"), Corpus(tmp_path / "file" / "clips"))


def test_offline_is_a_sentence_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("CREMAD_MIRRORS", "http://127.0.0.1:9/")
    with pytest.raises(CorpusError, match=r"could not be reached.*Check the network"):
        fetch_clip(find_clip("1001_DFA_ANG_XX"), Corpus(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_is_refused_and_leaves_nothing(
    mirror, monkeypatch: pytest.MonkeyPatch, shared: Path, tmp_path: Path
):
    served = tmp_path / "served"
    served.mkdir()
    (served / "1001_DFA_ANG_XX.wav").write_bytes((shared / "clips" / "1001_IEO_ANG_HI.wav").read_bytes())
    mirror.RequestHandlerClass = functools.partial(Handler, directory=str(served))
    with pytest.raises(CorpusError, match="wrong checksum"):
        fetch_clip(find_clip("1001_DFA_ANG_XX"), Corpus(tmp_path / "clips"))
    assert list((tmp_path / "clips").iterdir()) == []


def test_a_connection_that_breaks_leaves_nothing(mirror, tmp_path: Path):
    mirror.truncate = True
    with pytest.raises(CorpusError):
        fetch_clip(find_clip("1001_DFA_ANG_XX"), Corpus(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_threads_see_all_mirrors_while_one_puts_them_into_another_order(
    clips: list, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """Another thread's turn can come at any time: here it comes at every comparison of two mirrors."""
    seen = []

    class Mirror(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __ne__(self, other: object) -> bool:
            seen.append(set(downloader.mirrors))
            return str.__ne__(self, other)

    def fetch_file(url: str, *_: object, **__: object) -> str | None:
        return None if "//b." in url else "it could not be reached"

    monkeypatch.setattr("ser_core.corpus.download.fetch_file", fetch_file)
    monkeypatch.setenv("CREMAD_MIRRORS", "http://a.example/ http://b.example/ http://c.example/")
    downloader = Downloader(Corpus(tmp_path))
    downloader.mirrors = type(downloader.mirrors)(map(Mirror, downloader.mirrors))
    downloader.fetch(clips[0])
    assert seen
    assert all(mirrors_seen == set(mirrors()) for mirrors_seen in seen)
    assert [str(mirror) for mirror in downloader.mirrors] == [f"http://{name}.example/" for name in "bac"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (requests.HTTPError(), "127.0.0.1:1 answered with an error"),
        (requests.exceptions.ChunkedEncodingError(), "127.0.0.1:1 could not be reached"),
        (urllib3.exceptions.ProtocolError(), "127.0.0.1:1 could not be reached"),
        (ConnectionResetError(), "127.0.0.1:1 could not be reached"),
        (OSError(), "can't be written to: OSError. Choose another folder."),
        (OSError("disk gone"), "can't be written to: disk gone. Choose another folder."),
    ],
    ids=repr,
)
def test_every_failure_has_a_reason(error: Exception, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", fail)
    monkeypatch.setenv("CREMAD_MIRRORS", "http://127.0.0.1:1/")
    with pytest.raises(CorpusError, match=re.escape(says)):
        fetch_clip(find_clip("1001_DFA_ANG_XX"), Corpus(tmp_path))


def test_what_is_no_address_and_no_address_at_all_are_reasons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("CREMAD_MIRRORS", "example.org/AudioWAV")
    downloader = Downloader(Corpus(tmp_path))
    with pytest.raises(CorpusError, match=r"downloaded: example.org/AudioWAV/1001_DFA_ANG_XX.wav is no address"):
        downloader.fetch(find_clip("1001_DFA_ANG_XX"))
    downloader.mirrors = ()
    with pytest.raises(CorpusError, match=r"there is no address to get it from\. Check"):
        downloader.fetch(find_clip("1001_DFA_ANG_XX"))


def test_samples_are_balanced_and_repeatable():
    sample = sample_clips(60)
    assert set(Counter(clip.emotion for clip in sample).values()) == {10}
    assert sample == sample_clips(60)
    assert len(sample_clips(7442)) == 7442
    with pytest.raises(CorpusError, match="1 to 7,442"):
        sample_clips(0)


def test_the_command_downloads_and_says_where(
    mirror, clips: list, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr("ser_core.corpus.download.sample_clips", lambda n: clips[:n])
    main(["download", "--sample", "4", "--to", str(tmp_path)])
    assert f"4 clips are in {tmp_path}" in capsys.readouterr().out
    mirror.truncate = True
    with pytest.raises(SystemExit, match="2"):
        main(["download", "--sample", "6", "--to", str(tmp_path)])
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: ")
    assert len(list(tmp_path.iterdir())) == 4

"""Zip files with recordings: what is read of them, and what is refused."""

import contextlib
import io
import struct
import zipfile

import pytest

from ser_core import archive
from ser_core.archive import Archive
from ser_core.errors import AudioError

SOUND = bytes(range(256)) * 20


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return data.getvalue()


def names(found: Archive) -> list[str]:
    return [member.name for member in found.members]


def test_recordings_are_read_and_what_else_is_there_is_named_or_passed_over():
    passed_over = ("a.wav/", "notes.txt", "README", "__MACOSX/._one.wav", "day/._two.mp3", "Thumbs.db", ".hidden/x.wav")
    files = {"one.wav": SOUND, "day/two.MP3": SOUND, "data.xyz": b"", "noext": b"", **dict.fromkeys(passed_over, b"")}
    found = Archive(zipped(files), "clips.zip")
    assert names(found) == ["one.wav", "day/two.MP3"]
    assert [found.read(member) for member in found.members] == [SOUND, SOUND]
    assert list(found.left_out) == ["data.xyz", "noext"]
    assert found.left_out["data.xyz"] == (
        "data.xyz was left out: files with the ending .xyz are not known as recordings."
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/x.wav", "../../etc/x.wav"),
        ("/etc/x.wav", "/etc/x.wav"),
        ("C:\\x\\y.wav", "C:/x/y.wav"),
        ("fröhlich/声.wav", "fröhlich/声.wav"),
        ("a\nb\x1b[31m.wav", "a�b�[31m.wav"),
        ("n" * 5000 + ".wav", "n" * 5000 + ".wav"),
    ],
)
def test_names_are_text_and_nothing_else(name: str, shown: str):
    (member,) = Archive(zipped({name: SOUND}), "clips.zip").members
    assert member.name == shown


@pytest.mark.parametrize("offset", [2**62, 2**63, 2**64 - 1])
def test_an_entry_that_is_said_to_lie_beyond_any_file_is_damaged(offset: int):
    made = zipped({"one.wav": SOUND})
    begin, end = made.index(b"PK\1\2"), made.index(b"PK\5\6")
    extra = struct.pack("<HHQ", 1, 8, offset)  # ZIP64: where the entry lies, as its line has no room for it
    line = made[begin : begin + 30] + struct.pack("<H", len(extra)) + made[begin + 32 : begin + 42] + b"\xff" * 4
    line += made[begin + 46 : end] + extra
    found = Archive(
        made[:begin] + line + made[end : end + 12] + struct.pack("<I", len(line)) + made[end + 16 :], "x.zip"
    )
    with pytest.raises(AudioError, match="can't be unpacked"):
        found.read(found.members[0])


def test_names_in_utf_8_are_read_also_where_nothing_says_so():
    made = zipped({"fröhlich.wav": SOUND})
    for signature, at in ((b"PK\1\2", 9), (b"PK\3\4", 7)):
        flags = made.index(signature) + at
        made = made[:flags] + bytes([made[flags] & ~0x08]) + made[flags + 1 :]
    assert names(Archive(made, "clips.zip")) == ["fröhlich.wav"]


def test_what_is_encrypted_or_packed_in_other_ways_is_named():
    data = bytearray(zipped({"secret.wav": SOUND}))
    for signature, at in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        data[data.index(signature) + at] |= 1
    assert "it is encrypted" in Archive(bytes(data), "clips.zip").left_out["secret.wav"]
    for compression in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        found = Archive(zipped({"x.wav": SOUND}, compression), "clips.zip")
        assert not found.members
        assert "compressed in a way" in found.left_out["x.wav"]


def test_what_would_be_too_much_is_refused(monkeypatch: pytest.MonkeyPatch):
    bomb = zipped({"big.wav": bytes(300_000_000)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 300_000
    assert "it has 300 MB, and at most 250" in Archive(bomb, "clips.zip").left_out["big.wav"]
    many = zipped({f"{i}.wav": SOUND for i in range(10)})
    monkeypatch.setattr(archive, "MAX_BYTES_TOGETHER", 3 * len(SOUND))
    found = Archive(many, "clips.zip")
    assert names(found) == ["0.wav", "1.wav", "2.wav"]
    assert len(found.left_out) == 7
    assert "Make smaller ones of it." in found.left_out["9.wav"]
    monkeypatch.setattr(archive, "MAX_RECORDINGS", 2)
    found = Archive(many, "clips.zip")
    assert names(found) == ["0.wav", "1.wav"]
    assert found.left_out == {"8 more recordings": "At most 2 of clips.zip are read. Make smaller ones of it."}
    monkeypatch.setattr(archive, "MAX_ENTRIES", 9)
    with pytest.raises(AudioError, match=r"clips\.zip holds more than 9 files"):
        Archive(many, "clips.zip")


def test_an_entry_that_lies_about_its_size_gives_no_more_than_it_says():
    data = bytearray(zipped({"x.wav": bytes(1_000_000)}))
    for signature, at in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        start = data.index(signature) + at
        data[start : start + 4] = (1000).to_bytes(4, "little")
    found = Archive(bytes(data), "clips.zip")
    with pytest.raises(AudioError, match=r"x\.wav can't be unpacked .*: the zip file is damaged"):
        found.read(found.members[0])


def test_damage_is_a_sentence():
    whole = zipped({f"{i}.wav": SOUND for i in range(3)})
    for data in (b"", b"no zip file", whole[: len(whole) // 2], whole[:-30]):
        with pytest.raises(AudioError, match=r"clips\.zip can't be unpacked"):
            Archive(data, "clips.zip")
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        with contextlib.suppress(AudioError):
            found = Archive(bytes(damaged), "clips.zip")
            for member in found.members:
                found.read(member)

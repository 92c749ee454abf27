"""Where a page gets a recording from: an example, a CREMA-D clip, files or a folder, the microphone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from ser_app.address import choose, choose_named
from ser_app.clip_view import sound_of
from ser_app.messages import literal
from ser_app.navigation import ARRIVED
from ser_app.uploads import ZIP, Recording, Upload, digest_of, release, uploads_of
from ser_core.audio.synthetic import EXAMPLES, PLAIN_SOUNDS, synthesize
from ser_core.corpus.clips import load_index
from ser_core.corpus.folder import Corpus
from ser_core.errors import SERError
from ser_core.memory import Memory
from ser_core.sound_files import AUDIO_SUFFIXES
from ser_core.words import counted

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

DECODED = "decoded"  # session state: recordings by the digest of their file
MAX_BYTES = 128 * 2**20  # of sound that a session keeps decoded: two recordings of a quarter of an hour
UPLOADED = ("record", "upload", "folder")  # what a visitor brings, which is kept while other pages are open
FEW = 2  # recordings that are decoded at once, and shown beside each other

SOURCES = {
    "record": ":material/mic: Record",
    "upload": ":material/upload_file: Upload",
    "folder": ":material/folder_open: Folder",
    "clip": ":material/library_music: CREMA-D clip",
    "example": ":material/graphic_eq: Example",
}


class Chosen(NamedTuple):
    """What a visitor chose.

    Attributes:
        recordings: at most `FEW`, decoded.
        uploads: all, where they are more; none otherwise.
        problems: by name of the file why others can't be used.
        files: what the server calls the files that were uploaded.
    """

    recordings: list[Recording]
    uploads: list[Upload]
    problems: dict[str, str]
    files: frozenset[str] = frozenset()


def choose_recordings(sources: Sequence[str], *, several: bool = False, plain: bool = False) -> Chosen:
    """Draw the choice of a source and what it needs.

    Args:
        sources: keys of `SOURCES`, in the order they are offered.
        several: whether many files, or zip files of them, may be uploaded at once.
        plain: whether sounds that nobody speaks are among the examples.
    """
    offered = {source: SOURCES[source] for source in sources}
    source = choose_named(st.segmented_control, "Recording from", offered, key="source", required=True)
    brought = _brought(source, several, plain)
    if source not in UPLOADED:
        return brought
    key = _key(source, several)
    if any(brought):
        st.session_state[ARRIVED] = False
        _forget(key, brought.files)
        st.session_state[key] = brought
    elif not st.session_state.get(ARRIVED):  # it was taken away here
        _forget(key)
    elif key in st.session_state:
        return _kept(key)
    return brought


def hand_over(recording: Recording) -> None:
    """Have a recording that was made on Home on Classify, too, as one that was made there before."""
    st.session_state[_key("record", several=True)] = Chosen([recording], [], {})


def _key(source: str, several: bool) -> str:
    return f"brought-{source}-{several}"


def _forget(key: str, but: frozenset[str] = frozenset()) -> None:
    """Let go what was brought, but for some files."""
    if before := st.session_state.pop(key, None):
        release(before.files - but)


def _kept(key: str) -> Chosen:
    """What was brought before another page was opened, until the visitor brings something else or has it forgotten."""
    kept: Chosen = st.session_state[key]
    names = [*(one.name for one in kept.recordings), *(one.name for one in kept.uploads), *kept.problems]
    others = f" and {counted(len(names) - 1, 'other')}" if len(names) > 1 else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Still here from before: {literal(names[0])}{others}.", width="content")
        if st.button("Forget it", icon=":material/delete:", key=f"forget-{key}"):
            _forget(key)
            st.rerun()
    return kept


def _brought(source: str, several: bool, plain: bool) -> Chosen:
    """Draw what a source needs."""
    match source:
        case "record":
            label = "Press the microphone, speak for a few seconds, and press again to stop"
            sound = st.audio_input(label, sample_rate=16_000)
            data = sound.getvalue() if sound else b""
            return _few([Upload("recording", lambda: data, digest_of(data))] if sound else [], {})
        case "upload":
            kinds = f"{', '.join(suffix[1:] for suffix in AUDIO_SUFFIXES[:10])} and others"
            label = f"Audio or video files ({kinds}){', or a zip file of them' * several}"
            files = st.file_uploader(label, [*AUDIO_SUFFIXES, *[ZIP] * several], accept_multiple_files=True)
            return _uploaded(files if several else files[-1:])
        case "folder":
            label = "A folder with recordings, also in folders within"
            return _uploaded(st.file_uploader(label, [*AUDIO_SUFFIXES, ZIP], accept_multiple_files="directory"))
        case "clip":
            return Chosen(_chosen_clip(), [], {})
        case _:
            names = [*EXAMPLES, *PLAIN_SOUNDS] if plain else list(EXAMPLES)
            name = choose(st.selectbox, "Synthetic example", names, key="example")
            st.caption(
                f"Generated by this project. {PLAIN_SOUNDS[name].says}"
                if name in PLAIN_SOUNDS
                else "Generated by this project from pulses and formants: not a human voice, and not acted."
            )
            return Chosen([Recording(name, example_audio(name))], [], {})


def _uploaded(files: Sequence[UploadedFile]) -> Chosen:
    try:
        uploads, problems = uploads_of(files)
    except SERError as error:
        return Chosen([], [], {"this server": str(error)})
    chosen = Chosen([], uploads, problems) if len(uploads) > FEW else _few(uploads, problems)
    return chosen._replace(files=frozenset(file.file_id for file in files))


@st.cache_data(show_spinner=False)
def example_audio(name: str) -> np.ndarray:
    """A bundled synthetic example or plain sound, float32 `[samples]` at 16 kHz."""
    return PLAIN_SOUNDS[name].make() if name in PLAIN_SOUNDS else synthesize(EXAMPLES[name])


def _chosen_clip() -> list[Recording]:
    corpus, index = Corpus.open(), load_index()
    names = list(index)
    position = names.index(next((name for name in names if name in corpus.present), names[0]))
    hint = "Type to search: actor, sentence, emotion"
    clip = index[choose(st.selectbox, "Clip", names, key="clip", index=position, help=hint)]
    audio = sound_of(clip, corpus, "get-clip")
    return [] if audio is None else [Recording(clip.name, audio, clip=clip)]


def _few(uploads: Sequence[Upload], problems: dict[str, str]) -> Chosen:
    """Decode them."""
    recordings: list[Recording] = []
    problems = dict(problems)
    for upload in uploads:
        try:
            with st.spinner(f"Reading {literal(upload.name)}…"):  # which takes seconds where it has many minutes
                recordings.append(decoded(upload))
        except SERError as error:
            problems[upload.name] = str(error)
    return Chosen(recordings, [], problems)


def decoded(upload: Upload) -> Recording:
    """A file's sound. This visitor's session keeps it while there is room, so that no other model decodes it again.

    Raises:
        SERError: it can't be unpacked or decoded, or is too long.
    """
    memory: Memory[Recording] = st.session_state.setdefault(DECODED, Memory(MAX_BYTES, _weight))
    recording = memory.get(upload.digest)
    if recording is None:
        memory.put(upload.digest, recording := upload.load())
    return replace(recording, name=upload.name)


def _weight(recording: Recording) -> int:
    return recording.audio.nbytes

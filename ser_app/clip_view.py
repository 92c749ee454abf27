"""One clip, as pages show it: sound, waveform with the detected speech, mel spectrogram, and the way to the next."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
import soundfile
import streamlit as st

from ser_app.charts import show_figure, spoken
from ser_app.loaders import HOW_TO_GET_CLIPS, clip_audio, speech_of
from ser_app.messages import sentence
from ser_app.player import tie_pictures, tied
from ser_app.tables import keep
from ser_core.analysis.figures import log_mel_figure, probability_figure, waveform_figure
from ser_core.analysis.report import REPORT_LINK
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import Speech
from ser_core.corpus.clips import Clip
from ser_core.corpus.folder import Corpus
from ser_core.corpus.names import INTENSITIES
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import CorpusError, SERError
from ser_core.features.mel import log_mel


def wav(audio: np.ndarray, subtype: str = "PCM_16") -> bytes:
    """Samples at 16 kHz as a wav file, of the kind that soundfile calls so."""
    file = io.BytesIO()
    soundfile.write(file, audio, SAMPLE_RATE, format="WAV", subtype=subtype)
    return file.getvalue()


def play(audio: np.ndarray, name: str = "the recording", *, first: bool = False, autoplay: bool = False) -> None:
    """A player for samples at 16 kHz, at their own loudness: given an array, `st.audio` would make all equally loud.

    Args:
        audio: float32 `[samples]`.
        name: of what it plays, for those who can't see where it stands.
        first: whether it is the first player of a page whose pictures go with it, see `ser_app.player`.
        autoplay: whether it plays at once: only after the visitor pressed something.
    """
    st.audio(wav(audio), format="audio/wav", alt=f"Sound of {name}", autoplay=autoplay)
    if first:
        tie_pictures()


def show_sound(speech: Speech, key: str, name: str, start: float = 0.0) -> None:
    """Waveform with the detected speech shaded, and mel spectrogram in dB, of a recording or a part of it.

    Args:
        speech: and all that is around it.
        key: of the figures.
        name: of the recording, after which their data are called.
        start: of the part in the recording that the player before it plays, in seconds.
    """
    part = np.array([[start, start + len(speech.audio) / SAMPLE_RATE]])
    st.caption("Waveform, detected speech shaded")
    waveform = waveform_figure(speech.audio, speech.intervals)
    seconds = len(speech.audio) / SAMPLE_RATE
    alt = f"Waveform of {seconds:.1f} s, with the detected speech shaded, {speech.seconds:.1f} s of it"
    show_figure(tied(waveform, part), f"{key}-wave", alt=alt, file=f"{name} waveform")
    st.caption("Log-mel spectrogram")
    figure = tied(log_mel_figure(log_mel(speech.audio)), part)
    show_figure(figure, f"{key}-mel", alt=f"Log-mel spectrogram of {seconds:.1f} s", file=f"{name} log-mel")


def show_steps(table: str, names: Sequence[str], name: str | None) -> None:
    """Buttons, and keys, for the clips before and after one in a table of which one row can be selected.

    Args:
        table: its key.
        names: of the clips in its rows.
        name: of the clip that is shown, in the table or not.
    """
    row = names.index(name) if name in names else None
    before, after = (None, 0) if row is None else (row - 1, row + 1)
    with st.container(horizontal=True):
        for label, icon, key, wanted in (
            ("Previous", ":material/skip_previous:", "Shift+Left", before),
            ("Next", ":material/skip_next:", "Shift+Right", after),
        ):
            st.button(
                label,
                icon=icon,
                shortcut=key,
                disabled=wanted not in range(len(names)),
                on_click=keep,
                args=(table, [wanted]),
                key=f"{table}-{label}",
            )


def describe(clip: Clip) -> None:
    """A line on what is known of a clip, and its defect if it has one."""
    actor = clip.actor
    st.markdown(
        f"`{clip.name}` · {INTENSITIES[clip.intensity]} intensity · actor {actor.id}, {actor.sex}, {actor.age}, "
        f"{actor.race}, {actor.ethnicity} · {clip.seconds:.2f} s · {clip.report_split} part of the "
        f"{REPORT_LINK}'s split"
    )
    if clip.defect:
        st.warning(f"Known defect of the official data: {clip.defect}.", icon=":material/report:")


def show_clip_sound(clip: Clip, corpus: Corpus, key: str, *, explain: bool = True) -> None:
    """Player, waveform and spectrogram of a clip, or the offer to get it."""
    audio = sound_of(clip, corpus, f"get-{key}", explain=explain)
    if audio is not None:
        play(audio, clip.name, first=True)
        show_sound(speech_of(audio), key, clip.name)


def sound_of(clip: Clip, corpus: Corpus, key: str, *, explain: bool = True) -> np.ndarray | None:
    """A clip's float32 samples at 16 kHz; where it has none that can be read, say so, and offer to get it.

    Args:
        key: of the button that gets it.
        explain: whether to say how to get all clips.
    """
    try:
        audio = clip_audio(clip, corpus)
    except CorpusError as error:
        st.error(sentence(error))
        offer_download(clip, corpus, key)
        return None
    if audio is None:
        st.info(f"The sound of this clip is not on this machine. {HOW_TO_GET_CLIPS if explain else ''}")
        offer_download(clip, corpus, key)
    return audio


def rater_bars(clip: Clip) -> dict[str, dict[str, float]]:
    """Shares of the votes by emotion, of raters who only heard, only saw, or heard and saw the clip."""
    votes = {"voice": clip.voice, "face": clip.face, "both": clip.both}
    return {
        f"raters, {kind} ({v.total})": dict(zip(EMOTIONS, v.shares.tolist(), strict=True)) for kind, v in votes.items()
    }


def show_answered(clip: Clip, answer: str) -> None:
    """A heading for a clip: the emotion that was intended, and a model's answer, a code."""
    intended, predicted = EMOTION_NAMES[clip.emotion], EMOTION_NAMES[answer]
    answered = "as predicted" if predicted == intended else f"predicted as {predicted}"
    st.header(f"{intended.capitalize()}, {answered}: “{clip.text}”")


def show_shares(clip: Clip, bars: Mapping[str, Mapping[str, float]]) -> None:
    """What raters chose for a clip, maybe beside what a model says: shares of emotions by what each is called."""
    whose = "model and raters" if bars.keys() - rater_bars(clip).keys() else "raters"
    alt = f"Shares of emotions, {whose}: {spoken(bars)}"
    show_figure(probability_figure(bars, height=460), "opinions", alt=alt, file=f"{clip.name} {whose}")


def offer_download(clip: Clip, corpus: Corpus, key: str) -> None:
    """Get a clip's sound on demand, also in place of a damaged file."""
    if st.button("Download this clip", key=key):
        from ser_core.corpus.download import fetch_clip

        try:
            with st.spinner("Downloading…"):
                fetch_clip(clip, corpus)
        except SERError as error:
            st.error(sentence(error))
            return
        st.rerun()

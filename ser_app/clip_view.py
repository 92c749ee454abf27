"""One clip, as Samples and Classify show it: sound, waveform with the detected speech, mel spectrogram."""

from __future__ import annotations

import io

import numpy as np
import soundfile
import streamlit as st

from ser_app.loaders import HOW_TO_GET_CLIPS
from ser_core.audio import SAMPLE_RATE, Speech
from ser_core.cremad import Clip, Corpus
from ser_core.errors import SERError
from ser_core.features import log_mel
from ser_core.figures import log_mel_figure, waveform_figure

CHART = {"displaylogo": False}


def play(audio: np.ndarray) -> None:
    """A player for samples at 16 kHz, at their own loudness: given an array, `st.audio` would make all equally loud."""
    wav = io.BytesIO()
    soundfile.write(wav, audio, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    st.audio(wav, format="audio/wav")


def show_sound(speech: Speech, key: str) -> None:
    """Waveform with the detected speech shaded, and mel spectrogram in dB, of a whole recording."""
    st.caption("Waveform, detected speech shaded")
    st.plotly_chart(waveform_figure(speech.audio, speech.intervals), config=CHART, key=f"{key}-wave")
    st.caption("Log-mel spectrogram")
    st.plotly_chart(log_mel_figure(log_mel(speech.audio)), config=CHART, key=f"{key}-mel")


def offer_download(clip: Clip, corpus: Corpus, key: str, *, explain: bool = True) -> None:
    """Say that a clip's sound is not here, and get it on demand; `explain` says how to get all."""
    st.info(f"The sound of this clip is not on this machine. {HOW_TO_GET_CLIPS if explain else ''}")
    if st.button("Download this clip", key=key):
        from ser_core.cremad_download import fetch_clip

        try:
            with st.spinner("Downloading…"):
                fetch_clip(clip, corpus)
        except SERError as error:
            st.error(str(error))
            return
        st.rerun()

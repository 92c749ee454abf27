"""What a network got of a recording, as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ser_app.charts import show_figure
from ser_app.messages import literal
from ser_app.titles import title
from ser_core.analysis.contour_figure import contours_figure
from ser_core.analysis.figures import log_mel_figure, mel_image_figure, spectral_figure, whisper_figure
from ser_core.audio import SAMPLE_RATE
from ser_core.features.contours import CONTOURS
from ser_core.features.mel import TOP_DB
from ser_core.models.config import DURATION
from ser_core.serving.pieces import pieces
from ser_core.words import listed

if TYPE_CHECKING:
    from ser_core.serving.prediction import Prediction
    from ser_core.serving.predictor import Predictor

CONTOURS_SAY = (
    "Loudness is in dB over the level of the speech, pitch in semitones over its middle pitch (its median), 12 to an "
    "octave; where there is no pitch, as in an s or a pause, there is a gap. Voicing is how periodic the sound is."
)
"""What people need to know of the figure of contours."""


def show_input(model: Predictor, prediction: Prediction) -> None:
    """Each of a network's inputs, in a part of the page that is opened to be seen."""
    config, inputs = model.config, model.inputs(prediction.speech)
    with st.expander(f"What {literal(title(config.name))} got", icon=":material/visibility:"):
        if "mel" in inputs and config.form == "variable":
            mel = inputs["mel"][0]
            windows = [f"{1000 * n / SAMPLE_RATE:g}" for n in (config.features.mel_n_fft, *config.features.mel_windows)]
            several = f". It gets one of each window, {listed(windows, 'and')} ms; the first is drawn."
            st.caption(
                f"The mel spectrogram of its speech: {len(mel)} bands, {mel.shape[1]} frames"
                + several * (len(windows) > 1)
            )
            show_figure(
                log_mel_figure((mel - 1) * TOP_DB, config.features, height=320),
                f"mel-{config.name}",
                alt="The mel spectrogram of its speech",
            )
        elif "mel" in inputs:
            pixels = " × ".join(map(str, inputs["mel"].shape[1:]))
            st.caption(f"Mel image: the speech as {pixels} pixels")
            show_figure(mel_image_figure(inputs["mel"][0]), f"mel-{config.name}", alt="The mel image of its speech")
        if len(pieces(prediction.speech.waveform)) > 1:
            st.caption("Drawn is the speech as a whole. The network gets one window of it after the other.")
        if "contours" in inputs and DURATION in config.network.contours:
            seconds = inputs["contours"].shape[1] * config.features.mel_hop_length / SAMPLE_RATE
            around = f", with up to {config.audio.vad_pad:g} s before and after it" * (config.audio.vad_pad > 0)
            st.caption(f"How long the speech is{around}: {seconds:.2f} s")
        if "contours" in inputs and (names := [name for name in CONTOURS if name in config.network.contours]):
            st.caption(f"{', '.join(names).capitalize()} over time. {CONTOURS_SAY}")
            show_figure(
                contours_figure(inputs["contours"], config.features, names),
                f"contours-{config.name}",
                alt=f"{', '.join(names).capitalize()} of its speech over time",
            )
        if "whisper" in inputs:
            st.caption("The log-mel spectrogram of its speech, as Whisper's encoder takes it")
            show_figure(
                whisper_figure(inputs["whisper"]),
                f"whisper-{config.name}",
                alt="Log-mel spectrogram as Whisper's encoder takes it",
            )
        if "spectral" in inputs:
            st.caption("Spectral channels, each on its own scale")
            figure = spectral_figure(inputs["spectral"], config.features)
            show_figure(figure, f"spectral-{config.name}", alt="Spectral channels over time")

"""Features: one recording through the pipeline, step by step, with the report's parameters as knobs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from ser_app.channel_view import show_channels
from ser_app.charts import show_figure
from ser_app.clip_view import play
from ser_app.input_view import CONTOURS_SAY
from ser_app.messages import literal, sentence
from ser_app.navigation import start_page
from ser_app.player import tied
from ser_app.sources import choose_recordings
from ser_core.analysis.channel_figures import fitting, network_figure
from ser_core.analysis.contour_figure import contours_figure
from ser_core.analysis.figures import log_mel_figure, mel_image_figure, spectral_figure, waveform_figure
from ser_core.analysis.report import REPORT_LINK
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import AudioConfig, Speech, keep_intervals, preprocess
from ser_core.audio.vad import VAD_METHODS, other_intervals, speech_seconds
from ser_core.errors import SERError
from ser_core.features.config import FeatureConfig
from ser_core.features.contours import contours
from ser_core.features.mel import log_mel, mel_image
from ser_core.features.spectral import spectral_features

WINDOWS = (256, 512, 1024, 2048)
LISTED = 6  # stretches of time that were dropped, which are told one by one


def knobs() -> tuple[AudioConfig, FeatureConfig]:
    """Draw the settings, the report's where it gives one, and return them."""
    default_audio, default = AudioConfig(), FeatureConfig()
    with st.expander("Parameters", icon=":material/tune:"):
        speech, spectral, mel = st.columns(3)
        with speech:
            st.markdown("**Speech**")
            vad = st.selectbox(
                "Voice activity detection", list(VAD_METHODS), format_func=lambda name: VAD_METHODS[name].label
            )
            threshold = st.slider(
                "Speech probability", 0.1, 0.9, default_audio.vad_threshold, 0.05, disabled=vad != "silero"
            )
            top_db = st.slider(
                "Silence below the loudest (dB)", 10, 60, int(default_audio.vad_top_db), disabled=vad == "none"
            )
            normalize = st.checkbox("Z-score", default_audio.normalize)
        with spectral:
            st.markdown("**Spectral features**")
            frame_length = st.select_slider("Window (samples)", WINDOWS, default.frame_length)
            hop_length = st.slider("Hop (samples)", 80, 512, default.hop_length, 16)
            n_mfcc = st.slider("MFCC", 5, 40, default.n_mfcc)
        with mel:
            st.markdown("**Mel image**")
            mel_n_fft = st.select_slider("FFT window (samples)", WINDOWS, default.mel_n_fft)
            mel_hop_length = st.slider("Hop of the image (samples)", 64, 512, default.mel_hop_length, 64)
            n_mels = st.slider("Mel bands", 16, 128, default.n_mels, 8)
            image_size = st.slider("Image (pixels)", 16, 128, default.image_size, 16)
    audio = AudioConfig(vad=vad, vad_top_db=top_db, vad_threshold=threshold, normalize=normalize)
    features = FeatureConfig(
        frame_length=frame_length,
        hop_length=hop_length,
        n_mfcc=n_mfcc,
        n_frames=1 + 3 * SAMPLE_RATE // hop_length,
        mel_n_fft=mel_n_fft,
        mel_hop_length=mel_hop_length,
        n_mels=n_mels,
        image_size=image_size,
    )
    return audio, features


def show_pipeline(name: str, samples: np.ndarray, audio: AudioConfig, features: FeatureConfig) -> None:
    """Every step from sound to tensor."""
    speech = preprocess(samples, audio)
    for warning in speech.warnings:
        st.warning(sentence(warning))

    st.header("1 · Sound")
    st.caption(
        f"Mono at 16 kHz, {len(samples) / SAMPLE_RATE:.2f} s; detected speech shaded, {speech.seconds:.2f} s of it"
    )
    play(samples, name, first=True)
    show_figure(
        tied(waveform_figure(samples, speech.intervals)),
        "raw",
        file=f"waveform {name}",
        at_once=True,
        alt=f"Waveform, {len(samples) / SAMPLE_RATE:.2f} s, with the detected speech shaded",
    )
    speech.require()

    st.header("2 · Speech only" + (", z-scored" if audio.normalize else ""))
    show_dropped(speech, audio)
    unit = "standard deviations" if audio.normalize else "amplitude"
    show_figure(
        tied(waveform_figure(speech.waveform, unit=unit)),
        "speech",
        file=f"waveform of the speech {name}",
        alt=f"Waveform of the speech alone, {speech.seconds:.2f} s, in {unit}",
    )

    spectral = spectral_features(speech.waveform, features)
    st.header(f"3 · {len(spectral)} spectral channels over time")
    show_frames(spectral, features)

    decibels = log_mel(speech.waveform, features)
    image = mel_image(decibels, features)[0]
    st.header("4 · Mel spectrogram and mel image")
    left, right = st.columns(2)
    with left:
        st.caption(f"Log-mel, {features.n_mels} bands up to {features.fmax:,.0f} Hz, {decibels.shape[1]} frames")
        show_figure(
            tied(log_mel_figure(decibels, features, height=320)),
            "mel",
            file=f"log-mel {name}",
            alt=f"Log-mel spectrogram of the speech, {features.n_mels} bands over {decibels.shape[1]} frames",
        )
    with right:
        st.caption(f"What the 2D CNN gets: {image.shape[0]} × {image.shape[1]} pixels in 0 to 1")
        show_figure(
            mel_image_figure(image),
            "image",
            file=f"mel image {name}",
            alt=f"The same spectrogram as an image of {image.shape[0]} × {image.shape[1]} pixels",
        )
    show_contours(name, speech, features)
    show_channels(spectral, audio, features, "6 · One channel, and what it reacts to")


def show_dropped(speech: Speech, audio: AudioConfig) -> None:
    """What was kept and what was dropped, to listen to."""
    others = other_intervals(speech.intervals, len(speech.audio))
    st.caption(
        f"{VAD_METHODS[audio.vad].label} voice activity detection drops what is no speech"
        + ("; then mean 0 and standard deviation 1, which is drawn, and not played" if audio.normalize else "")
    )
    dropped, kept = st.columns(2)
    with dropped:
        st.markdown(f"Dropped: {speech_seconds(others):.2f} s")
        if len(others):
            play(keep_intervals(speech.audio, others), "what was dropped")
            listed = ", ".join(f"{start:.2f} to {end:.2f} s" for start, end in others[:LISTED] / SAMPLE_RATE)
            more = f" and {len(others) - LISTED} more" if len(others) > LISTED else ""
            st.caption(f"{listed}{more}")
    with kept:  # the last player before the pictures of speech, which go with it
        st.markdown(f"Kept: {speech.seconds:.2f} s")
        play(keep_intervals(speech.audio, speech.intervals), "what was kept")


def show_contours(name: str, speech: Speech, features: FeatureConfig) -> None:
    """How loudness and pitch move, every hop of the spectral features."""
    st.header("5 · Loudness, pitch and voicing")
    st.caption(f"How the voice moves, every {features.hop_length} samples. {CONTOURS_SAY}")
    stepped = replace(features, mel_hop_length=features.hop_length, pitch_path=True)
    show_figure(
        tied(contours_figure(contours(speech.waveform, features.hop_length, path=True), stepped)),
        "contours",
        file=f"contours {name}",
        alt="Loudness in decibels, pitch in semitones, and voicing of the speech over time",
    )


def show_frames(spectral: np.ndarray, features: FeatureConfig) -> None:
    """All channels, as the network gets them or in full."""
    frames = spectral.shape[1]
    as_it_gets = f"The {features.n_frames} frames that the network gets"
    in_full = f"All {frames} frames of the speech"
    st.caption(
        f"Window {features.frame_length}, hop {features.hop_length} samples. {fitting(frames, features)} Each channel "
        "is drawn on its own scale; point at it for values."
    )
    shown = st.segmented_control(
        "Show", [as_it_gets, in_full], default=as_it_gets, required=True, label_visibility="collapsed"
    )
    # What the network gets is cut or padded, and goes with no sound.
    figure = network_figure(spectral, features) if shown == as_it_gets else tied(spectral_figure(spectral, features))
    show_figure(
        figure,
        "spectral",
        file="spectral channels",
        alt=f"{len(spectral)} channels over time, darker is lower. {fitting(frames, features)}",
    )
    if frames < features.n_frames and shown == as_it_gets:
        st.caption("The zeros are no silence to a network: in a pause, MFCC 0 lies far below zero.")


start_page("Features")
st.title("Features")
st.markdown(f"From sound to what the networks see, step by step (the {REPORT_LINK}'s sections 2.3 and 3).")
chosen = choose_recordings(("example", "clip", "upload", "record"), plain=True)
recordings, problems = chosen.recordings, chosen.problems
for name, problem in problems.items():
    st.error(f"{literal(name)}: {sentence(problem)}")
audio_config, feature_config = knobs()
for recording in recordings:
    for warning in recording.warnings:
        st.warning(sentence(warning))
    try:
        show_pipeline(recording.name, recording.audio, audio_config, feature_config)
    except SERError as error:
        st.error(sentence(error))

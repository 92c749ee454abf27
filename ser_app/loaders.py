"""What pages load, each thing once a server: checkpoints, records, clips.

Heavy imports stay inside the functions: torch takes a second, and a page that needs no model shouldn't wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from ser_core.corpus.clips import Clip, load_index
from ser_core.corpus.folder import Corpus
from ser_core.corpus.names import INTENSITIES
from ser_core.emotions import EMOTION_NAMES, in_words
from ser_core.errors import CorpusError, SERError
from ser_core.file_state import Fingerprint, fingerprint

if TYPE_CHECKING:
    from ser_core.audio.detections import Detections
    from ser_core.audio.preprocess import Speech
    from ser_core.serving.prediction import Prediction
    from ser_core.serving.predictor import Predictor

HOW_TO_MAKE_CHECKPOINTS = (
    "There is no checkpoint that can be used. Train one with `python train.py --model 2d --act silu`."
)
MAX_CHECKPOINTS = 4  # kept in memory at once
HOW_TO_GET_CLIPS = (
    "Get all clips (about 600 MB) with `python -m ser_core.cremad download`, or 300 of them with `--sample 300`; "
    "if you have them already, say where with the environment variable `CREMAD_DIR`."
)


def predictor(name: str) -> Predictor:
    """A checkpoint, ready to classify; shared by all visitors, and loaded again when its files change.

    Raises:
        CheckpointError: it can't be used.
    """
    return _predictor(name, checkpoint_files(name))


@st.cache_resource(max_entries=MAX_CHECKPOINTS, show_spinner="Loading the model…")
def _predictor(name: str, files: Fingerprint) -> Predictor:
    from ser_core.serving.predictor import Predictor

    model = Predictor.load(name)
    model.detect = _detections()
    return model


@st.cache_resource(show_spinner=False)
def _detections() -> Detections:
    """Where somebody speaks, which models of the same preprocessing share."""
    from ser_core.audio.detections import Detections

    return Detections()


def checkpoint_files(name: str) -> Fingerprint:
    """What differs after a checkpoint was trained again: part of the key of all that is kept of its answers."""
    from ser_core.records.checkpoints import CHECKPOINT_FILES, checkpoints_dir

    return fingerprint(*(checkpoints_dir() / name / file for file in CHECKPOINT_FILES))


def checkpoints() -> tuple[list[str], dict[str, str]]:
    """Names of the checkpoints that can be used, the best first, and why others can't be."""
    from ser_core.records.checkpoints import checkpoints_dir, survey_checkpoints

    return survey_checkpoints(checkpoints_dir())


def said(provenance: object, *keys: str) -> float | None:
    """A number that a checkpoint says of itself, for people; None where it doesn't, or says no number."""
    from ser_core.records.checkpoints import is_number

    for key in keys:
        provenance = provenance.get(key) if isinstance(provenance, dict) else None
    return provenance if is_number(provenance) else None


def was_trained_on(checkpoint: str, clip: Clip) -> bool:
    """Whether a checkpoint is known to have been trained on this clip."""
    from ser_core.evaluation.unheard import was_trained_on
    from ser_core.records.checkpoints import checkpoints_dir, load_config

    try:
        return bool(was_trained_on(load_config(checkpoints_dir() / checkpoint), clip.name))
    except SERError:
        return False


def clip_audio(clip: Clip, corpus: Corpus) -> np.ndarray | None:
    """A clip's float32 samples at 16 kHz, or None where its file is missing (it may be there the next time).

    Raises:
        CorpusError: the file is damaged.
    """
    path = corpus.path(clip)
    return _decoded(clip.name, corpus, fingerprint(path)) if path.is_file() else None


@st.cache_data(max_entries=128, show_spinner=False)
def _decoded(name: str, _corpus: Corpus, file: Fingerprint) -> np.ndarray:
    return _corpus.load(name)


def clip_prediction(clip: Clip, corpus: Corpus, checkpoint: str) -> Prediction | str | None:
    """What a checkpoint says about a clip; a sentence where it can't, None where the clip's sound is not there."""
    try:
        audio = clip_audio(clip, corpus)
    except CorpusError:
        return None
    return None if audio is None else _predicted(audio, checkpoint, checkpoint_files(checkpoint))


@st.cache_data(max_entries=256, show_spinner=False)
def _predicted(audio: np.ndarray, checkpoint: str, files: Fingerprint) -> Prediction | str:
    try:
        # In every clip of the corpus somebody speaks, if only a shout that isn't recognised as a voice.
        return predictor(checkpoint).classify(audio, any_sound=True)
    except SERError as error:
        return str(error)


@st.cache_data(show_spinner=False)
def clip_table() -> pd.DataFrame:
    """The index as a table, one row a clip, for filtering and showing."""
    return pd.DataFrame([_row(clip) for clip in load_index().values()])


def _row(clip: Clip) -> dict[str, object]:
    return {
        "clip": clip.name,
        "intended": EMOTION_NAMES[clip.emotion],
        "raters heard": in_words(clip.voice.majority),
        "raters agree": round(100 * clip.voice.agreement),
        "intensity": INTENSITIES[clip.intensity],
        "sentence": clip.text,
        "actor": clip.actor.id,
        "sex": clip.actor.sex,
        "age": clip.actor.age,
        "race": clip.actor.race,
        "seconds": clip.seconds,
        "split": clip.report_split,
        "defect": clip.defect or "",
    }


@st.cache_data(max_entries=256, show_spinner=False)
def speech_of(audio: np.ndarray) -> Speech:
    """The speech in samples at 16 kHz, with the default preprocessing."""
    from ser_core.audio.preprocess import preprocess

    return preprocess(audio)

"""Clips like this one: the test clips that a network takes for most like a recording, heard when somebody asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from ser_app.address import switch
from ser_app.clip_view import describe, play, sound_of
from ser_app.messages import literal, sentence
from ser_app.tables import choose_row
from ser_app.titles import title
from ser_core.analysis.similarity import N_SIMILAR, Shared, Similar, shared_with_neighbours, similar
from ser_core.corpus.clips import by_name, find_clip, load_index
from ser_core.corpus.folder import Corpus
from ser_core.corpus.names import stem_of
from ser_core.emotions import EMOTION_NAMES, EMOTIONS, in_words
from ser_core.errors import SERError
from ser_core.file_state import Fingerprint, fingerprint
from ser_core.records.embedding_map import MAP_FILE, EmbeddingMap, load_map
from ser_core.serving.prediction import Prediction

ALIKE = st.column_config.ProgressColumn(
    format="%.2f",
    min_value=0,
    max_value=1,
    help="Cosine of the angle between the two embeddings: 1 for the same, 0 for no likeness",
)
COLUMNS = {
    "alike": ALIKE,
    "intended": st.column_config.TextColumn(width=85),
    "predicted": st.column_config.TextColumn(width=85),
    "model score": st.column_config.NumberColumn(format="%d %%", help="The model's probability of its answer"),
    "raters agree": st.column_config.NumberColumn(
        format="%d %%", help="Share of voice-only raters who chose the most chosen emotion"
    ),
}
WHAT_LIKE_MEANS = "It shows what the network takes for alike, not what sounds alike to people."


def has_map(name: str) -> bool:
    """Whether a checkpoint comes with a map."""
    return _files(name)[0].is_file()


def map_of(name: str) -> EmbeddingMap | None:
    """A checkpoint's map; None if it has none.

    Raises:
        CheckpointError: it is damaged, or was made with other weights.
    """
    return _map(name, fingerprint(*_files(name)))


def shared_of(name: str) -> dict[str, Shared]:
    """What neighbours have in common by a checkpoint's map, see `shared_with_neighbours`.

    Raises:
        CheckpointError: see `map_of`.
    """
    return _shared(name, fingerprint(*_files(name)))


def _files(name: str) -> tuple:
    from ser_core.records.checkpoints import checkpoints_dir

    folder = checkpoints_dir() / name
    return folder / MAP_FILE, folder / "model.safetensors"


@st.cache_resource(max_entries=8, show_spinner=False)
def _map(name: str, files: Fingerprint) -> EmbeddingMap | None:
    return load_map(_files(name)[0].parent)


@st.cache_data(max_entries=8, show_spinner=False)
def _shared(name: str, files: Fingerprint) -> dict[str, Shared]:
    drawn = map_of(name)
    return shared_with_neighbours(drawn) if drawn else {}


def clip_rows(drawn: EmbeddingMap, names: Sequence[str]) -> pd.DataFrame:
    """Clips of a map: what was intended, what the model answers, and what people heard."""
    rows = [drawn.rows[name] for name in names]
    clips = by_name(names)
    return pd.DataFrame(
        {
            "clip": list(names),
            "intended": [EMOTION_NAMES[clip.emotion] for clip in clips],
            "predicted": [EMOTION_NAMES[EMOTIONS[i]] for i in drawn.answers[rows]],
            "model score": [round(100 * float(score)) for score in drawn.scores[rows]],
            "raters heard": [in_words(clip.voice.majority) for clip in clips],
            "raters agree": [round(100 * clip.voice.agreement) for clip in clips],
            "actor": [str(clip.actor.id) for clip in clips],
            "sex": [clip.actor.sex for clip in clips],
            "sentence": [clip.text for clip in clips],
        }
    )


def place_rows(drawn: EmbeddingMap) -> list[dict[str, Any]]:
    """Where each clip of a map lies, beside what is known of it."""
    table = clip_rows(drawn, drawn.names)
    table.insert(1, "x", drawn.places[:, 0])
    table.insert(2, "y", drawn.places[:, 1])
    return [dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False, name=None)]


@st.fragment
def show_similar(prediction: Prediction, name: str, key: str, *, named: bool = False) -> None:
    """Draw the section of a recording, closed until it is opened; nothing where its model has no map.

    Args:
        name: of the recording, which is left out if it is a clip's.
        key: of its elements.
        named: whether to say which model it is.
    """
    model = prediction.checkpoint
    if prediction.embedding is None or not has_map(model):
        return
    label = f"Clips like this one, to {literal(title(model))}" if named else "Clips like this one"
    if not switch(label, key=f"similar-{key}", help="Test clips of CREMA-D whose embeddings are nearest"):
        return
    try:
        drawn = map_of(model)
        assert drawn is not None
        found = similar(drawn, prediction.embedding, but=stem_of(name))
    except SERError as error:
        st.error(sentence(error))
        return
    with st.container(border=True):
        tuned = " It is asked as it was trained: tuning changes answers, not likeness." * bool(prediction.adapted_to)
        st.caption(f"The test clips that {literal(model)} takes for most like this recording.{tuned}")
        show_neighbours(found, drawn, model, key, stem_of(name))


@st.fragment
def show_neighbours(found: Sequence[Similar], drawn: EmbeddingMap, model: str, key: str, name: str = "") -> None:
    """Clips and how alike they are; one that is selected is heard.

    Args:
        name: of what they are like, maybe a clip's.
    """
    names = [one.name for one in found]
    table = clip_rows(drawn, names)
    table.insert(1, "alike", [max(one.similarity, 0.0) for one in found])
    row = choose_row(
        table,
        f"neighbours-{key}-{hash(tuple(names))}",
        required=False,
        column_config=COLUMNS,
        alt="Clips like this one",
    )
    st.caption(f"{who_speaks(names, name)} {WHAT_LIKE_MEANS} Click on one to hear it.")
    if row is None:
        return
    clip, corpus = find_clip(names[row]), Corpus.open()
    with st.container(border=True):
        describe(clip)
        audio = sound_of(clip, corpus, f"get-neighbour-{key}", explain=bool(corpus.present))
        if audio is not None:
            play(audio)
        query = {"model": model, "clip": clip.name}
        st.page_link("pages/map.py", label="See it on the map", icon=":material/scatter_plot:", query_params=query)


def who_speaks(names: Sequence[str], name: str = "") -> str:
    """Of how many clips the speaker is that of the clip `name`, or else the same one, as a sentence."""
    actors = Counter(clip.actor.id for clip in by_name(names))
    if clip := load_index().get(name):
        same = actors[clip.actor.id]
        return f"{same or 'None'} of these {len(names)} {'is' if same == 1 else 'are'} by the same actor."
    actor, most = actors.most_common(1)[0]
    if most > 1:
        return f"{most} of these {len(names)} are by one actor, {actor}."
    return f"Each of these {len(names)} is by another actor."


def show_shared(models: Sequence[str]) -> None:
    """What neighbours have in common, a row a model, beside chance."""
    rows, chance = [], {}
    for model in models:
        try:
            shared = shared_of(model)
        except SERError:
            continue
        rows.append({"model": title(model), **{f"same {what}": 100 * one.neighbours for what, one in shared.items()}})
        chance = {f"same {what}": 100 * one.chance for what, one in shared.items()}
    if not rows:
        return
    st.header("What does the network hear: the emotion, the voice, the words?")
    st.caption(
        f"How many of a clip's {N_SIMILAR} nearest test clips have something in common with it, on average. The last "
        "row is chance: any other clip. A network that heard nothing but emotions would be at chance for all else."
    )
    table = pd.DataFrame([*rows, {"model": "chance", **chance}])
    percent = {column: st.column_config.NumberColumn(format="%.0f %%") for column in table.columns[1:]}
    st.dataframe(table, hide_index=True, column_config=percent)

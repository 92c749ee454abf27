"""Map: where a network puts its test clips, to look at, to choose from and to hear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ser_app.address import choose, gone_back
from ser_app.answers import worth
from ser_app.charts import CHART
from ser_app.clip_view import describe, rater_bars, show_answered, show_clip_sound, show_shares
from ser_app.downloads import offer_rows
from ser_app.loaders import HOW_TO_MAKE_CHECKPOINTS, checkpoints
from ser_app.messages import literal, sentence, show_unreadable
from ser_app.navigation import start_page
from ser_app.similar_view import COLUMNS, clip_rows, has_map, map_of, place_rows, show_neighbours, show_shared
from ser_app.tables import choose_row, keep
from ser_app.titles import about_checkpoint, choose_model
from ser_core.analysis.map_figure import COLOURINGS, MOST_ACTORS, map_figure
from ser_core.analysis.similarity import similar_to_clip
from ser_core.corpus.clips import by_name, find_clip
from ser_core.corpus.folder import Corpus
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import SERError
from ser_core.places import how_to_run
from ser_core.records.embedding_map import EmbeddingMap
from ser_core.words import percent

HOW_TO_MAKE_MAPS = f"Draw them with `{how_to_run('map')} --every-checkpoint`, which needs the clips."
HOW_TO_READ = (
    "What is near is alike to the network. How far apart groups are, and how large they are, means little: the drawing "
    "(t-SNE) keeps neighbours together, and nothing else. Its directions mean nothing."
)

HOW_TO_CHOOSE = (
    "Touch a point, or click on a row here. With a mouse, you can also draw around some, with the lasso from the map's "
    "menu."
)

MOST_ROWS, TABLE_HEIGHT = 14, 540  # pixels: beside the map

# Session state: the clip that the visitor came with, which has a ring, and the one that the page shows.
CAME_WITH, SHOWN_CLIP = "map-came-with", "map-shown"


def choose_actors(drawn: EmbeddingMap) -> list[int]:
    """Draw the choice of the actors who are picked out."""
    actors = sorted({clip.actor.id for clip in by_name(drawn.names)})
    chosen: list[int] = choose(
        st.multiselect,
        "Actors",
        actors,
        key="actor",
        default=actors[:MOST_ACTORS],
        max_selections=MOST_ACTORS,
        help="Up to six have a colour",
    )
    return chosen


def chosen_names(event: Any) -> list[str]:
    """Names of the clips whose points are chosen, each once."""
    points = event.get("selection", {}).get("points", [])
    return list(dict.fromkeys(point["customdata"][0] for point in points if point.get("customdata")))


def choose_colour(drawn: EmbeddingMap) -> tuple[str, list[int]]:
    """Draw what points are coloured by; one of `COLOURINGS`, and the actors who are picked out if it is by actor."""
    chosen = choose(st.segmented_control, "Colour", list(COLOURINGS), key="colour", default="emotion", required=True)
    return chosen or "emotion", choose_actors(drawn) if chosen == "actor" else []


def show_map(drawn: EmbeddingMap, model: str, colouring: str, actors: Sequence[int], linked: str) -> list[str]:
    """Draw the map; names of the clips that are chosen on it.

    Args:
        linked: name of the clip in the address, which gets a ring.
    """
    with st.container(border=True):
        event = st.plotly_chart(
            map_figure(drawn, colouring, actors=actors, ringed=[linked]),
            config=CHART,
            key=f"map-{model}",
            on_select="rerun",
            selection_mode=("points", "box", "lasso"),
            alt=f"{len(drawn.names):,} test clips as points, coloured by {colouring}. The table lists the same clips.",
        )
        st.caption(HOW_TO_READ)
        offer_rows(lambda: place_rows(drawn), f"map-{model}", f"map of test clips {model}")
    return chosen_names(event)


def clip_of_address() -> tuple[str, bool]:
    """The clip that the visitor came with or went back to, and whether that is news.

    What is chosen on the page gets into the address, but no ring: the map would be drawn anew.
    """
    asked = st.query_params.get("clip", "")
    shown = st.session_state.get(SHOWN_CLIP)
    news = asked not in ("", shown) or gone_back("clip", shown)
    if news:
        st.session_state[CAME_WITH] = asked
    return st.session_state.get(CAME_WITH, ""), news


def choose_clip(drawn: EmbeddingMap, names: Sequence[str], linked: str, news: bool) -> str | None:
    """Draw the table of the clips that are chosen, or of all; name of the one that is selected.

    Args:
        linked: name of the clip in the address.
        news: choose that one, whichever was before.
    """
    shown = names or drawn.names
    said = f"{len(names):,} of {len(drawn.names):,} clips chosen." if names else f"All {len(drawn.names):,} test clips."
    st.caption(f"{said} {HOW_TO_CHOOSE}")
    key = f"chosen-{hash(tuple(shown))}"  # it holds the rows: an old selection would mean another clip
    if news or key not in st.session_state:
        keep(key, [shown.index(linked)] if linked in shown else [0] if names else [])
    row = choose_row(
        clip_rows(drawn, shown),
        key,
        required=False,
        height=TABLE_HEIGHT if len(shown) > MOST_ROWS else "content",
        column_config=COLUMNS,
        alt="Test clips on the map",
    )
    return None if row is None else shown[row]


def show_clip(name: str, drawn: EmbeddingMap, model: str) -> None:
    """One clip: its sound, what people heard, and its neighbours."""
    clip, corpus, row = find_clip(name), Corpus.open(), drawn.rows[name]
    answer = EMOTION_NAMES[EMOTIONS[drawn.answers[row]]]
    show_answered(clip, EMOTIONS[drawn.answers[row]])
    describe(clip)
    sound, opinions = st.columns([3, 2], gap="large")
    with sound, st.container(border=True):
        show_clip_sound(clip, corpus, "map", explain=bool(corpus.present))
    with opinions, st.container(border=True):
        st.caption(
            f"What people heard and saw; the model answers {answer} with a score of {percent(drawn.scores[row], 0)}"
        )
        show_shares(clip, rater_bars(clip))
    st.header("Clips like this one")
    show_neighbours(similar_to_clip(drawn, name), drawn, model, f"map-{name}", name)


start_page("Map")
st.title("Map")
st.markdown(
    "Each point is a test clip, where a network puts it before it answers. Do neighbours sound alike to you, too?"
)
available, unreadable = checkpoints()
mapped = [name for name in available if has_map(name)]
if mapped:
    model = choose_model(st.selectbox, mapped)
    st.caption(f"{about_checkpoint(model)} {worth(model)}")
    linked, news = clip_of_address()
    try:
        drawn = map_of(model)
    except SERError as error:
        st.error(sentence(error))
    else:
        assert drawn is not None
        if linked and linked not in drawn.rows:
            st.warning(f"The address asks for clip={literal(linked[:60])}, which is not on this map of test clips.")
            linked = st.session_state[CAME_WITH] = ""
        colouring, actors = choose_colour(drawn)
        left, right = st.columns([3, 2])
        with left:
            chosen = show_map(drawn, model, colouring, actors, linked)
        with right:
            name = choose_clip(drawn, chosen, linked, news)
        st.session_state[SHOWN_CLIP] = name
        if name:
            st.query_params["clip"] = name
            show_clip(name, drawn, model)
        elif st.query_params.get("clip") in drawn.rows:
            del st.query_params["clip"]
    show_shared(mapped)
else:
    st.info(f"No model here has a map of its test clips. {HOW_TO_MAKE_MAPS}" if available else HOW_TO_MAKE_CHECKPOINTS)
show_unreadable(unreadable, "checkpoint")

"""The page Map, and clips like this one on Samples and Classify."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ser_core.analysis.map_figure import COLOURINGS, MOST_ACTORS, RING, map_figure
from ser_core.corpus.clips import by_name, find_clip
from ser_core.emotions import EMOTION_NAMES
from ser_core.records.embedding_map import EmbeddingMap
from tests.app.helpers import CLIP, labelled, set_source, texts
from tests.made_map import MAPPED, give_map, made_map

OpenPage = Callable[..., AppTest]
MAP = "pages/map.py"
WIDTH = 512  # of the embeddings of a 1D CNN


@pytest.fixture
def maps(two_checkpoints: Path) -> EmbeddingMap:
    """Those of both checkpoints."""
    give_map(two_checkpoints / "sad", WIDTH, says="SAD")
    return give_map(two_checkpoints / "glad", WIDTH)


def traces(app: AppTest) -> list[dict]:
    return json.loads(app.get("plotly_chart")[0].proto.spec)["data"]


def test_the_map_shows_each_test_clip_once_and_lists_them(open_page: OpenPage, maps: EmbeddingMap):
    app = open_page(MAP)
    groups = {trace["name"]: trace["customdata"] for trace in traces(app)}
    assert list(groups) == list(EMOTION_NAMES.values())
    assert sorted(row[0] for rows in groups.values() for row in rows) == sorted(MAPPED)
    assert all(EMOTION_NAMES[find_clip(row[0]).emotion] == name for name, rows in groups.items() for row in rows)
    table = app.dataframe[0].value
    assert tuple(table["clip"]) == MAPPED
    assert set(table["predicted"]) == {"happiness"}
    assert set(table["model score"]) == {80}
    assert "means little" in texts(app)
    assert "click on a row" in texts(app)
    assert not app.get("audio")


def test_the_address_says_the_model_the_colour_and_the_clip(open_page: OpenPage, maps: EmbeddingMap):
    name = MAPPED[3]
    app = open_page(MAP, model="sad", colour="answer", clip=name)
    points, ring = traces(app)
    assert points["name"] == "sadness"
    assert len(points["customdata"]) == len(MAPPED)
    assert ring["marker"]["symbol"] == RING["symbol"]
    clip = find_clip(name)
    assert f"{EMOTION_NAMES[clip.emotion].capitalize()}, predicted as sadness: “{clip.text}”" in texts(app)
    assert "The sound of this clip is not on this machine" in texts(app)
    neighbours = app.dataframe[1].value
    assert len(neighbours) == 10
    assert name not in set(neighbours["clip"])
    assert neighbours["alike"].is_monotonic_decreasing
    same = int((neighbours["actor"] == str(clip.actor.id)).sum())
    assert f"of these 10 {'is' if same == 1 else 'are'} by the same actor" in texts(app)


def test_the_clip_that_is_chosen_is_in_the_address_and_one_can_go_back_to_the_last(
    open_page: OpenPage, maps: EmbeddingMap
):
    app = open_page(MAP, clip=MAPPED[3])
    key = f"chosen-{hash(MAPPED)}"
    for row in (5, 2):
        app.session_state[key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
        app.run()
        assert app.query_params["clip"] in (MAPPED[row], [MAPPED[row]])
        assert f"{find_clip(MAPPED[row]).text}" in texts(app)
    for name in (MAPPED[5], MAPPED[3], MAPPED[5]):
        app.query_params["clip"] = name
        app.run()
        assert app.session_state[key]["selection"]["rows"] == [MAPPED.index(name)]
        assert app.query_params["clip"] in (name, [name])
    app.session_state[key] = {"selection": {"rows": [], "columns": [], "cells": []}}
    app.run()
    assert "clip" not in app.query_params


def test_what_neighbours_have_in_common_stands_beside_chance(open_page: OpenPage, maps: EmbeddingMap):
    table = open_page(MAP).dataframe[-1].value
    assert list(table["model"]) == ["glad", "sad", "chance"]
    assert (table["same emotion"][:2] > 2 * table["same emotion"][2]).all()


def test_actors_are_picked_out_of_the_others(open_page: OpenPage, maps: EmbeddingMap):
    app = open_page(MAP, colour="actor")
    chosen = labelled(app.multiselect, "Actors")
    assert [trace["name"] for trace in traces(app)] == ["others", *(f"actor {actor}" for actor in chosen.value)]
    chosen.set_value(chosen.value[:1]).run()
    assert not app.exception
    assert len(traces(app)) == 2


def test_a_map_that_cannot_be_used_says_why_and_the_others_stay(
    open_page: OpenPage, maps: EmbeddingMap, two_checkpoints: Path
):
    path = two_checkpoints / "glad" / "map.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    app = open_page(MAP)
    assert "The map of checkpoint glad is damaged" in texts(app)
    labelled(app.selectbox, "Model").set_value("sad").run()
    assert not app.exception
    assert not app.error
    path.unlink()
    assert labelled(open_page(MAP).selectbox, "Model").options == ["sad"]


def test_models_without_maps_are_told_how_to_get_them(open_page: OpenPage, two_checkpoints: Path):
    app = open_page(MAP)
    assert "python -m ser_core map --every-checkpoint" in texts(app)
    app = open_page("pages/samples.py", clip=CLIP)
    assert "Clips like this one" not in {toggle.label for toggle in app.toggle}


def test_a_clip_of_samples_finds_clips_like_it_when_somebody_asks(
    open_page: OpenPage, maps: EmbeddingMap, one_clip: Path
):
    app = open_page("pages/samples.py", corpus=one_clip, clip=CLIP)
    tables = len(app.dataframe)
    labelled(app.toggle, "Clips like this one").set_value(True).run()
    assert not app.exception
    assert len(app.dataframe) == tables + 1
    assert set(app.dataframe[-1].value["clip"]) < set(MAPPED)
    assert "not what sounds alike to people" in texts(app)


def test_any_recording_finds_clips_like_it_with_each_model(open_page: OpenPage, maps: EmbeddingMap):
    app = set_source(open_page("pages/classify.py"), "example")
    app.multiselect[0].set_value(["glad", "sad"]).run()
    assert {toggle.label for toggle in app.toggle} >= {"Clips like this one, to glad", "Clips like this one, to sad"}
    labelled(app.toggle, "Clips like this one, to sad").set_value(True).run()
    assert not app.exception
    assert len(app.dataframe[-1].value) == 10
    assert "The test clips that sad takes for most like this recording." in texts(app)


@pytest.mark.parametrize("colouring", COLOURINGS)
def test_every_colouring_draws_each_clip_once_in_groups_that_can_be_told_apart(colouring: str):
    made = made_map()
    actors = list(dict.fromkeys(clip.actor.id for clip in by_name(MAPPED)))[:MOST_ACTORS]
    figure = map_figure(made, colouring, actors=actors)
    assert sorted(row[0] for trace in figure.data for row in trace.customdata) == sorted(MAPPED)
    looks = [(trace.marker.color, trace.marker.symbol) for trace in figure.data]
    assert len(set(looks)) == len({trace.name for trace in figure.data}) == len(looks)
    if len(looks) <= MOST_ACTORS + 1:
        assert len({symbol for _, symbol in looks}) == len(looks)
    for trace in figure.data:
        places = made.places[[made.rows[row[0]] for row in trace.customdata]]
        np.testing.assert_allclose(np.column_stack([trace.x, trace.y]), places, atol=0.001)

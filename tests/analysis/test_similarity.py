import numpy as np
import pytest

from ser_core.analysis.similarity import N_SIMILAR, make_map, shared_with_neighbours, similar, similar_to_clip
from ser_core.corpus.clips import find_clip
from ser_core.errors import CheckpointError, CorpusError
from tests.made_map import MAPPED, embeddings, made_map

PROBABILITIES = np.tile(np.eye(6)[2], (len(MAPPED), 1))


def test_a_recording_finds_the_clip_that_is_like_it_and_not_itself():
    made, given = made_map(), embeddings()
    found = similar(made, given[7])
    assert len(found) == N_SIMILAR
    assert found[0].name == MAPPED[7]
    assert found[0].similarity == pytest.approx(1, abs=1e-5)
    similarities = [one.similarity for one in found]
    assert similarities == sorted(similarities, reverse=True)
    others = similar(made, given[7], but=MAPPED[7])
    assert [one.name for one in others][:-1] == [one.name for one in found][1:]
    assert {find_clip(one.name).emotion for one in others[:3]} == {find_clip(MAPPED[7]).emotion}
    assert [one.name for one in similar_to_clip(made, MAPPED[7])] == [one.name for one in others]


def test_the_nearest_are_those_of_the_smallest_angle_from_the_mean():
    given = embeddings()
    centred = given - given.mean(0)
    cosines = centred @ centred[3] / np.linalg.norm(centred, axis=1) / np.linalg.norm(centred[3])
    found = similar(made_map(), given[3], n=len(MAPPED))
    assert [one.name for one in found] == [MAPPED[i] for i in np.argsort(-cosines)]
    np.testing.assert_allclose([one.similarity for one in found], np.sort(cosines)[::-1], atol=1e-5)


def test_there_are_never_more_neighbours_than_clips():
    made = make_map(MAPPED[:5], embeddings()[:5], PROBABILITIES[:5])
    assert len(similar(made, embeddings()[0])) == 5
    assert len(similar_to_clip(made, MAPPED[0])) == 4
    assert shared_with_neighbours(made)["emotion"].neighbours == shared_with_neighbours(made)["emotion"].chance


def test_another_networks_embedding_is_refused():
    with pytest.raises(CheckpointError, match="its embeddings have 8 numbers, not 9"):
        similar(made_map(), np.zeros(9, np.float32))


def test_what_neighbours_share_is_compared_with_chance():
    shared = shared_with_neighbours(made_map(), 3)
    assert shared["emotion"].neighbours > 0.9
    emotions = [find_clip(name).emotion for name in MAPPED]
    pairs = [a == b for i, a in enumerate(emotions) for j, b in enumerate(emotions) if i != j]
    assert shared["emotion"].chance == pytest.approx(np.mean(pairs))
    assert list(shared) == ["emotion", "actor", "sex", "sentence"]


def test_a_drawing_is_the_same_each_time_and_keeps_like_beside_like():
    made, again = made_map(), made_map()
    assert made == again
    assert made.places.shape == (len(MAPPED), 2)
    assert np.abs(made.places).max() == 1
    distances = np.linalg.norm(made.places[:, None] - made.places, axis=2) + 9 * np.eye(len(MAPPED))
    emotions = np.array([find_clip(name).emotion for name in MAPPED])
    assert (emotions[distances.argmin(1)] == emotions).mean() > 0.9


def test_few_components_keep_most_and_too_few_clips_are_refused():
    few = make_map(MAPPED, embeddings(64), PROBABILITIES, n_components=6)
    assert few.components.shape == (48, 6)
    assert shared_with_neighbours(few, 3)["emotion"].neighbours > 0.9
    with pytest.raises(CorpusError, match="4 clips or more, not 3"):
        make_map(MAPPED[:3], embeddings()[:3], PROBABILITIES[:3])

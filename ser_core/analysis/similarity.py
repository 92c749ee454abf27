"""Which clips a network takes for alike: neighbours among its embeddings, and a drawing of them all.

Embeddings are compared by the angle between their principal components, seen from the mean of all. The drawing is
t-SNE's (van der Maaten and Hinton 2008): it keeps neighbours together. How far apart its groups are, and how large,
means little.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ser_core.corpus.clips import Clip, by_name
from ser_core.errors import CheckpointError, CorpusError
from ser_core.records.embedding_map import EmbeddingMap

N_COMPONENTS = 32
PERPLEXITY = 30.0  # of t-SNE: about how many neighbours of a clip it looks at
SEED = 42
FEWEST = 4  # clips that a map is drawn of
N_SIMILAR = 10

SHARED: dict[str, Callable[[Clip], object]] = {
    "emotion": lambda clip: clip.emotion,
    "actor": lambda clip: clip.actor.id,
    "sex": lambda clip: clip.actor.sex,
    "sentence": lambda clip: clip.sentence,
}
"""What a clip and its neighbours may have in common."""


class Similar(NamedTuple):
    """A clip and how alike its embedding is: the cosine of the angle, -1..1."""

    name: str
    similarity: float


class Shared(NamedTuple):
    """Share of a clip's neighbours that have something in common with it, and that of any other clips, 0..1."""

    neighbours: float
    chance: float


def make_map(
    names: Sequence[str], embeddings: np.ndarray, probabilities: np.ndarray, n_components: int = N_COMPONENTS
) -> EmbeddingMap:
    """A map of clips of CREMA-D.

    Args:
        names: of the clips, 4 or more.
        embeddings: `[clips, width]`.
        probabilities: `[clips, emotions]`.
        n_components: that are kept, > 0; fewer where there are fewer clips or numbers.

    Raises:
        CorpusError: there are fewer clips.
    """
    if len(names) < FEWEST:
        raise CorpusError(f"A map needs {FEWEST} clips or more, not {len(names)}.")
    exact = embeddings.astype(np.float64)
    mean = exact.mean(axis=0)
    _, _, directions = np.linalg.svd(exact - mean, full_matrices=False)
    basis = directions[:n_components].T
    components = (exact - mean) @ basis
    return EmbeddingMap(
        tuple(names),
        _drawn(components),
        components.astype(np.float32),
        mean.astype(np.float32),
        basis.astype(np.float32),
        probabilities.argmax(axis=1),
        probabilities.max(axis=1).astype(np.float32),
    )


def _drawn(components: np.ndarray) -> np.ndarray:
    """Places in two dimensions, float32 `[clips, 2]`, within -1..1, the same each time."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(components) - 1) / 3)
    places = TSNE(perplexity=perplexity, init="pca", random_state=SEED, metric="cosine").fit_transform(components)
    places -= (places.max(axis=0) + places.min(axis=0)) / 2
    return np.asarray(places / np.abs(places).max(), dtype=np.float32)


def similar(embedding_map: EmbeddingMap, embedding: np.ndarray, n: int = N_SIMILAR, but: str = "") -> list[Similar]:
    """The clips whose embeddings are most like that of any recording, the most alike first.

    Args:
        embedding: float32 `[width]`, see `ser_core.serving.prediction.Prediction.embedding`.
        n: how many clips, > 0.
        but: name of a clip to leave out, as that of the recording itself.

    Raises:
        CheckpointError: the embedding is another network's.
    """
    if embedding.shape != embedding_map.mean.shape:
        raise CheckpointError(
            f"The map is of another network: its embeddings have {len(embedding_map.mean)} numbers, not "
            f"{' × '.join(map(str, embedding.shape))}."
        )
    return _nearest(embedding_map, (embedding - embedding_map.mean) @ embedding_map.basis, n, but)


def similar_to_clip(embedding_map: EmbeddingMap, name: str, n: int = N_SIMILAR) -> list[Similar]:
    """The same for one of the map's own clips, itself left out."""
    return _nearest(embedding_map, embedding_map.components[embedding_map.rows[name]], n, name)


def _nearest(embedding_map: EmbeddingMap, components: np.ndarray, n: int, but: str) -> list[Similar]:
    cosines = _directions(embedding_map.components) @ _directions(components[None])[0]
    if but in embedding_map.rows:
        cosines[embedding_map.rows[but]] = -np.inf
    order = np.argsort(-cosines, kind="stable")[: min(n, np.isfinite(cosines).sum())]
    return [Similar(embedding_map.names[i], float(cosines[i])) for i in order]


def _directions(components: np.ndarray) -> np.ndarray:
    """The same in length 1, `[clips, components]`; zeros stay zeros."""
    return components / np.maximum(np.linalg.norm(components, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def shared_with_neighbours(embedding_map: EmbeddingMap, n: int = N_SIMILAR) -> dict[str, Shared]:
    """What a clip's `n` nearest clips have in common with it, on average over all clips of a map, by `SHARED`."""
    directions = _directions(embedding_map.components)
    cosines = directions @ directions.T
    np.fill_diagonal(cosines, -np.inf)
    n = min(n, len(cosines) - 1)
    nearest = np.argpartition(-cosines, n - 1, axis=1)[:, :n]
    found, clips = {}, by_name(embedding_map.names)
    for what, value_of in SHARED.items():
        _, groups, sizes = np.unique([str(value_of(clip)) for clip in clips], return_inverse=True, return_counts=True)
        chance = (sizes * (sizes - 1)).sum() / (len(clips) * (len(clips) - 1))
        found[what] = Shared(float((groups[nearest] == groups[:, None]).mean()), float(chance))
    return found

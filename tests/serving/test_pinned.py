"""What shipped checkpoints say of real clips stays what it was, on any number of threads, whatever the libraries."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from ser_core.corpus.folder import Corpus
from ser_core.records.checkpoints import CHECKPOINTS_DIR, list_checkpoints
from tools.pin_probabilities import CLIPS, PINNED, said_of

TOLERANCE = 1e-3
SAID: dict[str, dict[str, list[float]]] = json.loads(PINNED.read_text())


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """Let PyTorch compute with so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_every_shipped_checkpoint_is_pinned():
    assert sorted(SAID) == list_checkpoints(CHECKPOINTS_DIR), "`python tools/pin_probabilities.py CLIPS_DIR` does it"
    assert {len(of_clips) for of_clips in SAID.values()} == {CLIPS}


@pytest.mark.parametrize("name", sorted(SAID))
def test_probabilities_are_what_they_were(name: str, threads: int, corpus: Corpus):
    assert torch.get_num_threads() == threads
    found = said_of(name, corpus, list(SAID[name]))
    for clip, probabilities in SAID[name].items():
        np.testing.assert_allclose(found[clip], probabilities, atol=TOLERANCE, err_msg=clip)

"""What tests of pages share, fixtures apart."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from html import unescape
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import soundfile
from streamlit.testing.v1 import AppTest

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.corpus.clips import Clip
from ser_core.corpus.folder import Corpus
from ser_core.serving.listener import Listener

CLIP = "1001_DFA_ANG_XX"


class Connection:
    """Stands for the browser's on the Live page, which AppTest can't run: does what the page wants.

    Attributes:
        playing, signalling: its state.
        fails, refused, ends: whether it can't be made, whether the browser refuses, and whether it ends by itself.
        wanted: what the page wanted at each of its runs.
    """

    def __init__(self) -> None:
        self.playing = self.signalling = self.fails = self.refused = self.ends = False
        self.wanted: list[bool] = []

    def __call__(self, listener: Listener, *, playing: bool) -> SimpleNamespace:
        if not self.wanted or playing != self.wanted[-1]:
            self.playing, self.signalling = playing and not (self.fails or self.refused), playing and self.fails
        if self.ends:
            self.playing = False
        self.wanted.append(playing)
        return SimpleNamespace(state=SimpleNamespace(playing=self.playing, signalling=self.signalling))


class Answer(NamedTuple):
    """What Live shows of an utterance: its label, what stands below it, when it was, and whether it is dimmed."""

    label: str
    detail: str
    when: str
    over: bool


def answer_of(app: AppTest) -> Answer | None:
    """The utterance that Live shows, if it shows one."""
    for drawing in app.get("html"):
        if 'class="utterance"' in (body := drawing.proto.body):
            when, label, detail = map(unescape, re.findall(r"<div[^>]*font-size[^>]*>([^<]*)</div>", body))
            return Answer(label, detail, when, 'data-over="true"' in body)
    return None


def labelled(elements: Iterable, label: str) -> Any:
    """The element of that label."""
    return next(element for element in elements if element.label == label)


def set_source(app: AppTest, source: str) -> AppTest:
    """Choose where recordings come from, on Features and Classify."""
    app.segmented_control[0].set_value(source).run()
    assert not app.exception, app.exception
    return app


def choose_result(app: AppTest, row: int) -> None:
    """Choose a row of the table of many recordings on Classify."""
    key = re.search(r"results-.*", app.dataframe[0].proto.id)
    assert key
    app.session_state[key.group()] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    app.run()
    assert not app.exception, app.exception


def long_talk(corpus: Corpus, clips: Sequence[Clip], seconds: int = 70) -> bytes:
    """A file of so much speech."""
    speech = np.concatenate([load_audio(corpus.path(clip)) for clip in clips[:8] if not clip.defect])
    file = io.BytesIO()
    soundfile.write(file, np.resize(speech, seconds * SAMPLE_RATE), SAMPLE_RATE, format="WAV")
    return file.getvalue()


def place_of(app: AppTest, element: Any) -> int:
    """How far down the page an element stands, compared with others."""
    return next(i for i, node in enumerate(app.main) if node is element)


def overview_of(app: AppTest) -> str:
    """What the picture on Home says to those who can't see it."""
    return next(
        found for html in app.get("html") for found in re.findall(r'aria-label="(People[^"]*)"', html.proto.body)
    )


def texts(app: AppTest) -> str:
    """All that a page says, in one string."""
    kinds = ("title", "header", "markdown", "caption", "info", "warning", "error", "text")
    return "\n".join(element.value for kind in kinds for element in getattr(app, kind))

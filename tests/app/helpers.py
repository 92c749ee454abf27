"""What tests of pages share, fixtures apart."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from streamlit.testing.v1 import AppTest

from ser_core.serving.listener import Listener

CLIP = "1001_DFA_ANG_XX"


class Connection:
    """Stands for the browser's on the Live page, which AppTest can't run: started and stopped by the test."""

    def __init__(self) -> None:
        self.playing = False
        self.wanted: list[bool | None] = []

    def __call__(self, listener: Listener, *, playing: bool | None = None) -> SimpleNamespace:
        self.wanted.append(playing)
        if playing is not None:
            self.playing = playing
        return SimpleNamespace(state=SimpleNamespace(playing=self.playing))


def labelled(elements: Iterable, label: str) -> Any:
    """The element of that label."""
    return next(element for element in elements if element.label == label)


def set_source(app: AppTest, source: str) -> AppTest:
    """Choose where recordings come from, on Features and Classify."""
    app.segmented_control[0].set_value(source).run()
    assert not app.exception, app.exception
    return app


def overview_of(app: AppTest) -> str:
    """What the picture on Home says to those who can't see it."""
    return next(
        found for html in app.get("html") for found in re.findall(r'aria-label="(People[^"]*)"', html.proto.body)
    )


def texts(app: AppTest) -> str:
    """All that a page says, in one string."""
    kinds = ("title", "header", "markdown", "caption", "info", "warning", "error", "text")
    return "\n".join(element.value for kind in kinds for element in getattr(app, kind))

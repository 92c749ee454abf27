"""Names from outside, of files, runs, checkpoints and corpora, are text wherever pages show them.

Streamlit takes most of what it shows for Markdown, also labels and options of some widgets; Plotly takes tags of HTML.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ser_app import records as app_records
from ser_core.analysis.figures import figure_rows, plain, probability_figure
from ser_core.emotions import EMOTIONS
from ser_core.places import CHECKPOINTS_VARIABLE, EVALUATIONS_VARIABLE, RUNS_VARIABLE
from ser_core.words import code
from tests.app.helpers import choose_result, set_source
from tests.helpers import save_opinionated
from tests.made_map import give_map
from tests.made_records import evaluated, record

OpenPage = Callable[..., AppTest]
BAD = "<img src=x onerror=alert(1)> [x](javascript:alert(2)) `*b*`"
TAG, LINK = re.compile(r"(?<!\\)<img"), re.compile(r"(?<!\\)\]\(javascript")
PLAIN = {"selectbox", "multiselect", "arrow_data_frame", "dataframe", "json", "code", "text", "file_uploader"}
"""Elements that show what they are given as it is, but for their labels."""
RENDERED = ("label", "help", "title", "body", "content", "text", "delta")
"""Fields of others that are taken for Markdown."""


def strings(message: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """All texts of an element, and where they stand in it."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        for one in values:
            if hasattr(one, "ListFields"):
                yield from strings(one, f"{path}.{field.name}")
            elif isinstance(one, str):
                yield f"{path}.{field.name}", one


def texts_of_figure(part: Any) -> Iterator[str]:
    """What a figure of Plotly shows; the names that selections report are no part of it."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        yield from (text for value in part.values() for text in texts_of_figure(value))
    elif isinstance(part, list) and not is_selected_by(part):
        yield from (text for value in part for text in texts_of_figure(value))


def is_selected_by(part: list) -> bool:
    """Whether it is the data of a mark, which begin with the name of a run and are not shown as they are."""
    return len(part) > 1 and str(part[0]).startswith(BAD) and isinstance(part[1], float)


def interpreted(app: AppTest) -> list[str]:
    """Where a page has the name as something else than text."""
    found = []
    for node in app._tree:
        proto = getattr(node, "proto", None)
        if proto is None:
            continue
        kind = getattr(node, "type", "")
        for path, text in strings(proto):
            name = path.rpartition(".")[2]
            if kind == "html":
                wrong = "<img" in text
            elif name == "spec":
                wrong = any(TAG.search(shown) for shown in texts_of_figure(json.loads(text)))
            else:
                outside = re.sub(r"(?<!\\)`[^`]*`", "", text)
                rendered = name in RENDERED and (kind not in PLAIN or name in ("label", "help"))
                wrong = rendered and bool(TAG.search(outside) or LINK.search(outside))
            if wrong:
                found.append(f"{kind}{path}: {text[:200]}")
    return found


@pytest.fixture
def named_badly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs, checkpoints, a corpus and a split of such names."""
    places = {RUNS_VARIABLE: "runs", CHECKPOINTS_VARIABLE: "checkpoints", EVALUATIONS_VARIABLE: "evaluations"}
    for variable, folder in places.items():
        monkeypatch.setenv(variable, str(tmp_path / folder))
    record(tmp_path / "runs", "lr0.001-SiLU-2D", 100, folder=BAD)
    record(tmp_path / "runs", "lr0.001-ReLU-2D", 120, seed=1, folder=f"{BAD}2", environment={"device": BAD})
    record(tmp_path / "runs", "lr0.001-ELU-2D", 90, seed=2, folder=f"{BAD}3", settings={"split": f"{BAD}.json"})
    for name, emotion in ((BAD, "HAP"), (f"{BAD}2", "SAD")):
        save_opinionated(tmp_path / "checkpoints", name, emotion)
        give_map(tmp_path / "checkpoints" / name)
        (tmp_path / "checkpoints" / name / "README.md").write_text("# Card\n\n![seen](https://example.com/seen.png)")
        evaluated(tmp_path / "evaluations", name, f"{BAD} corpus".replace("/", ""))


PAGES: list[tuple[str, dict[str, Any]]] = [
    ("streamlit_app.py", {}),
    *(("pages/runs.py", {"view": view}) for view in ("All", "Settings", "Best", "Findings", "Checkpoints", "Corpora")),
    ("pages/runs.py", {"runs": BAD}),
    ("pages/runs.py", {"runs": [BAD, f"{BAD}2", f"{BAD}3"]}),
    ("pages/mistakes.py", {"run": BAD}),
    ("pages/humans.py", {"run": BAD}),
    ("pages/map.py", {"model": BAD, "clip": BAD}),
    ("pages/samples.py", {"clip": BAD}),
    ("pages/guess.py", {"round": BAD}),
    ("pages/live.py", {"model": BAD}),
    ("pages/classify.py", {"source": "example", "model": [BAD, f"{BAD}2"]}),
    ("pages/features.py", {"source": "example"}),
]


@pytest.mark.parametrize(("page", "query"), PAGES, ids=lambda part: str(part).replace(BAD, "bad")[:40])
def test_names_are_text_on_every_page(page: str, query: dict[str, Any], named_badly: None, open_page: OpenPage):
    assert interpreted(open_page(page, **query)) == []


@pytest.mark.parametrize(
    ("page", "n", "good"),
    [("classify", 1, True), ("classify", 2, False), ("classify", 3, True), ("features", 1, False)],
)
@pytest.mark.usefixtures("named_badly")
def test_names_of_uploads_are_text(page: str, n: int, good: bool, open_page: OpenPage, one_clip: Path):
    (clip,) = one_clip.iterdir()
    data = clip.read_bytes() if good else b"no sound"
    app = set_source(open_page(f"pages/{page}.py"), "upload")
    files = [(f"{BAD} {i}.wav", data + bytes(i), "audio/wav") for i in range(n)]
    app.file_uploader[0].set_value(files).run()
    assert not app.exception
    assert interpreted(app) == []
    if page == "classify" and n > 1:
        choose_result(app, 0)
        assert interpreted(app) == []


def test_the_check_itself_finds_what_is_not_text(
    named_badly: None, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(app_records, "literal", str)
    assert interpreted(open_page("pages/mistakes.py"))


def test_no_picture_of_a_card_is_fetched(named_badly: None, open_page: OpenPage, tmp_path: Path):
    app = open_page("pages/runs.py", view="Checkpoints", card=BAD)
    assert any("!\\[seen]" in one.value for one in app.markdown)


def test_a_name_in_backticks_has_none():
    assert code("a`b\nc") == "`a´b c`"


def test_a_figure_has_the_name_and_its_table_too():
    figure = probability_figure({BAD: dict.fromkeys(EMOTIONS, 0.1), "b": dict.fromkeys(EMOTIONS, 0.2)})
    assert figure.data[0].name == plain(BAD) == BAD.replace("<", "&lt;")
    assert figure_rows(figure)[0]["series"] == BAD
    assert plain("%{x} & <b>") == "%&#123;x} &amp; &lt;b>"

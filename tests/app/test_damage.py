"""A damaged checkpoint or clip takes no page down: it is named, with what is wrong, and the rest works."""

import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ser_app.messages import WORD_JOINER, literal, sentence
from ser_app.titles import titles
from ser_core.checksums import write_sums
from ser_core.places import RUNS_VARIABLE
from ser_core.records.checkpoints import CHECKPOINT_FILES
from ser_core.records.weights import WEIGHTS_FILE
from tests.app.helpers import CLIP, Connection, labelled, set_source, texts
from tests.helpers import LFS_POINTER
from tests.made_records import NAMES, record

OpenPage = Callable[..., AppTest]
SAMPLES, FEATURES, CLASSIFY, LIVE = "pages/samples.py", "pages/features.py", "pages/classify.py", "pages/live.py"


def open_with_checkpoints(open_page: OpenPage, page: str, corpus: Path) -> AppTest:
    """Open a page that uses checkpoints, so that it does."""
    app = open_page(page, corpus=corpus, **({"clip": CLIP} if page == SAMPLES else {}))
    return set_source(app, "clip") if page == CLASSIFY else app


def models_offered(app: AppTest, page: str) -> list[str]:
    box = labelled(app.multiselect, "Models") if page == CLASSIFY else labelled(app.selectbox, "Model")
    names = {called: name for name, called in titles().items()}
    return [names[option] for option in box.options]


def with_accuracy(accuracy: object) -> Callable[[str], str]:
    def change(config: str) -> str:
        values = json.loads(config)
        values["provenance"]["test"]["val_accuracy"] = accuracy
        return json.dumps(values)

    return change


@pytest.mark.parametrize("page", [SAMPLES, CLASSIFY, LIVE])
@pytest.mark.parametrize(
    "damage", [lambda _: "null", lambda _: "{", with_accuracy(None), lambda c: c.replace("1d", "9d")]
)
def test_a_damaged_checkpoint_is_left_out_and_named(
    open_page: OpenPage, two_checkpoints: Path, one_clip: Path, page: str, damage: Callable[[str], str]
):
    config = two_checkpoints / "glad" / "config.json"
    config.write_text(damage(config.read_text()))
    app = open_with_checkpoints(open_page, page, one_clip)
    assert models_offered(app, page) == ["sad"]
    assert "1 checkpoint can't be read" in [expander.label for expander in app.expander]
    assert "The checkpoint glad" in texts(app)
    if page == SAMPLES:
        assert "The model predicts **sadness**" in texts(app)
    if page == CLASSIFY:
        assert app.metric[0].value == "Sadness"


ODD_CONFIGS: dict[str, Callable[[str], str]] = {
    "null": lambda _: "null",
    "a text": lambda _: '"text"',
    "deep": lambda _: "[" * 200_000 + "]" * 200_000,
    "form": lambda config: config.replace('"fixed"', '"square"'),
    "megabytes": lambda config: config.replace('"name": "', '"name": "' + "x" * 3_000_000),
    "text": with_accuracy("0.9"),
    "nan": with_accuracy(math.nan),
    "missing": lambda config: config.replace("val_accuracy", "accuracy"),
    "accuracy": lambda config: json.dumps(json.loads(config) | {"provenance": {"test": {"metrics": {"accuracy": 7}}}}),
}
ODD_RECORDS: dict[str, tuple[str, Callable[[str], str]]] = {
    "deep": ("test.json", lambda _: '{"a":' * 200_000 + "1" + "}" * 200_000),
    "megabytes": ("config.json", lambda text: text.replace('"device": "', '"device": "' + "<b>" * 1_000_000)),
    "epochs": ("test.json", lambda text: text.replace('"epochs": 3', '"epochs": 1' + "0" * 400)),
    "accuracy": ("test.json", lambda text: re.sub(r'"accuracy": [\d.]+', '"accuracy": NaN', text)),
    "confusion": ("test.json", lambda text: re.sub(r'("confusion": \[\s*\[\s*)\d+', r"\1-5", text)),
    "history": ("history.csv", lambda text: text.splitlines()[0] + "\n"),
    "../../x <b>*name*": ("config.json", lambda text: text.replace(': "report"', ': "../../../etc/x.json"', 1)),
}


@pytest.mark.parametrize("page", ["pages/runs.py", CLASSIFY])
def test_odd_checkpoints_are_all_named_and_the_rest_goes_on(
    open_page: OpenPage, two_checkpoints: Path, one_clip: Path, page: str
):
    for name, change in ODD_CONFIGS.items():
        folder = Path(shutil.copytree(two_checkpoints / "glad", two_checkpoints / f"odd {name}"))
        (folder / "config.json").write_text(change((folder / "config.json").read_text()))
    folder = Path(shutil.copytree(two_checkpoints / "glad", two_checkpoints / "odd bit"))
    write_sums(folder, CHECKPOINT_FILES)
    content = bytearray((folder / WEIGHTS_FILE).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(content)
    app = open_page(page, corpus=one_clip, **({} if page == CLASSIFY else {"view": "Checkpoints"}))
    assert not app.exception
    assert f"{len(ODD_CONFIGS) + 1} checkpoints can't be read" in [expander.label for expander in app.expander]
    for name in (*ODD_CONFIGS, "bit"):
        assert f"checkpoint odd {name} " in texts(app), name
    assert len(texts(app)) < 100_000
    if page == CLASSIFY:
        assert sorted(models_offered(set_source(app, "clip"), page)) == ["glad", "sad"]


def test_odd_records_are_all_named_and_the_rest_goes_on(
    open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    runs = tmp_path / "runs"
    monkeypatch.setenv(RUNS_VARIABLE, str(runs))
    record(runs, "lr0.001-SiLU-2D", 100)
    for name, (file, change) in ODD_RECORDS.items():
        folder = Path(shutil.copytree(runs / "lr0.001-SiLU-2D", runs / name.replace("/", "\u2215")))
        changed = change((folder / file).read_text())
        assert changed != (folder / file).read_text()
        (folder / file).write_text(changed)
    app = open_page("pages/runs.py")
    assert not app.exception
    odd = [name for name in ODD_RECORDS if not name.startswith("..")]  # that one says nothing wrong of itself
    assert f"{len(odd)} records can't be read" in [expander.label for expander in app.expander]
    for name in odd:
        assert f"{name}: {ODD_RECORDS[name][0]}" in texts(app)
    assert len(texts(app)) < 100_000


@pytest.mark.parametrize("page", [CLASSIFY, LIVE])
def test_without_a_checkpoint_that_can_be_used_pages_say_how_to_make_one_and_why(
    open_page: OpenPage, two_checkpoints: Path, page: str
):
    for name in ("glad", "sad"):
        (two_checkpoints / name / "config.json").write_text("[]")
    app = open_page(page)
    assert "python train.py" in app.error[0].value
    assert "2 checkpoints can't be read" in [expander.label for expander in app.expander]
    shutil.rmtree(two_checkpoints)
    app.run()
    assert "python train.py" in app.error[0].value
    assert not app.exception
    assert not app.expander


@pytest.mark.parametrize("page", [SAMPLES, CLASSIFY, LIVE])
def test_a_checkpoint_with_weights_of_another_network_is_left_out_and_named(
    open_page: OpenPage, two_checkpoints: Path, checkpoints: Path, one_clip: Path, page: str, connection: Connection
):
    shutil.copy(checkpoints / "1d-mean" / "model.safetensors", two_checkpoints / "glad" / "model.safetensors")
    app = open_with_checkpoints(open_page, page, one_clip)
    assert "The weights of checkpoint glad are not those of its network" in texts(app)
    assert models_offered(app, page) == ["sad"]


def open_clip(open_page: OpenPage, page: str, corpus: Path) -> AppTest:
    """Open a page so that it shows the clip."""
    app = open_page(page, corpus=corpus, **({"clip": CLIP} if page == SAMPLES else {}))
    return set_source(app, "clip") if page in (FEATURES, CLASSIFY) else app


@pytest.mark.parametrize("page", [SAMPLES, FEATURES, CLASSIFY])
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda whole: LFS_POINTER, "is a Git LFS pointer.*`git lfs pull`.*"),
        (lambda whole: whole[:30], "was cut off: it has 30 of .*"),
        (lambda whole: whole[: len(whole) // 2], "was cut off: .*"),
        (lambda whole: b"", "is empty.*"),
        (lambda whole: bytes(len(whole)), "is not sound that can be read.*"),
    ],
)
def test_a_damaged_clip_is_a_sentence_and_can_be_downloaded(
    open_page: OpenPage,
    one_clip: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    damage: Callable[[bytes], bytes],
    says: str,
):
    path = one_clip / f"{CLIP}.wav"
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    app = open_clip(open_page, page, one_clip)
    message = "\n".join(error.value for error in app.error).replace("\\", "")
    assert message.count(path.name) == 1
    assert re.search(f"{path.name} {says}python -m ser_core.cremad download --to {one_clip}", message)
    assert not app.get("audio")
    monkeypatch.setattr("ser_core.corpus.download.fetch_clip", lambda clip, corpus: path.write_bytes(whole))
    labelled(app.button, "Download this clip").click().run()
    assert not app.exception
    assert not app.error
    assert app.get("audio")


def test_a_damaged_clip_is_a_sentence_among_mistakes(
    open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path / "runs"))
    record(tmp_path / "runs", "lr0.001-SiLU-2D", 100)
    clips = tmp_path / "clips"
    clips.mkdir()
    for name in NAMES:
        (clips / f"{name}.wav").write_bytes(LFS_POINTER)
    app = open_page("pages/mistakes.py", corpus=clips)
    assert "is a Git LFS pointer" in "".join(error.value for error in app.error)
    assert len(app.get("plotly_chart")) == 2  # what people heard, and one grouping


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("1001_DFA_ANG_XX.wav", "1001_DFA_ANG_XX.wav"),
        ("_my_ __init__", r"\_my\_ \_\_init\_\_"),
        ("*x* [x](y) $x$", r"\*x\* \[x\](y) \$x\$"),
        (":red[x] :smile: a: b", r"\:red\[x\] \:smile: a: b"),
        ("a`b ~c~ <b> &lt;", r"a\`b \~c\~ \<b> \&lt;"),
        ("# x", r"\# x"),
        ("1. x", r"1\. x"),
        ("1000) x", r"1000\) x"),
        (":100: :8ball: 12:30", r"\:100: \:8ball: 12:30"),
        ("https://a.b www.a.b wwww", f"https:{WORD_JOINER}//a.b www{WORD_JOINER}.a.b wwww"),
        ("a@b.c", f"a@{WORD_JOINER}b.c"),
        ("C:\\x\ny", r"C:\\x y"),
    ],
)
def test_names_are_no_markdown(name: str, shown: str):
    assert literal(name) == shown


def test_code_in_a_sentence_stays_code():
    assert sentence("*a* is gone. Run `git lfs pull _x_` there.") == r"\*a\* is gone. Run `git lfs pull _x_` there."


@pytest.mark.parametrize("page", [FEATURES, CLASSIFY])
def test_the_name_of_a_bad_upload_is_shown_as_it_is(open_page: OpenPage, page: str):
    app = set_source(open_page(page), "upload")
    app.file_uploader[0].set_value([("*my* $x$ [a](b).wav", b"no sound", "audio/wav")]).run()
    (error,) = app.error
    assert error.value.startswith(r"\*my\* \$x\$ \[a\](b).wav: The audio could not be decoded")

"""The real app in real Chromium, as a visitor uses it."""

import base64
import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from ser_app.try_view import CLIPS
from ser_core.corpus.clips import find_clip
from ser_core.corpus.folder import Corpus
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.records.runs import Run, load_runs
from ser_core.serving.predictor import Predictor
from ser_core.words import percent
from tests.browser.app_server import LABELS, OpenTab, navigation, scroll_through, wait_until_idle
from tests.helpers import BROWSER

pytestmark = BROWSER


def choose_source(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).click()
    wait_until_idle(page)


def test_the_navigation_leads_to_every_page_and_back(open_tab: OpenTab):
    page = open_tab("/")
    wait_until_idle(page)
    for label in [*LABELS[1:], "Home"]:
        page.get_by_test_id("stSidebar").get_by_role("link", name=label).click()
        wait_until_idle(page)
        assert navigation(page) == LABELS
        assert page.url.rstrip("/").endswith("" if label == "Home" else label.lower())
        expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_clip_is_answered_on_home_and_a_whole_card_leads_on(open_tab: OpenTab, corpus: Corpus):
    page = open_tab("/")
    wait_until_idle(page)
    clip = find_clip(CLIPS[0])
    page.get_by_role("button", name=clip.text).click()
    heard = Predictor.load()(corpus.path(clip))
    expect(page.get_by_test_id("stMetricValue")).to_have_text(EMOTION_NAMES[heard.emotion].capitalize())
    expect(page.get_by_test_id("stMetricDelta")).to_have_text(f"model score {percent(heard.confidence, 0)}")
    card = page.locator(".st-key-card-classify")
    card.scroll_into_view_if_needed()
    size = card.bounding_box()
    assert size is not None
    card.click(position={"x": size["width"] / 2, "y": size["height"] / 2})  # on what it says
    expect(page.get_by_role("heading", name="Classify", level=1)).to_be_visible()


def test_a_clip_is_filtered_selected_shown_and_shared(open_tab: OpenTab):
    page = open_tab("/samples")
    wait_until_idle(page)
    page.get_by_text("Filter", exact=True).click()
    page.wait_for_timeout(1000)  # the filters slide open, and a click on something that moves is lost
    emotion = page.get_by_role("combobox", name="Emotion")
    emotion.click()
    emotion.press_sequentially("fear")
    page.keyboard.press("Enter")
    wait_until_idle(page)
    expect(page.get_by_text("1,271 of 7,442 clips")).to_be_visible()

    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    table.click(position={"x": 120, "y": 35 + 17})  # the text of the first row, below the header
    wait_until_idle(page)
    expect(page.get_by_role("heading", name="Fear: “Don't forget a jacket.”")).to_be_visible()
    assert "emotion=fear" in page.url
    assert "clip=1001_DFA_FEA_XX" in page.url

    friend = open_tab(page.url.removeprefix(page.url.split("/samples")[0]))
    wait_until_idle(friend)
    expect(friend.get_by_role("heading", name="Fear: “Don't forget a jacket.”")).to_be_visible()
    expect(friend.get_by_text("1,271 of 7,442 clips")).to_be_visible()

    page.get_by_test_id("stSidebar").get_by_role("link", name="Humans").click()
    wait_until_idle(page)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Samples").click()
    wait_until_idle(page)
    expect(page.get_by_text("1,271 of 7,442 clips")).to_be_visible()
    for _ in range(3):  # Streamlit remembers a page more than once
        page.go_back()
        wait_until_idle(page)
        if page.get_by_role("heading", name="Humans and models").is_visible():
            break
    expect(page.get_by_role("heading", name="Humans and models")).to_be_visible()


def test_back_leads_to_where_one_was(open_tab: OpenTab):
    """Over a link that brings parameters, and to where nothing was chosen yet."""
    page = open_tab("/mistakes?answers=Right")
    wait_until_idle(page)
    page.get_by_role("link", name="See it in Samples").click()
    expect(page.get_by_role("heading", name="Samples")).to_be_visible()
    wait_until_idle(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Mistakes")).to_be_visible()
    wait_until_idle(page)
    assert page.url.endswith("/mistakes?answers=Right")
    expect(page.get_by_text("right answers on 2,233 test clips")).to_be_visible()

    page = open_tab("/samples?emotion=fear")
    wait_until_idle(page)
    page.get_by_test_id("stDataFrame").click(position={"x": 120, "y": 35 + 17})
    chosen = page.get_by_role("heading", name="Fear: “Don't forget a jacket.”")
    expect(chosen).to_be_visible()
    wait_until_idle(page)
    page.go_back()
    expect(chosen).to_have_count(0)
    wait_until_idle(page)
    assert page.url.endswith("/samples?emotion=fear")
    page.go_forward()
    expect(chosen).to_be_visible()


def test_a_clip_is_heard_and_seen(open_tab: OpenTab):
    page = open_tab("/samples?clip=1001_DFA_ANG_XX")
    wait_until_idle(page)
    player = page.locator("audio").first
    page.wait_for_function("document.querySelector('audio').readyState >= 1")
    assert player.evaluate("e => e.duration") == pytest.approx(2.275, abs=0.05)
    expect(page.get_by_text(re.compile("^The model predicts"))).to_be_visible()
    expect(page.get_by_role("heading", name="The same actor and sentence")).to_be_visible()
    # What is below is made when the visitor gets there; what draws it is loaded while he reads.
    page.wait_for_function("performance.getEntriesByType('resource').some(one => one.name.includes('/PlotlyChart'))")
    chart = page.get_by_test_id("stPlotlyChart").first.locator("svg").first
    expect(chart).to_have_count(0)
    expect(page.get_by_text("Same scales for all")).to_have_count(0)
    page.get_by_text("Waveform").scroll_into_view_if_needed()
    page.mouse.wheel(0, 200)
    expect(chart).to_be_visible()
    axis = page.locator(".js-plotly-plot .xtick text").first
    assert axis.evaluate("text => { const style = getComputedStyle(text); return style.fill === style.color }")
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, main.scrollHeight)")
    expect(page.get_by_text("Same scales for all")).to_be_visible()


def test_a_file_is_uploaded_and_its_result_downloaded(open_tab: OpenTab, corpus, downloads: Path):
    page = open_tab("/classify")
    wait_until_idle(page)
    choose_source(page, "Upload")
    files = [corpus.path(name) for name in ("1001_DFA_ANG_XX", "1002_IWL_FEA_XX")]
    page.locator("input[type=file]").set_input_files(files)
    wait_until_idle(page)
    expected = [Predictor.load()(path) for path in files]
    for kind in ("CSV", "JSON"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Predictions as {kind}").click()
        download.value.save_as(downloads / f"predictions.{kind.lower()}")
    rows = json.loads((downloads / "predictions.json").read_text())
    assert [row["file"] for row in rows] == [path.name for path in files]
    assert [row["emotion"] for row in rows] == [prediction.emotion for prediction in expected]
    with (downloads / "predictions.csv").open() as table:
        assert [row["emotion"] for row in csv.DictReader(table)] == [row["emotion"] for row in rows]


def test_a_bad_upload_is_a_sentence(open_tab: OpenTab, tmp_path: Path):
    (tmp_path / "notes.wav").write_text("this is not sound")
    page = open_tab("/classify")
    wait_until_idle(page)
    choose_source(page, "Upload")
    page.locator("input[type=file]").set_input_files(tmp_path / "notes.wav")
    expect(page.get_by_text("notes.wav: The audio could not be decoded")).to_be_visible(timeout=20_000)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_folder_is_uploaded_and_its_odd_recordings_come_first(
    open_tab: OpenTab, corpus, downloads: Path, tmp_path: Path
):
    names = ("1001_DFA_ANG_XX", "1002_IWL_FEA_XX")
    (tmp_path / "session" / "day 2").mkdir(parents=True)
    for i, name in enumerate(names):
        (tmp_path / "session" / ("day 2" if i else "") / f"{name}.wav").write_bytes(corpus.path(name).read_bytes())
    (tmp_path / "session" / "broken.wav").write_text("no sound")
    (tmp_path / "session" / "notes.txt").write_text("are no sound, and not sent")
    page = open_tab("/classify")
    wait_until_idle(page)
    choose_source(page, "Folder")
    page.locator("input[type=file]").set_input_files(tmp_path / "session")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    expect(page.get_by_role("button", name="failed (1)")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Predictions as CSV").click()
    download.value.save_as(downloads / "folder.csv")
    with (downloads / "folder.csv").open() as table:
        rows = {row["file"]: row for row in csv.DictReader(table)}
    assert set(rows) == {"1001_DFA_ANG_XX.wav", "day 2/1002_IWL_FEA_XX.wav", "broken.wav"}
    assert "could not be decoded" in rows["broken.wav"]["error"]


def message_kinds(page: Page) -> Counter[str]:
    """How many messages of each kind come from the server from now on."""
    kinds: Counter[str] = Counter()

    def count(event: dict) -> None:
        message = ForwardMsg.FromString(base64.b64decode(event["response"]["payloadData"]))
        kinds[message.WhichOneof("type")] += 1

    network = page.context.new_cdp_session(page)
    network.on("Network.webSocketFrameReceived", count)
    network.send("Network.enable")
    return kinds


def test_turning_a_knob_changes_the_features_and_sends_all_of_them(open_tab: OpenTab):
    page = open_tab("/features")
    wait_until_idle(page)
    expect(page.get_by_role("heading", name="3 · 27 spectral channels")).to_be_visible()
    page.get_by_text("Parameters", exact=True).click()
    kinds = message_kinds(page)
    page.get_by_role("slider", name="MFCC").focus()
    page.keyboard.press("ArrowRight")
    wait_until_idle(page)
    expect(page.get_by_role("heading", name="3 · 28 spectral channels")).to_be_visible()
    assert kinds["delta"] > 10
    # A figure that is left to the browser's memory ends the connection where the browser forgot it (config.toml).
    assert kinds["ref_hash"] == 0


# Runs, Mistakes and Humans, from the project's own records.


def recorded(name: str) -> Run:
    return next(run for run in load_runs()[0] if run.name == name)


def most_frequent_mistake(run: Run, corpus: Corpus) -> tuple[str, str]:
    """What was intended and what was predicted instead, of the clips that can be heard here."""
    predictions = run.predictions()
    answers = zip(predictions.names, predictions.targets, predictions.predicted, strict=True)
    pairs = Counter((target, said) for name, target, said in answers if target != said and name in corpus.present)
    (intended, predicted), clips = pairs.most_common(1)[0]
    assert clips > 3
    return EMOTION_NAMES[EMOTIONS[intended]], EMOTION_NAMES[EMOTIONS[predicted]]


def test_a_cell_of_the_heatmap_opens_its_run(open_tab: OpenTab):
    page = open_tab(f"/runs?view=Settings&epochs={recorded('lr0.01-ELU-1D').test.epochs}+epochs")
    wait_until_idle(page)
    box = page.get_by_test_id("stPlotlyChart").first.locator(".heatmaplayer").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 5 / 6)  # the second rate, the third row
    expect(page.get_by_role("heading", name="lr0.01-ELU-1D")).to_be_visible()
    wait_until_idle(page)
    assert "runs=lr0.01-ELU-1D" in page.url
    page.reload()
    wait_until_idle(page)
    expect(page.get_by_role("heading", name="lr0.01-ELU-1D")).to_be_visible()


def test_two_runs_selected_in_the_table_are_compared(open_tab: OpenTab):
    page = open_tab("/runs")
    wait_until_idle(page)
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    for row in (1, 2):
        page.mouse.click(box["x"] + 16, box["y"] + 35 * row + 17)
        wait_until_idle(page)
    expect(page.get_by_role("heading", name="Is the difference significant?")).to_be_visible()
    assert page.url.count("runs=") == 2
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_cell_of_a_confusion_matrix_opens_its_clips_to_be_heard(open_tab: OpenTab, corpus: Corpus):
    page = open_tab("/humans?run=lr0.001-SiLU-2D")
    wait_until_idle(page)
    cells = page.get_by_test_id("stPlotlyChart").nth(1).locator(".heatmaplayer")
    cells.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)  # the page still moves, and a click on something that moves is lost
    box = cells.bounding_box()
    x, y = box["x"] + box["width"] * 11 / 12, box["y"] + box["height"] * 5 / 12  # the last column, fear's row
    page.mouse.move(x, y)
    page.wait_for_timeout(500)
    page.mouse.click(x, y)
    clips = page.locator("[class*=st-key-clips-cell]")
    expect(clips.get_by_text("Fear predicted as sadness")).to_be_visible()
    wait_until_idle(page)
    expect(page).to_have_url(re.compile("hear-model-lr0.001-SiLU-2D=fear.predicted.as.sadness"))
    player = clips.locator("audio")
    expect(player.or_(clips.get_by_text("not on this machine"))).to_be_visible()
    clips.get_by_role("link", name="All of them in Mistakes").click()
    wait_until_idle(page)
    expect(page).to_have_url(re.compile("intended=fear.*predicted=sadness"))
    expect(page.get_by_role("heading", name="Fear, predicted as sadness")).to_be_visible()


def test_a_click_on_the_text_of_a_run_shows_it_alone(open_tab: OpenTab):
    page = open_tab("/runs")
    wait_until_idle(page)
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    shown: set[str] = set()
    for row in (1, 2):
        page.mouse.click(box["x"] + 150, box["y"] + 35 * row + 17)
        # One name, which isn't that of the row before.
        expect(page).to_have_url(re.compile(rf"/runs\?runs=(?!{'|'.join(shown) or '&'})[^&]+$"))
        shown.add(re.escape(page.url.partition("runs=")[2]))
    expect(page.get_by_role("heading", name="Confusion matrix")).to_be_visible()


def test_a_mistake_is_played(open_tab: OpenTab, corpus: Corpus):
    run = recorded("lr0.001-SiLU-2D")
    intended, predicted = most_frequent_mistake(run, corpus)
    page = open_tab(f"/mistakes?run={run.name}&intended={intended}&predicted={predicted}")
    wait_until_idle(page)
    expect(page.get_by_role("heading", name=f"{intended.capitalize()}, predicted as {predicted}")).to_be_visible()
    page.locator("audio").evaluate("player => player.play()")
    page.wait_for_function("document.querySelector('audio').currentTime > 0.2")
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    name = page.get_by_test_id("stMain").locator("code").first
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowLeft"):
        before = name.inner_text()
        page.keyboard.press(key)
        expect(name).not_to_have_text(before)
    expect(page.get_by_label(f"Sound of {name.inner_text()}")).to_be_visible()
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelector('audio').currentTime > 0.1")
    seen = [name.inner_text()]
    page.mouse.click(box["x"] + 120, box["y"] + 35 * 4 + 17)  # on the text of the fourth row
    expect(name).not_to_have_text(seen[-1])
    wait_until_idle(page)
    seen.append(name.inner_text())
    page.keyboard.press("ArrowUp")
    expect(name).not_to_have_text(seen[-1])
    wait_until_idle(page)
    seen.append(name.inner_text())
    assert len(set(seen)) == 3
    page.get_by_test_id("stMain").get_by_role("link", name="See it in Samples").click()
    wait_until_idle(page)
    assert "/samples?clip=" in page.url
    expect(page.get_by_role("heading", name=re.compile(f"^{intended.capitalize()}: "))).to_be_visible()


def test_a_figure_is_downloaded_as_an_image_from_its_menu(open_tab: OpenTab, downloads: Path):
    run = recorded("lr0.001-SiLU-2D")
    page = open_tab(f"/runs?runs={run.name}")
    wait_until_idle(page)
    scroll_through(page)
    chart = page.get_by_test_id("stPlotlyChart").first
    chart.hover()
    with page.expect_download() as download:
        chart.get_by_label("Download plot as a PNG").click()
    path = downloads / download.value.suggested_filename
    download.value.save_as(path)
    assert path.suffix == ".png"
    assert path.stat().st_size > 5_000
    with page.expect_download() as download:
        page.get_by_role("button", name="Data").first.click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert len(rows) == 36
    assert float(rows[0]["value"]) == pytest.approx(run.metrics.per_class["ANG"].recall)

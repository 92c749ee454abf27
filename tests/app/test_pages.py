"""Every page, run without a browser: with clips and without, with good input and bad."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
import soundfile
from optuna.distributions import FloatDistribution
from streamlit.testing.v1 import AppTest

from ser_app import classifying
from ser_app.answers import changes_in_words
from ser_app.navigation import PAGES
from ser_core.analysis.configurations import run_label
from ser_core.analysis.groups import GROUPINGS
from ser_core.analysis.raters import agreement, uncertainty
from ser_core.analysis.report import REPORT_RESULTS
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.changes.registry import CHANGES
from ser_core.corpus.clips import by_name, load_index
from ser_core.corpus.splits import REPORT_SPLIT_ID, load_split
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.places import EVALUATIONS_VARIABLE, RUNS_VARIABLE
from ser_core.records.checkpoints import CHECKPOINTS_DIR, list_checkpoints
from ser_core.records.evaluations import load_predictions, save_evaluation
from ser_core.records.predictions import Predictions
from ser_core.records.runs import Run, load_run, load_runs
from ser_core.records.searches import Found, SearchRecord, Trial, save_search
from ser_core.serving.prediction import UNSURE
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.future import future_steps
from ser_core.training.search import Search, open_study
from ser_core.training.search_results import STORAGE, searches_in
from ser_core.training.search_space import SPACE
from ser_core.training.study import recording_steps, with_epochs
from ser_core.words import code, percent
from tests.app.helpers import labelled, long_talk, overview_of, place_of, set_source, texts
from tests.helpers import ROOT, save_opinionated, tone
from tests.made_records import MINE, NAMES, TARGETS, evaluated, record, set_val_accuracy, write_run
from tests.sounds import says_of_itself

OpenPage = Callable[..., AppTest]
SAMPLES, FEATURES, CLASSIFY = "pages/samples.py", "pages/features.py", "pages/classify.py"
RUNS, MISTAKES, HUMANS = "pages/runs.py", "pages/mistakes.py", "pages/humans.py"


@pytest.fixture
def many_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of three made-up records, the pages' only ones."""
    root = tmp_path / "records"
    monkeypatch.setenv(RUNS_VARIABLE, str(root))
    record(root, "lr0.001-SiLU-2D", 100)
    record(root, "lr0.001-SiLU-Combined", 180)
    record(root, "lr0.01-ELU-1D", 120, epochs=30)
    return root


def set_result(folder: Path, **result: object) -> None:
    """Change what a record says of its result."""
    path = folder / "test.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | result))


@pytest.mark.parametrize("page", [page.path for page in PAGES])
def test_pages_work_without_clips_and_say_how_to_get_them(open_page: OpenPage, page: str):
    app = open_page(page)
    assert app.title
    if page in ("streamlit_app.py", SAMPLES):
        assert "python -m ser_core.cremad download" in texts(app)


@pytest.mark.parametrize("page", [page.path for page in PAGES])
def test_pages_work_with_clips(open_page: OpenPage, corpus, page: str):
    assert "cremad download" not in texts(open_page(page, corpus=corpus.folder))


def test_home_shows_the_best_run_in_validation_and_not_on_the_test_set(open_page: OpenPage, many_runs: Path):
    set_val_accuracy(many_runs / "lr0.001-SiLU-Combined", 0.5)
    app = open_page("streamlit_app.py")
    assert "`lr0.001-SiLU-Combined`" in texts(app)
    assert "Best model, speakers it learned from, 400 clips of CREMA-D: 55\u00a0% right" in overview_of(
        app
    )  # the worst


@pytest.mark.parametrize("page", [MISTAKES, HUMANS])
def test_the_run_that_opens_is_no_repeat_with_another_seed(open_page: OpenPage, page: str):
    assert any("-seed" in run.name for run in load_runs()[0])
    assert labelled(open_page(page).selectbox, "Run").value == "lr6e-05-SiLU-Whisper-base"


def test_home_shows_one_of_the_projects_own_records(open_page: OpenPage):
    shipped = list_checkpoints(CHECKPOINTS_DIR)
    of_the_report = [run for run in load_runs()[0] if run.split_id == REPORT_SPLIT_ID and run.name in shipped]
    best = max(of_the_report, key=lambda run: run.val_rank)
    assert f"{best.environment.clips.test:,} clips of CREMA-D: {percent(best.accuracy, 0)} right" in overview_of(
        open_page("streamlit_app.py")
    )


@pytest.mark.parametrize("page", ["streamlit_app.py", RUNS, MISTAKES, HUMANS])
def test_without_records_pages_say_how_to_make_one(
    open_page: OpenPage, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "config.json").write_text("{}")
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    app = open_page(page)
    assert "python train.py" in texts(app)
    assert "half is not finished: it has no test.json." in texts(app)


def test_a_clip_in_the_address_is_shown_with_what_people_and_model_heard(open_page: OpenPage, corpus):
    app = open_page(SAMPLES, corpus=corpus.folder, clip="1001_DFA_ANG_XX")
    said = texts(app)
    for part in (
        "Anger: “Don't forget a jacket.”",
        "actor 1001, male, 51, Caucasian",
        "The model predicts",
        "in all six",
    ):
        assert part in said
    assert len(app.get("plotly_chart")) == 3
    assert len(app.get("audio")) == 1


def test_a_clip_without_its_file_still_shows_its_votes(open_page: OpenPage):
    app = open_page(SAMPLES, clip="1001_DFA_ANG_XX")
    assert "The model can't answer: the sound of this clip is not on this machine." in texts(app)
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize(
    ("name", "says"), [("1001_DFA_ANG", "3 part"), ("1001_DFA_ANG_HI", "did not record"), ("<b>", "not a CREMA-D name")]
)
def test_a_wrong_clip_in_the_address_is_a_sentence(open_page: OpenPage, name: str, says: str):
    (warning,) = open_page(SAMPLES, clip=name).warning
    assert says in warning.value


def test_defects_are_reported(open_page: OpenPage, corpus):
    app = open_page(SAMPLES, corpus=corpus.folder, clip="1076_MTI_SAD_XX")
    warnings = "".join(warning.value for warning in app.warning)
    assert "digital silence" in warnings
    assert "No speech was found" in warnings


def test_filters_narrow_the_table(open_page: OpenPage):
    app = open_page(SAMPLES)
    assert "7,442 of 7,442 clips" in texts(app)
    labelled(app.multiselect, "Emotion").set_value(["fear"])
    labelled(app.multiselect, "Sex").set_value(["female"])
    labelled(app.slider, "Voice-only raters agreed, at least").set_value(80)
    app.run()
    table = app.dataframe[0].value
    assert 0 < len(table) < 500
    assert set(table["intended"]) == {"fear"}
    assert set(table["sex"]) == {"female"}
    assert table["raters agree"].min() >= 80
    labelled(app.multiselect, "Emotion").set_value(["neutral"])
    labelled(app.multiselect, "Intensity").set_value(["high"])
    app.run()
    assert not app.exception
    assert "0 of 7,442 clips" in texts(app)


def test_clips_without_sound_can_be_left_out(open_page: OpenPage, corpus):
    app = open_page(SAMPLES, corpus=corpus.folder)
    app.toggle[0].set_value(True).run()
    assert not app.exception
    assert set(app.dataframe[0].value["clip"]) == corpus.present
    assert len(open_page(SAMPLES).toggle) == 0


def test_a_single_clip_is_downloaded_on_demand(
    open_page: OpenPage, corpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def fetch(clip, local) -> None:
        local.folder.mkdir(parents=True, exist_ok=True)
        local.path(clip).write_bytes(corpus.path(clip).read_bytes())

    monkeypatch.setattr("ser_core.corpus.download.fetch_clip", fetch)
    app = open_page(SAMPLES, clip="1001_DFA_ANG_XX", corpus=tmp_path / "new")
    app.button(key="get-clip").click().run()
    assert not app.exception
    assert (tmp_path / "new" / "1001_DFA_ANG_XX.wav").is_file()
    assert "The model predicts" in texts(app)


def test_a_download_that_fails_is_a_sentence(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CREMAD_MIRRORS", "http://127.0.0.1:9/")
    app = open_page(SAMPLES, clip="1001_DFA_ANG_XX")
    app.button(key="get-clip").click().run()
    assert "could not be reached" in "".join(error.value for error in app.error)


def test_features_shows_every_step(open_page: OpenPage):
    app = open_page(FEATURES)
    assert [heading.value[0] for heading in app.header] == ["1", "2", "3", "4", "5", "6"]
    assert len(app.get("plotly_chart")) == 6
    assert "27 × 301" in texts(app)


def test_features_follows_its_knobs(open_page: OpenPage):
    app = open_page(FEATURES)
    labelled(app.slider, "MFCC").set_value(20)
    labelled(app.slider, "Hop (samples)").set_value(320)
    labelled(app.checkbox, "Z-score").uncheck()
    labelled(app.selectbox, "Voice activity detection").set_value("energy")
    app.run()
    assert not app.exception
    assert "34 × 151" in texts(app)
    assert "z-scored" not in texts(app)


def test_features_of_a_clip(open_page: OpenPage, corpus):
    app = set_source(open_page(FEATURES, corpus=corpus.folder), "clip")
    assert len(app.get("plotly_chart")) == 6
    labelled(app.selectbox, "Clip").set_value("1076_MTI_SAD_XX").run()
    assert not app.exception
    assert "silent" in "".join(error.value for error in app.error)


@pytest.mark.parametrize("example", ["Loud, fast and high", "Quiet, slow and falling", "Even and calm"])
def test_examples_are_classified_and_labelled_as_synthetic(open_page: OpenPage, two_checkpoints: Path, example: str):
    app = set_source(open_page(CLASSIFY), "example")
    labelled(app.selectbox, "Synthetic example").set_value(example).run()
    assert not app.exception
    assert "not a human voice" in texts(app)
    assert app.metric[0].value == "Happiness"


def test_a_clip_is_classified_and_models_compared(open_page: OpenPage, corpus):
    app = set_source(open_page(CLASSIFY, corpus=corpus.folder), "clip")
    models = app.multiselect[0]
    models.set_value(models.options).run()
    assert not app.exception
    assert len(app.metric) == len(models.options)


def test_the_answer_stands_above_settings_and_tuning(open_page: OpenPage, two_checkpoints: Path):
    app = set_source(open_page(CLASSIFY), "example")
    folds = [labelled(app.expander, label) for label in ("Tune to my voice", "Settings")]
    got = next(fold for fold in app.expander if fold.label.endswith(" got"))
    places = [place_of(app, element) for element in (app.metric[0], *folds, got)]
    assert places == sorted(places)


def test_a_recording_whose_answer_changes_says_so_below_the_headline(
    open_page: OpenPage, two_checkpoints: Path, corpus, clips, monkeypatch: pytest.MonkeyPatch
):
    known = classifying.timeline

    def changing(*of) -> tuple[list[dict], bool]:
        rows, pieces = known(*of)
        for i, row in enumerate(rows):
            row |= dict.fromkeys(EMOTIONS, 0.02) | {("ANG" if 2 * i < len(rows) else "SAD"): 0.9}
        return rows, pieces

    data = long_talk(corpus, clips, 8)
    app = set_source(open_page(CLASSIFY), "upload")
    app.file_uploader[0].set_value([("talk.wav", data, "audio/wav")]).run()
    assert "Over time" in texts(app)
    assert "It changes" not in texts(app)
    monkeypatch.setattr(classifying, "timeline", changing)
    app.run()
    assert not app.exception
    (said,) = [words for words in app.markdown if words.value.startswith("It changes")]
    assert said.value == "It changes over time: anger, then sadness. See [Over time](#over-time) below."
    assert place_of(app, said) < place_of(app, labelled(app.expander, "Settings"))


@pytest.mark.parametrize(
    ("emotions", "says"),
    [
        ([], ""),
        (["ANG"], ""),
        (["ANG", "NEU", "ANG"], "It changes over time: anger, then neutral, then anger."),
        (["SAD", "ANG"] * 3, "It changes 5 times, between anger and sadness."),
    ],
)
def test_changes_are_said_in_words(emotions: list[str], says: str):
    assert changes_in_words(emotions) == says


@pytest.mark.parametrize(
    ("model", "pictures"),
    [
        ("lr0.001-SiLU-Conformer", ["The mel spectrogram of its speech", "Loudness, pitch, voicing of its speech"]),
        ("lr0.001-SiLU-Combined", ["The mel image of its speech", "Spectral channels over time"]),
        ("lr6e-05-SiLU-Whisper-base", ["Log-mel spectrogram as Whisper's encoder takes it"]),
    ],
)
def test_classify_shows_all_that_a_network_got(open_page: OpenPage, corpus, model: str, pictures: list[str]):
    app = set_source(open_page(CLASSIFY, corpus=corpus.folder, models=[model]), "clip")
    assert any(expander.label.endswith(" got") for expander in app.expander)
    drawn = [chart.proto.alt for chart in app.get("plotly_chart")][-len(pictures) :]
    assert all(alt.startswith(picture) for alt, picture in zip(drawn, pictures, strict=True)), drawn


def test_the_duration_that_is_said_is_that_of_the_frames(open_page: OpenPage, corpus):
    """It is what the network gets, with what is kept around the speech, and not the speech alone."""
    app = set_source(open_page(CLASSIFY, corpus=corpus.folder, models=["lr0.001-SiLU-Conformer"]), "clip")
    frames = next(int(found[1]) for one in app.caption if (found := re.search(r"bands, (\d+) frames", one.value)))
    said = next(one.value for one in app.caption if one.value.startswith("How long the speech is"))
    assert said == f"How long the speech is, with up to 0.3 s before and after it: {frames / 100:.2f} s"


def test_classify_is_unsure_where_no_emotion_is_likely_enough(open_page: OpenPage, two_checkpoints: Path):
    app = set_source(open_page(CLASSIFY), "example")
    assert (app.metric[0].value, app.metric[0].delta) == ("Happiness", "model score 80\u00a0%")
    assert "Unsure" not in texts(app)
    labelled(app.slider, "Answer only from").set_value(85).run()
    assert (app.metric[0].value, app.metric[0].delta) == ("Unsure", "perhaps happiness, model score 80\u00a0%")
    assert "Unsure: no emotion reaches 85\u00a0%" in texts(app)


def test_a_table_of_files_says_who_is_unsure(open_page: OpenPage, two_checkpoints: Path, corpus, clips):
    app = set_source(open_page(CLASSIFY), "upload")
    files = [(clip.filename, corpus.path(clip).read_bytes(), "audio/wav") for clip in clips[:2]]
    app.file_uploader[0].set_value(files).run()
    assert list(app.dataframe[0].value["answer"]) == ["happiness", "happiness"]
    labelled(app.slider, "Answer only from").set_value(95).run()
    assert list(app.dataframe[0].value["answer"]) == [UNSURE, UNSURE]
    assert list(app.dataframe[0].value["emotion"]) == ["happiness", "happiness"]


def test_a_dial_tone_gets_no_emotion_unless_any_sound_will_do(open_page: OpenPage, two_checkpoints: Path):
    app = set_source(open_page(CLASSIFY), "upload")
    file = io.BytesIO()
    soundfile.write(file, tone(425, 2), SAMPLE_RATE, format="WAV")
    app.file_uploader[0].set_value([("tone.wav", file.getvalue(), "audio/wav")]).run()
    assert not app.exception
    assert not app.metric
    assert "No voice was recognised" in app.error[0].value
    assert "Switch on **Any sound**" in texts(app)
    labelled(app.toggle, "Any sound").set_value(True).run()
    assert not app.exception
    assert not app.error
    assert app.metric[0].value == "Happiness"


def test_samples_says_that_a_model_is_unsure_and_hears_every_shout(
    open_page: OpenPage, two_checkpoints: Path, corpus, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ser_core.serving.voice.voice_intervals", lambda speech, config: speech.intervals[:0])
    assert "The model predicts **happiness** (model score 80\u00a0%), fear intended." in texts(
        open_page(SAMPLES, corpus=corpus.folder, clip="1079_DFA_FEA_XX")
    )
    save_opinionated(two_checkpoints, "doubtful", "HAP", val_accuracy=0.7, strength=0.5)
    assert re.search(
        r"The model is \*\*unsure\*\* \(perhaps happiness, model score 2\d\xa0%\), fear intended\.",
        texts(open_page(SAMPLES, corpus=corpus.folder, clip="1079_DFA_FEA_XX")),
    )


def test_samples_says_which_clips_a_model_was_trained_on(open_page: OpenPage, two_checkpoints: Path, corpus):
    """By the split of the checkpoint, which needn't be the report's, of which all these clips are for testing."""
    fitted = save_opinionated(two_checkpoints, "of the fold", "HAP").name
    fold, report = load_split("fold1"), load_split("report")
    says_of_itself(two_checkpoints / fitted, train={"split": "fold1"}, environment={"split_id": fold.id})
    here = [name for name in report.test if name in corpus.present]
    trained, tested = (next(name for name in here if name in part) for part in (fold.train, fold.test))

    def is_said(clip: str) -> bool:
        app = open_page(SAMPLES, corpus=corpus.folder, clip=clip)
        return "The model was trained on this clip." in texts(labelled(app.selectbox, "Model").set_value(fitted).run())

    assert is_said(trained)
    assert not is_said(tested)
    says_of_itself(two_checkpoints / fitted, environment={"split_id": "unknown"})
    assert not is_said(trained)


def test_files_are_uploaded_and_bad_ones_named(open_page: OpenPage, corpus, clips):
    app = set_source(open_page(CLASSIFY), "upload")
    good = [(clip.filename, corpus.path(clip).read_bytes(), "audio/wav") for clip in clips[:2]]
    app.file_uploader[0].set_value([*good, ("bad.wav", b"no sound", "audio/wav")]).run()
    assert not app.exception
    table = app.dataframe[0].value
    assert table["file"].iloc[0] == "bad.wav"
    assert "could not be decoded" in table["error"].iloc[0]
    assert set(table["file"].iloc[1:]) == {clip.filename for clip in clips[:2]}
    assert len(app.get("download_button")) >= 2


def test_files_that_are_all_bad_are_all_named(open_page: OpenPage):
    app = set_source(open_page(CLASSIFY), "upload")
    app.file_uploader[0].set_value([("a.wav", b"no sound", "audio/wav"), ("b.wav", b"", "audio/wav")]).run()
    assert not app.exception
    assert list(app.dataframe[0].value["file"]) == ["a.wav", "b.wav"]
    assert all(app.dataframe[0].value["note"])
    assert not app.selectbox


def test_files_of_the_same_name_are_all_kept(open_page: OpenPage, corpus, clips):
    app = set_source(open_page(CLASSIFY), "upload")
    same = [("speech.wav", corpus.path(clip).read_bytes(), "audio/wav") for clip in clips[:3]]
    app.file_uploader[0].set_value(same).run()
    assert not app.exception
    assert set(app.dataframe[0].value["file"]) == {"speech.wav", "speech.wav (2)", "speech.wav (3)"}


# Runs, Mistakes, Humans: from records alone.


@pytest.mark.parametrize("page", [RUNS, HUMANS])
def test_emotions_without_test_clips_have_neither_recall_nor_f1(open_page: OpenPage, many_runs: Path, page: str):
    write_run(many_runs / "few", TrainConfig(seed=1))  # one clip each of ANG, DIS, FEA and HAP
    charts = [
        json.loads(chart.proto.spec)["data"] for chart in open_page(page, run="few", runs="few").get("plotly_chart")
    ]
    bars = next(traces for traces in charts if traces[0]["type"] == "bar")
    assert len(bars) == (2 if page == HUMANS else 1)  # raters' are beside the model's
    for of_source in bars:
        assert [emotion for emotion, height in zip(of_source["x"], of_source["y"], strict=True) if height is None] == [
            "neutral",
            "sadness",
        ]


def test_runs_lists_every_one_of_the_projects_records(open_page: OpenPage):
    """In a table for each split."""
    tables = [frame.value for frame in open_page(RUNS).dataframe if "run" in frame.value]
    labels = [run_label(run) for run in load_runs()[0]]
    assert sorted(name for table in tables for name in table["run"]) == sorted(labels)
    assert len(set(labels)) == len(labels)
    assert len(tables) == len({run.split_id for run in load_runs()[0]})


def test_runs_are_listed_beside_the_report(open_page: OpenPage, many_runs: Path):
    write_run(many_runs / "other", TrainConfig(seed=1))
    table = open_page(RUNS).dataframe[0].value.set_index("run")
    for name, accuracy, epochs in (("lr0.001-SiLU-2D", 75, 150), ("lr0.01-ELU-1D", 70, 30)):
        row, report = table.loc[f"{name}, {epochs} epochs"], 100 * REPORT_RESULTS[name].accuracy
        assert (row["accuracy"], row["epochs"]) == (pytest.approx(accuracy), epochs)
        assert row["report"] == pytest.approx(report)
        if epochs == 150:
            assert row["difference"] == pytest.approx(accuracy - report)
        else:  # the report's figure is of five times as many
            assert np.isnan(row["difference"])
    assert np.isnan(table.loc["other, 150 epochs", ["report", "difference"]].astype(float)).all()


def test_a_run_in_the_address_is_shown(open_page: OpenPage, many_runs: Path):
    set_result(many_runs / "lr0.001-SiLU-2D", best_epoch=3)
    app = open_page(RUNS, runs="lr0.001-SiLU-2D")
    assert {metric.label: metric.value for metric in app.metric} == {
        "Test accuracy": "75.0\u00a0%",
        "Weighted F1": f"{load_run(many_runs / 'lr0.001-SiLU-2D').metrics.f1_weighted:.3f}",
        "Precision": f"{load_run(many_runs / 'lr0.001-SiLU-2D').metrics.precision_weighted:.3f}",
        "UAR": f"{load_run(many_runs / 'lr0.001-SiLU-2D').metrics.uar:.3f}",
    }
    assert "3 clips are in the training set, 2 in the validation set, 400 in the test set" in texts(app)
    assert "Validation loss picked epoch 3." in texts(app)
    assert len(app.get("plotly_chart")) == 5
    assert "expected calibration error" in texts(app)
    assert re.search(
        r"from 40\xa0% on, as in Classify.*answers \d+\xa0%, and is right in [\d.]+\xa0% of those",
        texts(app),
    )
    assert not open_page(RUNS, runs="no-such-run").metric


def test_a_runs_probabilities_on_another_corpus_stand_beside_those_on_its_own(
    open_page: OpenPage, many_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(EVALUATIONS_VARIABLE, str(tmp_path / "evaluations"))
    evaluated(tmp_path / "evaluations", "lr0.001-SiLU-2D", right=0.5)
    app = open_page(RUNS, runs="lr0.001-SiLU-2D")
    drawn = [json.loads(chart.proto.spec)["data"] for chart in app.get("plotly_chart")]
    name = f"{run_label(load_run(many_runs / 'lr0.001-SiLU-2D'))} on RAVDESS"
    assert sum(name in [line.get("name") for line in lines] for lines in drawn) == 2
    assert f"{code(name)} answers 100" in texts(app)


def test_runs_are_compared_on_the_same_clips_and_different_lengths_are_shown(open_page: OpenPage, many_runs: Path):
    app = open_page(RUNS)
    app.multiselect(key="runs").set_value(["lr0.001-SiLU-2D", "lr0.001-SiLU-Combined"]).run()
    differences = app.dataframe[1].value
    assert differences.iloc[0]["difference in points"].startswith("+20.0")
    assert differences.iloc[0]["significant"] == "yes"
    assert not app.warning
    app.multiselect(key="runs").set_value(["lr0.001-SiLU-2D", "lr0.01-ELU-1D"]).run()
    assert "`lr0.01-ELU-1D, 30 epochs` also differs in epochs (150, 30)" in texts(app)
    assert app.dataframe[1].value.iloc[0]["significant"] == "not comparable"


def test_runs_that_differ_in_more_than_their_names_say_are_compared_with_a_warning(
    open_page: OpenPage, many_runs: Path
):
    other = {"precision": "fp32", "numerics": "winograd"}
    record(many_runs, "lr0.001-ReLU-2D", 180, environment=other, settings={"seed": 1})
    app = open_page(RUNS)
    app.multiselect(key="runs").set_value(["lr0.001-SiLU-2D", "lr0.001-ReLU-2D"]).run()
    (warning,) = app.warning
    assert "seed (42, 1), precision (bf16, fp32) and numerics (pytorch, winograd)" in warning.value


def test_each_split_has_a_table_of_its_own_and_the_best_model_is_of_the_reports(open_page: OpenPage, many_runs: Path):
    fold = TrainConfig(activation="relu", split="fold1")
    write_run(many_runs / fold.name, fold)
    set_val_accuracy(many_runs / fold.name, 0.9)
    home = open_page("streamlit_app.py")
    assert "speakers it learned from, 400 clips of CREMA-D" in overview_of(home)
    assert "speakers it never heard, 4 clips of CREMA-D" in overview_of(home)
    for view, rows in (("All", 3), ("Best", 3)):
        app = open_page(RUNS, view=view)
        assert "**The report's split**" in texts(app)
        assert "**Split fold1 (id of fold1)**" in texts(app)
        first, second = app.dataframe[0].value, app.dataframe[1].value
        assert (len(first), second["run"].tolist()) == (rows, [f"{fold.name}, 150 epochs"])
    assert labelled(open_page(MISTAKES).selectbox, "Run").options[-1] == f"{fold.name}, 150 epochs"


def test_splits_of_older_records_have_tables_of_their_own(open_page: OpenPage, many_runs: Path):
    for split in ("fold1", "report.json"):
        config = TrainConfig(split=split)
        write_run(many_runs / config.name, config, environment={"split_id": "unknown"})
    for view in ("All", "Best"):
        app = open_page(RUNS, view=view)
        assert len({tuple(table.value["run"]) for table in app.dataframe[:3]}) == 3
        for title in ("The report's split", "Split fold1 (id unknown)", "Split report.json (id unknown)"):
            assert f"**{title}**" in texts(app)


def test_runs_of_other_clips_are_not_compared(open_page: OpenPage, many_runs: Path):
    write_run(many_runs / "other", TrainConfig(split="fold1"))
    app = open_page(RUNS)
    app.multiselect(key="runs").set_value(["other", "lr0.001-SiLU-2D"]).run()
    assert not app.exception
    assert "tested on different clips" in texts(app)


def test_runs_are_filtered(open_page: OpenPage, many_runs: Path):
    app = open_page(RUNS)
    labelled(app.multiselect, "Architecture").set_value(["2D"]).run()
    assert app.dataframe[0].value["run"].tolist() == ["lr0.001-SiLU-2D, 150 epochs"]


def test_what_is_shown_is_one_of_what_is_listed(open_page: OpenPage, many_runs: Path):
    app = open_page(RUNS)
    shown = app.multiselect(key="runs").set_value(["lr0.001-SiLU-2D", "lr0.01-ELU-1D"]).run().multiselect(key="runs")
    assert shown.value == ["lr0.001-SiLU-2D", "lr0.01-ELU-1D"]
    labelled(app.multiselect, "Architecture").set_value(["1D"]).run()
    assert app.multiselect(key="runs").value == ["lr0.01-ELU-1D"]
    assert app.multiselect(key="runs").options == ["lr0.01-ELU-1D, 30 epochs"]


def test_a_run_is_never_called_by_the_name_of_one_of_another_length(open_page: OpenPage, many_runs: Path):
    record(many_runs, "lr0.001-SiLU-2D", 140, epochs=30, folder="lr0.001-SiLU-2D-30")
    for page in (RUNS, MISTAKES, HUMANS):
        app = open_page(page)
        options = (app.multiselect(key="runs") if page == RUNS else app.selectbox(key="run")).options
        assert {"lr0.001-SiLU-2D, 150 epochs", "lr0.001-SiLU-2D, 30 epochs"} < set(options)
    for asked in ("lr0.001-SiLU-2D-30", "lr0.001-SiLU-2D, 30 epochs"):
        assert open_page(MISTAKES, run=asked).selectbox(key="run").value == "lr0.001-SiLU-2D-30"
        assert open_page(RUNS, runs=asked).multiselect(key="runs").value == ["lr0.001-SiLU-2D-30"]


@pytest.mark.parametrize(
    ("view", "says"),
    [("All", "3 of 3 runs"), ("Settings", "figure 7"), ("Best", "table 2"), ("Findings", "2D beats combined")],
)
def test_every_view_of_the_runs(open_page: OpenPage, many_runs: Path, view: str, says: str):
    assert says in texts(open_page(RUNS, view=view))
    assert says not in texts(open_page(RUNS, view="Settings" if view == "All" else "All"))


def test_corpora_are_shown_only_where_there_are_evaluations(
    open_page: OpenPage, many_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    root = tmp_path / "evaluations"
    monkeypatch.setenv(EVALUATIONS_VARIABLE, str(root))
    app = open_page(RUNS, view="Corpora")
    assert "Corpora" not in app.segmented_control[0].options
    assert "3 of 3 runs" in texts(app)
    evaluated(root, "lr0.001-SiLU-2D")
    evaluated(root, "damaged")
    (root / "ravdess" / "damaged" / "evaluation.json").write_text("{")
    app = open_page(RUNS, view="Corpora")
    assert app.dataframe[0].value["model"].tolist() == ["lr0.001-SiLU-2D"]
    assert "nothing of it is in the training set" in texts(app)
    assert "ravdess/damaged: evaluation.json can't be read" in texts(app)
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path / "none"))
    assert "No run is recorded yet" in texts(app := open_page(RUNS))
    assert len(app.dataframe) == 1


def test_ingredients_are_shown_only_where_several_are_recorded(open_page: OpenPage, many_runs: Path):
    base, whole = (step.config for step in future_steps()[:2])
    write_run(many_runs / "whole", whole)
    assert "Ingredients" not in open_page(RUNS).segmented_control[0].options
    write_run(many_runs / "base", base)
    tables = [shown.value for shown in open_page(RUNS, view="Ingredients").dataframe]
    assert [table["network"].tolist() for table in tables] == [["whole"], ["base"]]
    assert [table["seeds"].tolist() for table in tables] == [[1], [1]]
    assert "Not in these tables" not in texts(open_page(RUNS, view="Ingredients"))


def test_what_is_compared_with_more_than_the_base_says_so(open_page: OpenPage, many_runs: Path):
    labels = ["base", "base + pitch and voicing", "base + pitch path"]
    for step in future_steps():
        if step.label in labels:
            write_run(many_runs / step.config.name, step.config)
    app = open_page(RUNS, view="Ingredients")
    assert app.dataframe[0].value["network"].tolist() == ["base", "+ pitch and voicing", "+ pitch path"]
    said = [caption.value for caption in app.caption if "is against" in caption.value]
    assert said == ["Δ of `+ pitch path` is against `+ pitch and voicing`, which it has, too."]


def test_ingredients_of_another_precision_are_not_left_out_without_a_word(open_page: OpenPage, many_runs: Path):
    base, whole, *others = (step.config for step in future_steps())
    for name, config, precision in (("base", base, "fp32"), ("whole", whole, "fp32"), ("other", others[0], "bf16")):
        write_run(many_runs / name, config, environment={"precision": precision})
    app = open_page(RUNS, view="Ingredients")
    assert sum(len(shown.value) for shown in app.dataframe) == 2
    assert f"Not in these tables: 1 run of {base.epochs} epochs in bf16." in texts(app)
    assert "`python grid.py future --precision fp32`" in texts(app)


def test_what_the_report_would_try_next_has_what_ingredients_gained(
    open_page: OpenPage, many_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(EVALUATIONS_VARIABLE, str(tmp_path / "none"))
    for step in future_steps():
        if step.label in ("base", "base + conformer"):
            write_run(many_runs / step.config.name, step.config, val_accuracy=0.5 if step.to else 0.6)
    said = texts(open_page(RUNS, view="Findings"))
    assert "The base with a conformer (1 seed): -10.0 points on validation clips." in said


def test_what_needs_no_training_is_among_the_ingredients_and_not_among_the_models(
    open_page: OpenPage, many_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(EVALUATIONS_VARIABLE, str(root := tmp_path / "heard"))
    base, whole = (step.config for step in future_steps()[:2])
    write_run(many_runs / "base", base)
    write_run(many_runs / "whole", whole)
    one = evaluated(root, "whole+tta")
    folder = root / "ravdess" / "whole+tta"
    changed = replace(one, checkpoint=replace(one.checkpoint, members=("whole",), speeds=(0.9, 1.0, 1.1)))
    save_evaluation(folder, changed, load_predictions(folder))
    evaluated(root, "whole", right=0.4)
    table = open_page(RUNS, view="Ingredients").dataframe[0].value
    assert table["network"].tolist() == ["whole", "+ test-time augmentation"]
    assert table["UAR, RAVDESS"].tolist() == pytest.approx([40, 50])
    assert table["UAR, RAVDESS, gained"].tolist()[1] == 10
    assert open_page(RUNS, view="Corpora").dataframe[0].value["model"].tolist() == ["whole"]


def test_gains_stand_beside_the_networks_and_their_headers_say_of_which_clips(
    open_page: OpenPage, many_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(EVALUATIONS_VARIABLE, str(root := tmp_path / "heard"))
    for step in future_steps():
        if step.label not in ("base", "base + mixup"):
            continue
        write_run(many_runs / step.config.name, step.config)
        one = evaluated(root, step.config.name)
        for change in ("pink-15", "pink-25", "less-bass"):
            title = f"CREMA-D, validation clips, {CHANGES[change].label}"
            corpus = replace(one.corpus, name=change, title=title, change=change, validation=True)
            said = load_predictions(root / "ravdess" / step.config.name)
            save_evaluation(root / change / step.config.name, replace(one, corpus=corpus), said)
    shown = open_page(RUNS, view="Ingredients").dataframe[0].proto
    columns = json.loads(shown.columns)
    names = ["validation", "RAVDESS", "less bass", "pink noise, 15 dB SNR", "pink noise, 25 dB SNR"]
    gains, intervals = [f"Δ\u00a0{name}" for name in names], [f"{name}, 95\u00a0%" for name in names]
    order = list(shown.column_order)
    labels = [columns.get(name, {}).get("label") or name for name in order]
    assert labels == ["network", *gains, *intervals[1:], *names, "seeds"]  # of validation, nobody evaluated clips
    assert [name for name in order if columns.get(name, {}).get("pinned")] == ["network"]
    assert columns["UAR, CREMA-D, validation clips, less bass, 1 - 0.7 z⁻¹"]["help"].endswith("less bass, 1 - 0.7 z⁻¹")
    assert not {"folds", "unseen speakers"} & {*order}
    content = 348  # of a phone of 390 px
    assert sum(columns[name]["width"] for name in order[:3]) <= content
    assert columns["network"]["width"] < 0.6 * content  # with more, Streamlit pins nothing


def test_a_search_is_shown_where_there_is_one(open_page: OpenPage, many_runs: Path):
    assert "Search" not in open_page(RUNS).segmented_control[0].options
    search = Search(many_runs.parent / STORAGE, 2, usual_config("conformer", epochs=2))
    study = open_study(search)
    assert "Search" in open_page(RUNS).segmented_control[0].options
    assert "No trial was trained to its end yet" in texts(open_page(RUNS, view="Search"))
    study.tell(study.ask({"lr": FloatDistribution(0.001, 0.01)}), 0.625)
    app = open_page(RUNS, view="Search")
    assert app.dataframe[0].value["setting"].tolist() == ["lr"]
    assert "62.5" in texts(app)
    search.file.write_text("damaged")
    app = open_page(RUNS, view="Search")
    assert not app.exception
    assert "can't be read as the trials of a search" in texts(app)


def test_a_search_says_which_settings_matter_more_than_chance(open_page: OpenPage, many_runs: Path):
    base = usual_config("conformer", epochs=2)
    settings = {name: base.flat[name] for name in SPACE}
    trials = (Trial(1, 0.75, {**settings, "ema": 0.9995}), Trial(0, 0.5, settings))
    found = Found("found", trials, 1, {"ema": 0.75, "lr": 0.25}, 0.5, "a")
    save_search(many_runs, SearchRecord(base, found, "CPU", "3.11", {}, None, "0123"))
    app = open_page(RUNS, view="Search")
    assert (
        "What matters more than chance would show: `ema` (75\u00a0%); chance alone gives a setting up to 50"
        in texts(app)
    )
    table = app.dataframe[0].value
    assert table["setting"].tolist()[:2] == ["ema", "lr"]
    assert table["more than chance"].tolist()[:3] == ["yes", "no", "no"]
    assert table["trial 1, 75.0\u00a0%"].tolist()[0] == "0.9995"


def test_two_searches_with_the_same_settings_are_both_shown(open_page: OpenPage, many_runs: Path):
    search = Search(many_runs.parent / STORAGE, 2, usual_config("conformer", epochs=2))
    study = open_study(search)
    study.tell(study.ask({"lr": FloatDistribution(0.001, 0.01)}), 0.625)
    settings = {name: search.base.flat[name] for name in SPACE}
    others = (Trial(1, 0.875, settings), Trial(0, 0.5, settings))
    recorded = SearchRecord(search.base, Found(search.name, others, 1, {}), "CPU", "3.11", {}, None, "0123")
    save_search(many_runs, recorded)
    app = open_page(RUNS, view="Search")
    assert ["87.5" in texts(app), "62.5" in texts(app)] == [True, True]
    assert f"`{search.name} in {STORAGE}`: 1 trial trained to the end" in texts(app)
    save_search(many_runs, replace(recorded, found=searches_in(search.file)[0]))  # which is then shown once
    assert texts(open_page(RUNS, view="Search")).count("62.5") == texts(app).count("62.5")


def test_shared_and_unseen_speakers_stand_side_by_side(open_page: OpenPage, many_runs: Path):
    assert "Speakers" not in open_page(RUNS).segmented_control[0].options
    record(many_runs, "lr0.001-SiLU-2D", 100, folder="apart", settings={"split": "fold3"})
    app = open_page(RUNS, view="Speakers")
    assert not app.exception
    (row,) = app.dataframe[0].value.to_dict("records")
    assert row["run"].startswith("lr0.001-SiLU-2D")
    assert (row["speakers it never heard"], row["folds"]) == (75, "fold 3 of 5")
    assert "Not trained on all folds yet: `lr0.001-ELU-1D`, `lr0.001-SiLU-2D` and `lr0.001-SiLU-Combined`." in texts(
        app
    )


def test_a_recorded_search_is_shown_without_its_trials(open_page: OpenPage, many_runs: Path):
    base = usual_config("conformer", epochs=2)
    settings = {name: base.flat[name] for name in SPACE}
    others = [Trial(number, 0.875 - number / 8, {**settings, "lr": 0.002}) for number in (1, 2, 3)]
    found = Found("found", (*others, Trial(0, 0.25, settings)), 1, {}, precision="fp32")
    save_search(many_runs, SearchRecord(base, found, "CPU", "3.11", {}, None, "0123"))
    app = open_page(RUNS, view="Search")
    assert "`found`: 4 trials trained to the end in fp32, 1 given up. The best has 75.0\u00a0%" in texts(app)
    assert "by itself have 25.0\u00a0%" in texts(app)
    assert "With 4 trials trained to the end, it can't be said which settings matter" in texts(app)
    columns = [
        "setting",
        "trial 1, 75.0\u00a0%",
        "trial 2, 62.5\u00a0%",
        "trial 3, 50.0\u00a0%",
        "by itself, 25.0\u00a0%",
    ]
    assert app.dataframe[0].value.columns.tolist() == columns  # and no importance
    tied = (Trial(0, 0.75, settings), Trial(1, 0.75, {**settings, "lr": 0.002}))
    save_search(many_runs, SearchRecord(base, Found("tied", tied, 1, {}), "CPU", "3.11", {}, None, "0123"))
    assert "; none has more than the settings that the network has by itself." in texts(open_page(RUNS, view="Search"))
    assert "lr" in app.dataframe[0].value["setting"].tolist()
    (many_runs / "other.search.json").write_text("{}")
    app = open_page(RUNS, view="Search")
    assert "1 search record can't be read" in [expander.label for expander in app.expander]


def test_steps_are_shown_only_where_several_are_recorded(
    open_page: OpenPage, many_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    root = tmp_path / "evaluations"
    monkeypatch.setenv(EVALUATIONS_VARIABLE, str(root))
    configs = with_epochs([step.config for step in recording_steps()[:3]], 12)
    write_run(many_runs / "first", configs[0])
    assert "Steps" not in open_page(RUNS).segmented_control[0].options
    for name, config in zip(("second", "third"), configs[1:], strict=True):
        write_run(many_runs / name, config)
    for name in ("first", "third"):
        evaluated(root, name)
    app = open_page(RUNS, view="Steps")
    table = app.dataframe[0].value
    assert table["step"].tolist() == [step.label for step in recording_steps()[:3]]
    assert table["UAR, RAVDESS"].notna().tolist() == [True, False, True]
    assert {*app.dataframe[0].proto.column_order} == {*table.columns}
    called = {
        name: one["label"] for name, one in json.loads(app.dataframe[0].proto.columns).items() if one.get("label")
    }
    assert called["UAR, RAVDESS, 95 % interval"] == "RAVDESS, 95\u00a0%"
    assert called["test, 95 % interval"] == "test, 95\u00a0%"
    assert "for 12 epochs" in texts(app)
    app.session_state["steps"] = {"selection": {"rows": [1]}}
    app.run()
    assert set(labelled(app.get("button_group"), "Clips").options) == {
        "Only second, 12 epochs is right",
        "Only first, 12 epochs is right",
        "Both are wrong",
    }
    assert open_page(RUNS, view="Corpora").dataframe[0].value["model"].tolist() == ["first"]  # no crowd of steps
    (many_runs / "second" / "predictions.csv").write_text("clip")
    app = open_page(RUNS, view="Steps")
    assert not app.exception
    assert "second: predictions.csv" in texts(app)


def test_a_run_on_other_corpora_has_no_page_about_crema_ds_clips(open_page: OpenPage, many_runs: Path):
    names = tuple(f"mine/{i}.wav" for i in range(6))
    heard = Predictions(names, np.arange(6), np.eye(6, dtype=np.float32), ("mine/anna", "mine/ben", "mine/eve") * 2)
    environment = {"corpora": (MINE,), "split_id": "2" * 12}
    write_run(many_runs / "on-mine", TrainConfig(seed=3), predictions=heard, environment=environment)
    app = open_page(RUNS, runs="on-mine")
    assert "Mine (222222222222)" in texts(app)
    assert "Trained and tested on Mine." in texts(app)
    for page in (MISTAKES, HUMANS):
        assert "on-mine" not in open_page(page).selectbox[0].options
    open_page("streamlit_app.py")


def test_a_heatmap_never_mixes_lengths(open_page: OpenPage, many_runs: Path):
    def names(app: AppTest) -> set[str]:
        charts = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
        return {marker[0] for chart in charts for marker in chart["data"][1]["customdata"]}

    app = open_page(RUNS, view="Settings")
    assert names(app) == {"lr0.001-SiLU-2D", "lr0.001-SiLU-Combined"}
    assert not app.warning
    lengths = labelled(app.get("button_group"), "Trained for")
    assert lengths.options == ["30 epochs", "150 epochs"]
    lengths.set_value(30).run()
    assert names(app) == {"lr0.01-ELU-1D"}
    record(many_runs, "lr0.1-ELU-1D", 200, epochs=30, environment={"precision": "fp32"})
    app = open_page(RUNS, view="Settings")
    labelled(app.get("button_group"), "Trained for").set_value(30).run()
    assert "Not all are comparable: they also differ in precision (bf16, fp32)." in texts(app)


def test_findings_say_their_verdict(open_page: OpenPage, many_runs: Path):
    said = texts(open_page(RUNS, view="Findings"))
    assert "**2D beats combined** :green-badge" in said
    assert "Not trained yet: `lr0.001-SiLU-Combined-variable`" in said
    assert "of the report's 150 epochs" not in said
    record(many_runs, "lr0.01-ReLU-1D", 130, epochs=30)
    record(many_runs, "lr0.01-SiLU-1D", 140, epochs=30)
    assert "after 30 of the report's 150 epochs" in texts(open_page(RUNS, view="Findings"))


def test_a_finding_is_a_picture_whose_marks_open_clips_and_its_sentences_are_folded_away(
    open_page: OpenPage, many_runs: Path
):
    app = open_page(RUNS, view="Findings")
    assert re.search(r"12 findings of the \[report\].*: \*\*1 confirmed", texts(app))
    (words, *_) = [fold for fold in app.expander if fold.label == "In words"]
    assert not words.proto.expanded
    assert any("against" in said.value for said in words.markdown)
    picked = next(box for box in app.selectbox if box.options == ["2D over Combined, SiLU, rate 0.001"])
    picked.set_value(picked.options[0]).run()
    first, second = (
        clips_where(load_run(many_runs / name), lambda intended, predicted: intended == predicted)
        for name in ("lr0.001-SiLU-2D", "lr0.001-SiLU-Combined")
    )
    (table,) = [frame.value for frame in app.dataframe if "clip" in frame.value]
    assert set(table["clip"]) == first - second


@pytest.mark.parametrize("status", ["diverged", "chance"])
def test_a_run_that_learned_nothing_says_so(open_page: OpenPage, many_runs: Path, status: str):
    write_run(many_runs / "lr0.1-ELU-2D", TrainConfig(activation="elu", lr=0.1), status=status)
    app = open_page(RUNS, runs="lr0.1-ELU-2D")
    assert {"diverged": "became NaN", "chance": "never better than guessing"}[status] in texts(app)


@pytest.fixture
def unsure_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The pages' only record: of a model that answers at random, more or less surely."""
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path / "records"))
    probabilities = np.random.default_rng(0).dirichlet(np.ones(6), len(NAMES)).astype(np.float32)
    folder = tmp_path / "records" / "lr0.001-SiLU-2D"
    write_run(folder, TrainConfig(), predictions=Predictions(NAMES, TARGETS, probabilities))
    return load_run(folder)


def clips_where(run: Run, holds: Callable[[str, str], bool]) -> set[str]:
    """The clips of whose intended and predicted emotion something holds."""
    found = run.predictions()
    pairs = zip(found.targets.tolist(), found.predicted.tolist(), strict=True)
    return {
        name
        for name, (intended, predicted) in zip(found.names, pairs, strict=True)
        if holds(EMOTION_NAMES[EMOTIONS[intended]], EMOTION_NAMES[EMOTIONS[predicted]])
    }


def test_mistakes_are_listed_the_surest_first_and_filtered(open_page: OpenPage, corpus, unsure_run: Run):
    app = open_page(MISTAKES, corpus=corpus.folder)
    mistakes = clips_where(unsure_run, lambda intended, predicted: intended != predicted)
    assert 0 < len(mistakes & corpus.present) < len(mistakes) < len(NAMES)

    def listed() -> set[str]:
        assert not app.exception
        return set(app.dataframe[0].value["clip"])

    assert listed() == mistakes & corpus.present
    assert len(app.get("audio")) == 1
    app.toggle[0].set_value(False).run()
    assert listed() == mistakes
    table = app.dataframe[0].value
    defect = [clip.defect is not None for clip in by_name(table["clip"])]
    assert sorted(defect) == defect
    assert any(defect)
    assert not all(defect)
    for has_one in (False, True):
        assert table["model score"][np.equal(defect, has_one)].is_monotonic_decreasing
    assert (table["intended"] != table["predicted"]).all()
    labelled(app.get("button_group"), "Answers").set_value("Right").run()
    assert listed() == set(NAMES) - mistakes
    labelled(app.get("button_group"), "Answers").set_value("Wrong").run()
    labelled(app.selectbox, "Intended").set_value("fear").run()
    assert listed() == clips_where(unsure_run, lambda intended, predicted: intended == "fear" != predicted)
    labelled(app.selectbox, "Predicted").set_value("sadness").run()
    mistaken = clips_where(unsure_run, lambda intended, predicted: (intended, predicted) == ("fear", "sadness"))
    assert listed() == mistaken
    labelled(app.selectbox, "Most raters heard").set_value("the intended emotion").run()
    heard = {name for name in mistaken if load_index()[name].voice.majority == ("FEA",)}
    assert listed() == heard
    assert 0 < len(heard) < len(mistaken)
    labelled(app.selectbox, "Intended").set_value("sadness").run()
    assert "No clip is like that." in texts(app)
    assert not app.exception


def test_mistakes_of_a_group_are_those_of_the_address(open_page: OpenPage, unsure_run: Run):
    app = open_page(MISTAKES, group="Actor's sex: female", intended="fear", answers="All")
    index = load_index()
    assert set(app.dataframe[0].value["clip"]) == {
        name for name in NAMES if index[name].actor.sex == "female" and index[name].emotion == "FEA"
    }


def test_mistakes_need_no_sound(open_page: OpenPage, unsure_run: Run):
    app = open_page(MISTAKES)
    assert "not on this machine" in texts(app)
    assert len(app.get("plotly_chart")) == 2  # a clip's, and one of groups


def test_gaps_of_all_groupings_are_judged_and_a_group_opens_its_clips(open_page: OpenPage, unsure_run: Run):
    app = open_page(MISTAKES)
    table = app.dataframe[1].value
    assert set(table["groups by"]) == set(GROUPINGS)
    assert set(table["beyond chance"]) == {"no"}  # it answers at random
    assert "it differs no more than chance would make it" in texts(app)
    labelled(app.selectbox, "Hear the clips of").set_value("fear").run()
    mistakes = clips_where(unsure_run, lambda intended, predicted: intended == "fear" != predicted)
    assert set(app.dataframe[2].value["clip"]) == mistakes
    assert f"Intended emotion: fear, wrong in {len(mistakes)} of" in texts(app)


def test_humans_shows_who_agrees_with_whom(open_page: OpenPage, unsure_run: Run):
    app = open_page(HUMANS)
    found, unsure = agreement(unsure_run.predictions()), uncertainty(unsure_run.predictions())
    assert {metric.label: metric.value for metric in app.metric} == {
        "Model and intended": percent(unsure_run.accuracy),
        "Crowd and intended": percent(found.crowd_label.accuracy),
        "Model and crowd": percent(found.model_crowd.accuracy),
    }
    assert abs(unsure.correlation) < 0.1
    assert f"rank correlation of {unsure.correlation:.2f} (p = {unsure.p_value:.3f}): hardly any" in texts(app)


def test_cells_and_marks_of_humans_open_their_clips(open_page: OpenPage, corpus, unsure_run: Run):
    app = open_page(HUMANS, corpus=corpus.folder)
    assert not app.dataframe
    people, model, unsure = (box for box in app.selectbox if box.label == "Hear the clips of")
    model.set_value("fear predicted as sadness").run()
    mistaken = clips_where(unsure_run, lambda intended, predicted: (intended, predicted) == ("fear", "sadness"))
    assert set(app.dataframe[0].value["clip"]) == mistaken
    assert len(app.get("audio")) == bool(mistaken & corpus.present)
    (link,) = [link for link in app.get("page_link") if link.proto.label == "All of them in Mistakes"]
    asked = dict(parse_qsl(link.proto.query_string))
    assert set(open_page(MISTAKES, **asked).dataframe[0].value["clip"]) == mistaken
    app = open_page(HUMANS)
    people, model, unsure = (box for box in app.selectbox if box.label == "Hear the clips of")
    people.set_value("fear heard as sadness").run()
    heard = app.dataframe[0].value
    counts = {name: clip.voice.counts[EMOTIONS.index("SAD")] for name, clip in load_index().items()}
    assert set(heard["clip"]) == {name for name in NAMES if name.split("_")[2] == "FEA" and counts[name]}
    assert heard["heard by"].is_monotonic_decreasing
    people, model, unsure = (box for box in app.selectbox if box.label == "Hear the clips of")
    unsure.set_value(unsure.options[0]).run()
    low, high = (float(word) for word in unsure.options[0].removesuffix(" bits").split(" to "))
    assert app.dataframe[1].value["people's bits"].between(low, high).all()


def test_a_cell_of_a_run_opens_its_clips_and_so_does_a_row_of_what_it_confuses_most(
    open_page: OpenPage, many_runs: Path
):
    app = open_page(RUNS, runs="lr0.001-SiLU-2D")
    cell = labelled(app.selectbox, "Hear the clips of")
    cell.set_value(cell.options[0]).run()
    intended, predicted = cell.options[0].split(" predicted as ")
    (table,) = [frame.value for frame in app.dataframe if "clip" in frame.value]
    run = load_run(many_runs / "lr0.001-SiLU-2D")
    assert set(table["clip"]) == clips_where(run, lambda *pair: pair == (intended, predicted))
    key = "hear-confusion-lr0.001-SiLU-2D"
    again = open_page(RUNS, **{key: cell.options[0], "runs": "lr0.001-SiLU-2D"})
    (same,) = [frame.value for frame in again.dataframe if "clip" in frame.value]
    assert list(same["clip"]) == list(table["clip"])
    assert f"asks for {key}=fear" in open_page(RUNS, **{key: "fear", "runs": "lr0.001-SiLU-2D"}).warning[0].value


def test_two_runs_open_the_clips_on_which_they_differ(open_page: OpenPage, many_runs: Path):
    app = open_page(RUNS)
    app.session_state["differences-lr0.001-SiLU-2D-lr0.001-SiLU-Combined"] = {"selection": {"rows": [0]}}
    app.multiselect(key="runs").set_value(["lr0.001-SiLU-2D", "lr0.001-SiLU-Combined"]).run()
    first, second = (
        clips_where(load_run(many_runs / name), lambda intended, predicted: intended == predicted)
        for name in ("lr0.001-SiLU-2D", "lr0.001-SiLU-Combined")
    )
    (table,) = [frame.value for frame in app.dataframe if "clip" in frame.value]
    assert set(table["clip"]) == first - second
    labelled(app.get("button_group"), "Clips").set_value("Both are wrong").run()
    (table,) = [frame.value for frame in app.dataframe if "clip" in frame.value]
    assert set(table["clip"]) == set(NAMES) - first - second


def test_humans_and_a_model_that_answers_like_the_crowd(open_page: OpenPage, many_runs: Path):
    shares = np.array([load_index()[name].voice.shares for name in NAMES], dtype=np.float32)
    write_run(many_runs / "crowd", TrainConfig(seed=1), predictions=Predictions(NAMES, TARGETS, shares))
    assert "rank correlation of 1.00 (p < 0.001): strong" in texts(open_page(HUMANS, run="crowd"))
    assert "nothing to correlate" in texts(open_page(HUMANS, run="lr0.001-SiLU-2D"))  # always sure


@pytest.mark.parametrize("page", [MISTAKES, HUMANS])
def test_a_run_without_predictions_says_so_and_the_page_goes_on(open_page: OpenPage, many_runs: Path, page: str):
    (many_runs / "lr0.01-ELU-1D" / "predictions.csv").unlink()
    app = open_page(page, run="lr0.01-ELU-1D")
    assert "predictions.csv can't be read" in texts(app)
    app.selectbox(key="run").set_value("lr0.001-SiLU-2D").run()
    assert not app.exception
    assert not app.error


def test_every_page_is_in_the_navigation_and_described():
    scripts = {f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py")} | {"streamlit_app.py"}
    assert {page.path for page in PAGES} == scripts
    for page in PAGES:
        assert page.description.endswith("."), page.label
        assert page.icon.startswith(":material/"), page.label

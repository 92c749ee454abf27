"""The README.md of a checkpoint: what it is, how it was made, how good it is, what it is not for."""

from __future__ import annotations

from ser_core.audio.changes.labels import CHANGE_LABELS
from ser_core.corpus.registry import CREMAD
from ser_core.corpus.splits import Split
from ser_core.emotions import EMOTION_NAMES
from ser_core.models.registry import architecture
from ser_core.records.runs import Run
from ser_core.training.config import TrainConfig
from ser_core.words import between, counted, percent


def model_card(run: Run, split: Split) -> str:
    """Markdown for the checkpoint of a finished run; every figure is taken from its record, or its split."""
    train, environment, result = run.train, run.environment, run.test
    clips, metrics = environment.clips, run.metrics
    interval = f"95\u00a0% interval over {run.intervals_over} {between(*run.accuracy_interval)}"
    network = architecture(train.model)
    rows = "\n".join(
        f"| {emotion} | {EMOTION_NAMES[emotion]} | {scores.precision:.3f} | {scores.recall:.3f} "
        f"| {scores.f1:.3f} | {scores.support} |"
        for emotion, scores in metrics.per_class.items()
    )
    return f"""# {run.name}

Speech emotion recognition: one of six acted emotions from a few seconds of{_language(run)} speech.

| | |
|---|---|
| Architecture | `{train.model}`, {network.purpose} |
| Size | {result.parameters:,} parameters, activation {train.activation} |
| Input | {train.form} form; pipeline `{train.audio.pipeline}`; voice activity detection: {train.audio.vad} |
| Data | {_data(run)}, {clips.train:,} training clips |{_teacher(run)}
| Training | {counted(result.epochs, "epoch")}, learning rate {train.lr:g}, seed {train.seed}{_changes(train)} |
| Weights | epoch {result.best_epoch}, the best by validation {train.select}{_refit(train)} |
| Device | {environment.device}, {result.training_seconds / 60:.0f} min |
| Test accuracy | {percent(metrics.accuracy)} ({interval}, {clips.test:,} clips) |
| Weighted F1 | {metrics.f1_weighted:.3f} |
| Unweighted average recall | {metrics.uar:.3f} |

| Code | Emotion | Precision | Recall | F1 | Clips |
|---|---|---|---|---|---|
{rows}

## Limits

{_limits(run)} {_speakers(split)}
It says nothing reliable about what a person really feels, and must not be used to judge people.

{_source(run)}{_encoder(run)}
"""


def _refit(train: TrainConfig) -> str:
    """That its classifier was fitted anew."""
    if not train.refit:
        return ""
    cut = f", {percent(train.refit_crop, 0)} of them cut" if train.refit_crop else ""
    heard = f" to the clips and a copy of each, changed in the same ways{cut}" if cut else ""
    return f"; its classifier fitted anew{heard}, by logistic regression (L2 penalty {train.refit:g})"


def _data(run: Run) -> str:
    """What it was trained on, and by which split."""
    if corpora := run.environment.corpora:
        named = ", ".join(f"{part.title} ({part.checksum})" for part in corpora)
        return f"{named}; split {run.split_id}, by speakers but for that of CREMA-D, `{run.train.split}`"
    return f"CREMA-D, split `{run.train.split}` ({run.split_id})"


def _language(run: Run) -> str:
    """Of the speech, as far as that is known."""
    return "" if run.environment.corpora else " English"


def _limits(run: Run) -> str:
    """What its clips are."""
    if run.environment.corpora:
        return "The emotions are those of its corpora, as they label them."
    return "The emotions are acted, by 91 actors, in twelve English sentences."


def _source(run: Run) -> str:
    """Where its clips come from, and on what terms."""
    cremad = "CREMA-D (Cao et al. 2014), Open Database License 1.0"
    if corpora := run.environment.corpora:
        titles = [cremad if part.name == CREMAD else part.title for part in corpora]
        return f"Trained on {'; '.join(titles)}. The terms of each corpus hold for what is made from it."
    return f"Trained on {cremad}."


def _teacher(run: Run) -> str:
    """A row of the table, of what it learned from beside its clips."""
    if not (teacher := run.environment.teacher):
        return ""
    alone = ": what it knows is not from these clips alone" if teacher.pretrained else ""
    said = f"`{teacher.name}` ({teacher.checksum}), {architecture(teacher.model).purpose}"
    return f"\n| Teacher | {said}; its answers are {percent(run.train.teacher_share, 0)} of each target{alone} |"


def _encoder(run: Run) -> str:
    """Whose weights it, or its teacher, began with."""
    whisper = "those of Whisper (Radford et al. 2022), MIT licence."
    said = f"\nThe encoder's first weights are {whisper}" if architecture(run.train.model).pretrained else ""
    if (teacher := run.environment.teacher) and teacher.pretrained:
        said += f"\nIts teacher's first weights were {whisper}"
    return said


def _changes(train: TrainConfig) -> str:
    """What was done to the training clips, to their targets and to the weights."""
    kinds = ", ".join(said for name, said in CHANGE_LABELS.items() if getattr(train.augmentation, name))
    done = {
        f"{train.copies} changed copies of each clip ({kinds})": train.copies,
        "SpecAugment": train.spec_augment,
        f"mixup {train.mixup:g}": train.mixup,
        f"label smoothing {train.label_smoothing:g}": train.label_smoothing,
        f"raters' votes for {percent(train.soft_labels, 0)} of each label": train.soft_labels,
        f"weights averaged over steps (decay {train.ema:g})": train.ema,
    }
    return "".join(f"; {said}" for said, whether in done.items() if whether)


def _speakers(split: Split) -> str:
    """Whether those who are tested on were trained on."""
    shared, tested = len(split.shared_speakers), len(split.test_speakers)
    if not shared:
        return "Nobody who speaks in the test clips is heard in\ntraining: the figures are those of new speakers."
    some = f"{shared} of the {tested} speakers" if shared < tested else f"All {tested} speakers"
    return f"{some} of the test\nclips can be heard in training, too, so new speakers are recognised less well."

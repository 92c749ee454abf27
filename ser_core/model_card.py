"""The README.md of a checkpoint: what it is, how it was made, how good it is, what it is not for."""

from __future__ import annotations

from ser_core.emotions import EMOTION_NAMES
from ser_core.runs import Run


def model_card(run: Run) -> str:
    """Markdown for the checkpoint of a finished run; every figure is taken from its record."""
    train, environment, result = run.config["train"], run.config["environment"], run.test
    clips, metrics = environment["clips"], result["metrics"]
    low, high = run.accuracy_interval
    interval = f"95 % interval over {run.intervals_over} {low:.1%} to {high:.1%}"
    rows = "\n".join(
        f"| {emotion} | {EMOTION_NAMES[emotion]} | {scores['precision']:.3f} | {scores['recall']:.3f} "
        f"| {scores['f1']:.3f} | {scores['support']} |"
        for emotion, scores in metrics["per_class"].items()
    )
    return f"""# {run.name}

Speech emotion recognition: one of six acted emotions from a few seconds of English speech.

| | |
|---|---|
| Architecture | {train["model"]} CNN, {train["activation"]}, {result["parameters"]:,} parameters |
| Input | {train["form"]} form; voice activity detection: {train["audio"]["vad"]} |
| Data | CREMA-D, split `{train["split"]}` ({environment["split_id"]}), {clips["train"]:,} training clips |
| Training | {result["epochs"]} epochs, learning rate {train["lr"]:g}, seed {train["seed"]} |
| Weights | epoch {result["best_epoch"]}, the best by validation {run.select} |
| Device | {environment["device"]}, {result["training_seconds"] / 60:.0f} min |
| Test accuracy | {metrics["accuracy"]:.1%} ({interval}, {clips["test"]:,} clips) |
| Weighted F1 | {metrics["f1_weighted"]:.3f} |
| Unweighted average recall | {metrics["uar"]:.3f} |

| Code | Emotion | Precision | Recall | F1 | Clips |
|---|---|---|---|---|---|
{rows}

## Limits

The emotions are acted, by 91 actors, in twelve English sentences. In the report's split a speaker's clips are on both
sides, so new speakers are recognised less well. It says nothing reliable about what a person really feels, and must
not be used to judge people.

Trained on CREMA-D (Cao et al. 2014), Open Database License 1.0.
"""

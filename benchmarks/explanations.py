"""Whether explanations name what a network uses, for each checkpoint and method, and how long they take.

On the shared clips of CREMA-D's test part, of the emotion that the network answers: the probability that is lost when
the most important fifth is hidden (of the times, or of all bands at all times), and when a random fifth is, the average
over five. The interval is over clips. Then the rank correlation (Spearman's) with the explanation by the same network
with random weights, for some of the clips: what stays the same then is of the sound, and not of what the
network learned. Seconds are of one core, the median over clips.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
import torch
from scipy.stats import spearmanr

from benchmarks.robustness import shared_clips
from ser_core.analysis.explanation import Method
from ser_core.audio.preprocess import Speech
from ser_core.explain.methods import deletion, explain, possible_methods
from ser_core.models.registry import build_model
from ser_core.records.checkpoints import checkpoints_dir, list_checkpoints
from ser_core.serving.predictor import Predictor

N_RANDOMIZED = 24  # clips, about
Z95 = 1.96  # standard errors on each side of a 95 % interval


def randomized(predictor: Predictor, seed: int = 0) -> Predictor:
    """The same network with random weights."""
    config = predictor.config
    torch.manual_seed(seed)
    return Predictor(config, build_model(config.model, config.activation, config.form, config.features))


def measure(predictor: Predictor, speeches: Sequence[Speech], method: Method) -> str:
    """A line of the table."""
    other, lost, correlations, seconds = randomized(predictor), [], [], []
    for i, speech in enumerate(speeches):
        emotion = predictor.classify_speech(speech).emotion
        began = time.process_time()
        explanation = explain(predictor, speech, emotion, method)
        seconds.append(time.process_time() - began)
        lost.append(deletion(predictor, speech, explanation))
        if i % max(1, len(speeches) // N_RANDOMIZED) == 0:
            random = explain(other, speech, emotion, method)
            if np.ptp(random.values) and np.ptp(explanation.values):  # a Grad-CAM may be 0 everywhere
                correlations.append(spearmanr(explanation.values.ravel(), random.values.ravel()).statistic)
    important, anything = np.array(lost).T
    more = important - anything
    half = Z95 * more.std(ddof=1) / np.sqrt(len(more))
    interval = f"{more.mean():>+8.1%} ({more.mean() - half:+.1%} to {more.mean() + half:+.1%})"
    correlation = np.mean(correlations) if correlations else np.nan
    line = f"{predictor.config.name:27}{method:22}{important.mean():>8.1%}{anything.mean():>8.1%}{interval}"
    return f"{line:92}{(more > 0).mean():>6.0%}{correlation:>+8.2f}{np.median(seconds):>7.2f} s"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, metavar="N", help="only so many of the shared clips")
    args = parser.parse_args()
    torch.set_num_threads(1)
    clips, waveforms = shared_clips(args.clips)
    print(f"CREMA-D, {len(clips)} clips of the report's test part, whose speakers are in training, too")
    print(f"{'':49}important  random  more, 95 % interval     more in  random weights  one core")
    for name in sorted(list_checkpoints(checkpoints_dir()), key=lambda name: "Whisper" in name):
        predictor = Predictor.load(name)
        # In every clip of the corpus somebody speaks, if only a shout that isn't recognised as a voice.
        speeches = [predictor.prepare(waveform, any_sound=True) for waveform in waveforms]
        for method in possible_methods(predictor):
            print(measure(predictor, speeches, method), flush=True)


if __name__ == "__main__":
    main()

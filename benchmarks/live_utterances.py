"""Labels of utterances on Live: how often they change, when they are right, and how often at the end.

Clips of CREMA-D's validation part (of the report's split) follow each other, a speaker's own in a row, with pauses in
which the room of the clip before is heard. The default checkpoint hears them through the stream that Live hears
through. What changes within an utterance is compared: the smoothed window of now, and an utterance's own label, at
settings around the default one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import mean, median

import numpy as np

from benchmarks import open_corpus
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.corpus.clips import Clip
from ser_core.corpus.folder import Corpus
from ser_core.emotions import EMOTIONS
from ser_core.serving.prediction import MIN_CONFIDENCE, UNSURE, answer_from
from ser_core.serving.predictor import Predictor
from ser_core.serving.stream import SpeechStream, StreamConfig, StreamPrediction, blocks
from ser_core.serving.utterances import Utterance, UtteranceConfig, Utterances, is_settled

PAUSE_SECONDS = 1.5
FRAME = 320  # samples, of the room's sound and of a block
QUIET_SHARE = 0.1  # of a clip's frames, the quietest, that are its room
SMOOTHINGS = (0.0, 0.5, 0.7, 0.9)
AROUND: dict[str, tuple[float, ...]] = {
    "first_seconds": (0.2, 0.8, 1.2, 1.5),
    "sure": (0.6, 0.7, 0.9, 1.0),
    "half_life": (0.5, 2.0, 10.0),
    "margin": (0.0, 0.1, 0.3),
    "hold_seconds": (0.5, 1.0, 10.0),
}
SETTLE_SECONDS = (0.5, 1.0, 1.5)

Labels = Sequence[tuple[float, str | None]]
"""What is shown, and since when, in seconds since the stream began."""


@dataclass(frozen=True)
class Spoken:
    """A clip on a tape: its emotion, and from when to when it lasts, in seconds."""

    emotion: str
    start: float
    end: float


@dataclass(frozen=True)
class Heard:
    """An utterance of a clip: what was said of its windows, and when."""

    emotion: str
    utterance: Utterance
    windows: tuple[StreamPrediction, ...]


def room(audio: np.ndarray, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of the level and the spectrum that a clip has where it is quietest, float32 `[samples]`."""
    frames = audio[: len(audio) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.square(frames).mean(axis=1)
    quiet = frames[np.argsort(power)[: max(3, round(QUIET_SHARE * len(frames)))]]
    spectrum = np.sqrt(np.square(np.abs(np.fft.rfft(quiet * np.hanning(FRAME), axis=1))).mean(axis=0))
    noise = np.fft.rfft(rng.standard_normal(round(seconds * SAMPLE_RATE)))
    shaped = np.fft.irfft(noise * np.interp(np.linspace(0, 1, len(noise)), np.linspace(0, 1, len(spectrum)), spectrum))
    return (shaped * np.sqrt(np.square(quiet).mean() / np.square(shaped).mean())).astype(np.float32)


def make_tape(clips: Sequence[Clip], corpus: Corpus, rng: np.random.Generator) -> tuple[np.ndarray, list[Spoken]]:
    """A pause, and each clip followed by a pause."""
    sounds = [load_audio(corpus.path(clip)) for clip in clips]
    parts, spoken = [room(sounds[0], PAUSE_SECONDS, rng)], []
    for clip, audio in zip(clips, sounds, strict=True):
        start = sum(map(len, parts)) / SAMPLE_RATE
        spoken.append(Spoken(clip.emotion, start, start + len(audio) / SAMPLE_RATE))
        parts += [audio, room(audio, PAUSE_SECONDS, rng)]
    return np.concatenate(parts), spoken


def of_clip(clip: Spoken, utterances: Sequence[Utterance]) -> Utterance | None:
    """The utterance that shares most time with a clip."""

    def shared(utterance: Utterance) -> float:
        return min(clip.end, utterance.end) - max(clip.start, utterance.start)

    best = max(utterances, key=shared, default=None)
    return best if best and shared(best) > 0 else None


def hear(predictor: Predictor) -> tuple[int, list[list[StreamPrediction]], list[list[Spoken]]]:
    """All tapes: how many clips there are, what the stream says, and what is on them."""
    corpus, clips = open_corpus()
    rng = np.random.default_rng(0)
    chosen = sorted((clip for clip in clips if clip.report_split == "val"), key=lambda clip: clip.name)
    said, on_tape = [], []
    for _, own in itertools.groupby(chosen, key=lambda clip: clip.actor.id):
        audio, spoken = make_tape(rng.permutation(np.array(list(own), object)).tolist(), corpus, rng)
        stream = SpeechStream(predictor, StreamConfig())
        said.append([heard for block in blocks(audio, FRAME) for heard in stream.push(block, SAMPLE_RATE)])
        on_tape.append(spoken)
    return len(chosen), said, on_tape


def matched(
    tapes: Iterable[Sequence[StreamPrediction]], spoken: Iterable[Sequence[Spoken]], config: UtteranceConfig
) -> list[Heard]:
    """The utterance of each clip that has one."""
    found = []
    for windows, clips in zip(tapes, spoken, strict=True):
        utterances = Utterances(config)
        for window in windows:
            utterances.hear(window)
        utterances.end()
        for clip in clips:
            if utterance := of_clip(clip, utterances.all()):
                ends = {moment.end for moment in utterance.moments}
                own = tuple(window for window in windows if window.end in ends)
                found.append(Heard(clip.emotion, utterance, own))
    return found


def of_windows(heard: Heard, smoothing: float) -> Labels:
    """The answer of the smoothed window of now, as it would be shown."""
    labels, smoothed = [], np.zeros(len(EMOTIONS))
    for i, window in enumerate(heard.windows):
        assert window.prediction is not None
        of_now = np.array(list(window.prediction.probabilities.values()))
        smoothed = smoothing * smoothed + (1 - smoothing) * of_now if i else of_now
        shares = dict(zip(EMOTIONS, smoothed.tolist(), strict=True))
        labels.append((window.end, answer_from(shares, MIN_CONFIDENCE)))
    return labels


def of_utterance(heard: Heard) -> Labels:
    """An utterance's label; what it gets at its end, if it gets one only then, comes with the next window."""
    moments = heard.utterance.moments
    times = [moment.end for moment in moments]
    return list(
        zip([*times, times[-1] + StreamConfig().hop_seconds], heard.utterance.labels(MIN_CONFIDENCE), strict=True)
    )


def since(path: Labels) -> float:
    """From when on the last label was shown without a break."""
    moment, last = path[-1]
    for before, label in reversed(path):
        if label != last:
            break
        moment = before
    return moment


def row(name: str, heard: Sequence[Heard], labels: Callable[[Heard], Labels], n_clips: int) -> str:
    """A line of the table."""
    changes, flips, first, to_right, n_unsure = [], [], [], [], 0
    for each in heard:
        path = [(moment, label) for moment, label in labels(each) if label]
        names = [label for _, label in path]
        emotions = [label for label in names if label != UNSURE]
        changes.append(sum(a != b for a, b in itertools.pairwise(names)))
        flips.append(sum(a != b for a, b in itertools.pairwise(emotions)))
        first.append(path[0][0] - each.utterance.start)
        n_unsure += names[-1] == UNSURE
        if names[-1] == each.emotion:
            to_right.append(since(path) - each.utterance.start)
    return (
        f"{name:28}{mean(changes):8.2f}{mean(flips):7.2f}{len(to_right) / n_clips:8.1%}{n_unsure / n_clips:8.1%}"
        f"{mean(first):7.2f} s{mean(to_right):9.2f} s{median(to_right):8.2f} s"
    )


def unsettled(heard: Sequence[Heard], seconds: float) -> tuple[float, float]:
    """Of utterances: the share that settles before its end, and the share of these whose label changes after that."""
    settled = changed = 0
    for each in heard:
        config, moments = replace(each.utterance.config, settle_seconds=seconds), each.utterance.moments
        labels = each.utterance.labels(MIN_CONFIDENCE)
        for n in range(1, len(moments) + 1):
            if is_settled(moments[:n], labels[:n], MIN_CONFIDENCE, config):
                settled += 1
                changed += labels[-1] != labels[n - 1]
                break
    return settled / len(heard), changed / max(settled, 1)


def main() -> None:
    """Print the table."""
    predictor = Predictor.load()
    n_clips, tapes, spoken = hear(predictor)
    default = UtteranceConfig()
    heard = matched(tapes, spoken, default)
    print(
        f"{predictor.config.name}, {n_clips} validation clips of {len(tapes)} speakers, {PAUSE_SECONDS:g} s between "
        f"them; {len(heard)} have an utterance"
    )
    print("changes: of what is shown, an utterance; flips: from one emotion to another; right and unsure: at its end")
    print("first: from the first voice to the first label; to the right one: of those that are right at the end")
    print(f"{'':28} changes  flips   right  unsure    first  to right (mean, median)")
    for smoothing in SMOOTHINGS:
        print(row(f"window, smoothing {smoothing:g}", heard, partial(of_windows, smoothing=smoothing), n_clips))
    print(row("utterance, as it comes", heard, of_utterance, n_clips))
    for name, values in AROUND.items():
        for value in values:
            other = matched(tapes, spoken, replace(default, **{name: value}))
            print(row(f"utterance, {name} {value:g}", other, of_utterance, n_clips))
    for seconds in SETTLE_SECONDS:
        share, changed = unsettled(heard, seconds)
        print(
            f"settled after {seconds:g} s: {share:.0%} of the utterances before they end; {changed:.1%} of these change"
        )


if __name__ == "__main__":
    main()

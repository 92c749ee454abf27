"""Whether music, noise, tones and silence are told from a voice, and how many voices are refused.

Sounds are synthesised, but for what the rooms of CREMA-D's clips sound like before the first word; the voices are the
shared clips of CREMA-D and RAVDESS. What is asked is each checkpoint's preprocessing with `ser_core.serving.voice`,
before its network: of a sound as a whole, of windows of 3 s, as a timeline and a live signal have them, and of its
first second after silence, where silero errs most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from benchmarks.robustness import SHARED, ravdess_clips
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.changes.noise import NOISES
from ser_core.audio.level import to_speech_level
from ser_core.audio.preprocess import AudioConfig, load_audio, preprocess
from ser_core.audio.vad import silero_intervals
from ser_core.corpus.clips import load_index
from ser_core.corpus.folder import Corpus
from ser_core.errors import NoSpeechError
from ser_core.records.checkpoints import checkpoints_dir, list_checkpoints, load_config
from ser_core.serving.prediction import HOP_SECONDS, WINDOW_SECONDS, window_spans
from ser_core.serving.voice import require_voice

SECONDS = 6.0
LEVEL = 0.1  # RMS of all sounds
ROOM_SECONDS = 0.3  # at least
MAJOR_HZ = 220 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)  # the notes that tunes are made of
LINES_HZ = {"dial tone": (425,), "American dial tone": (350, 440), "DTMF 1": (697, 1209), "DTMF 9": (852, 1477)}
VOICES = ("babble",)  # of the noises: it is made of voices


def holds_voice(waveform: np.ndarray, config: AudioConfig) -> bool:
    """Whether float32 `[samples]` at 16 kHz are classified, with a checkpoint's preprocessing."""
    try:
        require_voice(preprocess(waveform, config).require(), config)
    except NoSpeechError:
        return False
    return True


def sounds() -> Iterator[tuple[str, str, np.ndarray]]:
    """Kind, name and float32 `[samples]` at 16 kHz of each sound that is no voice; the same every time."""
    yield "silence", "silence", np.zeros(round(SECONDS * SAMPLE_RATE), np.float32)
    for name, noise in NOISES.items():
        for seed in range(0 if name in VOICES else 4):
            yield "noise", f"{name} {seed}", _at_level(noise.make(_n(), np.random.default_rng(seed)))
    for name, pitches in LINES_HZ.items():
        yield "tones", name, _at_level(sum(np.sin(_phase(hz)) for hz in pitches))
    for kind, make, number in (
        ("tones", busy, 2),
        ("tones", siren, 4),
        ("tones", sweep, 6),
        ("tones", throbbing, 8),
        ("music", melody, 24),
        ("music", chords, 8),
        ("music", drums, 8),
        ("music", band, 12),
    ):
        for seed in range(number):
            yield kind, f"{make.__name__} {seed}", _at_level(make(np.random.default_rng(seed)))


def busy(rng: np.random.Generator) -> np.ndarray:
    """A busy line, on and off."""
    tone = np.sin(_phase(480)) + np.sin(_phase(620))
    return tone * (_t() % 1 < rng.uniform(0.3, 0.6))


def siren(rng: np.random.Generator) -> np.ndarray:
    """A tone that goes up and down."""
    return np.sin(
        _phase(rng.uniform(600, 1000) + rng.uniform(100, 400) * np.sin(2 * np.pi * rng.uniform(0.2, 1) * _t()))
    )


def sweep(rng: np.random.Generator) -> np.ndarray:
    """A square wave that rises."""
    return np.sign(np.sin(_phase(rng.uniform(100, 400) * (1 + _t() / 3))))


def throbbing(rng: np.random.Generator) -> np.ndarray:
    """A tone with harmonics that becomes louder and quieter a few times a second, as syllables do."""
    hz, beat = rng.uniform(100, 400), rng.uniform(2, 6)
    tone = sum(np.sin(_phase(h * hz)) / h for h in range(1, 6))
    return tone * (0.5 + 0.5 * np.sin(2 * np.pi * beat * _t()))


def melody(rng: np.random.Generator) -> np.ndarray:
    """One instrument with vibrato that plays notes of a scale."""
    return _notes(rng, lambda hz, t: sum(np.sin(h * hz * t) / h ** rng.uniform(0.8, 2) for h in range(1, 8)))


def chords(rng: np.random.Generator) -> np.ndarray:
    """Three notes at once, struck twice a second, as on a piano."""
    together = sum(np.sin(_phase(h * hz)) / h**1.5 for hz in rng.choice(MAJOR_HZ, 3) for h in range(1, 6))
    return together * np.exp(-rng.uniform(1, 6) * (_t() % 0.5))


def drums(rng: np.random.Generator) -> np.ndarray:
    """A bass drum, and a snare between its beats."""
    beat = rng.choice([0.4, 0.5, 0.6])
    bass = np.sin(_phase(60 + 80 * np.exp(-30 * (_t() % beat)))) * np.exp(-8 * (_t() % beat))
    snare = rng.standard_normal(_n()) * np.exp(-25 * ((_t() + beat / 2) % beat))
    return bass + rng.uniform(0.2, 0.6) * snare


def band(rng: np.random.Generator) -> np.ndarray:
    """All of them."""
    return np.sum([_at_level(make(rng)) * rng.uniform(0.5, 1) for make in (melody, chords, drums)], axis=0)


def _notes(rng: np.random.Generator, play: Callable[[float, np.ndarray], np.ndarray]) -> np.ndarray:
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < _n():
        hz, t = rng.choice(MAJOR_HZ), np.arange(round(rng.choice([0.125, 0.25, 0.5]) * SAMPLE_RATE)) / SAMPLE_RATE
        sway = t + 0.01 * np.sin(2 * np.pi * 5.5 * t) / (2 * np.pi * 5.5)  # a vibrato of one per cent
        parts.append(play(2 * np.pi * hz, sway) * np.minimum(1, t / 0.01) * np.exp(-rng.uniform(0, 6) * t))
    return np.concatenate(parts)[: _n()]


def _n() -> int:
    return round(SECONDS * SAMPLE_RATE)


def _t() -> np.ndarray:
    """Seconds, `[samples]`."""
    return np.arange(_n()) / SAMPLE_RATE


def _phase(hz: float | np.ndarray) -> np.ndarray:
    """Of a tone of that frequency, which may change: radians, `[samples]`."""
    return 2 * np.pi * np.cumsum(np.broadcast_to(hz, _n())) / SAMPLE_RATE


def _at_level(sound: np.ndarray) -> np.ndarray:
    return (LEVEL * sound / np.sqrt(np.mean(np.square(sound)))).astype(np.float32)


def rooms(voices: Sequence[tuple[str, np.ndarray]]) -> Iterator[tuple[str, str, np.ndarray]]:
    """The same of what stands before the first word in clips, where that is long enough."""
    for name, clip in voices:
        heard = silero_intervals(to_speech_level(clip), threshold=0.1)
        if len(heard) and heard[0, 0] > ROOM_SECONDS * SAMPLE_RATE:
            yield "rooms", name, clip[: heard[0, 0] - round(0.05 * SAMPLE_RATE)]


def begun_after_silence(sound: np.ndarray) -> np.ndarray:
    """The first second of a sound after 2.5 s of digital silence, as a live signal may have it."""
    return np.concatenate((np.zeros(5 * SAMPLE_RATE // 2, np.float32), sound[:SAMPLE_RATE]))


def print_sounds(made: Sequence[tuple[str, str, np.ndarray]], config: AudioConfig) -> None:
    """A line a kind of sound."""
    for kind in dict.fromkeys(kind for kind, _, _ in made):
        of_kind = [(name, sound) for k, name, sound in made if k == kind]
        heard = [name for name, sound in of_kind if holds_voice(sound, config)]
        pieces = [
            sound[start:end]
            for _, sound in of_kind
            for start, end in window_spans(len(sound), WINDOW_SECONDS, HOP_SECONDS)
        ]
        windows = sum(not holds_voice(piece, config) for piece in pieces)
        begun = sum(not holds_voice(begun_after_silence(sound), config) for _, sound in of_kind)
        print(
            f"  {kind:8} no speech in {len(of_kind) - len(heard)} of {len(of_kind)}, in {windows} of {len(pieces)} "
            f"windows, and in {begun} of {len(of_kind)} begun after silence{_named('; a voice in', heard)}",
            flush=True,
        )


def print_voices(name: str, voices: Sequence[tuple[str, np.ndarray]], config: AudioConfig) -> None:
    """How many recordings of a voice are refused, and which."""
    refused = [clip for clip, waveform in voices if not holds_voice(waveform, config)]
    print(f"  {name:8} refused {len(refused)} of {len(voices)} voices{_named(':', refused)}", flush=True)


def _named(before: str, names: Sequence[str]) -> str:
    return f"{before} {', '.join(names)}" if names else ""


def print_cost(voices: Sequence[tuple[str, np.ndarray]], config: AudioConfig) -> None:
    """What asking for a voice adds to the preprocessing, of voices and of sounds."""
    silero_intervals(voices[0][1], threshold=0.5)  # loads the network
    for what, waveforms in (("a voice", [w for _, w in voices[::10]]), ("another sound", [s for _, _, s in sounds()])):
        times = []
        for waveform in waveforms:
            started = time.perf_counter()
            preprocess(waveform, config)
            between = time.perf_counter()
            holds_voice(waveform, config)
            times.append((between - started, time.perf_counter() - between))
        plain, asked = 1000 * np.median(times, axis=0)
        seconds = sum(map(len, waveforms)) / len(waveforms) / SAMPLE_RATE
        print(
            f"  {what} of {seconds:.1f} s: {plain:.1f} ms without asking for a voice, {asked:.1f} ms with it (medians)"
        )


def main() -> None:
    """Print a part for each preprocessing that the checkpoints have."""
    torch.set_num_threads(1)
    root = checkpoints_dir()
    by_config: dict[AudioConfig, list[str]] = {}
    for name in list_checkpoints(root):
        by_config.setdefault(load_config(root / name).audio, []).append(name)
    corpus = Corpus(SHARED / "crema-d" / "clips")
    clips = [clip for clip in load_index().values() if clip.name in corpus.present and not clip.defect]
    crema_d = [(clip.name, corpus.load(clip)) for clip in clips]
    ravdess = [(clip.name, load_audio(clip.path)) for clip in ravdess_clips()]
    for config, names in by_config.items():
        print(f"{', '.join(names)}: {config.pipeline} pipeline, {config.vad}")
        print_sounds([*sounds(), *rooms(crema_d)], config)
        for corpus_name, voices in (("CREMA-D", crema_d), ("RAVDESS", ravdess)):
            print_voices(corpus_name, voices, config)
        if crema_d:
            print_cost(crema_d, config)


if __name__ == "__main__":
    main()

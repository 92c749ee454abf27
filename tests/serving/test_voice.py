"""What holds a voice and what doesn't: a part of `python -m benchmarks non_speech`."""

import numpy as np
import pytest
import soundfile

from benchmarks.non_speech import begun_after_silence, holds_voice, rooms, sounds
from benchmarks.robustness import ravdess_clips
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.level import change_gain
from ser_core.audio.preprocess import AudioConfig, load_audio, preprocess
from ser_core.emotions import EMOTIONS
from ser_core.errors import NoSpeechError, NoVoiceError
from ser_core.serving import voice
from ser_core.serving.predict_command import main
from ser_core.serving.prediction import Prediction
from ser_core.serving.predictor import Predictor
from ser_core.serving.stream import classify_window
from ser_core.serving.voice import voice_intervals
from tests.helpers import skip_or_fail, tone

VOICE = AudioConfig(pipeline="voice")
CONFIGS = {
    "voice": VOICE,
    "report": AudioConfig(),
    "energy": AudioConfig(vad="energy"),
    "none": AudioConfig(pipeline="voice", vad="none"),
}
SHOUTS_REFUSED = {"03-01-06-02-01-02-06", "03-01-06-02-02-01-06", "03-01-06-02-02-02-06"}
"""Of RAVDESS's shared clips: one actor in strong fear, screaming. Silero hears next to nothing of it."""

SHOUTS_HEARD = ("1009_TSI_ANG_XX", "1079_DFA_FEA_XX")  # in none of which silero recognises a voice at 0.5


@pytest.fixture(scope="module")
def predictor(checkpoints) -> Predictor:
    return Predictor.load("1d-fixed", root=checkpoints)


@pytest.fixture(scope="module")
def some_sounds() -> dict[str, np.ndarray]:
    """By name; of each kind."""
    return {name: sound for _, name, sound in list(sounds())[::3]}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_of_sounds_that_are_no_voice_nearly_all_give_no_speech(config: AudioConfig, some_sounds):
    heard = [name for name, sound in some_sounds.items() if holds_voice(sound, config)]
    assert len(some_sounds) > 30
    assert len(heard) <= 0.06 * len(some_sounds), heard


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_what_a_room_sounds_like_before_the_first_word_is_no_voice(config: AudioConfig, corpus, clips):
    """Silero hears a voice at a low threshold in all of some that are short, and of most that begin after silence."""
    some = [(clip.name, load_audio(corpus.path(clip))) for clip in clips if not clip.defect][::5]
    noises = [room for _, _, room in rooms(some)]
    assert len(noises) > 30
    assert sum(holds_voice(noise, config) for noise in noises) <= 1
    assert sum(holds_voice(begun_after_silence(noise), config) for noise in noises) <= 0.2 * len(noises)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_every_shared_clip_of_crema_d_holds_a_voice(config: AudioConfig, corpus, clips):
    some = [clip for clip in clips if not clip.defect][::4]
    assert [clip.name for clip in some if not holds_voice(load_audio(corpus.path(clip)), config)] == []


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("name", SHOUTS_HEARD)
def test_shouts_that_silero_misses_at_its_usual_threshold_are_voices(config: AudioConfig, corpus, name: str):
    audio = load_audio(corpus.folder / f"{name}.wav")
    speech = preprocess(audio, config)
    assert not speech.recognized or config.vad != "silero"
    assert len(voice_intervals(speech, config))
    assert holds_voice(audio, config)


def test_few_voices_of_ravdess_are_refused_and_those_are_screams():
    paths = [clip.path for clip in ravdess_clips() if clip.emotion in ("ANG", "FEA")][::2]
    if not paths:
        skip_or_fail("needs ../shared/ravdess")
    refused = {path.stem for path in paths if not holds_voice(load_audio(path), VOICE)}
    assert refused <= SHOUTS_REFUSED
    assert len(refused) <= 0.02 * len(paths)


def test_who_shouts_has_a_way_and_who_is_silent_has_none(predictor: Predictor):
    dial_tone = tone(425, 2)
    with pytest.raises(NoSpeechError, match=r"No voice was recognised: .* Record somebody who speaks"):
        predictor.classify(dial_tone)
    prediction = predictor.classify(dial_tone, any_sound=True)
    assert prediction.emotion in EMOTIONS
    assert any("No voice was recognised" in warning for warning in prediction.warnings)
    with pytest.raises(NoSpeechError, match="silent"):
        predictor.classify(np.zeros(SAMPLE_RATE, np.float32), any_sound=True)


def test_files_timelines_and_live_signals_ask_for_a_voice_too(predictor: Predictor, corpus, tmp_path):
    dial_tone = tone(425, 4)
    shout = load_audio(corpus.folder / f"{SHOUTS_HEARD[0]}.wav")
    soundfile.write(tmp_path / "tone.wav", dial_tone, SAMPLE_RATE)
    soundfile.write(tmp_path / "shout.wav", shout, SAMPLE_RATE)
    files = predictor.classify_many([tmp_path / "tone.wav", tmp_path / "shout.wav"])
    assert [type(result) for result in files] == [NoVoiceError, Prediction]
    any_sound = Predictor(predictor.config, predictor.model, any_sound=True)
    assert isinstance(any_sound(tmp_path / "tone.wav"), Prediction)
    name = "lr0.01-ELU-1D"
    main([str(tmp_path / "tone.wav"), "--checkpoint", name, "--any-sound", "--out", str(tmp_path / "a.csv")])
    main([str(tmp_path / "tone.wav"), "--checkpoint", name, "--any-sound"])
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "tone.wav"), "--checkpoint", name])
    assert all(window.prediction is None for window in predictor.timeline(dial_tone))
    assert any(window.prediction for window in predictor.timeline(shout))
    assert classify_window(predictor, dial_tone[: 3 * SAMPLE_RATE]) is None
    assert classify_window(predictor, shout[: round(2.2 * SAMPLE_RATE)]) is not None


@pytest.mark.parametrize("gain_db", [-30, 10])
def test_a_voice_is_one_at_any_level(corpus, gain_db: float):
    audio = load_audio(corpus.folder / "1001_DFA_ANG_XX.wav")
    assert holds_voice(change_gain(audio, gain_db), VOICE)


def test_silero_is_asked_again_only_where_it_found_nothing(corpus, monkeypatch: pytest.MonkeyPatch):
    calls = []

    def hears_nothing(waveform: np.ndarray, *, threshold: float) -> np.ndarray:
        calls.append(threshold)
        return np.zeros((0, 2), np.int64)

    monkeypatch.setattr(voice, "silero_intervals", hears_nothing)
    assert holds_voice(load_audio(corpus.folder / "1001_DFA_ANG_XX.wav"), VOICE)
    assert not holds_voice(np.zeros(SAMPLE_RATE, np.float32), VOICE)
    assert calls == []
    assert not holds_voice(tone(425, 2), VOICE)
    assert calls == [voice.FAINT_THRESHOLD]

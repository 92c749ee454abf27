"""Guess: ten clips to name the emotion of; then how the raters and the best model did on the same ten."""

from __future__ import annotations

import random
from collections.abc import Sequence

import streamlit as st

from ser_app.answers import worth
from ser_app.clip_view import play
from ser_app.loaders import HOW_TO_MAKE_CHECKPOINTS, checkpoints, clip_audio, clip_prediction, was_trained_on
from ser_app.messages import literal
from ser_app.navigation import start_page
from ser_app.try_view import fetched_sound
from ser_core.analysis.guessing import LAST_ROUND, ROUND_CLIPS, Scores, round_clips, round_number, scores
from ser_core.corpus.clips import Clip
from ser_core.corpus.folder import Corpus
from ser_core.emotions import EMOTION_NAMES, EMOTIONS, in_words
from ser_core.errors import CorpusError
from ser_core.serving.prediction import Prediction
from ser_core.words import code, percent

STATE = "guess"  # session state: number of the round, and the answers so far, None for a clip that was left out
ROUND = "round"  # in the address

RULES = (
    f"{ROUND_CLIPS} clips of {ROUND_CLIPS} actors: listen to each, and say which emotion the actor intended. You are "
    "told at the end, together with what people heard who only heard the voice, as you do, and what the best model "
    "answers."
)

PRIVATE = "Your answers stay in this session: they are gone when you close the page, and nobody else sees them."


def start(number: int) -> None:
    """Begin a round; its number is in the address from now on."""
    st.session_state[STATE] = (number, ())
    st.query_params[ROUND] = str(number)


def start_another() -> None:
    """Begin a round that is drawn at random."""
    start(random.randint(1, LAST_ROUND))


def answer(number: int, position: int, emotion: str | None) -> None:
    """Note an answer, unless that clip has one: a button may be pressed twice before the next clip is there."""
    begun, answers = st.session_state[STATE]
    if begun == number and len(answers) == position:
        st.session_state[STATE] = (number, (*answers, emotion))


def show_start(number: int | None) -> None:
    """Say what happens, and offer to begin: this very round, where the address has one."""
    st.markdown(RULES)
    with st.container(horizontal=True):
        if number:
            label = f"Play round {number}"
            st.button(label, icon=":material/play_arrow:", key="start", on_click=start, args=(number,))
        else:
            st.button("Start", icon=":material/play_arrow:", key="start", on_click=start_another)
    st.caption(PRIVATE)


def show_clip(clip: Clip, number: int, position: int) -> None:
    """One clip and the six buttons. Nothing here says what it is called: its name has the answer in it."""
    st.header(f"Clip {position + 1} of {ROUND_CLIPS}")
    try:
        sound = fetched_sound(clip)
    except CorpusError:  # which names the clip
        st.warning(
            "This clip is not on this machine and can't be fetched now. Check the network and try again, or leave the "
            "clip out: then it counts for nobody."
        )
        with st.container(horizontal=True):
            st.button("Try again", icon=":material/refresh:", key="again")
            st.button("Leave it out", key="leave-out", on_click=answer, args=(number, position, None))
        return
    st.markdown(f"“{clip.text}”")
    play(sound, f"clip {position + 1} of {ROUND_CLIPS}", autoplay=True)
    st.markdown("Which emotion did the actor intend?")
    with st.container(horizontal=True):
        for i, emotion in enumerate(EMOTIONS):
            st.button(
                EMOTION_NAMES[emotion].capitalize(),
                key=f"guess-{emotion}",
                shortcut=str(i + 1),
                on_click=answer,
                args=(number, position, emotion),
            )
    st.caption(f"Keys 1 to {len(EMOTIONS)} answer, too. You can listen as often as you like.")


def show_result(clips: Sequence[Clip], answers: Sequence[str | None], number: int) -> None:
    """Scores of all, and the ten clips."""
    corpus = Corpus.open()
    names, _ = checkpoints()
    heard = [clip for clip, given in zip(clips, answers, strict=True) if given]
    with st.spinner("The model listens…"):
        found = {clip.name: clip_prediction(clip, corpus, names[0]) for clip in heard} if names else {}
    predictions = {name: one for name, one in found.items() if isinstance(one, Prediction)}
    result = scores(clips, answers, {name: one.emotion for name, one in predictions.items()})
    st.header("Your score")
    if result.clips:
        show_scores(result)
        explain(result, heard, names)
    else:
        st.info("No clip could be fetched, so there is no score.", icon=":material/cloud_off:")
    with st.container(horizontal=True):
        st.button("Another round", icon=":material/casino:", key="another", on_click=start_another)
        st.button("The same again", icon=":material/replay:", key="same", on_click=start, args=(number,))
    st.caption(f"This is round {number}: whoever opens this page's address plays the same clips. {PRIVATE}")
    st.header("The clips")
    for i, (clip, given) in enumerate(zip(clips, answers, strict=True)):
        show_answers(i, clip, given, predictions.get(clip.name), corpus)


def show_scores(result: Scores) -> None:
    """A number each."""
    of = f" of {result.clips}"
    cells = st.columns(4)
    cells[0].metric("You", f"{result.you}{of}", border=True)
    cells[1].metric("Most raters", f"{result.crowd:g}{of}", border=True)
    cells[2].metric("One rater, on average", f"{result.rater:.1f}{of}", border=True)
    cells[3].metric("Model", "–" if result.model is None else f"{result.model}{of}", border=True)


def explain(result: Scores, clips: Sequence[Clip], names: Sequence[str]) -> None:
    """Say what the scores are, and what they are worth."""
    raters = round(sum(clip.voice.total for clip in clips) / len(clips))
    st.markdown(
        f"About {raters} raters heard each clip without seeing it. **Most raters**: what most of them chose; where two "
        "emotions tie, half of it counts. **One rater**: how many of them were right, on average. Who guesses blindly "
        f"gets {result.clips / len(EMOTIONS):.1f}. So few clips say little: the same listener easily gets "
        "three more or fewer in another round."
    )
    if not names:
        st.error(HOW_TO_MAKE_CHECKPOINTS)
        return
    seen = sum(was_trained_on(names[0], clip) for clip in clips)
    learned = f"It was trained on {seen} of these clips. " if seen else ""
    st.caption(
        f"The model is {code(names[0])}. It must choose, as you must: its likeliest emotion counts, however unsure it "
        f"is. {learned}{worth(names[0])}"
    )


def show_answers(i: int, clip: Clip, given: str | None, prediction: Prediction | None, corpus: Corpus) -> None:
    """One clip: its sound, what was intended, and what everybody answered."""
    with st.container(border=True):
        sound, words = st.columns(2, vertical_alignment="center")
        with sound:
            st.markdown(f"{i + 1} · **{EMOTION_NAMES[clip.emotion].capitalize()}**: “{clip.text}”")
            try:
                audio = clip_audio(clip, corpus)
            except CorpusError:
                audio = None
            if audio is not None:
                play(audio, f"clip {i + 1}, {EMOTION_NAMES[clip.emotion]}")
            query = {"clip": clip.name}
            st.page_link(
                "pages/samples.py", label="See it in Samples", icon=":material/library_music:", query_params=query
            )
        majority = in_words(clip.voice.majority, " or ")
        most, total = max(clip.voice.counts), clip.voice.total
        lines = [
            f"You: {marked(given, clip)}" if given else "You: left out",
            f"Most raters: {majority} ({most} of {total}) {mark(clip.emotion in clip.voice.majority)}",
        ]
        if prediction:
            score = f" ({percent(prediction.probabilities[prediction.emotion], 0)})"
            lines.append(f"Model: {marked(prediction.emotion, clip, score)}")
        words.markdown("  \n".join(lines))


def marked(emotion: str, clip: Clip, more: str = "") -> str:
    """An answer, and whether it is right."""
    return f"{EMOTION_NAMES[emotion]}{more} {mark(emotion == clip.emotion)}"


def mark(right: bool) -> str:
    """✓ or ✗."""
    return "✓" if right else "✗"


start_page("Guess")
st.title("Guess yourself")
begun, answers = st.session_state.get(STATE, (None, ()))
address = st.query_params.get(ROUND)
if address is None and begun:  # whoever comes back from another page goes on
    st.query_params[ROUND] = address = str(begun)
number = round_number(address)
if address is not None and number is None:
    st.error(f"There is no round {literal(address)}: rounds have numbers from 1 to {LAST_ROUND}.")
if number is None or number != begun:
    show_start(number)
elif len(answers) < ROUND_CLIPS:
    clips = round_clips(number)
    show_clip(clips[len(answers)], number, len(answers))
else:
    show_result(round_clips(number), answers, number)

import pytest

from ser_core.words import between, counted, first_few, listed, percent, points, points_between


def test_numbers_have_one_style():
    assert counted(1, "clip") == "1 clip"
    assert counted(2233, "clip") == "2,233 clips"
    assert percent(0.6273) == "62.7\u00a0%"
    assert between(0.596, 0.657) == "59.6 – 65.7\u00a0%"
    assert (points(0.062), points(-0.004)) == ("+6.2", "-0.4")
    assert points_between(-0.02, 0.109) == "-2.0 to +10.9"


def test_nothing_is_minus_zero():
    assert (points(-0.0001), points(0.0001), points(0.0)) == ("0.0", "0.0", "0.0")
    assert percent(-0.0001) == "0.0\u00a0%"


@pytest.mark.parametrize(
    ("names", "said"), [([], ""), (["anger"], "anger"), (["anger", "disgust", "fear"], "anger, disgust or fear")]
)
def test_names_are_listed_as_a_sentence_has_them(names: list[str], said: str):
    assert listed(names) == said


def test_of_many_sentences_the_first_are_said_and_how_many_more():
    assert first_few(["A.", "B.", "C."]) == "A. B. C."
    assert first_few(["A."] * 1_004) == "A. A. A. And 1,001 more."

"""choice reads which one of a closed list a text names, and never picks between two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.parsers.choice import choice
from s3harness.specs.features import vocabulary

SIDES = ("left", "right")
PARTS = vocabulary().body_parts

CLEAN = [
    ("left", SIDES, "left"),
    (" Left.\n", SIDES, "left"),
    ('"RIGHT"', SIDES, "right"),
    ("**right**", SIDES, "right"),
    ("Left_Arm", PARTS, "left arm"),
    ("N/A", ("yes", "no", "na"), "na"),
]
REPAIRED = [
    ("The head turns to the left.", SIDES, "left"),
    ("left, clearly left", SIDES, "left"),
    ("left-sided", SIDES, "left"),
    ('{"answer": "right"}', SIDES, "right"),
    ("\\boxed{left}", SIDES, "left"),
    ("<think>right?</think>left", SIDES, "left"),
    ("```\nleft\n```", SIDES, "left"),
    ("It starts in the left arm", PARTS, "left arm"),
    ("both arms", PARTS, "arms"),
    ("the full  body", PARTS, "full body"),
    ("It is the right one. He does not speak.", SIDES, "right"),
    ("No, there is nothing", ("yes", "no"), "no"),
]
UNPARSABLE = [
    ("", SIDES, "empty"),
    ("?!", SIDES, "empty"),
    ("<think>left</think>", SIDES, "empty"),
    ("up", SIDES, "none"),
    ("lefty", SIDES, "none"),
    ("the arm", PARTS, "none"),
    ("left or right", SIDES, "several"),
    ("left/right", SIDES, "several"),
    ("It is left. No wait, right.", SIDES, "several"),
    ("the left arm, then the head", PARTS, "several"),
    ("not left", SIDES, "negation"),
    ("it isn't left", SIDES, "negation"),
    ("it isn’t left", SIDES, "negation"),
    ("I cannot tell, perhaps left", SIDES, "negation"),
    ("rather than left", SIDES, "negation"),
    ("neither left", SIDES, "negation"),
]


@pytest.mark.parametrize(("text", "choices", "value"), CLEAN)
def test_the_bare_choice_is_clean(text, choices, value):
    reading = choice(text, choices)
    assert (reading.value, reading.status) == (value, "clean")


@pytest.mark.parametrize(("text", "choices", "value"), REPAIRED)
def test_one_choice_in_a_longer_text_is_found(text, choices, value):
    reading = choice(text, choices)
    assert (reading.value, reading.status) == (value, "repaired")
    assert reading.note


@pytest.mark.parametrize(("text", "choices", "why"), UNPARSABLE)
def test_nothing_is_guessed(text, choices, why):
    reading = choice(text, choices)
    assert (reading.value, reading.status) == (None, "unparsable")
    assert why in reading.note


@given(st.sampled_from(PARTS), st.sampled_from(PARTS))
def test_two_different_choices_in_either_order_are_no_answer(one, other):
    reading = choice(f"first the {one} and then the {other}", PARTS)
    assert reading.value == (one if one == other else None)


@given(
    st.sampled_from(PARTS), st.sampled_from([str.upper, str.title, str.lower]), st.sampled_from(["", ".", "!", "\n"])
)
def test_every_choice_is_read_back(part, case, end):
    assert choice(case(part) + end, PARTS).value == part

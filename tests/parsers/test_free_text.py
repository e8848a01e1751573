"""free_text gives the reply without what is not the answer; a refusal is no report."""

import pytest

from s3harness.parsers.free_text import free_text
from s3harness.parsers.refusal import looks_like_refusal

REPORT = "The patient turns the head to the left. I cannot see the right arm, which is under the blanket."

REFUSALS = [
    "I can't help with that.",
    "I’m sorry, but I can’t assist with that request.",
    "I'm unable to view videos.",
    "Sorry, I cannot view the video you have provided.",
    "I'm sorry, I am not able to watch or analyze this video.",
    "As an AI language model, I cannot watch videos directly.",
    "Unfortunately, I can't process video files.",
    "I cannot provide a medical diagnosis.",
    "<think>hm</think>I won't help with this.",
]
ANSWERS = [
    "",
    "yes",
    "left",
    REPORT,
    "I cannot see any rapid eye blinking.",
    "I can't see the patient's left arm, but the right arm is flexed.",
    "I cannot see the video clearly, but the head turns to the left.",
    "I can't help but notice the head turning.",
    "The patient cannot help with the test and does not answer.",
    "The nurse says: I'm unable to view the monitor.",
    '{"answer": "no", "justification": "I cannot view the video"}',
    "The head turns left. " * 40 + "I can't help with that.",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_known_as_one_and_is_no_text(text):
    assert looks_like_refusal(text)
    assert (free_text(text).value, free_text(text).status) == (None, "unparsable")


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_that_cannot_see_everything_is_no_refusal(text):
    assert not looks_like_refusal(text)


def test_text_is_taken_as_it_is():
    reading = free_text(f"\n {REPORT} ")
    assert (reading.value, reading.status) == (REPORT, "clean")


@pytest.mark.parametrize(
    "text", [f"<think>hm</think>\n{REPORT}", f"```text\n{REPORT}\n```", f"<answer>{REPORT}</answer>"]
)
def test_thinking_and_fences_are_removed(text):
    reading = free_text(text)
    assert (reading.value, reading.status) == (REPORT, "repaired")


@pytest.mark.parametrize("text", ["", "  \n", "<think>all of it</think>", "<think>and never done", "```\n```"])
def test_nothing_left_is_no_answer(text):
    assert (free_text(text).value, free_text(text).note) == (None, "empty")


def test_a_long_text_is_cut_and_said_to_be():
    reading = free_text("word " * 10, max_chars=12)
    assert (reading.value, reading.note) == ("word word wo", "cut to 12 characters")

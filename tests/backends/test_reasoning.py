"""The reasoning of a reply is kept apart from its answer, which alone is read."""

import pytest

from s3harness.backends.choice_probabilities import ClosedAnswer, Token, choice_probabilities
from s3harness.backends.reasoning import answer_tokens, begins_in_reasoning, split_reasoning
from s3harness.specs.geometry import Thinking

MARKS = Thinking(by_default=False)


@pytest.mark.parametrize(
    ("text", "is_begun", "expected"),
    [
        ("yes", False, ("", "yes", False)),
        ("<think>\nIt turns.\n</think>\n\nyes", False, ("It turns.", "yes", False)),
        ("\n<think></think>yes", False, ("", "yes", False)),
        ("It turns.</think>yes", True, ("It turns.", "yes", False)),
        # Without a hint of the prompt, the end mark alone shows that the template opened the reasoning.
        ("It turns.</think>yes", False, ("It turns.", "yes", False)),
        ("<think>It turns, and", False, ("It turns, and", "", True)),
        ("It turns, and", True, ("It turns, and", "", True)),
        ('{"answer": "<think> is a mark"}', False, ("", '{"answer": "<think> is a mark"}', False)),
        ("He said <think>so</think> twice", False, ("", "He said <think>so</think> twice", False)),
        ("<think>a</think>b</think>c", False, ("a", "b</think>c", False)),
    ],
)
def test_a_reply_is_split_at_the_end_of_its_reasoning(text, is_begun, expected):
    assert split_reasoning(text, MARKS, is_begun=is_begun) == expected


def test_other_marks_are_those_of_the_card():
    marks = Thinking(by_default=True, start="<seed:think>", end="</seed:think>")
    assert split_reasoning("<seed:think>why</seed:think>yes", marks) == ("why", "yes", False)
    assert split_reasoning("<think>why</think>yes", marks).answer == "<think>why</think>yes"


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("<|im_start|>assistant\n", False),
        ("<|im_start|>assistant\n<think>\n", True),
        ("<|im_start|>assistant\n<think>\n\n</think>\n\n", False),
    ],
)
def test_a_template_that_opens_the_reasoning_is_recognised(prompt, expected):
    assert begins_in_reasoning(prompt, MARKS) == expected


def test_probabilities_are_those_of_the_answer_and_not_of_a_word_in_the_reasoning():
    reasoning = [Token("yes", {"yes": -0.01, "no": -9.0}), Token("</think>", {"</think>": 0.0})]
    answer = [Token("\n\n", {"\n\n": 0.0}), Token("no", {"no": -0.1, "yes": -2.4})]
    shares = choice_probabilities(ClosedAnswer(("yes", "no")), answer_tokens([*reasoning, *answer], MARKS))
    assert shares is not None and shares["no"] > shares["yes"]
    assert list(answer_tokens(answer, MARKS)) == answer

"""How likely an engine found each of the closed answers, told from the tokens that it wrote."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness import Clip, ClosedAnswer, Request, Token, choice_probabilities, closed_answer

REQUEST = Request(
    id="id", task="s3/task", item="item", subject="subject", clip=Clip("v", 0.0, 1.0, (0.0,), 100), prompt="?"
)
YES_NO = ClosedAnswer(("yes", "no"))
IN_JSON = ClosedAnswer(("yes", "no", "na"), "answer")


def token(text: str, **chances: float) -> Token:
    """A token, and with which chances which texts might have stood there."""
    return Token(text, {other: math.log(chance) for other, chance in chances.items()} or {text: 0.0})


def schema(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (REQUEST, None),
        (replace(REQUEST, choices=("left", "right")), ClosedAnswer(("left", "right"))),
        (
            replace(REQUEST, answer_schema=schema(text={"type": "string"}, answer={"enum": ["yes", "no"]})),
            ClosedAnswer(("yes", "no"), "answer"),
        ),
        (replace(REQUEST, answer_schema=schema(text={"type": "string"})), None),
        (replace(REQUEST, answer_schema=schema(n={"enum": [1, 2]})), None),
        (replace(REQUEST, answer_schema={"enum": ["yes"]}), None),
    ],
)
def test_a_request_has_a_closed_answer_where_its_choices_or_an_enumeration_say_so(request_, expected):
    assert closed_answer(request_) == expected


@pytest.mark.parametrize(
    ("answer", "tokens", "expected"),
    [
        (YES_NO, [token("yes", yes=0.7, no=0.2, maybe=0.1)], {"yes": 0.7, "no": 0.2}),
        (
            YES_NO,
            [Token(" Yes", {" Yes": math.log(0.6), "yes": math.log(0.1), " no": math.log(0.3)})],
            {"yes": 0.7, "no": 0.3},
        ),
        (YES_NO, [token("y", y=0.9, n=0.1), token("es")], {"yes": 0.9, "no": 0.1}),
        (
            IN_JSON,
            [token('{"answer":'), token(' "'), token("no", yes=0.2, no=0.7, n=0.1), token('"}')],
            {"yes": 0.2, "no": 0.7, "na": 0.0},
        ),
        (
            IN_JSON,
            [token('{"answer": '), Token('"no', {'"no': math.log(0.7), '"yes': math.log(0.3)}), token('"}')],
            {"yes": 0.3, "no": 0.7, "na": 0.0},
        ),
        (
            IN_JSON,
            [token('{"why": "yes", "answer": "'), token("na", na=0.5, no=0.5)],
            {"yes": 0.0, "no": 0.5, "na": 0.5},
        ),
        (IN_JSON, [token("I cannot tell.")], None),
        (IN_JSON, [token('{"answer": "'), token("maybe")], None),
        (YES_NO, [], None),
        (YES_NO, [token("  ")], None),
    ],
)
def test_the_token_where_the_answer_begins_tells(answer, tokens, expected):
    found = choice_probabilities(answer, tokens)
    assert found == (None if expected is None else pytest.approx(expected))


@given(
    st.lists(st.tuples(st.text(max_size=6), st.dictionaries(st.text(max_size=6), st.floats(max_value=1), max_size=5)))
)
def test_whatever_an_engine_tells_the_probabilities_are_some(told):
    tokens = [Token(text, others) for text, others in told]
    for answer in (YES_NO, IN_JSON):
        found = choice_probabilities(answer, tokens)
        if found is not None:
            assert set(found) == set(answer.choices)
            assert all(0 <= share <= 1 for share in found.values())
            assert sum(found.values()) <= 1 + 1e-9

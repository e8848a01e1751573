"""What holds of every parser, for every text."""

import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from s3harness.parsers.choice import choice
from s3harness.parsers.es_nes import es_nes
from s3harness.parsers.event_list import event_list
from s3harness.parsers.frame_number import frame_number
from s3harness.parsers.free_text import free_text
from s3harness.parsers.json_answer import json_answer
from s3harness.parsers.reading import Reading
from s3harness.parsers.refusal import looks_like_refusal
from s3harness.parsers.time_spans import time_spans
from s3harness.parsers.timestamp import timestamp
from s3harness.specs.features import vocabulary

SCHEMA = {"type": "object", "required": ["answer"], "properties": {"answer": {"enum": ["yes", "no"]}}}
PARSERS = {
    "json_answer": lambda text: json_answer(text, SCHEMA),
    "json_answer of a key": lambda text: json_answer(text, {"type": "object"}, key="answer"),
    "json_answer of anything": lambda text: json_answer(text, {"type": "object"}),
    "choice": lambda text: choice(text, vocabulary().body_parts),
    "choice of a side": lambda text: choice(text, ("left", "right")),
    "timestamp": timestamp,
    "time_spans": time_spans,
    "frame_number": frame_number,
    "event_list": event_list,
    "es_nes": es_nes,
    "free_text": free_text,
}
PIECES = [
    *'{}[]":,\'\\ \n.-<>/ıİſ\ud800',
    "answer", "timestamp", "events", "frame", "yes", "no", "left", "right", "ES", "NES", "not", "tonic", "head turning",
    "00:37", "12 s", "1e999", "9" * 40, "NaN", "null", "<think>", "</think>", "```", "```json\n", "\u0000", "٣",
]  # fmt: skip
TEXTS = st.one_of(
    st.text(),
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    st.recursive(
        st.none()
        | st.booleans()
        | st.floats()
        | st.integers()
        | st.sampled_from(["yes", "ES", "00:37", "tonic", "\ud800"]),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["answer", "timestamp", "events", "frame", "x"]), inner, max_size=4)
        ),
    ).map(json.dumps),
)


@settings(deadline=None)
@given(TEXTS)
@example("")
@example("{" * 5000)
@example("[" * 5000)
@example('{"answer":' * 5000)
@example("9" * 5000)
def test_every_text_gives_a_reading_that_keeps_its_promise(text):
    for name, parser in PARSERS.items():
        reading = parser(text)
        assert isinstance(reading, Reading), name
        assert (reading.value is None) == (reading.status == "unparsable"), name
        assert bool(reading.note) == (reading.status != "clean"), name
        assert json.dumps(reading.value, ensure_ascii=False) is not None
    assert looks_like_refusal(text) in (True, False)


@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS)
@pytest.mark.parametrize("text", ["", " ", "\n\t ", "<think>yes left ES 00:37 tonic 3</think>", "```\n\n```"])
def test_an_empty_answer_never_has_a_value(parser, text):
    assert parser(text).value is None


HUGE = {
    "one letter": "a" * 10_000_000,
    "blanks between": "a" + " " * 1_000_000 + "b",
    "opening braces": "{" * 300_000,
    "opening brackets": "[" * 300_000,
    "names without end": '{"a":' * 60_000,
    "strings": '{"' * 100_000,
    "escaped quotes": '{"a": "' + '\\"' * 150_000,
    "many objects": '{"answer": "yes"} ' * 20_000,
    "many broken objects": "{answer: yes, } " * 20_000,
    "braces and letters": "{a:b}" * 60_000,
    "fences": "```" * 80_000,
    "thinking": "<think>x</think>" * 20_000,
    "opened thoughts": "<think>" * 40_000,
    "underscores": "left " + "_a" * 150_000,
    "the same word": "left " * 60_000,
    "times": "00:37 " * 50_000,
    "colons": "00:" * 90_000,
    "digits": "9" * 300_000,
    "digits apart": "1 m " * 90_000,
    "negations": "n't" * 90_000,
    "commas": "tonic," * 50_000,
    "numbers": "1. " * 90_000,
    "brackets in a row": "[a] " * 70_000,
    "parentheses": "(" * 300_000,
    "points": "." * 300_000,
    "labels": "ES " * 90_000,
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
def test_no_text_takes_long(text):
    for name, parser in PARSERS.items():
        begin = time.process_time()
        parser(text)
        assert time.process_time() - begin < 10, name

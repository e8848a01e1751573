"""json_answer reads one object that fits its schema, and says what it had to do."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.parsers.json_answer import json_answer

SCHEMA = {
    "type": "object",
    "required": ["answer", "justification"],
    "additionalProperties": False,
    "properties": {
        "answer": {"enum": ["yes", "no", "na"]},
        "justification": {"type": "string", "maxLength": 200},
    },
}
YES = {"answer": "yes", "justification": "the head turns left"}
TEXT = json.dumps(YES)

REPAIRED = {
    "a code fence": f"```json\n{TEXT}\n```",
    "a bare fence": f"```\n{TEXT}```",
    "thinking before": f"<think>maybe {{'answer': 'no'}}?</think>\n{TEXT}",
    "thinking opened by the template": f'it could be {{"answer": "no"}} </think>{TEXT}',
    "an answer tag": f"<answer>{TEXT}</answer>",
    "prose around": f"Sure! Here it is: {TEXT} Hope this helps.",
    "a list of one": f"[{TEXT}]",
    "the same twice": f"{TEXT}\n{TEXT}",
    "single quotes": "{'answer': 'yes', 'justification': 'the head turns left'}",
    "bare names": '{answer: "yes", justification: "the head turns left"}',
    "a trailing comma": '{"answer": "yes", "justification": "the head turns left",}',
    "a missing brace": '{"answer": "yes", "justification": "the head turns left"',
    "another case": '{"Answer": " YES ", "justification": "the head turns left"}',
    "a point": '{"answer": "Yes.", "justification": "the head turns left"}',
    "a further field": '{"answer": "yes", "justification": "the head turns left", "confidence": 0.9}',
    "another object first": f'{{"reasoning": "long"}} {TEXT}',
}


def test_the_object_that_was_asked_for_is_clean():
    reading = json_answer(f"  {TEXT}\n", SCHEMA)
    assert (reading.value, reading.status, reading.note) == (YES, "clean", "")


@pytest.mark.parametrize("text", REPAIRED.values(), ids=REPAIRED)
def test_what_is_in_the_way_is_removed_and_named(text):
    reading = json_answer(text, SCHEMA)
    assert reading.status == "repaired"
    assert reading.value == YES
    assert reading.note


UNPARSABLE = {
    "empty": ("", "empty"),
    "blank": (" \n\t", "empty"),
    "thinking alone": (f"<think>{TEXT}</think>", "empty"),
    "thinking that never ends": (f"<think>so {TEXT}", "empty"),
    "a word that is no choice": ("perhaps", "no JSON"),
    "null": ("null", "no JSON"),
    "a number": ("3", "no JSON"),
    "not one of the choices": ('{"answer": "maybe", "justification": "x"}', "answer"),
    "both choices": ('{"answer": "yes or no", "justification": "x"}', "answer"),
    "the form itself": ('{"answer": "yes" or "no", "justification": "brief"}', "answer"),
    "the answer missing": ('{"justification": "x"}', "answer"),
    "a wrong type": ('{"answer": "yes", "justification": 3}', "justification"),
    "two objects that differ": (f'{TEXT} {{"answer": "no", "justification": "x"}}', "two different"),
    "one of them not a choice": (f'{TEXT} {{"answer": "unsure", "justification": "x"}}', "two different"),
    "a list of two": (f'[{TEXT}, {{"answer": "no", "justification": "x"}}]', "two different"),
    "a name given twice": ('{"answer": "yes", "answer": "no", "justification": "x"}', "two different"),
    "a bare name given twice": ("{answer: yes, answer: no, justification: x}", "two different"),
    "a further field that says no": (
        '{"answer": "yes", "justification": "x", "final_answer": "no"}',
        "two different",
    ),
    "cut within a choice": ('{"justification": "x", "answer": "no', "cut off"),
    "NaN": ('{"answer": NaN, "justification": "x"}', ""),
}


@pytest.mark.parametrize(("text", "why"), UNPARSABLE.values(), ids=UNPARSABLE)
def test_nothing_is_guessed(text, why):
    reading = json_answer(text, SCHEMA)
    assert reading.status == "unparsable"
    assert reading.value is None
    assert why in reading.note


def test_a_justification_that_is_too_long_is_cut_and_the_answer_kept():
    reading = json_answer(json.dumps({"answer": "no", "justification": "x" * 500}), SCHEMA)
    assert reading.status == "repaired"
    assert reading.value == {"answer": "no", "justification": "x" * 200}


@pytest.mark.parametrize(
    "text", ['{"answer": "yes"}', '{"answer": "yes", "justification": null}', "yes", "Answer: yes"]
)
def test_an_answer_counts_without_its_justification(text):
    assert json_answer(text, SCHEMA).value == {"answer": "yes", "justification": ""}
    assert json_answer(text, SCHEMA).status == "repaired"


def test_two_closed_fields_are_never_filled_in():
    two = {**SCHEMA, "required": ["answer", "side"], "properties": {**SCHEMA["properties"], "side": {"enum": ["left"]}}}
    assert json_answer('{"answer": "yes"}', two).status == "unparsable"
    assert json_answer("yes", two).status == "unparsable"


def test_a_key_gives_its_value_and_only_that_must_agree():
    again = json.dumps({"answer": "yes", "justification": "other words"})
    assert json_answer(TEXT, SCHEMA, key="answer").value == "yes"
    assert json_answer(f"{TEXT}{again}", SCHEMA, key="answer").value == "yes"
    assert json_answer(f"{TEXT}{again}", SCHEMA).value == {
        "answer": "yes",
        "justification": "the head turns left other words",
    }
    assert json_answer(TEXT, SCHEMA, key="timestamp").status == "unparsable"


def test_what_is_read_can_be_written_as_utf_8():
    reading = json_answer('{"answer": "yes", "justification": "\\ud800"}', SCHEMA)
    assert json.dumps(reading.value, ensure_ascii=False).encode("utf-8")


@given(st.sampled_from(["yes", "no", "na"]), st.text(max_size=200), st.sampled_from([None, 0, 2]), st.booleans())
def test_what_a_model_writes_well_is_read_back(answer, justification, indent, ascii_only):
    value = {"answer": answer, "justification": justification}
    reading = json_answer(json.dumps(value, indent=indent, ensure_ascii=ascii_only), SCHEMA)
    assert (reading.value, reading.status) == (value, "clean")

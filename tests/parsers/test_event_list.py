"""event_list reads events in order, keeps what it does not know, and maps what it knows under another name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.parsers.event_list import MAX_TOKENS, event_list
from s3harness.specs.features import vocabulary

NAMES = vocabulary().names
TURN_TONIC = ["head_turning", "tonic"]

CLEAN = [
    ("head_turning, tonic", TURN_TONIC),
    ("Head turning, Tonic.", TURN_TONIC),
    ("head_turning; tonic", TURN_TONIC),
    ("head_turning -> tonic", TURN_TONIC),
    ("head_turning → tonic", TURN_TONIC),
    ("head_turning\ntonic\n", TURN_TONIC),
    ('["head_turning", "tonic"]', TURN_TONIC),
    ('{"events": ["head_turning", "tonic"]}', TURN_TONIC),
    ('{"events": "head_turning, tonic"}', TURN_TONIC),
    ("tonic", ["tonic"]),
    ("tonic, clonic, tonic", ["tonic", "clonic", "tonic"]),
    ("none", []),
    ("None.", []),
    ("[]", []),
    ('{"events": []}', []),
]
REPAIRED = [
    ("1. head_turning\n2. tonic", TURN_TONIC),
    ("1) head_turning 2) tonic", TURN_TONIC),
    ("- head_turning\n- tonic", TURN_TONIC),
    ("head_turning (00:05), tonic (00:10)", TURN_TONIC),
    ("head_turning [left], tonic [00:10]", TURN_TONIC),
    ("[head_turning, tonic]", TURN_TONIC),
    ('```json\n["head_turning", "tonic"]\n```', TURN_TONIC),
    ('The order is ["head_turning", "tonic"].', TURN_TONIC),
    ('{"sequence": ["head_turning", "tonic"]}', TURN_TONIC),
    ('[{"event": "head_turning", "time": 3}, {"event": "tonic"}]', TURN_TONIC),
    ("head version, stiffening", TURN_TONIC),
    ("lip-smacking, tonic phase", ["oral_automatisms", "tonic"]),
    ("head_turning, flying, tonic", ["head_turning", "flying", "tonic"]),
    ('["purple_elephant"]', ["purple_elephant"]),
    ('["head_turning", 3, null, "tonic"]', TURN_TONIC),
    ("There are no seizure symptoms observed in the video.", []),
    ("No events", []),
    ("<think>clonic?</think>head_turning, tonic", TURN_TONIC),
]
CONNECTED = [
    ("head_turning, then tonic", TURN_TONIC),
    ("head_turning and tonic", TURN_TONIC),
    ("Sequence: head_turning, tonic", TURN_TONIC),
    ("head_turning: to the left\ntonic: all limbs", TURN_TONIC),
]
UNPARSABLE = [
    ("", "empty"),
    ("<think>tonic</think>", "empty"),
    (", ;", "empty"),
    ("3", "without a list"),
    ("[1, 2]", "without words"),
    ('{"a": ["tonic"], "b": ["clonic"]}', "without a list"),
    ('["tonic"] or ["clonic"]', "two different"),
    ("The patient lies in bed and does not move at all during the whole recording.", "prose"),
    ("I'm unable to view videos.", "refusal"),
]


@pytest.mark.parametrize(("text", "value"), CLEAN)
def test_a_plain_list_is_clean(text, value):
    reading = event_list(text)
    assert (reading.value, reading.status) == (value, "clean")


@pytest.mark.parametrize(("text", "value"), REPAIRED)
def test_numbers_times_prose_and_other_names_are_dealt_with_and_named(text, value):
    reading = event_list(text)
    assert (reading.value, reading.status) == (value, "repaired")
    assert reading.note


@pytest.mark.parametrize(("text", "value"), CONNECTED)
def test_words_that_connect_events_are_no_events(text, value):
    assert event_list(text).value == value


@pytest.mark.parametrize(("text", "why"), UNPARSABLE)
def test_nothing_is_guessed(text, why):
    reading = event_list(text)
    assert (reading.value, reading.status) == (None, "unparsable")
    assert why in reading.note


def test_a_denied_sign_is_not_listed():
    assert "tonic" not in event_list("head_turning, no tonic").value
    assert "tonic" not in event_list("head_turning: yes\ntonic: no").value
    assert "tonic" not in event_list("clonic, tonic is absent").value
    assert event_list("No signs other than tonic").value != []


def test_a_loop_is_cut_and_said_to_be():
    reading = event_list(", ".join(["tonic"] * 880))
    assert len(reading.value) == MAX_TOKENS
    assert reading.status == "repaired"
    assert str(MAX_TOKENS) in reading.note


def test_a_vocabulary_of_ones_own():
    reading = event_list("A b, c", vocabulary=["a_b"], synonyms={"c": "a_b"})
    assert reading.value == ["a_b", "a_b"]
    assert event_list("tonic", vocabulary=["a_b"]).note == "1 outside the vocabulary"


@given(
    st.lists(st.sampled_from(NAMES), max_size=30), st.sampled_from([", ", ",", "; ", "\n", " -> ", "json", "object"])
)
def test_what_a_model_writes_well_is_read_back(events, form):
    texts = {"json": json.dumps(events), "object": json.dumps({"events": events})}
    reading = event_list(texts.get(form, form.join(events) or "none"))
    assert (reading.value, reading.status) == (events, "clean")

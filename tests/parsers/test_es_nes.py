"""es_nes reads a diagnosis, never from a piece of a word and never from both labels."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.parsers.es_nes import es_nes

CLEAN = [
    ("ES", "ES"),
    ("NES", "NES"),
    (" nes. ", "NES"),
    ("PNES", "NES"),
    ("Epileptic seizure", "ES"),
    ("non-epileptic", "NES"),
    ("Nonepileptic", "NES"),
    ("Non-epileptic seizure (NES)", "NES"),
    ('{"answer": "ES"}', "ES"),
    ('{"answer": "nes"}', "NES"),
    ('{"description": "could be ES or NES", "answer": "ES"}', "ES"),
    ('{"description": "no epileptic signs", "answer": "non-epileptic seizure"}', "NES"),
]
REPAIRED = [
    ("The diagnosis is ES.", "ES"),
    ("Answer: NES", "NES"),
    ("These are psychogenic non-epileptic seizures", "NES"),
    ("This is an epileptic event", "ES"),
    ('```json\n{"description": "x", "answer": "ES"}\n```', "ES"),
    ("{'description': 'NES is unlikely', 'answer': 'ES'}", "ES"),
    ('So: {"description": "ES or NES?", "answer": "NES"}', "NES"),
    ('{"answer": "ES, most likely"}', "ES"),
    ("Not ES but NES", "NES"),
    ("an epileptic seizure, not a non-epileptic one", "ES"),
    ('{"diagnosis": "NES"}', "NES"),
    ("<think>NES</think>ES", "ES"),
]
UNPARSABLE = [
    ("", "empty"),
    ("YES", "neither"),
    ("yes, it does", "neither"),
    ("les mouvements", "neither"),
    ("uncertain", "neither"),
    ("ES or NES", "both"),
    ("ES/NES", "both"),
    ("not ES", "negation"),
    ("This is not an epileptic seizure", "negation"),
    ("not NES", "negation"),
    ('{"answer": "ES or NES"}', "both"),
    ('{"answer": "yes", "description": "ES"}', "neither"),
    ('{"answer": null}', "not a label"),
    ('{"answer": ["ES"]}', "not a label"),
    ('{"answer": "ES"} {"answer": "NES"}', "two different"),
    ('{"answer": "ES", "answer": "NES"}', "two different"),
]


@pytest.mark.parametrize(("text", "value"), CLEAN)
def test_the_bare_label_is_clean(text, value):
    reading = es_nes(text)
    assert (reading.value, reading.status) == (value, "clean")


@pytest.mark.parametrize(("text", "value"), REPAIRED)
def test_one_label_in_a_longer_text_is_found(text, value):
    reading = es_nes(text)
    assert (reading.value, reading.status) == (value, "repaired")
    assert reading.note


@pytest.mark.parametrize(("text", "why"), UNPARSABLE)
def test_nothing_is_guessed(text, why):
    reading = es_nes(text)
    assert (reading.value, reading.status) == (None, "unparsable")
    assert why in reading.note


@given(st.sampled_from(["ES", "NES"]), st.text(max_size=100))
def test_a_plain_answer_counts_whatever_the_description_says(label, description):
    reading = es_nes(json.dumps({"description": description, "answer": label}))
    assert (reading.value, reading.status) == (label, "clean")

"""Thinking models: reasoning up to its budget, then the answer in its form; and settings of generation."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest
from s3harness_transformers.tiny import tiny_model
from s3harness_transformers.tiny.thinking import HYBRID, OPENING, make_thinking

import s3harness
from s3harness.specs.geometry import Thinking

SCHEMA = {
    "type": "object",
    "required": ["answer", "side"],
    "additionalProperties": False,
    "properties": {"answer": {"enum": ["yes", "no"]}, "side": {"type": "string", "maxLength": 8}},
}
ON = {"enable_thinking": True}
OFF = {"enable_thinking": False}


@pytest.fixture(scope="session")
def thinker(tiny, tmp_path_factory):
    """Ending of the template → a card of a tiny thinking model."""
    folder = tmp_path_factory.mktemp("thinking")

    def make(name, ending):
        return make_thinking(tiny_model("qwen3-vl", folder / name), ending)

    return {"opening": make("opening", OPENING), "hybrid": make("hybrid", HYBRID)}


def card(cases, directory):
    switch = Thinking(by_default=True, switch="enable_thinking")
    return replace(cases.card("qwen3-vl"), weights=str(directory), thinking=switch)


@pytest.fixture(scope="module")
def question(cases):
    """A closed question about three seconds, with room for an answer of 60 tokens."""
    step = cases.steps("qwen3-vl")[0]
    clip = replace(step.clip, end_s=step.clip.start_s + 3, timestamps=step.clip.timestamps[:6])

    def ask(name, thinking=False, tokens=0, variables=OFF, max_tokens=60, **changes):
        generation = s3harness.Generation(
            max_tokens=max_tokens, thinking=thinking, thinking_tokens=tokens, chat_template_kwargs=variables
        )
        asked = {"answer_schema": SCHEMA, "choices": (), "generation": generation} | changes
        return replace(step.requests[0], clip=clip, id=name, **asked)

    return ask


def test_reasoning_ends_at_its_budget_and_the_answer_then_obeys_its_schema(cases, answers, thinker, question):
    requests = [
        question("off"),
        question("short", True, 5, ON),
        question("long", True, 12, ON),
        question("choices", True, 5, ON, answer_schema=None, choices=("left", "right")),
    ]
    off, short, long, choices = answers(cases.backend("qwen3-vl", card(cases, thinker["opening"])), requests)
    for response in (off, short, long):
        jsonschema.validate(json.loads(response.text), SCHEMA)
        assert response.status == "ok"
        assert set(response.choice_probabilities) == {"yes", "no"}
    assert off.reasoning == ""
    assert short.reasoning and long.reasoning.startswith(short.reasoning)
    assert len(long.reasoning) > len(short.reasoning)
    assert choices.text in ("left", "right")
    assert sum(choices.choice_probabilities.values()) == pytest.approx(1)


def test_reasoning_that_does_not_end_is_cut_and_never_an_answer(cases, answers, thinker, question):
    # Without a budget of its own the reasoning takes all tokens.
    (response,) = answers(
        cases.backend("qwen3-vl", card(cases, thinker["opening"])), [question("cut", True, 0, ON, max_tokens=8)]
    )
    assert (response.status, response.text) == ("cut", "")
    assert response.reasoning
    assert response.choice_probabilities is None


def test_a_model_that_opens_its_reasoning_itself_answers_at_once_when_it_is_off(cases, answers, thinker, question):
    off, on = answers(
        cases.backend("qwen3-vl", card(cases, thinker["hybrid"])),
        [question("off"), question("on", True, 5, ON, max_tokens=8)],
    )
    jsonschema.validate(json.loads(off.text), SCHEMA)
    # The tiny model opens no reasoning of its own: its free text is not taken for reasoning, nor held to the schema.
    assert on.reasoning == "" and on.text and not on.text.startswith("{")


def test_top_k_and_repetition_penalty_and_the_checkpoints_own_decoding(cases, answers, thinker, question, tmp_path):
    from shutil import copytree

    directory = copytree(thinker["opening"], tmp_path / "own")
    own = json.loads((directory / "generation_config.json").read_text())
    decoding = {"do_sample": True, "temperature": 1.5, "top_k": 1, "repetition_penalty": 1.3}
    (directory / "generation_config.json").write_text(json.dumps(own | decoding))
    free = {"answer_schema": None}

    def settings(name, **changed):
        request = question(name, max_tokens=12, **free)
        return replace(request, generation=replace(request.generation, **changed))

    backend = cases.backend("qwen3-vl", card(cases, directory))
    greedy, one_of_one, penalised, of_model = answers(
        backend,
        [
            settings("greedy"),
            settings("top_k", temperature=2.0, top_k=1, seed=1),
            settings("penalty", repetition_penalty=1.3),
            settings("own", decoding="model", temperature=None, seed=5),
        ],
    )
    # The likeliest token alone is what greedy decoding takes.
    assert one_of_one.text == greedy.text
    assert penalised.text != greedy.text
    assert of_model.text == penalised.text
    assert backend.facts()["own_decoding"] == decoding

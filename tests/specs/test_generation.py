"""Generation settings given for a run: in every task that asks, checked, and a part of what identifies a request."""

from dataclasses import replace

import pytest

from s3harness.errors import UsageError
from s3harness.specs.generation import DEFAULT_THINKING_TOKENS, with_generation
from s3harness.specs.geometry import ChatTemplate, Thinking
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import resolve
from s3harness.types import Generation

MODEL = ModelCard("any", modalities=("video", "audio"))
THINKER = replace(MODEL, thinking=Thinking(by_default=True, switch="enable_thinking"))
SPECS = {name: resolve(load_task(name).data, protocol="strict", profile="", model=MODEL) for name in task_names()}
ASKING = [name for name, spec in SPECS.items() if "sampler" in spec.data]


def generations(values, model=MODEL):
    """The settings of all tasks that ask, for all of their subjects."""
    changed = with_generation(SPECS, values, model)
    return [
        changed[name].for_subject(subject).generation
        for name in ASKING
        for subject in ("", *SPECS[name].data.get("subjects", {}))
    ]


def test_without_settings_every_task_stays_as_it_is():
    assert with_generation(SPECS, {}, MODEL) == SPECS


def test_a_setting_reaches_every_task_that_asks_and_no_other():
    changed = with_generation(SPECS, {"top_k": 20}, MODEL)
    assert all(generation.top_k == 20 for generation in generations({"top_k": 20}))
    for name, spec in SPECS.items():
        assert (changed[name].hash != spec.hash) == (name in ASKING)
        assert changed[name].for_subject("").generation.max_tokens == spec.for_subject("").generation.max_tokens


def test_the_models_own_decoding_takes_the_place_of_the_tasks_but_not_of_what_is_given():
    own = {"do_sample": True, "temperature": 0.6, "top_p": 0.95, "top_k": 20}
    for generation in generations({"decoding": "model", "top_p": 0.5}):
        completed = generation.completed(own)
        assert (completed.temperature, completed.top_p, completed.top_k) == (0.6, 0.5, 20)
        assert completed.repetition_penalty is None
        assert completed.decoding == "task"


@pytest.mark.parametrize(
    ("own", "temperature"),
    [({}, 0.0), ({"do_sample": False, "temperature": 0.7}, 0.0), ({"temperature": 0.7}, 0.7), ({"do_sample": True}, 1)],
)
def test_a_checkpoint_that_does_not_sample_is_greedy(own, temperature):
    assert Generation(None, decoding="model").completed(own).temperature == temperature


def test_the_tasks_own_decoding_ignores_the_checkpoint():
    assert Generation().completed({"do_sample": True, "temperature": 0.7, "top_k": 5}) == Generation()


@pytest.mark.parametrize(
    ("thinking", "is_on", "tokens"), [("on", True, DEFAULT_THINKING_TOKENS), (True, True, 8192), (900, True, 900)]
)
def test_reasoning_has_tokens_of_its_own_beside_those_of_the_answer(thinking, is_on, tokens):
    for generation, before in zip(generations({"thinking": thinking}), generations({}), strict=True):
        assert generation.chat_template_kwargs == {"enable_thinking": is_on}
        assert generation.token_limit == before.max_tokens + tokens


def test_reasoning_that_is_off_takes_no_tokens():
    for generation in generations({"thinking": "off"}, THINKER):
        assert generation.chat_template_kwargs == {"enable_thinking": False}
        assert generation.token_limit == generation.max_tokens


def test_a_model_that_reasons_by_default_has_room_for_it_without_being_told():
    assert all(g.thinking and g.thinking_tokens == DEFAULT_THINKING_TOKENS for g in generations({}, THINKER))
    assert all(not g.chat_template_kwargs for g in generations({}, THINKER))


def test_the_switch_is_the_one_of_the_models_template():
    other = replace(MODEL, thinking=Thinking(by_default=False, switch="thinking"))
    assert all(g.chat_template_kwargs == {"thinking": True} for g in generations({"thinking": "on"}, other))


@pytest.mark.parametrize(
    ("values", "model", "words"),
    [
        ({"colour": "red"}, MODEL, "no option 'colour'"),
        ({"top_k": 0}, MODEL, "top_k"),
        ({"top_p": 1.5}, MODEL, "top_p"),
        ({"temperature": "warm"}, MODEL, "temperature"),
        ({"decoding": "theirs"}, MODEL, "one of task, model"),
        ({"thinking": "perhaps"}, MODEL, "on, off, or a number of tokens"),
        ({"thinking": "on", "chat_template_kwargs": {"enable_thinking": False}}, MODEL, "given twice"),
        ({"thinking": "off"}, replace(MODEL, thinking=Thinking(by_default=True)), "always reasons"),
        ({"thinking": "on"}, replace(MODEL, chat_template=ChatTemplate()), "has no reasoning"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(values, model, words):
    with pytest.raises(UsageError, match=words):
        with_generation(SPECS, values, model)

"""Answers of a model: the same in batches as alone, held to their form, with probabilities; and errors by name."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import jsonschema
import pytest
import torch
from s3harness_transformers.batch_generator import BatchGenerator, collate
from s3harness_transformers.loading import load_model
from s3harness_transformers.options import TransformersOptions
from s3harness_transformers.tiny import FAMILIES
from transformers_cases import short

import s3harness
from s3harness.rundir.identities import adapter_id

PROMPTS = ("Is it so?", "Does the patient turn the head? Answer yes or no.", "Describe what the patient does. " * 5)
SCHEMA = {
    "type": "object",
    "required": ["answer", "side"],
    "additionalProperties": False,
    "properties": {"answer": {"enum": ["yes", "no"]}, "side": {"type": "string", "maxLength": 8}},
}


def some_requests(cases, family, n_clips=2, frames=6):
    """Short questions of different lengths about the beginnings of different clips."""
    steps = cases.steps(family)[:n_clips]
    requests = []
    for step in steps:
        clip = step.clip
        clip = replace(clip, end_s=clip.start_s + 3, timestamps=clip.timestamps[:frames])
        requests += [short(replace(step.requests[0], clip=clip, prompt=p, id=f"{clip.start_s} {p}")) for p in PROMPTS]
    return requests


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_in_a_batch_are_those_alone(cases, answers, family):
    requests = some_requests(cases, family)
    together = answers(cases.backend(family, batch_size=6), requests)
    alone = answers(cases.backend(family, batch_size=1), requests)
    assert [a.text for a in together] == [a.text for a in alone]
    assert [a.completion_tokens for a in together] == [a.completion_tokens for a in alone]
    assert len({a.text for a in alone}) > 2
    assert all(a.prompt_tokens > 20 for a in alone)


def test_a_batch_pads_text_on_the_left_and_concatenates_clips(cases):
    encoder, _ = cases.encoder("qwen3-vl")
    batch = [encoder.encode(request) for request in some_requests(cases, "qwen3-vl", 1)]
    tensors = collate(batch, pad_token_id=7)
    longest = max(one.length for one in batch)
    assert tensors["input_ids"].shape == tensors["attention_mask"].shape == (3, longest)
    for row, one in enumerate(batch):
        padding = longest - one.length
        assert tensors["input_ids"][row, :padding].eq(7).all() and not tensors["attention_mask"][row, :padding].any()
        assert torch.equal(tensors["input_ids"][row, padding:], one.text["input_ids"][0])
    assert tensors["video_grid_thw"].shape == (3, 3)


def test_answers_obey_their_schema_or_choices_and_have_probabilities(cases, answers):
    request = some_requests(cases, "qwen3-vl", 1)[1]
    held = [
        replace(short(request, 200, answer_schema=SCHEMA), id="schema"),
        replace(short(request, 20, choices=("left", "right")), id="choices"),
        replace(short(request, 20), id="free"),
    ]
    schema, choice, free = answers(cases.backend("qwen3-vl"), held)
    jsonschema.validate(json.loads(schema.text), SCHEMA)
    assert choice.text in ("left", "right") and choice.status == "ok"
    for response, words in ((schema, {"yes", "no"}), (choice, {"left", "right"})):
        assert set(response.choice_probabilities) == words
        assert 0 < sum(response.choice_probabilities.values()) <= 1
    assert free.choice_probabilities is None
    assert free.status == "cut" and free.completion_tokens == 20


def test_probabilities_are_the_models_own_shares_of_what_it_may_say(cases, answers):
    backend = cases.backend("qwen3-vl")
    request = replace(some_requests(cases, "qwen3-vl", 1)[1], choices=("left", "right"))
    (response,) = answers(backend, [request])
    encoded = cases.encoder("qwen3-vl")[0].encode(request)
    loaded = load_model(cases.card("qwen3-vl"), TransformersOptions(), lambda phase: None)
    with torch.inference_mode():
        first = loaded.model(**encoded.text, **encoded.media).logits[0, -1].float().softmax(-1)
    texts = [loaded.tokenizer.decode([token]) for token in range(len(first))]
    shares = {
        word: sum(float(p) for text, p in zip(texts, first, strict=True) if text and word.startswith(text))
        for word in ("left", "right")
    }
    for word, share in shares.items():
        assert response.choice_probabilities[word] == pytest.approx(share / sum(shares.values()), rel=1e-3)


def test_an_answer_that_is_not_held_to_its_form_is_free(cases, answers):
    request = short(some_requests(cases, "qwen3-vl", 1)[0], 20, choices=("left", "right"))
    (response,) = answers(cases.backend("qwen3-vl", structured=False, logprobs=False), [request])
    assert response.text not in ("left", "right")
    assert response.choice_probabilities is None


def test_a_seed_repeats_what_is_sampled(cases, answers):
    request = some_requests(cases, "qwen3-vl", 1)[0]
    drawn = [
        replace(request, id=str(i), generation=s3harness.Generation(1.0, 16, seed, 0.9))
        for i, seed in enumerate((3, 3, 4))
    ]
    one, again, other = (a.text for a in answers(cases.backend("qwen3-vl"), drawn))
    assert one == again != other


def test_a_prompt_beyond_the_context_fails_by_name(cases, answers):
    request = short(some_requests(cases, "qwen3-vl", 1)[0], 40_000)
    fits = some_requests(cases, "qwen3-vl", 1)[1]
    failed, answered = answers(cases.backend("qwen3-vl"), [request, fits])
    assert isinstance(failed, s3harness.ContextOverflow) and "--sampling" in str(failed)
    assert answered.status in ("ok", "cut")


class Small:
    """A model of transformers in memory that holds ``rows`` prompts at once."""

    def __init__(self, model, rows):
        self._model, self._rows = model, rows

    def __getattr__(self, name):
        return getattr(self._model, name)

    def generate(self, **inputs):
        if len(inputs["input_ids"]) > self._rows:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return self._model.generate(**inputs)


@pytest.mark.parametrize(("rows", "halved"), [(2, 1), (1, 2)])
def test_a_batch_that_does_not_fit_is_halved(cases, rows, halved):
    loaded = load_model(cases.card("qwen3-vl"), TransformersOptions(), lambda phase: None)
    encoder, _ = cases.encoder("qwen3-vl")
    batch = [encoder.encode(request) for request in some_requests(cases, "qwen3-vl", 1)]
    whole = BatchGenerator(loaded, structured=True, logprobs=True).generate(batch)
    generator = BatchGenerator(replace(loaded, model=Small(loaded.model, rows)), structured=True, logprobs=True)
    assert [a.text for a in generator.generate(batch)] == [a.text for a in whole]
    assert generator.n_halved == halved


def test_one_request_that_does_not_fit_fails_with_what_to_change(cases):
    loaded = load_model(cases.card("qwen3-vl"), TransformersOptions(), lambda phase: None)
    encoder, _ = cases.encoder("qwen3-vl")
    batch = [encoder.encode(request) for request in some_requests(cases, "qwen3-vl", 1)[:2]]
    failed = BatchGenerator(replace(loaded, model=Small(loaded.model, 0)), structured=True, logprobs=True).generate(
        batch
    )
    assert [type(one) for one in failed] == [s3harness.OutOfMemory, s3harness.OutOfMemory]
    assert "max_pixels" in str(failed[0])


def test_leaving_ends_what_is_under_way(cases):
    # A schema keeps a model of random weights from an end of its own.
    schema = {"type": "array", "items": {"type": "boolean"}, "minItems": 8000}
    endless = replace(short(some_requests(cases, "qwen3-vl", 1)[2], 20_000), answer_schema=schema)
    backend = cases.backend("qwen3-vl")

    async def leave_early():
        async with backend:
            task = asyncio.create_task(backend.generate(endless))
            await asyncio.sleep(2)
        return await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 10)

    (outcome,) = asyncio.run(leave_early())
    assert "stopped" in str(outcome)


@pytest.fixture(scope="module")
def adapters(tiny, tmp_path_factory):
    """Family → a LoRA adapter of random weights, as peft saves it."""
    from peft import LoraConfig, get_peft_model

    from s3harness.specs.models import ModelCard

    directories = {}
    for family in ("qwen3-vl", "qwen2.5-omni"):
        directory = tmp_path_factory.mktemp("adapter")
        model = load_model(ModelCard("m", weights=str(tiny[family])), TransformersOptions(), lambda phase: None).model
        torch.manual_seed(1)
        adapted = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False))
        adapted.save_pretrained(directory)
        directories[family] = directory
    return directories


def test_an_adapter_changes_answers_and_is_named_by_its_hash(cases, answers, adapters):
    requests = some_requests(cases, "qwen3-vl", 1)
    plain, adapted = cases.backend("qwen3-vl"), cases.backend("qwen3-vl", adapter=str(adapters["qwen3-vl"]))
    before = [a.text for a in answers(plain, requests)]
    after = [a.text for a in answers(adapted, requests)]
    assert before != after
    facts = adapted.facts()
    assert facts["adapter"] == adapter_id(adapters["qwen3-vl"]) and "adapter" not in plain.facts()
    assert str(adapters["qwen3-vl"]) not in json.dumps(dict(facts))
    assert facts["class"] == "Qwen3VLForConditionalGeneration"


def test_an_adapter_of_another_architecture_is_refused(cases, answers, adapters):
    with pytest.raises(s3harness.UsageError, match="does not fit this model"):
        answers(cases.backend("qwen3-vl", adapter=str(adapters["qwen2.5-omni"])), [])

"""The id of a request is a hash of all that determines its answer, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, replace

import pytest

from s3harness.dataset.load import Dataset
from s3harness.run.plan import Plan
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.models import ModelCard, load_model
from s3harness.specs.prompts import prompt_context, render
from s3harness.specs.tasks import TaskSpec, resolve
from s3harness.testing.cases import made_up_videos
from s3harness.types import NOT_HASHED, Request, Video

VIDEOS = tuple(made_up_videos(4, patients=2))
MODELS = ("qwen3-vl-8b", "internvl3.5-8b", "qwen2.5-omni-7b", "audio-flamingo-3")


def specs_of(model: ModelCard, protocol: str) -> dict[str, TaskSpec]:
    return {n: resolve(load_task(n).data, protocol=protocol, profile="", model=model) for n in task_names()}


def asked(model: ModelCard, protocol: str, videos: tuple[Video, ...] = VIDEOS) -> Iterator[Request]:
    specs = tuple(specs_of(model, protocol).values())
    plan = Plan(Dataset("made up", "1", "", "", videos), model, specs, tuple(s for s in specs if not s.uses))
    return (request for video in plan for step in video.steps for request in step.requests)


@pytest.mark.parametrize("protocol", ["strict", "paper"])
@pytest.mark.parametrize("name", MODELS)
def test_an_id_is_the_hash_of_the_request_as_json(name, protocol):
    requests = list(asked(load_model(name), protocol))
    assert requests
    for request in requests:
        told = {key: value for key, value in asdict(request).items() if key not in NOT_HASHED}
        # Settings that came later are hashed where they are set, so that ids of recorded runs stay.
        later = {"top_k", "repetition_penalty", "decoding", "thinking", "thinking_tokens", "chat_template_kwargs"}
        told["clip"] = {key: value for key, value in told["clip"].items() if key != "crop"}
        told["generation"] = {key: value for key, value in told["generation"].items() if key not in later}
        assert request.id == hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:20]
    assert len({request.id for request in requests}) == len(requests)


@pytest.mark.parametrize("protocol", ["strict", "paper"])
@pytest.mark.parametrize("name", MODELS)
def test_a_prompt_is_the_template_of_its_task_about_its_own_clip(name, protocol):
    model = load_model(name)
    specs, reports = specs_of(model, protocol), {video.id: video.report for video in VIDEOS}
    for request in asked(model, protocol):
        spec = specs[request.task].for_subject(request.subject)
        report = reports[request.clip.video_id]
        about = {"item": spec.item, "subject": request.subject, "hears": model.hears(), "report": report}
        assert request.prompt == render(spec.prompt, prompt_context(**about, clip=request.clip))


def test_videos_that_differ_in_nothing_but_length_are_told_of_their_own():
    video = VIDEOS[0]
    model = load_model("qwen3-vl-8b")
    pair = (video, replace(video, id="v9999", duration_s=(video.duration_s or 0) + 7.5))
    for one, other in zip(*(list(asked(model, "strict", (which,))) for which in pair), strict=False):
        assert one.id != other.id

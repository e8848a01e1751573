"""Requests that are longer than the model's context are named before the run, with the remedy, or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from s3harness.dataset.load import Dataset
from s3harness.errors import UsageError
from s3harness.run.context import check_context, context_limit, remedy, text_counter
from s3harness.run.media_tokens import media_tokens
from s3harness.run.plan import Plan
from s3harness.specs.geometry import AudioGeometry, VisionGeometry
from s3harness.specs.loading import load_task
from s3harness.specs.models import ModelCard, load_model, model_names
from s3harness.specs.sampling import with_sampling
from s3harness.specs.tasks import resolve
from s3harness.testing.cases import made_up_videos
from s3harness.types import Clip

LENGTHS_S = tuple(60.0 + 28.0 * i for i in range(16))
"""Sixteen videos of 60 to 480 s, each with two questions of the task."""

FULL_HD = (1920, 1080)


def plan_of(model, protocol, task="7", sampling=None, lengths_s=LENGTHS_S):
    videos = tuple(
        replace(video, duration_s=length, onset_s=10.0, offset_s=50.0)
        for video, length in zip(made_up_videos(len(lengths_s), patients=4), lengths_s, strict=True)
    )
    data = load_task(task).data
    specs = with_sampling({"t": resolve(data, protocol=protocol, profile="", model=model)}, sampling or {})
    return Plan(Dataset("made up", "1", "", "", videos), model, tuple(specs.values()), tuple(specs.values()))


def check(name, protocol="paper", size=FULL_HD, **changes):
    model = load_model(name)
    limit = context_limit(model, "vllm", {})
    return check_context(plan_of(model, protocol, **changes), limit, lambda video: size)


@pytest.mark.parametrize(("name", "over"), [("seizure-omni-sft-7b", 32), ("qwen3-omni-30b-a3b", 28)])
def test_whole_videos_of_the_papers_diagnosis_are_over_the_context(name, over):
    (room,) = check(name).tasks.values()
    assert (room.over, room.requests) == (over, 32)
    assert room.longest_s == 480


def test_the_strict_protocol_fits_for_every_model_and_task():
    for name in model_names():
        for task in ("1", "4", "7"):
            assert not check(name, "strict", task=task, lengths_s=(60.0, 480.0)).warnings(), name


def test_a_warning_has_numbers_and_a_remedy_that_works():
    checked = check("qwen3-omni-30b-a3b")
    ((task, room),) = checked.tasks.items()
    assert "28 of 32 requests are longer than the context of 65,536 tokens" in checked.warnings()[task]
    assert "-o max_model_len=N" in checked.warnings()[task]
    frames = int(remedy(room, checked.limit).partition("max_frames=")[2].partition(",")[0])
    assert not check("qwen3-omni-30b-a3b", sampling={"max_frames": frames}).warnings()
    checked.refuse_hopeless()
    assert checked.facts()["context"]["over"] == {task: 28}


def test_a_task_of_which_no_request_fits_is_refused_but_only_where_that_is_sure():
    with pytest.raises(UsageError, match=r"32 of 32 requests are longer .* .--sampling max_frames"):
        check("seizure-omni-sft-7b").refuse_hopeless()
    unknown = check("seizure-omni-sft-7b", size=None)
    assert next(iter(unknown.tasks.values())).over == 32
    unknown.refuse_hopeless()


def test_a_small_video_has_fewer_tokens_than_its_frames_may_have():
    assert check("seizure-omni-sft-7b", size=(320, 240)).longest < check("seizure-omni-sft-7b").longest / 4


def test_a_budget_of_pixels_for_the_clip_shrinks_frames_and_only_where_it_is_given():
    model = load_model("seizure-omni-sft-7b")
    budget = 24_000 * 28 * 28 * 2
    plain, shrunk = (
        [step.clip.max_pixels for video in plan_of(model, "paper", sampling=sampling) for step in video.steps]
        for sampling in (None, {"max_clip_pixels": budget})
    )
    assert set(plain) == {602_112}
    assert min(shrunk) < 602_112 == max(shrunk + plain)
    # Frames do not get smaller than the processor's minimum, so that the longest videos stay over.
    checked = check("seizure-omni-sft-7b", sampling={"max_clip_pixels": budget})
    assert checked.longest < check("seizure-omni-sft-7b").longest / 4


def test_the_users_context_goes_before_the_cards():
    model = load_model("qwen3-vl-8b")
    assert context_limit(model, "vllm", {"max_model_len": 4096}) == 4096
    assert context_limit(model, "vllm", {}) == 65536
    assert context_limit(model, "openai", {}) == model.context_length
    assert context_limit(ModelCard("any"), "openai", {}) is None


@pytest.mark.parametrize(
    ("vision", "form", "frames"),
    [
        (VisionGeometry(image_size=448, tokens_per_image=256), "video", 5 * 256),
        (VisionGeometry(image_size=896, tokens_per_image=256, tokens_per_frame=64), "video", 5 * 64),
        (VisionGeometry(image_size=448, tokens_per_image=256, max_tiles=13), "images", 5 * 256 * 13),
        # 280 × 280 pixels are 10 × 10 cells of 28; 5 frames fill 3 temporal patches of two.
        (VisionGeometry(patch_size=14, merge_size=2, temporal_patch_size=2), "video", 3 * 100),
        (VisionGeometry(patch_size=14, merge_size=2, temporal_patch_size=2), "images", 5 * 100),
    ],
)
def test_frames_by_kind_of_geometry(vision, form, frames):
    card = ModelCard("any", vision=vision, clip_form=form)
    clip = Clip("v", 0, 5, (0, 1, 2, 3, 4), 1_000_000)
    assert media_tokens(card, clip, (280, 280)).frames == frames


def test_sound_is_counted_up_to_what_the_processor_takes():
    card = ModelCard("any", modalities=("audio",), audio=AudioGeometry(tokens_per_s=25, max_s=30))
    assert [media_tokens(card, Clip("v", 0, s, (), 1, audio=True)).sound for s in (10, 30, 90)] == [250, 750, 750]
    assert media_tokens(card, Clip("v", 0, 10, (), 1)).total == 0


def test_text_is_estimated_without_the_weights_tokenizer():
    count, name = text_counter(ModelCard("any", weights="some/model"))
    assert (count("a" * 40), name) == (10, "an estimate, 4 characters a token")

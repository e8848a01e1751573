"""Golden clip → frames, times and sound in the model inputs of each family, under both protocols."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from transformers_golden import FPS, number, write_golden

import s3harness
from s3harness.media import MediaStore

HALVES = tuple(0.5 * i for i in range(120))
CENTRES = tuple(0.25 + 0.5 * i for i in range(60))

# The first window of Task 1: times of its frames; tokens of its frames and sound; grid; seconds per grid step.
SEEN = [
    ("qwen2.5-vl", "strict", HALVES[:60], 30 * 6, 0, (30, 4, 6), 1.0),
    ("qwen2.5-vl", "paper", HALVES[:60], 30 * 6, 0, (30, 4, 6), 1.0),
    ("qwen3-vl", "strict", HALVES[:60], 30 * 6, 0, (30, 4, 6), None),
    ("qwen3-vl", "paper", HALVES, 60 * 6, 0, (60, 4, 6), None),
    ("internvl3.5", "strict", HALVES[:60], 60 * 4, 0, None, None),
    ("internvl3.5", "paper", CENTRES, 60 * 4, 0, None, None),
    ("qwen2.5-omni", "strict", HALVES[:60], 30 * 140, 750, (30, 20, 28), 1.0),
    ("qwen2.5-omni", "paper", HALVES[:60], 30 * 140, 750, (30, 20, 28), 1.0),
    ("qwen3-omni", "strict", HALVES[:60], 30 * 140, 390, (30, 20, 28), 1.0),
    ("qwen3-omni", "paper", HALVES, 60 * 140, 780, (60, 20, 28), 1.0),
]
MARKS = {
    "qwen2.5-vl": ("<|video_pad|>", ""),
    "qwen3-vl": ("<|video_pad|>", ""),
    "internvl3.5": ("<IMG_CONTEXT>", ""),
    "qwen2.5-omni": ("<|VIDEO|>", "<|AUDIO|>"),
    "qwen3-omni": ("<|video_pad|>", "<|audio_pad|>"),
    "audio-flamingo": ("", "<sound>"),
}


@pytest.mark.parametrize(("family", "protocol", "times", "video", "audio", "grid", "step"), SEEN)
def test_the_frames_of_the_clip_reach_the_model_at_their_times(
    cases, family, protocol, times, video, audio, grid, step
):
    encoder, processor = cases.encoder(family)
    request = cases.steps(family, protocol)[0].requests[0]
    assert request.clip.timestamps == times
    encoded = encoder.encode(request)
    assert pictures(encoded.media, processor) == [round(time * FPS) for time in times]
    marks = [processor.tokenizer.convert_tokens_to_ids(mark) for mark in MARKS[family] if mark]
    ids = encoded.text["input_ids"][0].tolist()
    assert [ids.count(mark) for mark in marks] == [video, audio][: len(marks)]
    if grid:
        assert encoded.media["video_grid_thw"].tolist() == [list(grid)]
    if step:
        steps = encoded.media.get("second_per_grid_ts", encoded.media.get("video_second_per_grid"))
        assert [float(one) for one in steps] == pytest.approx([step])


@pytest.mark.parametrize(("protocol", "n"), [("strict", 30), ("paper", 60)])
def test_qwen3_gets_the_time_of_each_pair_of_frames_in_words(cases, protocol, n):
    encoder, processor = cases.encoder("qwen3-vl")
    encoded = encoder.encode(cases.steps("qwen3-vl", protocol)[0].requests[0])
    times = re.findall(r"<([0-9.]+) seconds>", processor.tokenizer.decode(encoded.text["input_ids"][0]))
    assert times == [f"{i + 0.25:.1f}" for i in range(n)]


def test_times_are_those_of_the_clip_and_not_of_the_video(cases):
    encoder, processor = cases.encoder("qwen3-vl")
    late = next(step for step in cases.steps("qwen3-vl", "strict") if step.clip.start_s == 25.0)
    encoded = encoder.encode(late.requests[0])
    times = re.findall(r"<([0-9.]+) seconds>", processor.tokenizer.decode(encoded.text["input_ids"][0]))
    assert times[:2] == ["0.2", "1.2"]
    assert pictures(encoded.media, processor)[0] == 25 * FPS


def test_internvl_gets_the_number_of_each_frame(cases):
    encoder, processor = cases.encoder("internvl3.5")
    encoded = encoder.encode(cases.steps("internvl3.5", "paper", "4")[0].requests[0])
    times = re.findall(r"Frame(\d+): <img>", processor.tokenizer.decode(encoded.text["input_ids"][0]))
    assert times == [str(i + 1) for i in range(60)]


@pytest.mark.parametrize(
    ("protocol", "windows", "tokens"), [("strict", [3000], 750), ("paper", [3000, 3000, 600], 1650)]
)
def test_audio_flamingo_hears_and_does_not_see(cases, protocol, windows, tokens):
    encoder, processor = cases.encoder("audio-flamingo")
    steps = cases.steps("audio-flamingo", protocol)
    encoded = encoder.encode(steps[0].requests[0])
    assert set(encoded.media) == {"input_features", "input_features_mask"}
    assert encoded.media["input_features_mask"].sum(-1).tolist() == windows
    assert encoded.text["input_ids"][0].tolist().count(processor.audio_token_id) == tokens
    assert {request.subject for step in steps for request in step.requests} == {
        "ictal_vocalization", "verbal_responsiveness",
    }  # fmt: skip


@pytest.mark.parametrize(("family", "rows"), [("qwen2.5-omni", 30_000), ("qwen3-omni", 3000)])
def test_the_sound_of_a_window_is_as_long_as_the_window(cases, family, rows):
    encoder, _ = cases.encoder(family)
    media = encoder.encode(cases.steps(family)[0].requests[0]).media
    assert media["input_features"].shape == (1, 128, rows)
    assert int(media["feature_attention_mask"].sum()) == 3000


@pytest.mark.parametrize("family", ["qwen2.5-vl", "qwen3-vl", "qwen3-omni"])
def test_large_frames_have_the_pixels_of_the_clip_and_no_fewer(cases, family, tmp_path):
    store = MediaStore(tmp_path / "cache")
    video = s3harness.Video("big", "p", write_golden(tmp_path / "big.mp4", seconds=2, size=(1280, 720)), 2.0)
    clip = s3harness.Clip("big", 0.0, 2.0, (0.0, 0.5, 1.0, 1.5), 602_112)
    store.prepare(video, [clip])
    encoder, processor = cases.encoder(family)
    # A checkpoint's own budget, which is for all frames of a video, would shrink these.
    processor.video_processor._part.size = {"shortest_edge": 4096, "longest_edge": 200_000}
    encoder._media = store
    (_, height, width) = encoder.encode(replace(a_request(), clip=clip)).media["video_grid_thw"][0].tolist()
    patch = processor.video_processor.patch_size
    assert 0.9 * 602_112 < height * width * patch**2 <= 602_112


def test_a_clip_is_encoded_once_for_all_of_its_questions(cases):
    encoder, processor = cases.encoder("qwen3-vl")
    request = cases.steps("qwen3-vl")[0].requests[0]
    encoded = [encoder.encode(replace(request, prompt=prompt)) for prompt in ("Is it so?", "Or so?", "When?")]
    assert len({one.media["pixel_values_videos"].data_ptr() for one in encoded}) == 1
    assert len({processor.tokenizer.decode(one.text["input_ids"][0]) for one in encoded}) == 3


def test_a_request_of_text_alone_is_encoded_without_media(cases):
    encoder, processor = cases.encoder("qwen2.5-omni")
    clip = s3harness.Clip("none", 0.0, 0.0, (), 4)
    assert clip.is_text_only
    encoded = encoder.encode(replace(a_request(), clip=clip, prompt="ES or NES?", system="You are terse."))
    assert encoded.media == {}
    text = processor.tokenizer.decode(encoded.text["input_ids"][0])
    assert text.startswith("<|im_start|>system\nYou are terse.<|im_end|>\n<|im_start|>user\nES or NES?<|im_end|>")


@pytest.mark.parametrize(("placement", "is_first"), [("media_first", True), ("text_first", False)])
def test_the_clip_stands_where_the_card_has_it(cases, placement, is_first):
    encoder, processor = cases.encoder("qwen3-vl")
    encoder._card = replace(encoder._card, prompt_placement=placement)
    request = replace(cases.steps("qwen3-vl")[0].requests[0], prompt="Is it so?")
    text = processor.tokenizer.decode(encoder.encode(request).text["input_ids"][0])
    assert (text.index("<|video_pad|>") < text.index("Is it so?")) is is_first


def a_request():
    return s3harness.Request(
        id="r", task="t", item="i", subject="s", clip=s3harness.Clip("v", 0.0, 0.0, (), 4), prompt="What?"
    )


def pictures(media, processor):
    """The numbers of the pictures in a model's tensors."""
    video = processor.video_processor
    mean, std = (np.array(each)[:, None, None] for each in (video.image_mean, video.image_std))
    if "pixel_values" in media:
        frames = media["pixel_values"].numpy()
    else:
        frames = unpatched(media["pixel_values_videos"].numpy(), media["video_grid_thw"][0].tolist(), video)
    bright = ((frames * std + mean) * 255).mean(1)
    middle = bright.shape[2] // 2
    return [number(one[:, : middle - 2].mean(), one[:, middle + 2 :].mean()) for one in bright]


def unpatched(patches, grid, video):
    """Rows of patches as pictures, frames × 3 × height × width."""
    t, h, w = grid
    m, step, p = video.merge_size, video.temporal_patch_size, video.patch_size
    parts = patches.reshape(t, h // m, w // m, m, m, 3, step, p, p)
    return parts.transpose(0, 6, 5, 1, 3, 7, 2, 4, 8).reshape(t * step, 3, h * p, w * p)

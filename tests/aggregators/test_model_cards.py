"""The model cards: all thirteen systems, with the settings that the authors' scripts had."""

import pytest

from s3harness.specs.models import load_model, model_names

QWEN = {"max_pixels": 602112}
FULL_HD = {"max_pixels": 1920 * 1080}
DEFAULTS = {"fps": 2, "max_frames": 768}
WHOLE = {"name": "whole_video", **DEFAULTS}

# window, stride; windows and clips of Task 3; Task 4; Task 7; size of a frame; sound
PAPER = {
    "internvl3.5-8b": (30, 25, {"frames": 60}, {"frames": 60}, {"frames": 60}, FULL_HD, False),
    "internvl3.5-38b": (30, 25, {"frames": 60}, {"frames": 60}, {"frames": 60}, FULL_HD, False),
    "qwen2.5-vl-7b": (30, 25, {"fps": 2}, {"fps": 1}, {"frames": 60}, QWEN, False),
    "qwen2.5-vl-32b": (30, 25, {"fps": 2}, {"fps": 1}, {"frames": 60}, QWEN, False),
    "qwen2.5-vl-72b": (30, 25, {"fps": 2}, {"fps": 1}, {"frames": 60}, QWEN, False),
    "lingshu-32b": (30, 25, {"fps": 2}, {"fps": 1}, {"frames": 60}, QWEN, False),
    "qwen3-vl-8b": (60, 55, {"fps": 2}, {"fps": 2}, {"frames": 120}, QWEN, False),
    "qwen3-vl-32b": (60, 55, {"fps": 2}, {"fps": 2}, {"frames": 120}, QWEN, False),
    "qwen2.5-omni-7b": (30, 25, DEFAULTS, {"fps": 1}, {"frames": 60}, QWEN, True),
    "seizure-omni-sft-7b": (30, 25, DEFAULTS, {"fps": 1}, WHOLE, QWEN, True),
    "seizure-omni-grpo-7b": (30, 25, DEFAULTS, {"fps": 1}, WHOLE, QWEN, True),
    "qwen3-omni-30b-a3b": (60, 55, DEFAULTS, DEFAULTS, WHOLE, QWEN, True),
}
GREEDY = {"temperature": 0, "max_tokens": 2048}
GENERATION = {"qwen3-vl-8b": {"temperature": 0.7, "top_p": 0.8, "max_tokens": 2048}}
GENERATION["qwen3-vl-32b"] = GENERATION["qwen3-vl-8b"]
HEARERS = {"qwen2.5-omni-7b", "qwen3-omni-30b-a3b", "seizure-omni-sft-7b", "seizure-omni-grpo-7b", "audio-flamingo-3"}
ALL = [*PAPER, "audio-flamingo-3"]


def test_every_system_of_the_paper_has_a_card_that_is_valid():
    assert set(ALL) <= set(model_names())
    for name in ALL:
        assert load_model(name).name == name


@pytest.mark.parametrize("name", PAPER)
def test_a_system_is_shown_what_the_paper_showed_it(name):
    window, stride, clip, onset, whole, pixels, audio = PAPER[name]
    paper = load_model(name).protocols["paper"]
    assert paper["samplers"] == {
        "sliding_windows": {"window_s": window, "stride_s": stride, **clip, **pixels},
        "event_clip": {**clip, **pixels},
        "onset_window": {"window_s": 60, "placement": "centred", **onset, **pixels},
        "uniform_frames": {**whole, **pixels},
    }
    assert paper["audio"] is audio
    assert paper["generation"] == GENERATION.get(name, GREEDY)


def test_audio_flamingo_hears_the_whole_video_once():
    paper = load_model("audio-flamingo-3").protocols["paper"]
    assert paper["samplers"]["sliding_windows"]["name"] == "whole_video"
    assert paper["audio"] is True
    assert paper["generation"] == {"temperature": 0, "max_tokens": 512}


def test_who_hears_and_who_sees():
    assert {name for name in ALL if load_model(name).hears()} == HEARERS
    assert [name for name in ALL if "video" not in load_model(name).modalities] == ["audio-flamingo-3"]


def test_only_the_weights_that_were_not_released_are_missing():
    missing = [name for name in ALL if load_model(name).weights is None]
    assert missing == ["seizure-omni-sft-7b", "seizure-omni-grpo-7b"]
    assert all("not been released" in load_model(name).note for name in missing)


@pytest.mark.parametrize("name", ALL)
def test_a_prompt_and_its_clip_fit_into_the_context(name):
    card = load_model(name)
    sampler = card.protocols["paper"]["samplers"]["sliding_windows"]
    frames = sampler.get("frames") or sampler["fps"] * sampler["window_s"]
    tile = 28 * 28 * 2
    pixels = 256 * tile if card.family == "internvl3.5" else sampler["max_pixels"]
    assert frames * pixels / tile + 4096 <= card.engines["vllm"]["max_model_len"]

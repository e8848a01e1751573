"""The model cards: all thirteen systems, with the settings that the authors' scripts had."""

from pathlib import Path

import pytest
import yaml

from s3harness.specs.models import load_model, model_names

PAPER = yaml.safe_load((Path(__file__).parent / "paper_settings.yaml").read_text(encoding="utf-8"))
ALL = list(PAPER)
SEEING = [name for name, settings in PAPER.items() if "frames" in settings]
STANDS_FOR = {"as stored": 1920 * 1080, "library": 602_112}
"""What the cards have where the scripts had no number: a Full HD frame, and the default of the library named there."""

OF_CHECKPOINT = {"qwen3-vl": {"temperature": 0.7, "top_p": 0.8}}
"""What the families' checkpoints say of sampling; that of the others is greedy, or next to it."""


def sampled(words):
    """Sampler options as the table has them: "60 frames", "2 fps", "2 fps up to 768"."""
    number, unit, *most = words.split()
    return {unit: int(number)} | ({"max_frames": int(most[-1])} if most else {})


def test_every_system_of_the_paper_has_a_card_that_is_valid():
    assert len(ALL) == 13 and set(ALL) <= set(model_names())
    for name in ALL:
        assert load_model(name).name == name


@pytest.mark.parametrize("name", SEEING)
def test_a_system_is_shown_what_the_paper_showed_it(name):
    told = PAPER[name]
    pixels = {"max_pixels": STANDS_FOR.get(told["pixels"], told["pixels"])}
    window_s, stride_s = told["windows"]
    whole = sampled(told["whole"])
    named = {"name": "whole_video"} if "fps" in whole else {}
    card = load_model(name)
    paper = card.protocols["paper"]
    assert paper["samplers"] == {
        "sliding_windows": {"window_s": window_s, "stride_s": stride_s, **sampled(told["frames"]), **pixels},
        "event_clip": {**sampled(told["frames"]), **pixels},
        "onset_window": {"window_s": 60, "placement": "centred", **sampled(told["boundaries"]), **pixels},
        "uniform_frames": {**named, **whole, **pixels},
    }
    assert paper["audio"] is told["sound"] is card.hears()
    of_checkpoint = OF_CHECKPOINT.get(card.family, {}) if told["decoding"] == "checkpoint" else {}
    assert paper["generation"] == {"temperature": 0, "max_tokens": 2048} | of_checkpoint
    assert card.prompt_placement == "media_first" or told.get("order") != "clip first"


def test_audio_flamingo_hears_the_whole_video_once():
    paper = load_model("audio-flamingo-3").protocols["paper"]
    assert paper["samplers"]["sliding_windows"]["name"] == "whole_video"
    assert paper["audio"] is True
    assert paper["generation"] == {"temperature": 0, "max_tokens": PAPER["audio-flamingo-3"]["answer"]}


def test_who_hears_and_who_sees():
    assert [name for name in ALL if load_model(name).hears()] == [n for n in ALL if PAPER[n]["sound"]]
    assert [name for name in ALL if "video" not in load_model(name).modalities] == ["audio-flamingo-3"]


def test_what_was_run_by_another_engine_is_said_in_the_card():
    assert [name for name in ALL if "LMDeploy" in load_model(name).note] == ["internvl3.5-8b", "internvl3.5-38b"]


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

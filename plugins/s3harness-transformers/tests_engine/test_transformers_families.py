"""Every family: sees frames at their times, hears, obeys a form, gives probabilities, takes LoRA, in mixed batches.

What the processor of a family cannot do is an expectation of its own.
"""

from __future__ import annotations

import json
import re

import pytest
import torch
from s3harness_transformers.loading import load_model
from s3harness_transformers.options import TransformersOptions
from s3harness_transformers.tiny import FAMILIES, OTHER_FAMILIES
from transformers_cases import short

import s3harness

# Of arrays inside of transformers 5.19, which numpy 2 wants to be told whether to copy.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{name}:DeprecationWarning")
    for name in ("__array__ implementation", "__array_wrap__ must accept")
]

ALL = (*FAMILIES, *OTHER_FAMILIES)
FRAMES = (0.0, 0.5, 2.0, 3.5)
"""Seconds of the frames in the clip, at uneven distances."""

IN_WORDS = {
    "qwen3-vl": (r"<([\d.]+) seconds>", ["0.2", "2.8"]),
    "qwen3.5": (r"<([\d.]+) seconds>", ["0.2", "2.8"]),
    "glm-4.6v": (r"\|>([\d.]+) seconds", ["0.0", "2.0"]),
    "gemma-3": (r"\[([\d.]+) s\]", ["0.0", "0.5", "2.0", "3.5"]),
    "gemma-4": (r"(\d\d:\d\d) <\|image>", ["00:00", "00:00", "00:02", "00:03"]),
    "smolvlm": (r"Frame from (\d\d:\d\d):", ["00:00", "00:00", "00:02", "00:03"]),
}
"""Times in the prompt. Of two frames that share a patch it is their mean (Qwen), or that of the first (GLM)."""

EVENLY = ("qwen2.5-vl", "qwen2.5-omni", "qwen3-omni")
"""Families whose processors take one rate for the whole clip: uneven times become even ones of the same span."""

NUMBERED = {
    "internvl3.5": (r"Frame(\d): ", ["1", "2", "3", "4"]),
    "minicpm-v-4.6": (r"<image_id>(\d)</image_id>", ["0"]),
}
"""Numbers in the prompt: of each frame (InternVL), and of the video (MiniCPM)."""

WITHOUT_TIMES, BLIND = "llava-onevision", ("audio-flamingo", "qwen3")
"""Families whose processors write nothing beside the frames, and that take no frames."""

HEARING = ("qwen2.5-omni", "qwen3-omni", "audio-flamingo", "gemma-4")
AUDIO_IN_VIDEO = {"qwen2.5-omni": ("<|VIDEO|>", "<|AUDIO|>"), "qwen3-omni": ("<|video_pad|>", "<|audio_pad|>")}
"""Families that interleave sound with video: their tokens of each."""

YES_NO = ("yes", "no")
SCHEMA = {"type": "object", "required": ["answer"], "properties": {"answer": {"enum": ["yes", "no"]}}}


@pytest.mark.parametrize("family", ALL)
def test_frames_are_shown_at_their_times(cases, family):
    encoder, processor = cases.encoder(family)
    encoded = encoder.encode(cases.request(frames=FRAMES, audio=family in BLIND))
    text = getattr(processor, "tokenizer", processor).decode(encoded.text["input_ids"][0])
    has_frames = {"pixel_values", "pixel_values_videos"} & encoded.media.keys()
    assert bool(has_frames) is (family not in BLIND)
    if family in IN_WORDS or family in NUMBERED:
        pattern, words = (IN_WORDS | NUMBERED)[family]
        assert re.findall(pattern, text) == words
    elif family in EVENLY:
        step_s = encoded.media.get("second_per_grid_ts", encoded.media.get("video_second_per_grid"))
        assert [float(one) for one in step_s] == pytest.approx([2 * FRAMES[-1] / 3], abs=1e-3)
    else:
        assert family in (WITHOUT_TIMES, *BLIND) and not re.search(r"\d", text.partition("Does")[0])


@pytest.mark.parametrize("family", ["qwen3-vl", "qwen3.5", "glm-4.6v", "qwen2.5-vl", "qwen2.5-omni", "qwen3-omni"])
def test_frames_keep_the_pixels_that_the_clip_has(cases, family):
    encoder, processor = cases.encoder(family)
    processor.video_processor._part.size = {"shortest_edge": 4096, "longest_edge": 8192}
    (grid,) = encoder.encode(cases.request(frames=FRAMES)).media["video_grid_thw"].tolist()
    pixels = grid[1] * grid[2] * processor.video_processor.patch_size**2
    assert 0.75 * 96 * 64 < pixels <= 2 * 96 * 64


@pytest.mark.parametrize("family", ALL)
def test_mixed_clips_in_a_batch_are_answered_as_alone_in_their_form_with_probabilities(cases, answers, family):
    hears = family in HEARING
    requests = [
        cases.request(id="clip", frames=FRAMES, audio=hears, choices=YES_NO),
        cases.request(id="other", frames=(1.0, 3.0), choices=YES_NO),
        cases.request(id="same", frames=(1.0, 3.0), choices=YES_NO, prompt="Is the patient still for all of it?"),
        cases.request(id="text", choices=YES_NO),
        cases.request(id="sound", audio=True, choices=YES_NO),
        short(cases.request(id="schema", frames=FRAMES, audio=hears), 40, answer_schema=SCHEMA),
    ]
    together = answers(cases.backend(family, batch_size=8), requests)
    alone = answers(cases.backend(family, batch_size=1), requests)
    for one, other in zip(together, alone, strict=True):
        assert not isinstance(one, Exception), one
        assert one.choice_probabilities.keys() == set(YES_NO)
        assert one.choice_probabilities == pytest.approx(other.choice_probabilities, abs=1e-4)
    clip, other, _, text, sound, schema = together
    assert {answer.text for answer in (clip, other, text, sound)} <= set(YES_NO)
    assert json.loads(schema.text)["answer"] in YES_NO
    # The same question: whatever differs comes from what is seen and heard.
    assert moved(other, text) is (family not in BLIND)
    assert moved(sound, text) is hears
    assert moved(clip, text) is (family != "qwen3")


@pytest.mark.parametrize("family", ALL)
def test_an_adapter_changes_the_probabilities(cases, answers, family, tmp_path):
    from peft import LoraConfig, get_peft_model

    model = load_model(cases.card(family), TransformersOptions(), lambda phase: None).model
    torch.manual_seed(1)
    # Of the language model alone: towers have layers of these names, too.
    target = r"^(?!.*(vision|visual|audio)).*\.[qv]_proj$"
    get_peft_model(model, LoraConfig(r=4, target_modules=target, init_lora_weights=False)).save_pretrained(tmp_path)
    request = cases.request(frames=FRAMES, audio=family in HEARING, choices=YES_NO)
    (plain,) = answers(cases.backend(family), [request])
    (adapted,) = answers(cases.backend(family, adapter=str(tmp_path)), [request])
    assert moved(plain, adapted)


@pytest.mark.parametrize("family", HEARING)
def test_sound_is_interleaved_with_video_where_the_card_has_it(cases, family):
    if family not in AUDIO_IN_VIDEO:
        with pytest.raises(s3harness.UsageError, match="no sound in its video"):
            cases.encoder(family, audio_in_video=True)
        return
    encoder, processor = cases.encoder(family, audio_in_video=True)
    encoded = encoder.encode(cases.request(frames=FRAMES, audio=True))
    apart = cases.encoder(family)[0].encode(cases.request(frames=FRAMES, audio=True))
    video, audio = map(processor.tokenizer.convert_tokens_to_ids, AUDIO_IN_VIDEO[family])
    of_media = [token for token in encoded.text["input_ids"][0].tolist() if token in (video, audio)]
    assert of_media != sorted(of_media, key=(video, audio).index)
    assert sorted(of_media) == sorted(t for t in apart.text["input_ids"][0].tolist() if t in (video, audio))
    assert encoded.media.keys() - {"use_audio_in_video"} == apart.media.keys()


def test_a_model_is_not_asked_blindly(cases):
    with pytest.raises(s3harness.UsageError, match="takes no video and no images"):
        cases.encoder("qwen3", modalities=("video",))
    with pytest.raises(s3harness.UsageError, match="takes no sound"):
        cases.encoder("qwen3-vl", modalities=("video", "audio"))


def test_a_model_of_images_says_so_in_the_manifest(cases, answers):
    backend, notes = cases.backend("gemma-3"), []
    backend.add_note = notes.append
    answers(backend, [])
    assert backend.facts()["clips"] == "images" and any("takes no video" in note for note in notes)


def test_text_follows_a_long_video_in_time(cases):
    loaded = load_model(cases.card("qwen2.5-vl"), TransformersOptions(), lambda phase: None)
    encoded = cases.encoder("qwen2.5-vl")[0].encode(cases.request(frames=tuple(i / 4 for i in range(16))))
    kinds = encoded.text["mm_token_type_ids"]
    (end,) = [place for place in range(1, kinds.shape[1]) if kinds[0, place - 1] == 2 != kinds[0, place]]
    of_video = encoded.media["video_grid_thw"], encoded.media["second_per_grid_ts"]
    positions, delta = loaded.base_model.model.get_rope_index(
        encoded.text["input_ids"], kinds, None, *of_video, attention_mask=encoded.text["attention_mask"]
    )
    assert positions[:, 0, end].tolist() == [int(positions[:, 0, :end].max()) + 1] * 3
    assert int(delta) == int(positions.max()) + 1 - encoded.length


def moved(one, other):
    """True if two answers to one question have other probabilities."""
    return abs(one.choice_probabilities["yes"] - other.choice_probabilities["yes"]) > 1e-5

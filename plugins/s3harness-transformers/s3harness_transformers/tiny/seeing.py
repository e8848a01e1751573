"""Tiny models of the families that see."""

from __future__ import annotations

from typing import Any

from s3harness_transformers.tiny.parts import HIDDEN, TEXT, VISION, Tiny, token_ids
from s3harness_transformers.tiny.words import CHAT, PAD, chat_template, tokenizer

_QWEN_VISION = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")
_HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}


def qwen2_5_vl() -> Tiny:
    """Qwen2.5-VL: patches of 14 × 14 × 2 frames, windowed attention, seconds per grid step in the positions."""
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    words = _qwen_words(system="You are a helpful assistant.")
    rope = {"rope_type": "default", "mrope_section": [4, 6, 6], "rope_theta": 1e6}
    vision = VISION | {"depth": 2, "num_heads": 4, "out_hidden_size": HIDDEN, "patch_size": 14}
    vision |= {"window_size": 112, "fullatt_block_indexes": [1], "tokens_per_second": 2}
    config = Qwen2_5_VLConfig(
        text_config=TEXT | token_ids(words) | {"rope_parameters": rope, "tie_word_embeddings": False},
        vision_config=vision,
        tie_word_embeddings=False,
        **_qwen_ids(words),
    )
    size = {"shortest_edge": 56 * 56, "longest_edge": 12_845_056}
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size),
        tokenizer=words,
        video_processor=Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False),
        chat_template=words.chat_template,
    )
    return Tiny(Qwen2_5_VLForConditionalGeneration(config), processor)


def qwen3_vl() -> Tiny:
    """Qwen3-VL: patches of 16 × 16 × 2 frames, each pair of frames after its time in words."""
    from transformers import (
        Qwen2VLImageProcessor,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
        Qwen3VLProcessor,
        Qwen3VLVideoProcessor,
    )

    words = _qwen_words()
    rope = {"rope_type": "default", "mrope_section": [6, 5, 5], "mrope_interleaved": True, "rope_theta": 5e6}
    vision = VISION | {"depth": 2, "num_heads": 4, "out_hidden_size": HIDDEN, "patch_size": 16}
    vision |= {"num_position_embeddings": 64, "deepstack_visual_indexes": [0]}
    text = TEXT | token_ids(words) | {"rope_parameters": rope, "head_dim": 32, "tie_word_embeddings": False}
    config = Qwen3VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=False, **_qwen_ids(words))
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(
            patch_size=16, size={"shortest_edge": 65_536, "longest_edge": 16_777_216}, **_HALF
        ),
        tokenizer=words,
        video_processor=Qwen3VLVideoProcessor(
            size={"shortest_edge": 4096, "longest_edge": 25_165_824}, cap_pixels_per_frame=False, **_HALF
        ),
        chat_template=words.chat_template,
    )
    return Tiny(Qwen3VLForConditionalGeneration(config), processor)


def internvl() -> Tiny:
    """InternVL3.5: every frame one tile, here of 56 × 56 pixels and 4 tokens, after its number in words."""
    from transformers import (
        GotOcr2ImageProcessor,
        InternVLConfig,
        InternVLForConditionalGeneration,
        InternVLProcessor,
        InternVLVideoProcessor,
        Qwen3Config,
    )

    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    words = tokenizer((PAD, *CHAT, *named.values()), chat_template(image="<IMG_CONTEXT>\n", video="<video>\n"), named)
    config = InternVLConfig(
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        downsample_ratio=0.5,
        text_config=Qwen3Config(**TEXT, **token_ids(words), head_dim=32, tie_word_embeddings=False).to_dict(),
        vision_config=VISION
        | {"num_hidden_layers": 2, "num_attention_heads": 4, "image_size": [56, 56], "patch_size": [14, 14]},
        tie_word_embeddings=False,
    )
    size = {"height": 56, "width": 56}
    processor = InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(size=size, crop_to_patches=False),
        tokenizer=words,
        video_processor=InternVLVideoProcessor(size=size),
        image_seq_length=4,
        chat_template=words.chat_template,
    )
    return Tiny(InternVLForConditionalGeneration(config), processor)


def _qwen_words(system: str = "") -> Any:
    template = chat_template(
        image="<|vision_start|><|image_pad|><|vision_end|>",
        video="<|vision_start|><|video_pad|><|vision_end|>",
        system=system,
    )
    return tokenizer((PAD, *CHAT, *_QWEN_VISION), template)


def _qwen_ids(words: Any) -> dict[str, int]:
    names = {"image": "image_pad", "video": "video_pad", "vision_start": "vision_start", "vision_end": "vision_end"}
    return {f"{key}_token_id": words.convert_tokens_to_ids(f"<|{name}|>") for key, name in names.items()}

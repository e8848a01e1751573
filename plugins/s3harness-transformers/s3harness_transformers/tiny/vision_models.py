"""Tiny models of the families with vision and without audio."""

from __future__ import annotations

from typing import Any

from s3harness_transformers.tiny.checkpoint import HIDDEN_SIZE, TEXT_CONFIG, VISION_CONFIG, TinyCheckpoint, token_ids
from s3harness_transformers.tiny.tokenizer import CHAT, PAD, build_tokenizer, chat_template

_QWEN_VISION = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")
HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}


def qwen2_5_vl() -> TinyCheckpoint:
    """Qwen2.5-VL (Qwen/Qwen2.5-VL-7B-Instruct): patches of 14 × 14 × 2 frames, windows, seconds in the positions."""
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    tokenizer = qwen_tokenizer(system="You are a helpful assistant.")
    rope = {"rope_type": "default", "mrope_section": [4, 6, 6], "rope_theta": 1e6}
    vision = VISION_CONFIG | {"depth": 2, "num_heads": 4, "out_hidden_size": HIDDEN_SIZE, "patch_size": 14}
    vision |= {"window_size": 112, "fullatt_block_indexes": [1], "tokens_per_second": 2}
    config = Qwen2_5_VLConfig(
        text_config=TEXT_CONFIG | token_ids(tokenizer) | {"rope_parameters": rope, "tie_word_embeddings": False},
        vision_config=vision,
        tie_word_embeddings=False,
        **qwen_ids(tokenizer),
    )
    size = {"shortest_edge": 56 * 56, "longest_edge": 12_845_056}
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False),
        chat_template=tokenizer.chat_template,
    )
    return TinyCheckpoint(Qwen2_5_VLForConditionalGeneration(config), processor)


def qwen3_vl() -> TinyCheckpoint:
    """Qwen3-VL (Qwen/Qwen3-VL-8B-Instruct): patches of 16 × 16 × 2 frames, each pair after its time in words."""
    from transformers import (
        Qwen2VLImageProcessor,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
        Qwen3VLProcessor,
        Qwen3VLVideoProcessor,
    )

    tokenizer = qwen_tokenizer()
    rope = {"rope_type": "default", "mrope_section": [6, 5, 5], "mrope_interleaved": True, "rope_theta": 5e6}
    vision = VISION_CONFIG | {"depth": 2, "num_heads": 4, "out_hidden_size": HIDDEN_SIZE, "patch_size": 16}
    vision |= {"num_position_embeddings": 2304, "deepstack_visual_indexes": [0]}
    text = TEXT_CONFIG | token_ids(tokenizer) | {"rope_parameters": rope, "head_dim": 32, "tie_word_embeddings": False}
    config = Qwen3VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=False, **qwen_ids(tokenizer))
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(
            patch_size=16, size={"shortest_edge": 65_536, "longest_edge": 16_777_216}, **HALF
        ),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(
            size={"shortest_edge": 4096, "longest_edge": 25_165_824}, cap_pixels_per_frame=False, **HALF
        ),
        chat_template=tokenizer.chat_template,
    )
    return TinyCheckpoint(Qwen3VLForConditionalGeneration(config), processor)


def internvl() -> TinyCheckpoint:
    """InternVL3.5 (OpenGVLab/InternVL3_5-8B-HF): every frame one tile after its number in words.

    A tile has 56 × 56 pixels and 4 tokens here, for 60 frames of 256 tokens take a CPU too long.
    """
    from transformers import (
        GotOcr2ImageProcessor,
        InternVLConfig,
        InternVLForConditionalGeneration,
        InternVLProcessor,
        InternVLVideoProcessor,
        Qwen3Config,
    )

    attributes = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = build_tokenizer(
        (PAD, *CHAT, *attributes.values()), chat_template(image="<IMG_CONTEXT>\n", video="<video>\n"), attributes
    )
    config = InternVLConfig(
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        downsample_ratio=0.5,
        text_config=Qwen3Config(
            **TEXT_CONFIG, **token_ids(tokenizer), head_dim=32, tie_word_embeddings=False
        ).to_dict(),
        vision_config=VISION_CONFIG
        | {"num_hidden_layers": 2, "num_attention_heads": 4, "image_size": [56, 56], "patch_size": [14, 14]},
        tie_word_embeddings=False,
    )
    size = {"height": 56, "width": 56}
    processor = InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(size=size, crop_to_patches=False),
        tokenizer=tokenizer,
        video_processor=InternVLVideoProcessor(size=size),
        image_seq_length=4,
        chat_template=tokenizer.chat_template,
    )
    return TinyCheckpoint(InternVLForConditionalGeneration(config), processor)


def qwen_tokenizer(system: str = "") -> Any:
    """Return a tokenizer with the special tokens of Qwen's models of vision, which writes ``system`` by default."""
    template = chat_template(
        image="<|vision_start|><|image_pad|><|vision_end|>",
        video="<|vision_start|><|video_pad|><|vision_end|>",
        system=system,
    )
    return build_tokenizer((PAD, *CHAT, *_QWEN_VISION), template)


def qwen_ids(tokenizer: Any) -> dict[str, int]:
    """Return the ids that a configuration of Qwen's models of vision names."""
    names = {"image": "image_pad", "video": "video_pad", "vision_start": "vision_start", "vision_end": "vision_end"}
    return {f"{key}_token_id": tokenizer.convert_tokens_to_ids(f"<|{name}|>") for key, name in names.items()}

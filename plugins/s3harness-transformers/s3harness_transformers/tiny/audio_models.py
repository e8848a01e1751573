"""Tiny models of the families with audio."""

from __future__ import annotations

from typing import Any

from s3harness_transformers.tiny.checkpoint import HIDDEN_SIZE, TEXT_CONFIG, VISION_CONFIG, TinyCheckpoint, token_ids
from s3harness_transformers.tiny.tokenizer import CHAT, PAD, build_tokenizer, chat_template

_AUDIO: dict[str, Any] = {
    "d_model": 64,
    "encoder_layers": 2,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 128,
    "output_dim": HIDDEN_SIZE,
    "num_mel_bins": 128,
    "initializer_range": 0.03,
}
# Said at each level: vLLM takes the text's word for tied weights, and transformers the thinker's.
_THINKER: dict[str, Any] = {"tie_word_embeddings": False, "initializer_range": TEXT_CONFIG["initializer_range"]}
_ATTRIBUTES = ("image", "audio", "video", "vision_bos", "vision_eos", "audio_bos", "audio_eos")
_SIZE = {"shortest_edge": 56 * 56, "longest_edge": 12_845_056}


def qwen2_5_omni() -> TinyCheckpoint:
    """Qwen2.5-Omni (Qwen/Qwen2.5-Omni-7B): video as in Qwen2.5-VL, 25 tokens of sound a second.

    It is saved as a whole model without its talker.
    """
    from transformers import (
        Qwen2_5OmniConfig,
        Qwen2_5OmniProcessor,
        Qwen2_5OmniThinkerConfig,
        Qwen2_5OmniThinkerForConditionalGeneration,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    marks = (
        "<|IMAGE|>",
        "<|AUDIO|>",
        "<|VIDEO|>",
        "<|vision_bos|>",
        "<|vision_eos|>",
        "<|audio_bos|>",
        "<|audio_eos|>",
    )
    tokenizer = _omni_tokenizer(marks, system="You are a helpful assistant.")
    rope = {"rope_type": "default", "mrope_section": [4, 6, 6], "rope_theta": 1e6}
    config = Qwen2_5OmniThinkerConfig(
        audio_config=_AUDIO | {"n_window": 100},
        vision_config=VISION_CONFIG
        | {"depth": 2, "num_heads": 4, "out_hidden_size": HIDDEN_SIZE, "patch_size": 14}
        | {"window_size": 112, "fullatt_block_indexes": [1]},
        text_config=TEXT_CONFIG | token_ids(tokenizer) | {"rope_parameters": rope, "tie_word_embeddings": False},
        **_THINKER,
        position_id_per_seconds=25,
        seconds_per_chunk=2,
        pad_token_id=tokenizer.pad_token_id,
        **{
            f"{name}_token_index": tokenizer.convert_tokens_to_ids(mark)
            for name, mark in zip(_ATTRIBUTES[:3], marks[:3], strict=True)
        },
        audio_start_token_id=tokenizer.convert_tokens_to_ids("<|audio_bos|>"),
        audio_end_token_id=tokenizer.convert_tokens_to_ids("<|audio_eos|>"),
        vision_start_token_id=tokenizer.convert_tokens_to_ids("<|vision_bos|>"),
        vision_end_token_id=tokenizer.convert_tokens_to_ids("<|vision_eos|>"),
    )
    processor = Qwen2_5OmniProcessor(
        image_processor=Qwen2VLImageProcessor(size=_SIZE),
        video_processor=Qwen2VLVideoProcessor(size=_SIZE, cap_pixels_per_frame=False),
        feature_extractor=_feature_extractor(chunk_length=300),
        tokenizer=tokenizer,
        chat_template=tokenizer.chat_template,
    )
    whole = Qwen2_5OmniConfig(thinker_config=config.to_dict(), enable_audio_output=False)
    # A configuration that is saved without its model names no architecture.
    whole.architectures = ["Qwen2_5OmniForConditionalGeneration"]
    return TinyCheckpoint(Qwen2_5OmniThinkerForConditionalGeneration(config), processor, whole, {"": "thinker."})


def qwen3_omni() -> TinyCheckpoint:
    """Qwen3-Omni (Qwen/Qwen3-Omni-30B-A3B-Instruct): patches of 16, two of four experts."""
    from transformers import (
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
        Qwen3OmniMoeConfig,
        Qwen3OmniMoeProcessor,
        Qwen3OmniMoeThinkerConfig,
        Qwen3OmniMoeThinkerForConditionalGeneration,
    )

    marks = tuple(f"<|{name}|>" for name in ("image_pad", "audio_pad", "video_pad", "vision_start", "vision_end"))
    marks += ("<|audio_start|>", "<|audio_end|>")
    tokenizer = _omni_tokenizer(marks)
    rope = {"rope_type": "default", "mrope_section": [6, 5, 5], "mrope_interleaved": True, "rope_theta": 1e6}
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64, "decoder_sparse_step": 1}
    config = Qwen3OmniMoeThinkerConfig(
        audio_config=_AUDIO | {"n_window": 50, "n_window_infer": 800, "downsample_hidden_size": 32},
        vision_config=VISION_CONFIG
        | {"depth": 2, "num_heads": 4, "out_hidden_size": HIDDEN_SIZE, "patch_size": 16}
        | {"num_position_embeddings": 2304, "deepstack_visual_indexes": [0], "tokens_per_second": 2}
        # Released configurations have these two, which transformers does not know and vLLM reads.
        | {"image_size": 768, "apply_vit_abs_pos_embed": True},
        text_config=TEXT_CONFIG
        | token_ids(tokenizer)
        | experts
        | {"rope_parameters": rope, "head_dim": 32, "tie_word_embeddings": False},
        **_THINKER,
        position_id_per_seconds=13,
        audio_start_token_id=tokenizer.convert_tokens_to_ids("<|audio_start|>"),
        user_token_id=tokenizer("user").input_ids[0],
        vision_start_token_id=tokenizer.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=tokenizer.convert_tokens_to_ids("<|vision_end|>"),
        audio_end_token_id=tokenizer.convert_tokens_to_ids("<|audio_end|>"),
        **{
            f"{name}_token_id": tokenizer.convert_tokens_to_ids(mark)
            for name, mark in zip(_ATTRIBUTES[:3], marks[:3], strict=True)
        },
    )
    half = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    processor = Qwen3OmniMoeProcessor(
        image_processor=Qwen2VLImageProcessor(patch_size=16, size=_SIZE, **half),
        video_processor=Qwen2VLVideoProcessor(patch_size=16, size=_SIZE, cap_pixels_per_frame=False, **half),
        feature_extractor=_feature_extractor(chunk_length=300),
        tokenizer=tokenizer,
        chat_template=tokenizer.chat_template,
    )
    whole = Qwen3OmniMoeConfig(thinker_config=config.to_dict(), enable_audio_output=False)
    whole.architectures = ["Qwen3OmniMoeForConditionalGeneration"]
    return TinyCheckpoint(Qwen3OmniMoeThinkerForConditionalGeneration(config), processor, whole, {"": "thinker."})


def audio_flamingo_3() -> TinyCheckpoint:
    """Audio Flamingo 3 (nvidia/audio-flamingo-3-hf): sound alone, in windows of 30 s, 25 tokens a second."""
    from transformers import (
        AudioFlamingo3Config,
        AudioFlamingo3ForConditionalGeneration,
        AudioFlamingo3Processor,
        Qwen2Config,
    )

    template = chat_template(audio="<sound>", system="You are a helpful assistant.")
    tokenizer = build_tokenizer((PAD, *CHAT, "<sound>"), template)
    audio = {
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "num_mel_bins": 128,
        "initializer_range": 0.03,
    }
    config = AudioFlamingo3Config(
        audio_config=audio,
        text_config=Qwen2Config(**TEXT_CONFIG, **token_ids(tokenizer), tie_word_embeddings=False).to_dict(),
        audio_token_id=tokenizer.convert_tokens_to_ids("<sound>"),
    )
    processor = AudioFlamingo3Processor(
        feature_extractor=_feature_extractor(chunk_length=30), tokenizer=tokenizer, chat_template=template
    )
    # transformers 5.19 writes one "model." too many, which vLLM refuses.
    renamed = {"language_model.model.model.": "language_model.model."}
    return TinyCheckpoint(AudioFlamingo3ForConditionalGeneration(config), processor, renamed=renamed)


def _feature_extractor(chunk_length: int) -> Any:
    from transformers import WhisperFeatureExtractor

    return WhisperFeatureExtractor(feature_size=128, chunk_length=chunk_length, return_attention_mask=True)


def _omni_tokenizer(marks: tuple[str, ...], system: str = "") -> Any:
    """A tokenizer whose special tokens for image, audio and video, and around them, are ``marks``."""
    image, audio, video, vision_start, vision_end, audio_start, audio_end = marks
    template = chat_template(
        image=f"{vision_start}{image}{vision_end}",
        video=f"{vision_start}{video}{vision_end}",
        audio=f"{audio_start}{audio}{audio_end}",
        system=system,
    )
    attributes = {f"{name}_token": mark for name, mark in zip(_ATTRIBUTES, marks, strict=True)}
    return build_tokenizer((PAD, *CHAT, *marks), template, attributes)

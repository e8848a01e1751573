"""Tiny models of newer families of vision and language, and of text alone."""

from __future__ import annotations

from typing import Any

from s3harness_transformers.tiny.checkpoint import HIDDEN_SIZE, TEXT_CONFIG, VISION_CONFIG, TinyCheckpoint, token_ids
from s3harness_transformers.tiny.tokenizer import CHAT, PAD, build_tokenizer, chat_template
from s3harness_transformers.tiny.vision_models import HALF, qwen_ids, qwen_tokenizer

_SIGLIP: dict[str, Any] = VISION_CONFIG | {"num_hidden_layers": 2, "num_attention_heads": 4, "patch_size": 14}
# transformers 5 has the parts of SigLIP without this name, which released checkpoints have.
_SIGLIP_NAMES = {"vision_tower.": "vision_tower.vision_model."}


def qwen3_text() -> TinyCheckpoint:
    """Qwen3 (Qwen/Qwen3-8B): text alone; a tokenizer and no processor."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = build_tokenizer((PAD, *CHAT), chat_template())
    config = Qwen3Config(**TEXT_CONFIG, **token_ids(tokenizer), head_dim=32, tie_word_embeddings=False)
    return TinyCheckpoint(Qwen3ForCausalLM(config), tokenizer)


def qwen3_5() -> TinyCheckpoint:
    """Qwen3.5 (Qwen/Qwen3.5-9B): vision as in Qwen3-VL, three layers of linear attention before each full one."""
    from transformers import (
        Qwen2VLImageProcessor,
        Qwen3_5Config,
        Qwen3_5ForConditionalGeneration,
        Qwen3VLProcessor,
        Qwen3VLVideoProcessor,
    )

    tokenizer = qwen_tokenizer()
    text = _qwen3_5_text() | token_ids(tokenizer)
    vision = VISION_CONFIG | {"depth": 2, "num_heads": 4, "out_hidden_size": HIDDEN_SIZE, "patch_size": 16}
    config = Qwen3_5Config(
        text_config=text | {"tie_word_embeddings": False},
        vision_config=vision | {"num_position_embeddings": 2304},
        tie_word_embeddings=False,
        **qwen_ids(tokenizer),
    )
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(
            patch_size=16, size={"shortest_edge": 65_536, "longest_edge": 16_777_216}, **HALF
        ),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(size={"shortest_edge": 4096, "longest_edge": 25_165_824}, **HALF),
        chat_template=tokenizer.chat_template,
    )
    return TinyCheckpoint(Qwen3_5ForConditionalGeneration(config), processor)


def _qwen3_5_text() -> dict[str, Any]:
    """The configuration of a language model of Qwen3.5, without the ids of its tokens."""
    rope = {"rope_type": "default", "mrope_section": [3, 3, 2], "mrope_interleaved": True, "rope_theta": 1e7}
    rope |= {"partial_rotary_factor": 0.25}
    # Heads of 128 as in the released models, which vLLM's linear attention on a CPU needs.
    linear = {"linear_key_head_dim": 128, "linear_value_head_dim": 128, "linear_num_key_heads": 1}
    linear |= {"linear_num_value_heads": 2, "num_hidden_layers": 4}
    return TEXT_CONFIG | linear | {"rope_parameters": rope, "head_dim": 64}


def minicpm_v_4_6() -> TinyCheckpoint:
    """MiniCPM-V 4.6 (openbmb/MiniCPM-V-4.6): frames in up to 9 slices of 448 pixels a side, without times."""
    from transformers import (
        MiniCPMV4_6Config,
        MiniCPMV4_6ForConditionalGeneration,
        MiniCPMV4_6ImageProcessor,
        MiniCPMV4_6Processor,
        MiniCPMV4_6VideoProcessor,
    )

    attributes = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
    for name in ("image", "slice", "image_id"):
        attributes |= {f"{name}_start_token": f"<{name}>", f"{name}_end_token": f"</{name}>"}
    template = chat_template(image="<|image_pad|>", video="<|video_pad|>")
    tokenizer = build_tokenizer((PAD, *CHAT, *attributes.values()), template, attributes)
    text = _qwen3_5_text() | token_ids(tokenizer) | {"model_type": "qwen3_5_text", "tie_word_embeddings": False}
    config = MiniCPMV4_6Config(
        text_config=text,
        vision_config=VISION_CONFIG
        | {"num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 980, "patch_size": 14},
        insert_layer_id=0,
        image_token_id=tokenizer.convert_tokens_to_ids(attributes["image_token"]),
        video_token_id=tokenizer.convert_tokens_to_ids(attributes["video_token"]),
    )
    processor = MiniCPMV4_6Processor(
        image_processor=MiniCPMV4_6ImageProcessor(**HALF),
        video_processor=MiniCPMV4_6VideoProcessor(**HALF),
        tokenizer=tokenizer,
        chat_template=template,
    )
    return TinyCheckpoint(MiniCPMV4_6ForConditionalGeneration(config), processor)


def glm_4_6v() -> TinyCheckpoint:
    """GLM-4.6V (zai-org/GLM-4.6V-Flash): patches of 14 × 14 × 2 frames, each pair before its time in words."""
    from transformers import (
        Glm4vConfig,
        Glm4vForConditionalGeneration,
        Glm46VImageProcessor,
        Glm46VProcessor,
        Glm46VVideoProcessor,
    )

    marks = tuple(
        f"<|{name}|>" for name in ("begin_of_image", "end_of_image", "begin_of_video", "end_of_video", "image", "video")
    )
    template = chat_template(
        image="<|begin_of_image|><|image|><|end_of_image|>", video="<|begin_of_video|><|video|><|end_of_video|>"
    )
    tokenizer = build_tokenizer((PAD, *CHAT, *marks), template)
    names = ("image_start", "image_end", "video_start", "video_end", "image", "video")
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "partial_rotary_factor": 0.5, "rope_theta": 5e5}
    # The released weights have the architecture of GLM-4.1V, with a processor of their own.
    config = Glm4vConfig(
        text_config=TEXT_CONFIG | token_ids(tokenizer) | {"model_type": "glm4v_text", "rope_parameters": rope},
        vision_config=VISION_CONFIG
        | {"model_type": "glm4v_vision", "depth": 2, "num_heads": 4, "out_hidden_size": HIDDEN_SIZE, "patch_size": 14},
        **{f"{name}_token_id": tokenizer.convert_tokens_to_ids(mark) for name, mark in zip(names, marks, strict=True)},
    )
    processor = Glm46VProcessor(
        image_processor=Glm46VImageProcessor(size={"shortest_edge": 12_544, "longest_edge": 9_633_792}),
        tokenizer=tokenizer,
        video_processor=Glm46VVideoProcessor(size={"shortest_edge": 12_544, "longest_edge": 100_352_000}),
        chat_template=template,
    )
    return TinyCheckpoint(Glm4vForConditionalGeneration(config), processor)


def gemma_3() -> TinyCheckpoint:
    """Gemma 3 (google/gemma-3-4b-it): images alone, each of 896 × 896 pixels and 256 tokens; one layer is local."""
    import torch
    from transformers import (
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        Gemma3ImageProcessor,
        Gemma3Processor,
        Gemma3TextConfig,
    )

    attributes = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    template = chat_template(image="<start_of_image>")
    # Its vocabulary has a token for each number of line breaks, which vLLM puts together around pictures.
    breaks = ["\n" * number for number in range(1, 5)]
    tokenizer = build_tokenizer((PAD, *CHAT, *attributes.values(), *breaks), template, attributes)
    text = TEXT_CONFIG | token_ids(tokenizer) | {"head_dim": 32, "sliding_window": 1024, "query_pre_attn_scalar": 32}
    config = Gemma3Config(
        text_config=Gemma3TextConfig(**text, layer_types=["sliding_attention", "full_attention"]).to_dict(),
        vision_config=_SIGLIP | {"model_type": "siglip_vision_model", "image_size": 896, "vision_use_head": False},
        mm_tokens_per_image=256,
        **{f"{name}_index": tokenizer.convert_tokens_to_ids(mark) for name, mark in attributes.items()},
    )
    processor = Gemma3Processor(
        image_processor=Gemma3ImageProcessor(size={"height": 896, "width": 896}, **HALF),
        tokenizer=tokenizer,
        chat_template=template,
    )
    model = Gemma3ForConditionalGeneration(config)
    # transformers 5.19 begins with zeros here, which would make pictures of any content the same.
    torch.nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight, std=0.1)
    return TinyCheckpoint(model, processor, renamed=_SIGLIP_NAMES)


def gemma_4() -> TinyCheckpoint:
    """Gemma 4 (google/gemma-4-E4B-it, without its embeddings by layer): frames after their times, and sound."""
    from transformers import (
        Gemma4AudioConfig,
        Gemma4AudioFeatureExtractor,
        Gemma4Config,
        Gemma4ForConditionalGeneration,
        Gemma4ImageProcessor,
        Gemma4Processor,
        Gemma4TextConfig,
        Gemma4VideoProcessor,
        Gemma4VisionConfig,
    )

    attributes = {"boi_token": "<|image>", "eoi_token": "<image|>", "image_token": "<|image|>"}
    attributes |= {"boa_token": "<|audio>", "eoa_token": "<audio|>", "audio_token": "<|audio|>"}
    template = chat_template(image="<|image|>", video="<|video|>", audio="<|audio|>")
    tokenizer = build_tokenizer((PAD, *CHAT, *attributes.values(), "<|video|>"), template, attributes)
    text = TEXT_CONFIG | token_ids(tokenizer) | {"head_dim": 32, "sliding_window": 512}
    text |= {"hidden_size_per_layer_input": 0, "layer_types": ["sliding_attention", "full_attention"]}
    vision = VISION_CONFIG | {"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4}
    # Released configurations have the last, which transformers does not know and vLLM reads.
    vision |= {"head_dim": 16, "position_embedding_size": 1024, "default_output_length": 280}
    audio = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "output_proj_dims": 64}
    ids = {name: tokenizer.convert_tokens_to_ids(mark) for name, mark in attributes.items()}
    config = Gemma4Config(
        text_config=Gemma4TextConfig(**text).to_dict(),
        vision_config=Gemma4VisionConfig(**vision).to_dict(),
        audio_config=Gemma4AudioConfig(**audio).to_dict(),
        video_token_id=tokenizer.convert_tokens_to_ids("<|video|>"),
        eoa_token_index=ids.pop("eoa_token"),
        **{f"{name}_id": number for name, number in ids.items()},
    )
    processor = Gemma4Processor(
        feature_extractor=Gemma4AudioFeatureExtractor(),
        image_processor=Gemma4ImageProcessor(),
        tokenizer=tokenizer,
        video_processor=Gemma4VideoProcessor(),
        chat_template=template,
    )
    return TinyCheckpoint(Gemma4ForConditionalGeneration(config), processor)


def smolvlm() -> TinyCheckpoint:
    """SmolVLM2 (HuggingFaceTB/SmolVLM2-500M-Video-Instruct): frames of 512 × 512 pixels after their times."""
    from transformers import (
        LlamaConfig,
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    marks = ("<fake_token_around_image>", "<image>", "<global-img>", "<video>", "<end_of_utterance>")
    template = chat_template(image="<image>", video="<video>")
    tokenizer = build_tokenizer((PAD, *CHAT, *marks), template)
    config = SmolVLMConfig(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        text_config=LlamaConfig(
            **TEXT_CONFIG, **token_ids(tokenizer), head_dim=32, tie_word_embeddings=False
        ).to_dict(),
        vision_config=VISION_CONFIG
        | {"num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 512, "patch_size": 16},
        scale_factor=4,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    size = {"longest_edge": 512}
    processor = SmolVLMProcessor(
        image_processor=SmolVLMImageProcessor(size={"longest_edge": 2048}, max_image_size=size, **HALF),
        tokenizer=tokenizer,
        video_processor=SmolVLMVideoProcessor(size=size, max_image_size=size, **HALF),
        image_seq_len=64,
        chat_template=template,
    )
    return TinyCheckpoint(SmolVLMForConditionalGeneration(config), processor)


def llava_onevision() -> TinyCheckpoint:
    """LLaVA-OneVision (llava-hf/llava-onevision-qwen2-7b-ov-hf): frames of 384 × 384 pixels, without times."""
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionForConditionalGeneration,
        LlavaOnevisionImageProcessor,
        LlavaOnevisionProcessor,
        LlavaOnevisionVideoProcessor,
        Qwen2Config,
    )

    template = chat_template(image="<image>\n", video="<video>\n")
    tokenizer = build_tokenizer((PAD, *CHAT, "<image>", "<video>"), template)
    pinpoints = [[384 * rows, 384 * columns] for rows in range(1, 7) for columns in range(1, 7)]
    config = LlavaOnevisionConfig(
        text_config=Qwen2Config(**TEXT_CONFIG, **token_ids(tokenizer), tie_word_embeddings=False).to_dict(),
        vision_config=_SIGLIP | {"model_type": "siglip_vision_model", "image_size": 384, "vision_use_head": False},
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=pinpoints,
        tie_word_embeddings=False,
    )
    size = {"height": 384, "width": 384}
    processor = LlavaOnevisionProcessor(
        image_processor=LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=pinpoints, **HALF),
        tokenizer=tokenizer,
        video_processor=LlavaOnevisionVideoProcessor(size=size, **HALF),
        num_image_tokens=729,
        vision_feature_select_strategy="full",
        chat_template=template,
    )
    return TinyCheckpoint(LlavaOnevisionForConditionalGeneration(config), processor, renamed=_SIGLIP_NAMES)

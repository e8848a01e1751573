"""The configuration files of released models, as far as a card is derived from them; sources: docs/model-facts.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

VL_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% if message['content'] is string %}"
    "{{ message['content'] }}{% else %}{% for content in message['content'] %}"
    "{% if content['type'] == 'image' or 'image' in content %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif content['type'] == 'video' or 'video' in content %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
THINKING_TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"
    "{%- endif %}"
)
QWEN2_IMAGES = {
    "image_processor_type": "Qwen2VLImageProcessor",
    "min_pixels": 3136,
    "max_pixels": 12845056,
    "patch_size": 14,
    "temporal_patch_size": 2,
    "merge_size": 2,
}
WHISPER = {
    "feature_extractor_type": "WhisperFeatureExtractor",
    "feature_size": 128,
    "hop_length": 160,
    "sampling_rate": 16000,
}


def text(layers: int, heads: int, kv_heads: int, hidden: int, context: int, **more: Any) -> dict[str, Any]:
    """Return the fields of a configuration of a language model."""
    return {
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "hidden_size": hidden,
        "max_position_embeddings": context,
        **more,
    }


QWEN2_7B = text(28, 28, 4, 3584, 32768)
QWEN3_8B = text(36, 32, 8, 4096, 262144, head_dim=128)

RELEASED: Mapping[str, Mapping[str, Any]] = {
    "Qwen2.5-VL-7B-Instruct": {
        "config.json": {
            "architectures": ["Qwen2_5_VLForConditionalGeneration"],
            "model_type": "qwen2_5_vl",
            "image_token_id": 151655,
            "video_token_id": 151656,
            **text(28, 28, 4, 3584, 128000),
            "vision_config": {"patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 112},
        },
        "preprocessor_config.json": QWEN2_IMAGES | {"processor_class": "Qwen2_5_VLProcessor"},
        "generation_config.json": {"do_sample": True, "repetition_penalty": 1.05, "temperature": 1e-06},
        "chat_template.json": {"chat_template": VL_TEMPLATE},
    },
    "Qwen3-VL-8B-Instruct": {
        "config.json": {
            "architectures": ["Qwen3VLForConditionalGeneration"],
            "model_type": "qwen3_vl",
            "image_token_id": 151655,
            "video_token_id": 151656,
            "text_config": {"model_type": "qwen3_vl_text", **QWEN3_8B},
            "vision_config": {"patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2},
        },
        "preprocessor_config.json": {
            "image_processor_type": "Qwen2VLImageProcessorFast",
            "size": {"longest_edge": 16777216, "shortest_edge": 65536},
            "patch_size": 16,
            "temporal_patch_size": 2,
            "merge_size": 2,
        },
        "video_preprocessor_config.json": {
            "video_processor_type": "Qwen3VLVideoProcessor",
            "size": {"longest_edge": 25165824, "shortest_edge": 4096},
            "patch_size": 16,
            "temporal_patch_size": 2,
            "merge_size": 2,
        },
        "generation_config.json": {"do_sample": True, "top_p": 0.8, "top_k": 20, "temperature": 0.7},
        "chat_template.json": {"chat_template": VL_TEMPLATE},
    },
    "Qwen2.5-Omni-7B": {
        "config.json": {
            "architectures": ["Qwen2_5OmniModel"],
            "model_type": "qwen2_5_omni",
            "talker_config": {"model_type": "qwen2_5_omni_talker", "max_position_embeddings": 8192},
            "thinker_config": {
                "model_type": "qwen2_5_omni_thinker",
                "audio_token_index": 151646,
                "image_token_index": 151655,
                "video_token_index": 151656,
                "audio_config": {"model_type": "qwen2_5_omni_audio_encoder", "max_source_positions": 1500},
                "vision_config": {"patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2},
                "text_config": {"model_type": "qwen2_5_omni_text", **QWEN2_7B},
            },
        },
        "preprocessor_config.json": QWEN2_IMAGES | WHISPER | {"chunk_length": 300, "n_samples": 4800000},
        "chat_template.json": {"chat_template": VL_TEMPLATE},
    },
    "Qwen3-Omni-30B-A3B-Instruct": {
        "config.json": {
            "architectures": ["Qwen3OmniMoeForConditionalGeneration"],
            "model_type": "qwen3_omni_moe",
            "thinker_config": {
                "model_type": "qwen3_omni_moe_thinker",
                "audio_token_id": 151675,
                "image_token_id": 151655,
                "video_token_id": 151656,
                "audio_config": {"model_type": "qwen3_omni_moe_audio_encoder", "n_window": 50},
                "vision_config": {"patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2},
                "text_config": text(48, 32, 4, 2048, 65536, head_dim=128, num_experts=128),
            },
        },
        "preprocessor_config.json": QWEN2_IMAGES | WHISPER | {"patch_size": 16, "n_samples": 4800000},
        "chat_template.json": {"chat_template": VL_TEMPLATE},
    },
    "InternVL3_5-8B-HF": {
        "config.json": {
            "architectures": ["InternVLForConditionalGeneration"],
            "model_type": "internvl",
            "downsample_ratio": 0.5,
            "image_seq_length": 256,
            "image_token_id": 151671,
            "text_config": {"model_type": "qwen3", **text(36, 32, 8, 4096, 40960, head_dim=128)},
            "vision_config": {"image_size": [448, 448], "patch_size": [14, 14], "model_type": "internvl_vision"},
        },
        "preprocessor_config.json": {
            "image_processor_type": "GotOcr2ImageProcessorFast",
            "size": {"height": 448, "width": 448},
            "max_patches": 12,
        },
        "processor_config.json": {"image_seq_length": 256, "processor_class": "InternVLProcessor"},
        "video_preprocessor_config.json": {
            "video_processor_type": "InternVLVideoProcessor",
            "size": {"height": 384, "width": 384},
        },
        "chat_template.jinja": VL_TEMPLATE,
    },
    "gemma-3-4b-it": {
        "config.json": {
            "architectures": ["Gemma3ForConditionalGeneration"],
            "model_type": "gemma3",
            "image_token_index": 262144,
            "mm_tokens_per_image": 256,
            "text_config": {"model_type": "gemma3_text", "hidden_size": 2560, "num_hidden_layers": 34},
            "vision_config": {"model_type": "siglip_vision_model", "image_size": 896, "patch_size": 14},
        },
        "preprocessor_config.json": {
            "image_processor_type": "Gemma3ImageProcessor",
            "image_seq_length": 256,
            "size": {"height": 896, "width": 896},
        },
        "processor_config.json": {"image_seq_length": 256, "processor_class": "Gemma3Processor"},
        "tokenizer_config.json": {
            "model_max_length": 1000000000000000019884624838656,
            "chat_template": "{{ bos_token }}{% for message in messages %}{% for item in message['content'] %}"
            "{% if item['type'] == 'image' %}<start_of_image>{% elif item['type'] == 'text' %}{{ item['text'] | trim }}"
            "{% endif %}{% endfor %}{% endfor %}",
        },
        "generation_config.json": {"do_sample": True, "top_k": 64, "top_p": 0.95},
    },
    "GLM-4.1V-9B-Thinking": {
        "config.json": {
            "architectures": ["Glm4vForConditionalGeneration"],
            "model_type": "glm4v",
            "image_token_id": 151343,
            "video_token_id": 151344,
            "text_config": text(40, 32, 2, 4096, 65536),
            "vision_config": {"image_size": 336, "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2},
        },
        "preprocessor_config.json": {
            "image_processor_type": "Glm4vImageProcessor",
            "size": {"shortest_edge": 12544, "longest_edge": 9633792},
            "patch_size": 14,
            "temporal_patch_size": 2,
            "merge_size": 2,
        },
        "video_preprocessor_config.json": {
            "video_processor_type": "Glm4vVideoProcessor",
            "size": {"shortest_edge": 12544, "longest_edge": 47040000},
            "patch_size": 14,
            "temporal_patch_size": 2,
            "merge_size": 2,
        },
        "chat_template.jinja": VL_TEMPLATE,
    },
    "llava-onevision-qwen2-7b-ov-hf": {
        "config.json": {
            "architectures": ["LlavaOnevisionForConditionalGeneration"],
            "model_type": "llava_onevision",
            "image_token_index": 151646,
            "video_token_index": 151647,
            "text_config": {"model_type": "qwen2", **QWEN2_7B},
            "vision_config": {"model_type": "siglip_vision_model", "image_size": 384, "patch_size": 14},
        },
        "preprocessor_config.json": {
            "image_processor_type": "LlavaOnevisionImageProcessor",
            "size": {"height": 384, "width": 384},
        },
        "processor_config.json": {"num_image_tokens": 729, "processor_class": "LlavaOnevisionProcessor"},
        "chat_template.json": {"chat_template": VL_TEMPLATE},
    },
    "SmolVLM2-2.2B-Instruct": {
        "config.json": {
            "architectures": ["SmolVLMForConditionalGeneration"],
            "model_type": "smolvlm",
            "image_token_id": 49190,
            "scale_factor": 3,
            "text_config": {"model_type": "llama", **text(24, 32, 32, 2048, 8192)},
            "vision_config": {"image_size": 384, "patch_size": 14, "model_type": "smolvlm_vision"},
        },
        "preprocessor_config.json": {
            "image_processor_type": "SmolVLMImageProcessor",
            "size": {"longest_edge": 1536},
            "max_image_size": {"longest_edge": 384},
            "video_sampling": {"fps": 1, "max_frames": 64, "video_size": {"longest_edge": 384}},
        },
        "processor_config.json": {"image_seq_len": 81, "processor_class": "SmolVLMProcessor"},
        "chat_template.json": {"chat_template": VL_TEMPLATE},
    },
    "audio-flamingo-3-hf": {
        "config.json": {
            "architectures": ["AudioFlamingo3ForConditionalGeneration"],
            "model_type": "audioflamingo3",
            "audio_token_id": 151669,
            "audio_config": {"model_type": "audioflamingo3_encoder", "max_source_positions": 1500},
            "text_config": {"model_type": "qwen2", **QWEN2_7B},
        },
        "preprocessor_config.json": WHISPER | {"chunk_length": 30},
        "processor_config.json": {"processor_class": "AudioFlamingo3Processor"},
        "chat_template.jinja": VL_TEMPLATE.replace("image", "audio"),
    },
    "Qwen3-8B": {
        "config.json": {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
            **text(36, 32, 8, 4096, 40960, head_dim=128),
        },
        "generation_config.json": {"do_sample": True, "temperature": 0.6, "top_k": 20, "top_p": 0.95},
        "tokenizer_config.json": {"model_max_length": 131072, "chat_template": THINKING_TEMPLATE},
    },
    # A kind of model that no code has ever named, with the processor of one that is known.
    "a model of next week": {
        "config.json": {
            "architectures": ["ZebraVisionForConditionalGeneration"],
            "model_type": "zebra_vision",
            "image_token_id": 7,
            "video_token_id": 8,
            "llm_config": text(12, 16, 4, 1024, 100000),
            "vision_config": {"patch_size": 16, "spatial_merge_size": 2},
        },
        "processor_config.json": {
            "image_processor": {
                "image_processor_type": "ZebraImageProcessor",
                "size": {"shortest_edge": 1024, "longest_edge": 1048576},
                "patch_size": 16,
                "merge_size": 2,
            },
            "video_processor": {
                "video_processor_type": "Qwen3VLVideoProcessor",
                "size": {"shortest_edge": 2048, "longest_edge": 8388608},
                "patch_size": 16,
                "temporal_patch_size": 2,
                "merge_size": 2,
            },
        },
        "chat_template.jinja": VL_TEMPLATE,
    },
}


def write_released(name: str, directory: Path) -> Path:
    """Write the files of a released model into a directory, and return it."""
    return write_files(RELEASED[name], directory)


def write_files(files: Mapping[str, Any], directory: Path) -> Path:
    """Write files by name, JSON or text, into a directory, and return it."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (directory / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return directory

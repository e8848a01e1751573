"""A Qwen2.5-Omni of half a million weights, built from its configuration, with a vocabulary fitted to the tasks.

``python benchmarks/training/small_omni.py --data DATA --out DIR``: patches of 14 × 14 pixels of two frames, 25 tokens a
second of sound, saved as a whole model without its talker, as released ones are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from small_model import CHAT, INITIAL, texts_of, tokenizer_of

MARKS = ("<|IMAGE|>", "<|AUDIO|>", "<|VIDEO|>", "<|vision_bos|>", "<|vision_eos|>", "<|audio_bos|>", "<|audio_eos|>")
ATTRIBUTES = ("image", "audio", "video", "vision_bos", "vision_eos", "audio_bos", "audio_eos")
HIDDEN = 64
LAYERS = 3
TOWER = 64
SECONDS = 10
"""Longest sound of the feature extractor, which pads to it."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--tasks", default="1", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--seed", default=0, show_default=True)
def main(data: Path, tasks: str, out: Path, seed: int) -> None:
    """Write the model, its processor and its tokenizer."""
    import torch

    torch.manual_seed(seed)
    words = tokenizer_of(texts_of(data, tasks), MARKS, dict(zip(_names(), MARKS, strict=True)), _template())
    model, whole = _model(words)
    generation = model.generation_config
    generation.eos_token_id, generation.pad_token_id = words.eos_token_id, words.pad_token_id
    _save(model, whole, out)
    _processor(words).save_pretrained(out)
    click.echo(f"{out}: {sum(p.numel() for p in model.parameters()) / 1e6:.2f} million weights")


def _names() -> list[str]:
    return [f"{name}_token" for name in ATTRIBUTES]


def _template() -> str:
    from s3harness_transformers.tiny.tokenizer import chat_template

    image, audio, video, vision_start, vision_end, audio_start, audio_end = MARKS
    return chat_template(
        image=f"{vision_start}{image}{vision_end}",
        video=f"{vision_start}{video}{vision_end}",
        audio=f"{audio_start}{audio}{audio_end}",
    )


def _model(words: Any) -> tuple[Any, Any]:
    """The model with random weights, and the configuration of the whole that it is a part of."""
    from transformers import Qwen2_5OmniConfig, Qwen2_5OmniThinkerConfig, Qwen2_5OmniThinkerForConditionalGeneration

    ids = words.convert_tokens_to_ids
    text = {
        "hidden_size": HIDDEN,
        "intermediate_size": 3 * HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "vocab_size": -(-len(words) // 64) * 64,
        "initializer_range": INITIAL,
        "rope_parameters": {"rope_type": "default", "mrope_section": [4, 6, 6], "rope_theta": 1e4},
        "bos_token_id": ids(CHAT[0]),
        "eos_token_id": ids(CHAT[1]),
        "pad_token_id": words.pad_token_id,
    }
    vision = {"depth": 3, "hidden_size": TOWER, "intermediate_size": 3 * TOWER, "num_heads": 4, "patch_size": 14}
    vision |= {"out_hidden_size": HIDDEN, "window_size": 112, "fullatt_block_indexes": [0, 1, 2]}
    audio = {"d_model": TOWER, "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 2 * TOWER}
    audio |= {"output_dim": HIDDEN, "num_mel_bins": 128, "n_window": 100}
    config = Qwen2_5OmniThinkerConfig(
        audio_config=audio,
        vision_config=vision,
        text_config=text,
        position_id_per_seconds=25,
        seconds_per_chunk=2,
        pad_token_id=words.pad_token_id,
        audio_start_token_id=ids("<|audio_bos|>"),
        audio_end_token_id=ids("<|audio_eos|>"),
        vision_start_token_id=ids("<|vision_bos|>"),
        vision_end_token_id=ids("<|vision_eos|>"),
        **{f"{name}_token_index": ids(mark) for name, mark in zip(ATTRIBUTES[:3], MARKS[:3], strict=True)},
    )
    whole = Qwen2_5OmniConfig(thinker_config=config.to_dict(), enable_audio_output=False)
    whole.architectures = ["Qwen2_5OmniForConditionalGeneration"]
    return Qwen2_5OmniThinkerForConditionalGeneration(config), whole


def _save(model: Any, whole: Any, out: Path) -> None:
    """Write the model in the layout of the released checkpoint."""
    from safetensors.torch import save_file

    whole.dtype = "float32"
    whole.save_pretrained(out)
    model.generation_config.save_pretrained(out)
    weights = {f"thinker.{name}": tensor.contiguous().clone() for name, tensor in model.state_dict().items()}
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})


def _processor(words: Any) -> Any:
    """The processor: frames keep their size, in steps of 28 pixels."""
    from transformers import Qwen2_5OmniProcessor, Qwen2VLImageProcessor, Qwen2VLVideoProcessor, WhisperFeatureExtractor

    size = {"shortest_edge": 56 * 56, "longest_edge": 112 * 84}
    return Qwen2_5OmniProcessor(
        image_processor=Qwen2VLImageProcessor(size=size),
        video_processor=Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False),
        feature_extractor=WhisperFeatureExtractor(feature_size=128, chunk_length=SECONDS, return_attention_mask=True),
        tokenizer=words,
        chat_template=words.chat_template,
    )


if __name__ == "__main__":
    main()

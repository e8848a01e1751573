"""A Qwen3-VL of two million weights, built from its configuration, with a vocabulary fitted to the tasks.

``python benchmarks/training/small_model.py --data DATA --out DIR``: patches of 12 × 12 pixels, pictures of 96 × 72,
12 tokens a picture. The tokenizer is a byte-pair encoding of the prompts and answers of a training set; between quotes
and lines it may take whole sentences in one token, so that a question is a few tokens long.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from s3harness.training.training_set import SetSettings, build_training_set

VOCABULARY = 2048
HIDDEN = 128
INITIAL = 0.06
"""Standard deviation of the language model's first weights: the usual 0.02 is meant for ten times its width."""
CHAT = ("<|im_start|>", "<|im_end|>")
VISION = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")
PAD = "<|endoftext|>"


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--tasks", default="1,3", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--seed", default=0, show_default=True)
def main(data: Path, tasks: str, out: Path, seed: int) -> None:
    """Write the model, its processor and its tokenizer."""
    import torch

    torch.manual_seed(seed)
    words = tokenizer_of(texts_of(data, tasks), VISION, {}, _template())
    made, processor = model(words), processing(words)
    made.generation_config.eos_token_id, made.generation_config.pad_token_id = words.eos_token_id, words.pad_token_id
    made.save_pretrained(out)
    processor.save_pretrained(out)
    click.echo(f"{out}: {sum(p.numel() for p in made.parameters()) / 1e6:.2f} million weights")


def _template() -> str:
    from s3harness_transformers.tiny.tokenizer import chat_template

    image, video = ("<|vision_start|><|image_pad|><|vision_end|>", "<|vision_start|><|video_pad|><|vision_end|>")
    return chat_template(image=image, video=video)


def tokenizer_of(texts: list[str], marks: tuple[str, ...], attributes: dict[str, str], template: str) -> Any:
    """A byte-pair encoding of :data:`VOCABULARY` tokens; quotes and ends of lines are tokens of their own.

    ``marks`` are the special tokens of media, ``attributes`` those that a processor reads by name.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    encoding = Tokenizer(models.BPE())
    encoding.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r'["\n]|\[[0-9.]+ s\]'), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    encoding.decoder = decoders.ByteLevel()
    special = [PAD, *CHAT, *marks]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    size = VOCABULARY - len(special)
    encoding.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet))
    encoding.add_special_tokens(special)
    return PreTrainedTokenizerFast(
        tokenizer_object=encoding,
        eos_token=CHAT[1],
        pad_token=PAD,
        chat_template=template,
        model_max_length=4096,
        padding_side="left",
        extra_special_tokens=attributes,
    )


def model(words: Any) -> Any:
    """The model with random weights."""
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    ids = {"bos_token_id": CHAT[0], "eos_token_id": CHAT[1], "pad_token_id": PAD}
    text = {
        "hidden_size": HIDDEN,
        "intermediate_size": 3 * HIDDEN,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "head_dim": 32,
        "max_position_embeddings": 4096,
        "vocab_size": -(-len(words) // 64) * 64,
        "initializer_range": INITIAL,
        "rope_parameters": {
            "rope_type": "default",
            "mrope_section": [6, 5, 5],
            "mrope_interleaved": True,
            "rope_theta": 1e4,
        },
        "tie_word_embeddings": True,
        **{key: words.convert_tokens_to_ids(token) for key, token in ids.items()},
    }
    vision = {
        "depth": 3,
        "hidden_size": 96,
        "intermediate_size": 288,
        "num_heads": 4,
        "out_hidden_size": HIDDEN,
        "patch_size": 12,
        "spatial_merge_size": 2,
        "num_position_embeddings": 64,
        "deepstack_visual_indexes": [],
    }
    names = {"image": "image_pad", "video": "video_pad", "vision_start": "vision_start", "vision_end": "vision_end"}
    tokens = {f"{key}_token_id": words.convert_tokens_to_ids(f"<|{name}|>") for key, name in names.items()}
    config = Qwen3VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True, **tokens)
    return Qwen3VLForConditionalGeneration(config)


def processing(words: Any) -> Any:
    """The processor: pictures keep their size, in steps of 24 pixels."""
    from transformers import Qwen2VLImageProcessor, Qwen3VLProcessor, Qwen3VLVideoProcessor

    half = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "patch_size": 12}
    size = {"shortest_edge": 48 * 48, "longest_edge": 96 * 72}
    return Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size, **half),
        tokenizer=words,
        video_processor=Qwen3VLVideoProcessor(
            size={"shortest_edge": 48 * 48, "longest_edge": 96 * 72 * 64}, cap_pixels_per_frame=False, **half
        ),
        chat_template=words.chat_template,
    )


def texts_of(data: Path, tasks: str) -> list[str]:
    """Prompts and answers, each once."""
    settings = SetSettings(tasks=tasks.split(","), split="train", leave_out_constant=True, balance="none")
    samples = build_training_set(data, settings).samples
    return list(dict.fromkeys(text for s in samples for text in (s.request.prompt, s.target)))


if __name__ == "__main__":
    main()

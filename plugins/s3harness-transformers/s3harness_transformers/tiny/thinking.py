"""Turn a tiny model into a thinking one: marks of reasoning in its vocabulary, and a chat template that writes them."""

from __future__ import annotations

from pathlib import Path

MARKS = ("<think>", "</think>")

_GENERATION_PROMPT = "<|im_start|>assistant\n"
_OPENED = "<think>\n"
_CLOSED = "<think>\n\n</think>\n\n"

HYBRID = (
    "{% if enable_thinking is defined and enable_thinking is false %}" + _GENERATION_PROMPT + _CLOSED + "{% else %}"
    + _GENERATION_PROMPT + "{% endif %}"
)  # fmt: skip
"""The end of Qwen3's template: the model opens the reasoning itself; turned off, an empty one stands in the prompt."""

OPENING = (
    "{% if enable_thinking is defined and enable_thinking is false %}" + _GENERATION_PROMPT + _CLOSED + "{% else %}"
    + _GENERATION_PROMPT + _OPENED + "{% endif %}"
)  # fmt: skip
"""The end of the templates of Qwen3.5 and of Qwen3-VL-Thinking: the prompt opens the reasoning."""


def make_thinking(directory: Path, ending: str = OPENING) -> Path:
    """Change a tiny model of a vision family in its directory, and return the directory.

    ``ending`` is the part of the chat template that begins an answer.
    """
    import torch
    from transformers import AddedToken, AutoModelForImageTextToText, AutoProcessor

    processor = AutoProcessor.from_pretrained(directory, local_files_only=True)
    model = AutoModelForImageTextToText.from_pretrained(directory, local_files_only=True)
    tokenizer = processor.tokenizer
    # Not special, as in Qwen3: they stay in the text when it is decoded.
    tokenizer.add_tokens([AddedToken(mark, special=False, normalized=False) for mark in MARKS])
    with torch.no_grad():
        model.resize_token_embeddings(len(tokenizer))
        # A model of random weights would never write them unless a budget forces it to.
        model.get_output_embeddings().weight[-len(MARKS) :] = 0
    template = processor.chat_template or tokenizer.chat_template
    before, begin, after = template.rpartition(_GENERATION_PROMPT)
    assert begin, "the template begins no answer"
    processor.chat_template = tokenizer.chat_template = before + ending + after
    model.save_pretrained(directory)
    processor.save_pretrained(directory)
    return directory

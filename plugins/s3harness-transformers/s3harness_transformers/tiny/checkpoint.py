"""Common parts of the tiny models: sizes, output weights by which answers vary and end, and saving."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3harness_transformers.tiny.tokenizer import END, PAD, VOCAB_SIZE

HIDDEN_SIZE = 128
TEXT_CONFIG: dict[str, Any] = {
    "hidden_size": HIDDEN_SIZE,
    "intermediate_size": 2 * HIDDEN_SIZE,
    "num_hidden_layers": 2,
    # Heads of 32, the smallest that vLLM's attention on a CPU takes.
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32768,
    "vocab_size": VOCAB_SIZE,
    # Wide weights make answers depend on the clip; with narrow ones every question has the same answer.
    "initializer_range": 0.1,
}
"""The configuration of the language model."""

VISION_CONFIG: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 128, "initializer_range": 0.03}

QUESTIONS = ("Does the patient turn the head?", "When does the seizure begin?", "Describe what the patient does.")
N_CLIPS = 4
"""Clips of noise with each question, for the answers by which output weights are set."""

CLIP_LENGTH = 64
"""Positions of such a clip."""

ANSWER_LENGTH = 40
"""Tokens of such an answer."""


@dataclass(frozen=True)
class TinyCheckpoint:
    """A model with its processor.

    Where the model that writes text is a part of the checkpoint, ``whole_config`` is the configuration of the whole.
    ``renamed`` replaces the beginnings of names of weights that ``save_pretrained`` writes in another way than the
    released checkpoint has them.
    """

    model: Any
    processor: Any
    whole_config: Any = None
    renamed: Mapping[str, str] = field(default_factory=dict)

    def save(self, directory: Path) -> None:
        """Write all files of a checkpoint."""
        import torch

        # A model of text alone comes with its tokenizer, and without a processor.
        tokenizer = getattr(self.processor, "tokenizer", self.processor)
        with torch.no_grad():
            _set_output_weights(self.model.eval(), tokenizer)
        generation = self.model.generation_config
        generation.eos_token_id, generation.pad_token_id = tokenizer.eos_token_id, tokenizer.pad_token_id
        # Not state_dict: experts, for one, are stored apart in a checkpoint and together in the model.
        self.model.save_pretrained(directory)
        if self.renamed:
            self._rename(directory / "model.safetensors")
        if self.whole_config is not None:
            self.whole_config.save_pretrained(directory)
            _write_dtype(directory / "config.json")
        self.processor.save_pretrained(directory)

    def _rename(self, path: Path) -> None:
        from safetensors.torch import load_file, save_file

        weights = {}
        for name, tensor in load_file(path).items():
            old = next((old for old in self.renamed if name.startswith(old)), None)
            weights[name if old is None else self.renamed[old] + name.removeprefix(old)] = tensor
        save_file(weights, path, metadata={"format": "pt"})


def token_ids(tokenizer: Any) -> dict[str, int]:
    """The ids that every configuration of a language model names."""
    ids = {"bos_token_id": "<|im_start|>", "eos_token_id": END, "pad_token_id": PAD}
    return {key: tokenizer.convert_tokens_to_ids(token) for key, token in ids.items()}


def _set_output_weights(model: Any, tokenizer: Any) -> None:
    """Change output weights so that answers vary with question and clip, are readable, and end after some words."""
    output = model.get_output_embeddings().weight
    prompts = [_prompt(model, tokenizer, question) for question in QUESTIONS]
    # The component that all hidden states share is removed: it would give every question the same answer.
    common = _last_states(model, prompts).mean(0)
    common /= common.norm()
    output -= (output @ common).outer(common)
    # Special and unprintable tokens get no weights, so that answers are readable.
    output[[i for i in range(len(tokenizer)) if not _is_writable(tokenizer, i)]] = 0
    answers = [_answers(model, prompt) for prompt in prompts]
    # Answers end where a token would have come that is in many of them; one that begins an answer would leave it empty.
    first = {answer[0] for of_prompt in answers for answer in of_prompt}
    counts = Counter(token for of_prompt in answers for answer in of_prompt for token in {*answer} - first)
    # Output weights that are those of the input make some models repeat one token: their answers have no end.
    if not counts:
        return
    ending = counts.most_common(1)[0][0]
    output[tokenizer.eos_token_id] = output[ending]
    output[ending] = 0


def _is_writable(tokenizer: Any, token: int) -> bool:
    if token in tokenizer.added_tokens_decoder:
        return bool(token == tokenizer.eos_token_id)
    text = str(tokenizer.decode([token]))
    return text.isascii() and text.isprintable()


def _prompt(model: Any, tokenizer: Any, question: str) -> Any:
    """Embeddings of a prompt, :data:`N_CLIPS` × positions × :data:`HIDDEN_SIZE`, with noise in place of a clip."""
    import torch

    message = [{"role": "user", "content": question}]
    text = tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
    embeddings = model.get_input_embeddings()(tokenizer(text, return_tensors="pt").input_ids)
    noise = torch.randn(N_CLIPS, CLIP_LENGTH, HIDDEN_SIZE) * embeddings.std()
    return torch.cat((noise, embeddings.expand(N_CLIPS, -1, -1)), 1)


def _last_states(model: Any, prompts: Sequence[Any]) -> Any:
    """The last hidden states at all positions of some prompts, positions × :data:`HIDDEN_SIZE`."""
    import torch

    states = [model(inputs_embeds=prompt, output_hidden_states=True).hidden_states[-1] for prompt in prompts]
    return torch.cat([state.flatten(0, 1) for state in states])


def _answers(model: Any, prompt: Any) -> list[list[int]]:
    """The likeliest tokens after a prompt, :data:`ANSWER_LENGTH` for each clip."""
    import torch

    steps = []
    for _ in range(ANSWER_LENGTH):
        token = model(inputs_embeds=prompt).logits[:, -1].argmax(-1, keepdim=True)
        steps.append(token)
        prompt = torch.cat((prompt, model.get_input_embeddings()(token)), 1)
    tokens: list[list[int]] = torch.cat(steps, 1).tolist()
    return tokens


def _write_dtype(path: Path) -> None:
    # A configuration that is saved without its model names no dtype.
    config = json.loads(path.read_text(encoding="utf-8"))
    config["dtype"] = "float32"
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")

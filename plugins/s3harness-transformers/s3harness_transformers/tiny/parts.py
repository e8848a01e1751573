"""What the tiny models have in common: their size, what lets their answers end, and how they are saved."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s3harness_transformers.tiny.words import END, PAD, SIZE

HIDDEN = 128
TEXT: dict[str, Any] = {
    "hidden_size": HIDDEN,
    "intermediate_size": 2 * HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32768,
    "vocab_size": SIZE,
    "initializer_range": 0.1,
}
"""The language model: heads of 32, the smallest that the attention of vLLM on a CPU takes. Wide initial weights make
answers depend on what is shown; with narrow ones every question has the same."""

VISION: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 128, "initializer_range": 0.1}

ENDING = 3.0
"""How much longer than others the embedding of the token that ends an answer is."""


@dataclass(frozen=True)
class Tiny:
    """A model with its processor.

    ``inside`` is the configuration of the whole that a checkpoint of this family holds and ``prefix`` what its
    weights' names begin with, where the model that writes text is a part of it.
    """

    model: Any
    processor: Any
    inside: Any = None
    prefix: str = ""

    def save(self, directory: Path) -> None:
        """Write all files of a checkpoint."""
        import torch

        words = self.processor.tokenizer
        with torch.no_grad():
            _teach_to_speak(self.model.eval(), words)
        generation = self.model.generation_config
        generation.eos_token_id, generation.pad_token_id = words.eos_token_id, words.pad_token_id
        if self.inside is None:
            self.model.save_pretrained(directory)
        else:
            self._save_part(directory)
        self.processor.save_pretrained(directory)

    def _save_part(self, directory: Path) -> None:
        from safetensors.torch import save_file

        self.inside.save_pretrained(directory)
        _state_dtype(directory / "config.json")
        self.model.generation_config.save_pretrained(directory)
        weights = {self.prefix + name: tensor.contiguous().clone() for name, tensor in self._weights().items()}
        save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})

    def _weights(self) -> dict[str, Any]:
        """The weights by the names that checkpoints of the family have."""
        return dict(self.model.state_dict())


def token_ids(words: Any) -> dict[str, int]:
    """The ids that every configuration of a language model names."""
    ids = {"bos_token_id": "<|im_start|>", "eos_token_id": END, "pad_token_id": PAD}
    return {key: words.convert_tokens_to_ids(token) for key, token in ids.items()}


def _teach_to_speak(model: Any, words: Any) -> None:
    """Let answers vary with what is asked, end after some words, and be readable.

    What all hidden states have in common is taken out of the output weights, because it would have every answer be the
    same; the token that ends an answer gets longer weights than others; special and unprintable ones get none.
    """
    output = model.get_output_embeddings().weight
    common = _common_direction(model, words)
    output -= (output @ common).outer(common)
    output[[i for i in range(len(words)) if not _is_said(words, i)]] = 0
    output[words.eos_token_id] *= ENDING


def _is_said(words: Any, token: int) -> bool:
    if token in words.added_tokens_decoder:
        return bool(token == words.eos_token_id)
    text = words.decode([token])
    return text.isascii() and text.isprintable()


def _common_direction(model: Any, words: Any) -> Any:
    """The mean direction of the last hidden states over some texts: a unit vector of :data:`HIDDEN` numbers."""
    import torch

    texts = ["Does the patient turn the head?", "When does the seizure begin?", "Describe what the patient does."]
    prompts = [words.apply_chat_template([{"role": "user", "content": t}], tokenize=False) for t in texts]
    states = [
        model(**words(text, return_tensors="pt"), output_hidden_states=True).hidden_states[-1][0] for text in prompts
    ]
    mean = torch.cat(states).mean(0)
    return mean / mean.norm()


def _state_dtype(path: Path) -> None:
    config = json.loads(path.read_text(encoding="utf-8"))
    config["dtype"] = "float32"
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")

"""What the tiny models have in common: their size, what lets their answers end, and how they are saved."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
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

VISION: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 128, "initializer_range": 0.03}

QUESTIONS = ("Does the patient turn the head?", "When does the seizure begin?", "Describe what the patient does.")
CLIPS = 4
"""So many clips of noise each question is asked of where weights are set."""

CLIP = 64
"""Positions that such a clip takes."""

ANSWER = 40
"""Tokens of an answer that are looked at."""


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
    """Let answers vary with what is asked and shown, be readable, and end after some words.

    What hidden states have in common is taken out of the output weights, because it would have every answer be the
    same; special and unprintable tokens get no weights; and the end of an answer comes where some token would have
    come that is in many answers but begins none.
    """
    output = model.get_output_embeddings().weight
    prompts = [_prompt(model, words, question) for question in QUESTIONS]
    common = _last_states(model, prompts).mean(0)
    common /= common.norm()
    output -= (output @ common).outer(common)
    output[[i for i in range(len(words)) if not _is_said(words, i)]] = 0
    given = [_answers(model, prompt) for prompt in prompts]
    first = {answer[0] for answers in given for answer in answers}
    found = Counter(token for answers in given for answer in answers for token in {*answer} - first)
    ending = found.most_common(1)[0][0]
    output[words.eos_token_id] = output[ending]
    output[ending] = 0


def _is_said(words: Any, token: int) -> bool:
    if token in words.added_tokens_decoder:
        return bool(token == words.eos_token_id)
    text = str(words.decode([token]))
    return text.isascii() and text.isprintable()


def _prompt(model: Any, words: Any, question: str) -> Any:
    """Embeddings of a prompt, :data:`CLIPS` × positions × :data:`HIDDEN`, with noise in the place of a clip."""
    import torch

    message = [{"role": "user", "content": question}]
    text = words.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
    asked = model.get_input_embeddings()(words(text, return_tensors="pt").input_ids)
    shown = torch.randn(CLIPS, CLIP, HIDDEN) * asked.std()
    return torch.cat((shown, asked.expand(CLIPS, -1, -1)), 1)


def _last_states(model: Any, prompts: Sequence[Any]) -> Any:
    """The last hidden states of all positions of some prompts, positions × :data:`HIDDEN`."""
    import torch

    states = [model(inputs_embeds=prompt, output_hidden_states=True).hidden_states[-1] for prompt in prompts]
    return torch.cat([state.flatten(0, 1) for state in states])


def _answers(model: Any, prompt: Any) -> list[list[int]]:
    """The likeliest tokens after a prompt, :data:`ANSWER` for each clip."""
    import torch

    said = []
    for _ in range(ANSWER):
        token = model(inputs_embeds=prompt).logits[:, -1].argmax(-1, keepdim=True)
        said.append(token)
        prompt = torch.cat((prompt, model.get_input_embeddings()(token)), 1)
    tokens: list[list[int]] = torch.cat(said, 1).tolist()
    return tokens


def _state_dtype(path: Path) -> None:
    config = json.loads(path.read_text(encoding="utf-8"))
    config["dtype"] = "float32"
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")

"""Answering a batch of requests: one call of ``generate``."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import s3harness
from s3harness_transformers import failures
from s3harness_transformers.asked import Asked
from s3harness_transformers.grammar import Grammars
from s3harness_transformers.loading import Loaded
from s3harness_transformers.telling import Record, tokens_of

Outcome = s3harness.Response | Exception


class Answerer:
    """A model that answers. One thread may call it, and any may set ``stop``, which ends what is under way."""

    def __init__(self, loaded: Loaded, *, structured: bool, logprobs: bool) -> None:
        self._loaded, self._logprobs = loaded, logprobs
        self._grammars = Grammars(loaded.words, loaded.vocabulary, loaded.ends) if structured else None
        self.stop = threading.Event()
        self.halved = 0

    def answer(self, batch: Sequence[Asked]) -> list[Outcome]:
        """A response to each request, or what went wrong with it. What is too much at once is asked in halves."""
        try:
            return list(self._generate(batch))
        except Exception as error:
            if len(batch) == 1 or not failures.is_out_of_memory(error):
                return [failures.of_answering(error)] * len(batch)
        self._make_room()
        middle = len(batch) // 2
        return [*self.answer(batch[:middle]), *self.answer(batch[middle:])]

    def _generate(self, batch: Sequence[Asked]) -> list[s3harness.Response]:
        import torch

        requests = [asked.request for asked in batch]
        inputs = {name: value.to(self._loaded.device) for name, value in collated(batch, self._loaded.pad).items()}
        closed = [s3harness.closed_answer(request) if self._logprobs else None for request in requests]
        record = Record() if any(closed) else None
        masks = self._grammars.masks(requests) if self._grammars else None
        seed = requests[0].generation.seed
        with torch.inference_mode(), torch.random.fork_rng(enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
            output = self._loaded.model.generate(
                **inputs,
                **self._manner(requests[0].generation),
                logits_processor=[process for process in (masks, record) if process is not None],
                stopping_criteria=[self._stopped],
            )
        if self.stop.is_set():
            raise s3harness.S3HarnessError("the run was stopped")
        rows = output[:, inputs["input_ids"].shape[1] :].tolist()
        return [
            self._response(asked, row, closed[number], record.rows(number, row) if record else [])
            for number, (asked, row) in enumerate(zip(batch, rows, strict=True))
        ]

    def _response(
        self, asked: Asked, row: list[int], closed: s3harness.ClosedAnswer | None, told: Sequence[Mapping[int, float]]
    ) -> s3harness.Response:
        end = next((place for place, token in enumerate(row) if token in self._loaded.ends), None)
        said = row if end is None else row[:end]
        words = self._loaded.words
        probabilities = None
        if closed is not None:
            probabilities = s3harness.choice_probabilities(closed, tokens_of(words, said, told))
        return s3harness.Response(
            asked.request.id,
            words.decode(said, skip_special_tokens=True),
            "cut" if end is None else "ok",
            prompt_tokens=asked.length,
            completion_tokens=len(said) + (end is not None),
            choice_probabilities=probabilities,
        )

    def _manner(self, generation: s3harness.Generation) -> dict[str, Any]:
        """Greedy, or drawn from all tokens but for ``top_p``; nothing else of a checkpoint's habits."""
        if generation.temperature == 0:
            return {"max_new_tokens": generation.max_tokens, "do_sample": False}
        return {
            "max_new_tokens": generation.max_tokens,
            "do_sample": True,
            "temperature": generation.temperature,
            "top_p": 1.0 if generation.top_p is None else generation.top_p,
            "top_k": 0,
        }

    def _stopped(self, tokens: Any, scores: Any, **_: Any) -> Any:
        import torch

        return torch.full((tokens.shape[0],), self.stop.is_set(), dtype=torch.bool, device=tokens.device)

    def _make_room(self) -> None:
        import torch

        self.halved += 1
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def alike(asked: Asked) -> object:
    """What the requests of one batch have in common: how they are answered, and the kinds of their tensors.

    What is drawn from a seed is asked alone: in a batch it would depend on the others.
    """
    generation = asked.request.generation
    alone = asked.request.id if generation.temperature > 0 and generation.seed is not None else ""
    return replace(generation), frozenset(asked.media), alone


def collated(batch: Sequence[Asked], pad: int) -> dict[str, Any]:
    """The tensors of a batch: words padded on the left to the longest prompt, media one after another."""
    import torch

    longest = max(asked.length for asked in batch)
    fill = {"input_ids": pad}
    words = {
        name: torch.cat([_padded(asked.words[name], (longest - asked.length, 0), fill.get(name, 0)) for asked in batch])
        for name in batch[0].words
    }
    return words | {name: _joined([asked.media[name] for asked in batch]) for name in batch[0].media}


def _joined(parts: Sequence[Any]) -> Any:
    """Tensors in one, those that end earlier (sounds) with zeros after them."""
    import torch

    tensors = [torch.as_tensor(part) for part in parts]
    longest = max(tensor.shape[-1] for tensor in tensors)
    return torch.cat([_padded(tensor, (0, longest - tensor.shape[-1]), 0) for tensor in tensors])


def _padded(tensor: Any, sides: tuple[int, int], value: int) -> Any:
    import torch

    return torch.nn.functional.pad(tensor, sides, value=value) if any(sides) else tensor

"""Asking the model in training about held-out patients, as an evaluation with the transformers backend asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from s3harness_transformers.answering import Answerer
from s3harness_transformers.asked import Asked, Asker
from s3harness_transformers.families import family_of
from s3harness_transformers.grammar import enforcer
from s3harness_transformers.loading import Loaded, generation_tokens, read_processor

import s3harness


class HeldOutAsker:
    """Asks a model, whatever its weights are by now. What it draws from is left as it was."""

    def __init__(self, job: s3harness.TrainingJob, *, batch: int, most_tokens: int) -> None:
        self._job, self._batch, self._most_tokens = job, batch, most_tokens
        self._processor: Any = None

    def texts(self, model: Any) -> dict[str, str]:
        """Request id → the answer, for all that is asked of the held-out patients."""
        import torch

        was_training = model.training
        answerer, asker = self._made(model.eval())
        found: dict[str, str] = {}
        with torch.random.fork_rng():
            samples = self._job.held_out.samples
            for start in range(0, len(samples), self._batch):
                batch = [self._asked(asker, sample.request) for sample in samples[start : start + self._batch]]
                found |= dict(_answered(answerer, batch))
        model.train(was_training)
        return found

    def _made(self, model: Any) -> tuple[Answerer, Asker]:
        if self._processor is None:
            self._processor = read_processor(str(self._job.model), {"local_files_only": True})[1]
        loaded = Loaded(model, self._processor, *generation_tokens(model, self._processor.tokenizer))
        media = cast("s3harness.MediaStore", SimpleNamespace(frames=self._job.held_out.clips.of_clip))
        card = s3harness.ModelCard("in training", modalities=("video",))
        asker = Asker(self._processor, family_of(loaded.family), card, media, dtype=model.dtype, as_images=True)
        return Answerer(loaded, structured=bool(enforcer()), logprobs=False), asker

    def _asked(self, asker: Asker, request: s3harness.Request) -> Asked:
        generation = replace(request.generation, temperature=0.0, max_tokens=self._limit(request))
        return asker.ask(replace(request, generation=generation))

    def _limit(self, request: s3harness.Request) -> int:
        return min(request.generation.max_tokens, self._most_tokens)


def _answered(answerer: Answerer, batch: Sequence[Asked]) -> list[tuple[str, str]]:
    """Request id → text of those of a batch that were answered to their end."""
    found = []
    for asked, outcome in zip(batch, answerer.answer(batch), strict=True):
        if isinstance(outcome, Exception):
            raise outcome
        if outcome.status == "ok":
            found.append((asked.request.id, outcome.text))
    return found

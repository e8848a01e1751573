"""Answers of the model in training about held-out patients, generated as the transformers backend does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from s3harness_transformers.batch_generator import BatchGenerator
from s3harness_transformers.families import family_of
from s3harness_transformers.grammar import grammar_library
from s3harness_transformers.loading import LoadedModel, generation_tokens, load_processor
from s3harness_transformers.request_encoder import EncodedRequest, RequestEncoder

import s3harness


class HeldOutEvaluator:
    """Generates the answers of a model with its present weights; torch's random state stays as it was."""

    def __init__(self, job: s3harness.TrainingJob, *, batch_size: int, max_tokens: int) -> None:
        self._job, self._batch_size, self._max_tokens = job, batch_size, max_tokens
        self._processor: Any = None

    def answers(self, model: Any) -> dict[str, str]:
        """Request id → text, for the requests about held-out patients that are answered to their end."""
        import torch

        was_training = model.training
        generator, encoder = self._generator(model.eval())
        answers: dict[str, str] = {}
        # Training draws the same, however often patients are evaluated.
        with torch.random.fork_rng():
            samples = self._job.held_out.samples
            for start in range(0, len(samples), self._batch_size):
                batch = [self._encode(encoder, sample.request) for sample in samples[start : start + self._batch_size]]
                answers |= dict(_generate(generator, batch))
        model.train(was_training)
        return answers

    def _generator(self, model: Any) -> tuple[BatchGenerator, RequestEncoder]:
        # A processor of its own: the encoder puts a cache into it, and the trainer's is in use.
        if self._processor is None:
            self._processor = load_processor(str(self._job.model), {"local_files_only": True})[1]
        loaded = LoadedModel(model, self._processor, *generation_tokens(model, self._processor.tokenizer))
        media = cast("s3harness.MediaStore", SimpleNamespace(frames=self._job.held_out.clips.of_clip))
        card = s3harness.ModelCard("in training", modalities=("video",))
        family = family_of(loaded.model_type)
        encoder = RequestEncoder(self._processor, family, card, media, dtype=model.dtype, as_images=True)
        return BatchGenerator(loaded, structured=bool(grammar_library()), logprobs=False), encoder

    def _encode(self, encoder: RequestEncoder, request: s3harness.Request) -> EncodedRequest:
        # Greedy, so that scores of different steps differ by the weights alone.
        max_tokens = min(request.generation.max_tokens, self._max_tokens)
        generation = replace(request.generation, temperature=0.0, max_tokens=max_tokens)
        return encoder.encode(replace(request, generation=generation))


def _generate(generator: BatchGenerator, batch: Sequence[EncodedRequest]) -> list[tuple[str, str]]:
    """Request id and text of the requests of a batch that are answered to their end."""
    answers = []
    for encoded, result in zip(batch, generator.generate(batch), strict=True):
        if isinstance(result, Exception):
            raise result
        if result.status == "ok":
            answers.append((encoded.request.id, result.text))
    return answers

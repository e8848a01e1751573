"""Evaluation of the model in training: answers about held-out patients, generated as the transformers backend does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from s3harness_transformers.batch_generator import BatchGenerator, batch_key
from s3harness_transformers.grammar import grammar_library
from s3harness_transformers.loading import LoadedModel, generation_tokens, load_processor
from s3harness_transformers.request_encoder import EncodedRequest

import s3harness
from s3harness_trl.encoding import SampleEncoder, View
from s3harness_trl.loading import ModelParts

SKILL = "held_out_skill"
"""Mean over the tasks of the primary score's skill: 0 at the floor, 1 at the ceiling."""


class HeldOutEvaluator:
    """Generates the answers of a model with its present weights; torch's random state stays as it was."""

    def __init__(
        self,
        job: s3harness.TrainingJob,
        parts: ModelParts,
        card: s3harness.ModelCard,
        *,
        batch_size: int,
        max_tokens: int,
        trust: bool = False,
    ) -> None:
        self.card = card
        self._job, self._batch_size, self._max_tokens = job, batch_size, max_tokens
        # A processor of its own: an encoder puts a cache into it, and the trainer's is in use.
        source = {"local_files_only": True, "trust_remote_code": trust}
        self._parts = ModelParts(parts.model, load_processor(str(job.model), source)[1])
        self.encoder = SampleEncoder(self._parts, card, job.held_out.clips)

    def answers(
        self, model: Any, share: Sequence[s3harness.Sample] | None = None, view: View | None = None
    ) -> dict[str, str]:
        """Request id → text, for the requests that are answered to their end; about all held-out patients if None."""
        import torch

        was_training = model.training
        processor = self._parts.processor
        loaded = LoadedModel(model.eval(), processor, *generation_tokens(model, processor.tokenizer))
        generator = BatchGenerator(loaded, structured=bool(grammar_library()), logprobs=False)
        answers: dict[str, str] = {}
        # Training draws the same, however often patients are evaluated.
        with torch.random.fork_rng():
            samples = self.samples if share is None else share
            for start in range(0, len(samples), self._batch_size):
                batch = [self._encode(sample, view) for sample in samples[start : start + self._batch_size]]
                answers |= dict(_generate(generator, batch))
        model.train(was_training)
        return answers

    def scores(self, answers: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Return task → the primary score of the answers."""
        return self._job.held_out.primary(answers)

    def note(self, step: int, scores: Mapping[str, Mapping[str, Any]]) -> None:
        """Note the scores of a step in the monitor's file, and report them."""
        self._job.monitor.note(step, held_out=scores)
        line = "; ".join(
            f"{task.rpartition('/')[2]} {_format_score(score['value'])} (floor {_format_score(score['floor'])})"
            for task, score in scores.items()
        )
        self._job.report_status(f"step {step}, held-out patients: {line}")

    @property
    def samples(self) -> Sequence[s3harness.Sample]:
        """The requests about held-out patients."""
        return self._job.held_out.samples

    def _encode(self, sample: s3harness.Sample, view: View | None) -> EncodedRequest:
        # Greedy, so that scores of different steps differ by the weights alone.
        request = sample.request
        max_tokens = min(request.generation.max_tokens, self._max_tokens)
        generation = replace(request.generation, temperature=0.0, max_tokens=max_tokens)
        return self.encoder.encode(replace(sample, request=replace(request, generation=generation)), view)


class EvaluatesHeldOut:
    """Part of a trainer: its evaluation is that of held-out patients, by the tasks' primary metrics.

    So the library's own choice of the best checkpoint and its early stopping go by these metrics.
    """

    evaluator: HeldOutEvaluator

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Answer the requests about held-out patients, note the scores and return their mean skill."""
        trainer: Any = self
        scores = self.evaluator.scores(_all_answers(trainer, self.evaluator))
        self.evaluator.note(trainer.state.global_step, scores)
        skills = [score["skill"] for score in scores.values() if score["skill"] is not None]
        metrics = {f"eval_{SKILL}": sum(skills) / len(skills)} if skills else {}
        if trainer.args.metric_for_best_model and not metrics:
            raise s3harness.S3HarnessError(
                "no task has a score on the held-out patients, by which the best checkpoint would be chosen; evaluate "
                "more of them (--check-videos), or leave keep_best and patience out"
            )
        trainer.control = trainer.callback_handler.on_evaluate(trainer.args, trainer.state, trainer.control, metrics)
        return metrics


def _all_answers(trainer: Any, evaluator: HeldOutEvaluator) -> dict[str, str]:
    """Return the answers of all processes, of which each gives its share."""
    from accelerate.utils import gather_object

    accelerator = trainer.accelerator
    samples = evaluator.samples
    model = accelerator.unwrap_model(trainer.model_wrapped)
    # Weights that are spread over the processes take part in each other's steps: all of them answer the same.
    if accelerator.num_processes == 1 or trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        return evaluator.answers(model)
    share = samples[accelerator.process_index :: accelerator.num_processes]
    return dict(pair for pairs in gather_object([list(evaluator.answers(model, share).items())]) for pair in pairs)


def _format_score(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _generate(generator: BatchGenerator, batch: Sequence[EncodedRequest]) -> list[tuple[str, str]]:
    """Request id and text of the requests of a batch that are answered to their end."""
    answers = []
    for group in _alike(batch):
        for encoded, result in zip(group, generator.generate(group), strict=True):
            if isinstance(result, Exception):
                raise result
            if result.status == "ok":
                answers.append((encoded.request.id, result.text))
    return answers


def _alike(batch: Sequence[EncodedRequest]) -> list[list[EncodedRequest]]:
    """Requests that may share a batch: a video without sound cannot go with one that has it."""
    groups: dict[object, list[EncodedRequest]] = {}
    for encoded in batch:
        groups.setdefault(batch_key(encoded), []).append(encoded)
    return list(groups.values())

"""Reinforcement learning by TRL's GRPOTrainer, with metrics as rewards."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from s3harness_transformers.loading import generation_tokens
from s3harness_transformers.request_encoder import EncodedRequest

import s3harness
from s3harness_trl.callbacks import MonitorCallback, RewardRecorder
from s3harness_trl.encoding import SampleEncoder, batch_inputs, extended
from s3harness_trl.evaluation import EvaluatesHeldOut, HeldOutEvaluator
from s3harness_trl.loading import load_parts
from s3harness_trl.options import GrpoOptions
from s3harness_trl.probes import probe_trained
from s3harness_trl.rollouts import check_rollouts, rollout_arguments
from s3harness_trl.scores import answer_logits, logprobs_and_entropy
from s3harness_trl.tuning import TrainingRun, run_trainer, save_model, trainer_arguments, weights_dtype

with warnings.catch_warnings():
    # TRL 1.16 warns of the version of an installed vLLM, which may not be used, and of deprecated parts of torch.
    warnings.simplefilter("ignore")
    from trl import GRPOConfig, GRPOTrainer

TOKENS = ("input_ids", "attention_mask")


class ClipGrpoTrainer(EvaluatesHeldOut, GRPOTrainer):  # type: ignore[misc]
    """GRPOTrainer that shows clips as the evaluation does, to answer as well as to score the answers.

    The rows of its data set have the ``number`` of a sample. TRL's own multimodal columns hold images alone, so the
    encoded requests of a batch go beside its tensors.
    """

    def __init__(
        self,
        *args: Any,
        encoder: SampleEncoder,
        samples: Sequence[s3harness.Sample],
        evaluator: HeldOutEvaluator,
        beta: float,
        reference: Any,
        **kwargs: Any,
    ) -> None:
        self.encoder, self.samples, self.evaluator = encoder, samples, evaluator
        self._encoded: list[EncodedRequest] = []
        self._prompted: list[s3harness.Sample] = []
        super().__init__(*args, **kwargs)
        # TRL would load the reference by the name of its class in the checkpoint, which for omni models is the whole
        # with its talker; so it gets a beta of 0 at first.
        self.beta = beta
        if reference is not None:
            self.ref_model = _prepared(self, reference.requires_grad_(False).eval())

    def answer_by_vllm(self, card: s3harness.ModelCard, weights: Path) -> None:
        """Let a vLLM in this process write the answers from now on."""
        from s3harness_trl.vllm_rollouts import ClipRollouts

        # Not by TRL's own argument, which starts a vLLM for images alone.
        self.use_vllm, self.vllm_mode, self._last_loaded_step = True, "colocate", -1
        self.vllm_generation = ClipRollouts(
            card=card, weights=weights, encoder=self.encoder, samples=lambda: self._prompted, trainer=self
        )

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        self._prompted = [self.samples[row["number"]] for row in inputs]
        self._encoded = [self.encoder.encode(sample) for sample in self._prompted]
        output = super()._generate_and_score_completions(inputs)
        # A list of one entry for each answer is shuffled and divided with the tensors.
        return {**output, "encoded": self._encoded}

    def _tokenize_prompts(self, prompts: list[Any]) -> tuple[list[list[int]], None, dict[str, Any]]:
        """Return the tokens of the prompts, no images, and the tensors of the clips."""
        inputs = batch_inputs(self._encoded, self.encoder.pad_token_id)
        ids = [encoded.text["input_ids"][0].tolist() for encoded in self._encoded]
        fields = {name: value for name, value in inputs.items() if name not in TOKENS}
        return ids, None, fields

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Any:
        self._encoded = inputs["encoded"]
        return super()._compute_loss(model, inputs)

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: Any,
        attention_mask: Any,
        logits_to_keep: int,
        batch_size: int | None = None,
        compute_entropy: bool = False,
        compute_aux_loss: bool = False,
        **_: Any,
    ) -> tuple[Any, Any, Any]:
        """Return the log-probabilities of the answers' tokens, and if asked for entropies and the experts' loss."""
        import torch

        rows = batch_size or len(input_ids)
        parts = [
            self._score(
                model,
                self._encoded[start : start + rows],
                input_ids[start : start + rows],
                attention_mask[start : start + rows],
                logits_to_keep,
                compute_aux_loss,
            )
            for start in range(0, len(input_ids), rows)
        ]
        logprobs, entropies, aux_losses = zip(*parts, strict=True)
        return (
            torch.cat(logprobs),
            torch.cat(entropies) if compute_entropy else None,
            torch.stack(aux_losses).mean() if compute_aux_loss else None,
        )

    def _score(
        self, model: Any, encoded: Sequence[EncodedRequest], ids: Any, mask: Any, length: int, with_aux_loss: bool
    ) -> tuple[Any, Any, Any]:
        prompts = batch_inputs(encoded, self.encoder.pad_token_id, width=ids.shape[1] - length)
        answers = ids[:, -length:].cpu()
        inputs = extended(prompts, answers, mask[:, -length:].cpu(), prompts["input_ids"].shape)
        # Of the trainer's own inputs, where a truncated answer may be masked.
        inputs |= {"input_ids": ids, "attention_mask": mask}
        arguments = {"output_router_logits": True} if with_aux_loss else {}
        with self.accelerator.autocast():
            outputs = answer_logits(
                model, self.accelerator.unwrap_model(model), self._on_device(inputs), length, **arguments
            )
        logprobs, entropies = logprobs_and_entropy(outputs.logits / self.temperature, ids[:, -length:])
        return logprobs, entropies, outputs.aux_loss if with_aux_loss else None

    def _on_device(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        device = self.accelerator.device
        return {name: value.to(device) if hasattr(value, "to") else value for name, value in inputs.items()}


def reinforce(job: s3harness.TrainingJob, options: GrpoOptions) -> Mapping[str, object]:
    """Train by the rewards, save the model and return facts for the run card."""
    if options.batch_size % options.answers:
        raise s3harness.UsageError(
            f"-o batch_size={options.batch_size}: a multiple of answers ({options.answers}) is expected"
        )
    check_rollouts(options)
    run, recorder = TrainingRun.of(job, options), RewardRecorder()
    tokenizer = run.parts.processor.tokenizer
    eos_token_ids = frozenset(generation_tokens(run.parts.model, tokenizer)[0])
    is_whole = run.lora is None
    reference = load_parts(job.model, dtype=weights_dtype(options)).model if is_whole and options.beta else None
    trainer = ClipGrpoTrainer(
        model=run.parts.model,
        reward_funcs=[recorder.reward_function(reward, eos_token_ids) for reward in job.rewards],
        args=grpo_config(job, options, run.parts.model.config, beta=0.0 if is_whole else options.beta),
        train_dataset=_rows(job.training_set.samples),
        eval_dataset=_rows(job.training_set.samples[:1]),
        # Not the processor: TRL would expect images then.
        processing_class=tokenizer,
        peft_config=run.lora,
        callbacks=[MonitorCallback(job, recorder), *run.callbacks],
        encoder=run.encoder,
        samples=job.training_set.samples,
        evaluator=run.evaluator,
        beta=options.beta,
        reference=reference,
    )
    if options.vllm != "off":
        trainer.answer_by_vllm(run.evaluator.card, job.model)
    run_trainer(trainer, job, options)
    probes = probe_trained(trainer, job, run.evaluator, options.probe_samples)
    return {**run.facts, **save_model(trainer, run, job, options), "probes": probes}


def grpo_config(job: s3harness.TrainingJob, options: GrpoOptions, model_config: Any, *, beta: float) -> Any:
    """TRL's configuration."""
    return GRPOConfig(
        **trainer_arguments(job, options),
        **rollout_arguments(options, model_config),
        num_generations=options.answers,
        num_generations_eval=1,
        max_completion_length=options.max_answer_tokens,
        temperature=options.temperature,
        beta=beta,
        num_iterations=options.iterations,
        reward_weights=[reward.weight for reward in job.rewards],
    )


def _rows(samples: Sequence[s3harness.Sample]) -> Any:
    """A Hugging Face data set of one row a sample: its number, and the columns that rewards are computed from."""
    from datasets import Dataset

    return Dataset.from_dict(
        {
            "number": list(range(len(samples))),
            "prompt": [[{"role": "user", "content": sample.request.prompt}] for sample in samples],
            "task": [sample.request.task for sample in samples],
            "sample": [sample.truth.as_text() for sample in samples],
        }
    )


def _prepared(trainer: Any, reference: Any) -> Any:
    """The reference model, spread over the processes as the trained one is."""
    from trl.models.utils import prepare_deepspeed, prepare_fsdp

    if trainer.is_deepspeed_enabled:
        return prepare_deepspeed(reference, trainer.accelerator)
    if trainer.is_fsdp_enabled:
        return prepare_fsdp(reference, trainer.accelerator)
    return trainer.accelerator.prepare_model(reference, evaluation_mode=True)

"""Reinforcement learning by TRL's GRPOTrainer, with metrics as rewards."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import s3harness
from s3harness_trl.callbacks import MonitorCallback, RewardRecorder
from s3harness_trl.held_out import HeldOutEvaluator
from s3harness_trl.options import GrpoOptions
from s3harness_trl.rows import build_rows
from s3harness_trl.tuning import lora_config, run_trainer, save_model, trainable_parts, trainer_arguments


def reinforce(job: s3harness.TrainingJob, options: GrpoOptions) -> Mapping[str, object]:
    """Train by the rewards, save the model and return facts for the run card."""
    from s3harness_transformers.loading import generation_tokens

    with warnings.catch_warnings():
        # TRL 1.16 warns of the version of an installed vLLM, which is not used here, and of deprecated parts of torch.
        warnings.simplefilter("ignore")
        from trl import GRPOConfig, GRPOTrainer
    if options.batch_size % options.answers:
        raise s3harness.UsageError(
            f"-o batch_size={options.batch_size}: a multiple of answers ({options.answers}) is expected"
        )
    parts, recorder = trainable_parts(job, options), RewardRecorder()
    eos_token_ids = frozenset(generation_tokens(parts.model, parts.processor.tokenizer)[0])
    evaluator = HeldOutEvaluator(job, batch_size=options.answer_batch, max_tokens=options.max_answer_tokens)
    callback = MonitorCallback(job, evaluator, recorder)
    config = GRPOConfig(
        **trainer_arguments(job, options),
        num_generations=options.answers,
        max_completion_length=options.max_answer_tokens,
        temperature=options.temperature,
        beta=options.beta,
        reward_weights=[reward.weight for reward in job.rewards],
    )
    trainer = GRPOTrainer(
        model=parts.model,
        reward_funcs=[recorder.reward_function(reward, eos_token_ids) for reward in job.rewards],
        args=config,
        train_dataset=build_rows(job.made.samples, job.clips.frames, with_answer=False),
        processing_class=parts.processor,
        peft_config=lora_config(parts, options),
        callbacks=[callback],
    )
    run_trainer(trainer, job)
    return {"clips": "images", **save_model(trainer, parts, job, options), "held_out": callback.scores}

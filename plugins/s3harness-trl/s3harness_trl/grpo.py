"""Reinforcement learning by TRL's GRPOTrainer, with metrics as rewards."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import s3harness
from s3harness_trl.asking import HeldOutAsker
from s3harness_trl.options import GrpoOptions
from s3harness_trl.rows import rows
from s3harness_trl.tuning import adapters, arguments, carry_out, parts_to_train, save
from s3harness_trl.watching import Ledger, Watch


def reinforce(job: s3harness.TrainingJob, options: GrpoOptions) -> Mapping[str, object]:
    """Train by the rewards, and save."""
    from s3harness_transformers.loading import generation_tokens

    with warnings.catch_warnings():
        # TRL warns of the vLLM that is installed, which is not used here, and brings old parts of torch along.
        warnings.simplefilter("ignore")
        from trl import GRPOConfig, GRPOTrainer
    if options.batch_size % options.answers:
        raise s3harness.UsageError(
            f"-o batch_size={options.batch_size}: a multiple of answers ({options.answers}) is expected"
        )
    parts, ledger = parts_to_train(job, options), Ledger()
    ends = frozenset(generation_tokens(parts.model, parts.processor.tokenizer)[0])
    watch = Watch(job, HeldOutAsker(job, batch=options.answer_batch, most_tokens=options.max_answer_tokens), ledger)
    config = GRPOConfig(
        **arguments(job, options),
        num_generations=options.answers,
        max_completion_length=options.max_answer_tokens,
        temperature=options.temperature,
        beta=options.beta,
        reward_weights=[reward.weight for reward in job.rewards],
    )
    trainer = GRPOTrainer(
        model=parts.model,
        reward_funcs=[ledger.function(reward, ends) for reward in job.rewards],
        args=config,
        train_dataset=rows(job.made.samples, job.clips.frames, with_answer=False),
        processing_class=parts.processor,
        peft_config=adapters(parts, options),
        callbacks=[watch],
    )
    carry_out(trainer, job)
    return {"clips": "images", **save(trainer, parts, job, options), "held_out": watch.scores}

"""Supervised fine-tuning by TRL's SFTTrainer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trl import SFTConfig, SFTTrainer

import s3harness
from s3harness_trl.callbacks import MonitorCallback
from s3harness_trl.encoding import IGNORED, AnswerCollator
from s3harness_trl.evaluation import EvaluatesHeldOut, HeldOutEvaluator
from s3harness_trl.options import SftOptions
from s3harness_trl.reliance import compare_with_blank
from s3harness_trl.scores import answer_logits
from s3harness_trl.tuning import TrainingRun, run_trainer, save_model, trainer_arguments


class ClipSftTrainer(EvaluatesHeldOut, SFTTrainer):  # type: ignore[misc]
    """SFTTrainer whose loss needs no more of a model than its logits, so that all families train."""

    def __init__(self, *args: Any, evaluator: HeldOutEvaluator, **kwargs: Any) -> None:
        self.evaluator = evaluator
        super().__init__(*args, **kwargs)
        # Otherwise the loss is a mean over the parts of a batch, whose answers differ in length.
        self.model_accepts_loss_kwargs = True

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the cross-entropy of the answers: the sum over their tokens by the number in all processes."""
        from torch.nn.functional import cross_entropy

        labels = inputs["labels"]
        length = labels.shape[1] - int(labels.ne(IGNORED).any(0).int().argmax())
        labels = labels[:, -length:]
        arguments = {"output_router_logits": True} if self.aux_loss_enabled else {}
        outputs = answer_logits(
            model, self.accelerator.unwrap_model(self.model), _without_labels(inputs), length, **arguments
        )
        loss = cross_entropy(
            outputs.logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        loss = loss / (labels.ne(IGNORED).sum() if num_items_in_batch is None else num_items_in_batch)
        if num_items_in_batch is not None and self.args.average_tokens_across_devices:
            # Gradients are averaged over the processes, and the number is that of all of them.
            loss = loss * self.accelerator.num_processes
        if self.aux_loss_enabled:
            parts = 1 if num_items_in_batch is None else self.current_gradient_accumulation_steps
            loss = loss + self.router_aux_loss_coef * outputs.aux_loss / parts
        return (loss, outputs) if return_outputs else loss


def fine_tune(job: s3harness.TrainingJob, options: SftOptions) -> Mapping[str, object]:
    """Train on the answers, compare the loss without frames and sound, save, and return facts for the run card."""
    from datasets import Dataset

    run = TrainingRun.of(job, options)
    callback = MonitorCallback(job)
    samples = job.training_set.samples
    trainer = ClipSftTrainer(
        model=run.parts.model,
        # Prompts are not truncated, as that would cut the tokens of clips off; the collator makes the labels.
        args=SFTConfig(
            **trainer_arguments(job, options), max_length=None, dataset_kwargs={"skip_prepare_dataset": True}
        ),
        train_dataset=Dataset.from_dict({"number": list(range(len(samples)))}),
        eval_dataset=Dataset.from_dict({"number": [0]}),
        data_collator=AnswerCollator(run.encoder, samples),
        # Not the processor: TRL would expect images then.
        processing_class=run.parts.processor.tokenizer,
        peft_config=run.lora,
        callbacks=[callback, *run.callbacks],
        evaluator=run.evaluator,
    )
    run_trainer(trainer, job, options)
    comparison = compare_with_blank(trainer, job, run.evaluator, options.blank_samples)
    saved = save_model(trainer, run, job, options)
    return {**run.facts, **saved, "looks": comparison}


def _without_labels(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if name != "labels"}

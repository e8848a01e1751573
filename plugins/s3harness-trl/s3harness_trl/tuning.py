"""Common parts of SFT and GRPO: what is trained, the trainer's arguments, and saving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import s3harness
from s3harness_trl.callbacks import StopsAfter
from s3harness_trl.checkpoints import FOLDER, MarksComplete, last_checkpoint
from s3harness_trl.encoding import SampleEncoder
from s3harness_trl.evaluation import SKILL, HeldOutEvaluator
from s3harness_trl.loading import ModelParts, load_parts, save_parts
from s3harness_trl.options import TuningOptions
from s3harness_trl.parts import TOWERS, Tower, base_of, repeated_layers, tower_modules, tower_weights


@dataclass(frozen=True)
class TrainingRun:
    """A model that is about to be trained, with what encodes its samples and evaluates it.

    ``lora`` is the configuration of adapters, ``None`` where all weights are trained; ``facts`` are for the run card.
    """

    parts: ModelParts
    lora: Any
    encoder: SampleEncoder
    evaluator: HeldOutEvaluator
    facts: Mapping[str, object]

    @classmethod
    def of(cls, job: s3harness.TrainingJob, options: TuningOptions) -> TrainingRun:
        """Load the model of a job and freeze what is not trained; :class:`s3harness.UsageError` for wrong options."""
        parts = load_parts(job.model, dtype=weights_dtype(options), trust_remote_code=options.trust_remote_code)
        for tower in TOWERS:
            if not is_tuned(options, tower):
                for weight in tower_weights(parts.model, tower):
                    weight.requires_grad_(False)
        card = shown_card(job.card, parts, options)
        evaluator = HeldOutEvaluator(
            job,
            parts,
            card,
            batch_size=options.answer_batch,
            max_tokens=options.max_answer_tokens,
            trust=options.trust_remote_code,
        )
        encoder = SampleEncoder(parts, card, job.clips)
        _check_lengths(job, encoder, options)
        sound = ("in_video" if card.audio_in_video else "separate") if card.hears() else "none"
        facts = {"clips": card.clip_form, "audio": sound}
        return cls(parts, lora_config(parts, options), encoder, evaluator, facts)

    @property
    def callbacks(self) -> Sequence[Any]:
        """The callbacks of every training."""
        return (MarksComplete(),)


def shown_card(card: s3harness.ModelCard, parts: ModelParts, options: TuningOptions) -> s3harness.ModelCard:
    """Return the card by which clips are shown: as images where the processor takes no video, with sound as chosen.

    Raises :class:`s3harness.UsageError` if sound is wanted and the card or the processor has none.
    """
    if not parts.takes_video and "video" in card.modalities:
        card = replace(card, clip_form="images")
    if card.hears() and getattr(parts.processor, "feature_extractor", None) is None:
        raise s3harness.UsageError(f"the card of {card.name} has sound, and the processor of --model takes none")
    if options.sound == "none":
        return replace(card, modalities=tuple(modality for modality in card.modalities if modality != "audio"))
    if options.sound and not card.hears():
        raise s3harness.UsageError(
            f"-o sound={options.sound}: the model is described as one without sound; name its card (--card)"
        )
    return replace(card, audio_in_video=options.sound == "in_video") if options.sound else card


def is_tuned(options: TuningOptions, tower: Tower) -> bool:
    """True if a tower is trained."""
    return options.vision if tower == "vision" else options.audio


def weights_dtype(options: TuningOptions) -> str:
    """The numeric type of the weights that are loaded.

    On a GPU, frozen weights are bfloat16, and those that are trained float32 with computation in bfloat16: an update
    is often smaller than bfloat16's distance to the next number.
    """
    if options.dtype:
        return options.dtype
    return "bfloat16" if computes_in_bfloat16(options) and options.lora_rank else "float32"


def computes_in_bfloat16(options: TuningOptions) -> bool:
    """True if matrices are multiplied in bfloat16: on a GPU, unless the user names another type."""
    import torch

    return options.dtype == "bfloat16" or (not options.dtype and torch.cuda.is_available())


def lora_config(parts: ModelParts, options: TuningOptions) -> Any:
    """The LoRA configuration: all linear layers but the head, without towers that are frozen.

    ``None`` where all weights are trained.
    """
    if not options.lora_rank:
        return None
    from peft import LoraConfig
    from torch.nn import Linear

    # peft warns of an adapter on a head that is tied to the embeddings: merging it would change them, too.
    excluded = {id(parts.model.get_output_embeddings())}
    for tower in TOWERS:
        if not is_tuned(options, tower):
            excluded |= {id(inner) for module in tower_modules(parts.model, tower) for inner in module.modules()}
    targets = [
        name
        for name, module in parts.model.named_modules()
        if isinstance(module, Linear) and id(module) not in excluded
    ]
    return LoraConfig(
        r=options.lora_rank,
        lora_alpha=options.lora_alpha,
        lora_dropout=options.lora_dropout,
        target_modules=targets,
        bias="none",
    )


def trainer_arguments(job: s3harness.TrainingJob, options: TuningOptions) -> dict[str, Any]:
    """Arguments of TRL's configuration in both stages."""
    import torch

    return {
        "output_dir": str(job.out / FOLDER),
        # The library's own name for a run is the path of its folder, which trackers would keep.
        "run_name": f"s3harness-{job.stage}",
        "max_steps": options.steps,
        "per_device_train_batch_size": samples_at_once(options, job.processes.count),
        "gradient_accumulation_steps": options.accumulate,
        "learning_rate": options.learning_rate,
        "lr_scheduler_type": options.schedule,
        "warmup_steps": options.warmup_steps,
        "weight_decay": options.weight_decay,
        "adam_beta2": options.adam_beta2,
        "max_grad_norm": options.max_grad_norm,
        "logging_steps": options.log_every,
        # transformers would log the mean of the losses before in place of one that is not finite.
        "logging_nan_inf_filter": False,
        "save_strategy": "steps" if options.checkpoint_every else "no",
        "save_steps": options.checkpoint_every or options.steps,
        # A checkpoint of all weights takes gigabytes: older ones are deleted.
        "save_total_limit": 2,
        "seed": options.seed,
        "report_to": options.trackers or "none",
        "disable_tqdm": True,
        "use_cpu": not torch.cuda.is_available(),
        "bf16": computes_in_bfloat16(options),
        "gradient_checkpointing": options.checkpointing(torch.cuda.is_available()),
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        # Rewards are computed from columns that the model does not take.
        "remove_unused_columns": False,
        "dataloader_num_workers": options.workers,
        # A batch may hold no sound, or a model a tower that it does not need.
        "ddp_find_unused_parameters": job.processes.count > 1,
        **_evaluation_arguments(job, options),
    }


def samples_at_once(options: TuningOptions, processes: int) -> int:
    """The part of a batch that a process computes at once; :class:`s3harness.UsageError` if the batch has no such."""
    parts = options.accumulate * processes
    if options.batch_size % parts:
        among = f" among {processes} processes" if processes > 1 else ""
        raise s3harness.UsageError(
            f"-o accumulate={options.accumulate}: a batch of {options.batch_size} cannot be divided in so many "
            f"parts{among}"
        )
    return options.batch_size // parts


def _evaluation_arguments(job: s3harness.TrainingJob, options: TuningOptions) -> dict[str, Any]:
    chooses = options.keep_best or bool(options.patience)
    if not job.check_every:
        if chooses:
            raise s3harness.UsageError("keep_best and patience go by held-out patients; evaluate them (--check-every)")
        return {"eval_strategy": "no"}
    if chooses and (not options.checkpoint_every or options.checkpoint_every % job.check_every):
        raise s3harness.UsageError(
            f"-o checkpoint_every={options.checkpoint_every}: to keep the best checkpoint, a multiple of "
            f"--check-every ({job.check_every}) is expected"
        )
    best = {"load_best_model_at_end": True, "metric_for_best_model": f"eval_{SKILL}", "greater_is_better": True}
    return {
        "eval_strategy": "steps",
        "eval_steps": job.check_every,
        **(best if chooses else {"metric_for_best_model": None}),
    }


def run_trainer(trainer: Any, job: s3harness.TrainingJob, options: TuningOptions) -> None:
    """Train, from the last complete checkpoint where the job is resumed."""
    from transformers import EarlyStoppingCallback, PrinterCallback

    # It prints each log entry as a dictionary; the monitor's callback says it in a line.
    trainer.remove_callback(PrinterCallback)
    if options.patience:
        trainer.add_callback(EarlyStoppingCallback(options.patience))
    if options.stop_after:
        trainer.add_callback(StopsAfter(options.stop_after))
    if trainer.is_fsdp_enabled:
        # The classes that a model names may leave those of its language model out, as that of omni models does.
        trainer.accelerator.state.fsdp_plugin.transformer_cls_names_to_wrap = repeated_layers(trainer.model)
    checkpoint = last_checkpoint(job)
    # A resumed training was evaluated before its first step already.
    trainer.args.eval_on_start = bool(job.check_every) and checkpoint is None
    trainer.train(resume_from_checkpoint=checkpoint)


def save_model(trainer: Any, run: TrainingRun, job: s3harness.TrainingJob, options: TuningOptions) -> dict[str, object]:
    """Save the model, adapters merged unless they are to stay separate, and return facts for the run card."""
    # Collective: weights that are spread over processes are gathered.
    state = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    counts = _count_weights(trainer.model)
    if job.processes.is_main:
        _save(state, run, job, options)
    trainer.accelerator.wait_for_everyone()
    is_separate = bool(options.lora_rank) and not options.merge
    steps = trainer.state.global_step
    return {
        "weights": "adapter" if is_separate else "whole",
        "trained": counts,
        "tuned": _tuned(run.parts, options),
        "steps": steps,
        **({"best_step": trainer.state.best_global_step} if options.keep_best or options.patience else {}),
        "held_out": [{"step": step, "scores": scores} for step, scores in job.monitor.notes("held_out")],
    }


def _save(state: Mapping[str, Any], run: TrainingRun, job: s3harness.TrainingJob, options: TuningOptions) -> None:
    # Into a model of its own, as the trainer's may be wrapped or spread over processes.
    parts = load_parts(job.model, dtype=weights_dtype(options), trust_remote_code=options.trust_remote_code)
    model = parts.model
    if run.lora is not None:
        from peft import get_peft_model

        model = get_peft_model(model, run.lora)
    _load_all(model, state)
    if run.lora is not None and options.merge:
        model = model.merge_and_unload()
    for adapter in getattr(model, "peft_config", {}).values():
        # The path of the base model on this machine; the run card names that model by a hash.
        adapter.base_model_name_or_path = ""
    save_parts(ModelParts(model, parts.processor), job.out, job.model)


def _load_all(model: Any, state: Mapping[str, Any]) -> None:
    """Load the trained weights; :class:`s3harness.S3HarnessError` if one is missing or would be left out."""
    result = model.load_state_dict(state, strict=False)
    # Weights that share memory with others may be gathered once, under one of their names.
    tied = tuple(getattr(base_of(model), "_tied_weights_keys", None) or ())
    differing = [*result.unexpected_keys, *(name for name in result.missing_keys if not name.endswith(tied))]
    if differing:
        raise s3harness.S3HarnessError(
            f"{len(differing)} of the trained weights do not fit the model that they are saved in (such as "
            f"{differing[0]}); the last checkpoint is kept"
        )


def _tuned(parts: ModelParts, options: TuningOptions) -> dict[str, str]:
    """Part of the model → "all" of its weights, "lora", or "frozen"."""
    way = "lora" if options.lora_rank else "all"
    towers: dict[str, str] = {
        tower: way if is_tuned(options, tower) else "frozen" for tower in TOWERS if tower_modules(parts.model, tower)
    }
    return {"language": way, **towers}


def _count_weights(model: Any) -> dict[str, int]:
    weights = list(model.parameters())
    return {"weights": sum(w.numel() for w in weights), "of_them": sum(w.numel() for w in weights if w.requires_grad)}


def _check_lengths(job: s3harness.TrainingJob, encoder: SampleEncoder, options: TuningOptions) -> None:
    """Encode the sample of each task that shows most; :class:`s3harness.UsageError` if one is over ``max_tokens``."""
    longest: dict[str, s3harness.Sample] = {}
    for sample in job.training_set.samples:
        task = sample.request.task
        if task not in longest or _amount(sample) > _amount(longest[task]):
            longest[task] = sample
    tokens = {
        task: encoder.encode(sample).length + len(encoder.answer(sample.target)) for task, sample in longest.items()
    }
    most = max(tokens, key=tokens.__getitem__)
    job.report_status(f"the longest sample has {tokens[most]} tokens ({most})")
    if options.max_tokens and tokens[most] > options.max_tokens:
        raise s3harness.UsageError(
            f"-o max_tokens={options.max_tokens}: a sample of {most} has {tokens[most]} tokens; show less "
            "(--sampling max_frames=N max_pixels=N fps=N), or allow more"
        )


def _amount(sample: s3harness.Sample) -> float:
    clip = sample.request.clip
    return len(clip.timestamps) * clip.max_pixels

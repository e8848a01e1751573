"""Loading of a model that writes text, with its processor, from a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import s3harness
from s3harness_transformers import errors
from s3harness_transformers.adapters import load_adapter
from s3harness_transformers.installation import installed_version
from s3harness_transformers.options import TransformersOptions
from s3harness_transformers.positions import continue_after_videos

ENVIRONMENT = {"HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "false"}
AUTO_CLASSES = (
    "AutoModelForMultimodalLM",
    "AutoModelForImageTextToText",
    "AutoModelForSeq2SeqLM",
    "AutoModelForCausalLM",
)
"""Auto classes of transformers for models that write text, by name: not every version has all of them."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to generate. ``eos_token_ids`` end an answer, ``pad_token_id`` pads the rows of a batch.

    ``own_decoding`` are the settings of the checkpoint's ``generation_config``.
    """

    model: Any
    processor: Any
    eos_token_ids: tuple[int, ...]
    pad_token_id: int
    revision: str = ""
    own_decoding: Mapping[str, object] = field(default_factory=dict)

    @property
    def base_model(self) -> Any:
        """The model without its adapter."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    @property
    def tokenizer(self) -> Any:
        """The processor's tokenizer."""
        return tokenizer_of(self.processor)

    @property
    def model_type(self) -> str:
        """The ``model_type`` of the configuration."""
        return str(self.model.config.model_type)

    @property
    def vocab_size(self) -> int:
        """The number of scores that the model puts out."""
        return int(self.model.config.get_text_config().vocab_size)

    @property
    def max_tokens(self) -> int | None:
        """The context: tokens of prompt and answer together; ``None`` if the configuration names none."""
        return getattr(self.model.config.get_text_config(), "max_position_embeddings", None)

    @property
    def device(self) -> Any:
        """The device of the input embeddings, where inputs belong."""
        # With device_map the layers may be on several devices.
        return self.model.get_input_embeddings().weight.device

    @property
    def device_name(self) -> str:
        """The kind of the device: ``cpu``, or a GPU by its model."""
        import torch

        device = self.device
        return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device.type)


def load_model(card: s3harness.ModelCard, options: TransformersOptions, report: Callable[[str], None]) -> LoadedModel:
    """Load processor, weights and adapter; blocks for as long as that takes, and calls ``report`` with each phase.

    Raises :class:`s3harness.S3HarnessError` (the weights) or :class:`s3harness.UsageError` (the options) saying what
    to do.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    weights = str(card.weights)
    is_local = Path(weights).is_dir()
    # A local directory is never looked up on the hub, where a repository of that name may exist.
    place: dict[str, Any] = {"local_files_only": True} if is_local else {"revision": card.revision or "main"}
    source = place | {"trust_remote_code": options.trust_remote_code}
    try:
        report("loading transformers")
        config, processor = load_processor(weights, source)
        report("loading weights")
        model = _load_weights(weights, source, config, options)
    except Exception as error:
        if isinstance(error, s3harness.S3HarnessError):
            raise
        raise errors.loading_error(error, weights, is_local) from error
    continue_after_videos(model)
    eos_token_ids, pad_token_id = generation_tokens(model, tokenizer_of(processor))
    own_decoding = model.generation_config.to_diff_dict()
    _reset_generation_config(model, eos_token_ids, pad_token_id)
    if options.adapter is not None:
        report("loading the adapter")
        model = load_adapter(model, options.adapter)
    revision = str(getattr(config, "_commit_hash", None) or "")
    return LoadedModel(model.eval(), processor, eos_token_ids, pad_token_id, revision, own_decoding)


def tokenizer_of(processor: Any) -> Any:
    """Return the tokenizer of a processor; of a model of text alone the processor is the tokenizer itself."""
    return getattr(processor, "tokenizer", processor)


def load_processor(weights: str, source: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return configuration and processor; of a model that also speaks, the configuration of the part that writes."""
    from transformers import AutoConfig, AutoProcessor
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    config = AutoConfig.from_pretrained(weights, **source)
    processor = AutoProcessor.from_pretrained(weights, **source)
    tokenizer = tokenizer_of(processor)
    if not getattr(processor, "chat_template", None) and not getattr(tokenizer, "chat_template", None):
        raise s3harness.UsageError("the weights have no chat template, so a question cannot be put to the model")
    # Generation continues a row at its right end, where padding would be in the way.
    tokenizer.padding_side = "left"
    # Omni models of Qwen: a talker, which is not loaded, speaks what the thinker writes.
    return getattr(config, "thinker_config", config), processor


def _load_weights(weights: str, source: Mapping[str, Any], config: Any, options: TransformersOptions) -> Any:
    import torch

    on_gpu = torch.cuda.is_available() and options.device_map != "cpu"
    placement: dict[str, Any] = {}
    # Without device_map transformers loads to the CPU, for which accelerate is not needed.
    if on_gpu or options.device_map not in ("auto", "cpu"):
        if not installed_version("accelerate"):
            raise s3harness.UsageError("weights are put on a GPU by accelerate: pip install accelerate")
        placement["device_map"] = options.device_map
    if options.attn_implementation:
        placement["attn_implementation"] = options.attn_implementation
    dtype = options.dtype or (options.dtype_on_gpu if on_gpu else "float32")
    return auto_class(config).from_pretrained(weights, config=config, dtype=dtype, **source, **placement)


def auto_class(config: Any) -> Any:
    """The first of :data:`AUTO_CLASSES` that has a model for a configuration."""
    import transformers

    for name in AUTO_CLASSES:
        auto = getattr(transformers, name, None)
        # Code that comes with the weights registers its classes in auto_map.
        is_remote = name in (getattr(config, "auto_map", None) or {})
        if auto is not None and (is_remote or type(config) in auto._model_mapping):
            return auto
    version = installed_version("transformers")
    raise s3harness.UsageError(f"transformers {version} has no model that writes text for {config.model_type!r}")


def generation_tokens(model: Any, tokenizer: Any) -> tuple[tuple[int, ...], int]:
    """The ids of the tokens that end an answer, and of the one that pads rows."""
    eos = model.generation_config.eos_token_id
    if eos is None:
        eos = tokenizer.eos_token_id
    eos_token_ids = tuple(eos) if isinstance(eos, list | tuple) else (eos,)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else eos_token_ids[0]
    return tuple(int(token) for token in eos_token_ids), int(pad)


def _reset_generation_config(model: Any, eos_token_ids: tuple[int, ...], pad_token_id: int) -> None:
    """Replace the checkpoint's generation settings by the end and padding tokens alone."""
    # Checkpoints bring a temperature, top_k or repetition penalty, which ``generate`` would use where a request names
    # none: how an answer is sampled is the task's matter.
    from transformers import GenerationConfig

    model.generation_config = GenerationConfig(eos_token_id=list(eos_token_ids), pad_token_id=pad_token_id)

"""Loading a model that writes text, with its processor, as its checkpoint says."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import s3harness
from s3harness_transformers import failures
from s3harness_transformers.adapters import with_adapter
from s3harness_transformers.options import Options, installed_version

QUIET = {"HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "false"}
CLASSES = ("AutoModelForMultimodalLM", "AutoModelForImageTextToText", "AutoModelForSeq2SeqLM", "AutoModelForCausalLM")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to answer. ``ends`` are the tokens that end an answer, ``pad`` the one that fills rows up."""

    model: Any
    processor: Any
    ends: tuple[int, ...]
    pad: int
    revision: str = ""

    @property
    def bare(self) -> Any:
        """The model without its adapter."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    @property
    def words(self) -> Any:
        """The tokenizer."""
        return self.processor.tokenizer

    @property
    def family(self) -> str:
        """The ``model_type`` of the configuration."""
        return str(self.model.config.model_type)

    @property
    def vocabulary(self) -> int:
        """The number of scores that the model gives."""
        return int(self.model.config.get_text_config().vocab_size)

    @property
    def context(self) -> int | None:
        """Tokens of prompt and answer that the model was made for."""
        return getattr(self.model.config.get_text_config(), "max_position_embeddings", None)

    @property
    def device(self) -> Any:
        """Where inputs belong."""
        return self.model.get_input_embeddings().weight.device

    @property
    def device_name(self) -> str:
        """The kind of the device: ``cpu``, or a GPU by its model."""
        import torch

        device = self.device
        return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device.type)


def load(card: s3harness.ModelCard, options: Options, say: Callable[[str], None]) -> Loaded:
    """Load processor, weights and adapter; blocks for as long as that takes.

    Raises :class:`s3harness.S3HarnessError` (the weights) or :class:`s3harness.UsageError` (the options) saying what
    to do.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    weights = str(card.weights)
    is_local = Path(weights).is_dir()
    where: dict[str, Any] = {"local_files_only": True} if is_local else {"revision": card.revision or "main"}
    source = where | {"trust_remote_code": options.trust_remote_code}
    try:
        say("loading transformers")
        config, processor = read_processor(weights, source)
        say("loading weights")
        model = _model(weights, source, config, options)
    except Exception as error:
        if isinstance(error, s3harness.S3HarnessError):
            raise
        raise failures.of_loading(error, weights, is_local) from error
    ends, pad = generation_tokens(model, processor.tokenizer)
    _forget_generation(model, ends, pad)
    if options.adapter is not None:
        say("loading the adapter")
        model = with_adapter(model, options.adapter)
    return Loaded(model.eval(), processor, ends, pad, str(getattr(config, "_commit_hash", None) or ""))


def read_processor(weights: str, source: Mapping[str, Any]) -> tuple[Any, Any]:
    """The configuration of the part that writes text, where a model can speak besides, and the processor."""
    from transformers import AutoConfig, AutoProcessor
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    config = AutoConfig.from_pretrained(weights, **source)
    processor = AutoProcessor.from_pretrained(weights, **source)
    if not getattr(processor, "chat_template", None) and not getattr(processor.tokenizer, "chat_template", None):
        raise s3harness.UsageError("the weights have no chat template, so nobody knows how to ask the model")
    processor.tokenizer.padding_side = "left"
    return getattr(config, "thinker_config", config), processor


def _model(weights: str, source: Mapping[str, Any], config: Any, options: Options) -> Any:
    import torch

    on_gpu = torch.cuda.is_available() and options.device_map != "cpu"
    placed: dict[str, Any] = {}
    if on_gpu or options.device_map not in ("auto", "cpu"):
        if not installed_version("accelerate"):
            raise s3harness.UsageError("weights are put on a GPU by accelerate: pip install accelerate")
        placed["device_map"] = options.device_map
    if options.attn_implementation:
        placed["attn_implementation"] = options.attn_implementation
    dtype = options.dtype or (options.dtype_on_gpu if on_gpu else "float32")
    return class_of(config).from_pretrained(weights, config=config, dtype=dtype, **source, **placed)


def class_of(config: Any) -> Any:
    """The first of the Auto classes that has a model for a configuration."""
    import transformers

    for name in CLASSES:
        found = getattr(transformers, name, None)
        remote = name in (getattr(config, "auto_map", None) or {})
        if found is not None and (remote or type(config) in found._model_mapping):
            return found
    known = installed_version("transformers")
    raise s3harness.UsageError(f"transformers {known} has no model that writes text for {config.model_type!r}")


def generation_tokens(model: Any, words: Any) -> tuple[tuple[int, ...], int]:
    """The tokens that end an answer, and the one that fills rows up."""
    ends = model.generation_config.eos_token_id
    found = tuple(ends) if isinstance(ends, list | tuple) else (ends if ends is not None else words.eos_token_id,)
    pad = words.pad_token_id if words.pad_token_id is not None else found[0]
    return tuple(int(end) for end in found), int(pad)


def _forget_generation(model: Any, ends: tuple[int, ...], pad: int) -> None:
    """Take out what the checkpoint would have of sampling: a request says how it is to be answered."""
    from transformers import GenerationConfig

    model.generation_config = GenerationConfig(eos_token_id=list(ends), pad_token_id=pad)

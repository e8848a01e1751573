"""Engine arguments and backend options, from the model card and the user's ``-o name=value``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, cast

import s3harness
from s3harness import options
from s3harness_vllm.adapters import ADAPTER_CONFIG, LORA_ARGUMENTS, adapter_arguments
from s3harness_vllm.installation import engine_argument_names, require_version, require_vllm
from s3harness_vllm.limits import OF_ARCHITECTURES, Limit

OWNER = "the vllm backend"

FIXED: Mapping[str, str] = {
    "model": "the weights are named by --model, or by --weights DIR",
    "enable_lora": "an adapter is named by -o adapter=DIR",
    "runner": "the harness generates text alone",
    "enable_log_requests": "prompts are not logged",
}
"""Engine arguments that a user may not set, each with the reason or with what to use in its place."""

COMPACT_JSON = {"backend": "xgrammar", "disable_any_whitespace": True}
"""JSON without white space: a model that may write any may write nothing else until its answer is cut."""


MAX_IMAGES = 999
"""The most images in a prompt: vLLM's own default. A clip shown as images has as many as frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmOptions:
    """Options of the backend itself; all other names are arguments of the engine.

    ``adapter`` is the directory of a LoRA adapter; ``merge_adapter`` merges it into a copy of the weights before the
    engine starts, as is done anyway where the engine does not apply all of its layers. ``structured`` holds answers to
    their schema or choices, ``logprobs`` requests the probabilities of closed answers. At most ``in_flight`` requests
    are under way for each replica, each for at most ``timeout_s`` seconds.
    """

    adapter: Annotated[Path | None, options.directory_with(ADAPTER_CONFIG)] = None
    merge_adapter: bool = False
    structured: bool = True
    logprobs: bool = True
    in_flight: Annotated[int, options.whole(1)] = 64
    timeout_s: Annotated[float, options.number(0.01)] = 1800.0


OWN_NAMES = tuple(option.name for option in fields(VllmOptions))


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSetup:
    """Arguments of ``AsyncEngineArgs``, the card's number of GPUs where the user named none, and backend options.

    ``limits`` are those of the engine that the card names, and those of the model's architecture.
    """

    engine: Mapping[str, object]
    hinted_gpus: int | None = None
    options: VllmOptions = field(default_factory=VllmOptions)
    limits: Sequence[Limit] = ()

    @property
    def adapter_form(self) -> str:
        """``loaded`` beside the weights or ``merged`` into them; empty without an adapter."""
        if self.options.adapter is None:
            return ""
        return "loaded" if self.engine.get("enable_lora") else "merged"

    @property
    def has_media_cache(self) -> bool:
        """True if the engine caches a clip's media, so that later requests can refer to them by id alone."""
        return self.engine.get("mm_processor_cache_gb") != 0


def engine_setup(model: s3harness.ModelCard, values: Mapping[str, object]) -> EngineSetup:
    """Combine the user's values, the model card's settings and this package's defaults, in this order of priority.

    Raises :class:`s3harness.UsageError` for a missing or too old vLLM, an unknown option, or a wrong value.
    """
    card = dict(model.engines.get("vllm", {}))
    argument_names = engine_argument_names(require_vllm())
    require_version(str(card.pop("min_version", "0")), model.name)
    limits = [*(Limit(**limit) for limit in card.pop("limits", ())), *OF_ARCHITECTURES.get(model.architecture, ())]
    if model.weights is None:
        raise s3harness.UsageError(f"{model.name} has no weights on the hub; name a directory by --weights DIR")
    own = {name: value for name, value in values.items() if name in OWN_NAMES}
    arguments = {name: value for name, value in values.items() if name not in OWN_NAMES}
    for name in arguments:
        _check_argument(name, argument_names)
    backend_options = options.read_options(VllmOptions, OWNER, own)
    # The card's number of GPUs is a hint: it is fitted to this machine once vLLM can be asked how many there are.
    hint = card.pop("tensor_parallel_size", None) if "tensor_parallel_size" not in arguments else None
    # A card's limits are for clips as video.
    if _shows_images(model):
        card.pop("limit_mm_per_prompt", None)
    engine = {**_defaults(model), **card, **arguments, "model": model.weights}
    if backend_options.adapter is not None:
        engine |= adapter_arguments(backend_options.adapter, arguments)
    return EngineSetup(engine=engine, hinted_gpus=cast("int | None", hint), options=backend_options, limits=limits)


def merged_setup(setup: EngineSetup, weights: Path) -> EngineSetup:
    """The setup of an engine for weights into which the adapter was merged."""
    engine = {name: value for name, value in setup.engine.items() if name not in (*LORA_ARGUMENTS, "revision")}
    return replace(setup, engine={**engine, "model": str(weights)})


def _defaults(model: s3harness.ModelCard) -> dict[str, object]:
    return {
        "revision": model.revision,
        "enable_prefix_caching": True,
        "limit_mm_per_prompt": _media_limits(model),
        "structured_outputs_config": COMPACT_JSON,
        # Otherwise the checkpoint's generation_config would set temperature and top_p where the task sets none.
        "generation_config": "vllm",
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
    }


def _media_limits(model: s3harness.ModelCard) -> dict[str, int]:
    """The most items of each modality in a prompt; empty for a model of text alone, which has none to limit."""
    if not model.modalities:
        return {}
    # Room is reserved for what the model is shown, and for no image, video or sound that never comes.
    limits = {"image": 0, "video": 0, "audio": 0} | dict.fromkeys(model.modalities, 1)
    return limits | {"video": 0, "image": MAX_IMAGES} if _shows_images(model) else limits


def _shows_images(model: s3harness.ModelCard) -> bool:
    return model.clip_form == "images" and "video" in model.modalities


def _check_argument(name: str, argument_names: frozenset[str]) -> None:
    """Raise :class:`s3harness.UsageError` for an argument that a user may not set or that the engine does not have."""
    if name in FIXED:
        raise s3harness.UsageError(f"{OWNER} takes no {name}: {FIXED[name]}")
    # No names at all means that a newer vLLM has moved them; its own error then has to do.
    if argument_names and name not in argument_names:
        near = difflib.get_close_matches(name, [*OWN_NAMES, *argument_names], n=4, cutoff=0.5)
        # Without a similar name its own options alone are listed: the engine has 200 arguments.
        hint = f"; near it are {', '.join(near)}" if near else f"; its own are {', '.join(OWN_NAMES)}"
        raise s3harness.UsageError(f"neither {OWNER} nor its engine has an option {name!r}{hint}")

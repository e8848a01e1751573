"""Engine arguments and backend options, from the model card and the user's ``-o name=value``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import s3harness
from s3harness_vllm.adapters import ADAPTER_CONFIG, adapter_arguments
from s3harness_vllm.installation import engine_argument_names, require_version, require_vllm

BACKEND_OPTIONS = ("adapter", "structured", "logprobs", "in_flight", "timeout_s")
"""Options of this backend; every other name is an argument of the engine."""

FIXED: Mapping[str, str] = {
    "model": "the weights are named by --model, or by --weights DIR",
    "enable_lora": "an adapter is named by -o adapter=DIR",
    "runner": "the harness asks for text",
    "enable_log_requests": "what is asked goes into no log",
}
"""Engine arguments that a user may not set, each with the reason or with what to use in its place."""

IN_FLIGHT = 64
TIMEOUT_S = 1800.0

COMPACT_JSON = {"backend": "xgrammar", "disable_any_whitespace": True}
"""JSON without white space: a model that may write any may write nothing else until its answer is cut."""


@dataclass(frozen=True, kw_only=True)
class EngineSetup:
    """Arguments of the engine, and how requests are sent to it.

    ``engine`` are arguments of ``AsyncEngineArgs``; ``hinted_gpus`` is the card's number of GPUs where the user named
    none. ``adapter`` is the directory of a LoRA adapter. ``structured`` holds answers to their schema or choices,
    ``logprobs`` requests the probabilities of closed answers. At most ``in_flight`` requests are under way for each
    replica, each for at most ``timeout_s`` seconds.
    """

    engine: Mapping[str, object]
    hinted_gpus: int | None = None
    adapter: Path | None = None
    structured: bool = True
    logprobs: bool = True
    in_flight: int = IN_FLIGHT
    timeout_s: float = TIMEOUT_S

    @property
    def replicas(self) -> int:
        """The number of data-parallel engines, each with a cache of its own."""
        return int(str(self.engine.get("data_parallel_size") or 1))

    @property
    def has_media_cache(self) -> bool:
        """True if the engine caches a clip's media, so that later requests can refer to them by id alone."""
        return self.engine.get("mm_processor_cache_gb") != 0


def engine_setup(model: s3harness.ModelCard, options: Mapping[str, object]) -> EngineSetup:
    """Combine the user's options, the model card's settings and this package's defaults, in this order of priority.

    Raises :class:`s3harness.UsageError` for a missing or too old vLLM, an unknown option, or a wrong value.
    """
    card = dict(model.engines.get("vllm", {}))
    argument_names = engine_argument_names(require_vllm())
    require_version(str(card.pop("min_version", "0")), model.name)
    if model.weights is None:
        raise s3harness.UsageError(f"{model.name} has no weights on the hub; name a directory by --weights DIR")
    user_arguments = {name: _checked(name, value, argument_names) for name, value in options.items()}
    backend_options = {name: user_arguments.pop(name) for name in BACKEND_OPTIONS if name in user_arguments}
    # The card's number of GPUs is a hint: it is fitted to this machine once vLLM can be asked how many there are.
    hint = card.pop("tensor_parallel_size", None) if "tensor_parallel_size" not in user_arguments else None
    engine = {**_defaults(model), **card, **user_arguments, "model": model.weights}
    adapter = backend_options.get("adapter")
    if isinstance(adapter, Path):
        engine |= adapter_arguments(adapter, user_arguments)
    return EngineSetup(engine=engine, hinted_gpus=hint, **backend_options)  # type: ignore[arg-type]


def fitting_gpus(hint: int, gpus: int) -> int:
    """The largest divisor of ``hint`` that is at most the number of GPUs; 1 without any."""
    # A divisor, because attention heads that divide by the card's number of GPUs divide by it as well.
    return max(n for n in range(1, hint + 1) if hint % n == 0 and n <= max(gpus, 1))


def _defaults(model: s3harness.ModelCard) -> dict[str, object]:
    return {
        "revision": model.revision,
        "enable_prefix_caching": True,
        # Room is reserved for what the model is shown, and for no image, video or sound that never comes.
        "limit_mm_per_prompt": {"image": 0, "video": 0, "audio": 0} | dict.fromkeys(model.modalities, 1),
        "structured_outputs_config": COMPACT_JSON,
        # Otherwise the checkpoint's generation_config would set temperature and top_p where the task sets none.
        "generation_config": "vllm",
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
    }


def _checked(name: str, value: object, argument_names: frozenset[str]) -> object:
    if name in FIXED:
        raise s3harness.UsageError(f"the vllm backend takes no {name}: {FIXED[name]}")
    if name in _READERS:
        try:
            return _READERS[name](value)
        except (TypeError, ValueError) as error:
            raise s3harness.UsageError(f"the vllm backend's option {name}: {error}") from None
    # No names at all means that a newer vLLM has moved them; its own error then has to do.
    if argument_names and name not in argument_names:
        near = difflib.get_close_matches(name, [*BACKEND_OPTIONS, *argument_names], n=4, cutoff=0.5)
        hint = f"; near it are {', '.join(near)}" if near else f"; its own are {', '.join(BACKEND_OPTIONS)}"
        raise s3harness.UsageError(f"neither the vllm backend nor its engine has an option {name!r}{hint}")
    return value


def _directory(value: object) -> Path:
    path = Path(str(value))
    if not (path / ADAPTER_CONFIG).is_file():
        raise ValueError(f"a directory is expected that peft has saved, with an {ADAPTER_CONFIG}")
    return path


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is expected")
    return value


def _at_least(low: float, kind: type[int] | type[float]) -> Callable[[object], float]:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, kind if kind is int else (int, float)) or not value >= low:
            raise ValueError(f"a{' whole' if kind is int else ''} number of at least {low:g} is expected")
        return value

    return read


_READERS: Mapping[str, Callable[[object], object]] = {
    "adapter": _directory,
    "structured": _switch,
    "logprobs": _switch,
    "in_flight": _at_least(1, int),
    "timeout_s": _at_least(0.01, float),
}

"""From a model card and the user's options to what the engine is started with."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import s3harness
from s3harness_vllm.adapters import CONFIG, with_adapter
from s3harness_vllm.installed import engine_arguments, require_version, require_vllm

OURS = ("adapter", "structured", "logprobs", "in_flight", "timeout_s")
"""Options that are not the engine's."""

FIXED: Mapping[str, str] = {
    "model": "the weights are named by --model, or by --weights DIR",
    "enable_lora": "an adapter is named by -o adapter=DIR",
    "runner": "the harness asks for text",
    "enable_log_requests": "what is asked goes into no log",
}
"""Arguments of the engine that are none of the user's, and what is."""

IN_FLIGHT = 64
TIMEOUT_S = 1800.0

WITHOUT_WHITE_SPACE = {"backend": "xgrammar", "disable_any_whitespace": True}
"""A model that may write any white space into its JSON may write nothing else until it is cut."""


@dataclass(frozen=True)
class Setup:
    """What an engine is started with and how it is asked.

    ``engine`` are arguments of ``AsyncEngineArgs``; ``hinted_gpus`` is how many the model card would have, where the
    user did not say. ``adapter`` is the directory of a LoRA adapter. ``structured`` holds answers to their schema or
    choices, ``logprobs`` asks for the probabilities of closed answers.
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
        """Engines that share the work, each with a cache of its own."""
        return int(str(self.engine.get("data_parallel_size") or 1))

    @property
    def holds_media(self) -> bool:
        """Whether the engine keeps the media of a clip, so that it can be asked about by its id alone."""
        return self.engine.get("mm_processor_cache_gb") != 0


def setup(model: s3harness.ModelCard, options: Mapping[str, object]) -> Setup:
    """What the user says over what the card says over what this package would have.

    Raises :class:`s3harness.UsageError` for a missing or too old vLLM, an unknown option, or a wrong value.
    """
    card = dict(model.engines.get("vllm", {}))
    known = engine_arguments(require_vllm())
    require_version(str(card.pop("min_version", "0")), model.name)
    if model.weights is None:
        raise s3harness.UsageError(f"{model.name} has no weights on the hub; name a directory by --weights DIR")
    said = {name: _checked(name, value, known) for name, value in options.items()}
    ours = {name: said.pop(name) for name in OURS if name in said}
    hint = card.pop("tensor_parallel_size", None) if "tensor_parallel_size" not in said else None
    engine = {**_defaults(model), **card, **said, "model": model.weights}
    adapter = ours.get("adapter")
    if isinstance(adapter, Path):
        engine |= with_adapter(adapter, said)
    return Setup(engine, hint, **ours)  # type: ignore[arg-type]


def fitting(hint: int, gpus: int) -> int:
    """The largest divisor of ``hint`` that is no more than the GPUs there are: heads divide by it as by ``hint``."""
    return max(n for n in range(1, hint + 1) if hint % n == 0 and n <= max(gpus, 1))


def _defaults(model: s3harness.ModelCard) -> dict[str, object]:
    return {
        "revision": model.revision,
        "enable_prefix_caching": True,
        "limit_mm_per_prompt": {"image": 0, "video": 0, "audio": 0} | dict.fromkeys(model.modalities, 1),
        "structured_outputs_config": WITHOUT_WHITE_SPACE,
        "generation_config": "vllm",
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
    }


def _checked(name: str, value: object, known: frozenset[str]) -> object:
    if name in FIXED:
        raise s3harness.UsageError(f"the vllm backend takes no {name}: {FIXED[name]}")
    if name in _READERS:
        try:
            return _READERS[name](value)
        except (TypeError, ValueError) as error:
            raise s3harness.UsageError(f"the vllm backend's option {name}: {error}") from None
    if known and name not in known:
        near = difflib.get_close_matches(name, [*OURS, *known], n=4, cutoff=0.5)
        hint = f"; near it are {', '.join(near)}" if near else f"; its own are {', '.join(OURS)}"
        raise s3harness.UsageError(f"neither the vllm backend nor its engine has an option {name!r}{hint}")
    return value


def _directory(value: object) -> Path:
    path = Path(str(value))
    if not (path / CONFIG).is_file():
        raise ValueError(f"a directory is expected that peft has saved, with an {CONFIG}")
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

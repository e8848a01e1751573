"""A plan of GPU memory: weights, cache of keys and values, and how many requests fit at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from s3harness.errors import UsageError
from s3harness.specs.models import ModelCard

GIB = 2**30
UTILIZATION = 0.9
"""Share of a GPU's memory that vLLM uses by default (``gpu_memory_utilization``)."""

ACTIVATIONS_GIB = 4.0
"""Allowance for each GPU beside weights and cache: activations of vision tower and prefill, CUDA graphs."""

BYTES = {"float32": 4.0, "float": 4.0, "bfloat16": 2.0, "float16": 2.0, "half": 2.0, "auto": 2.0}
QUANTIZED_BYTES = {"fp8": 1.0, "int8": 1.0, "awq": 0.6, "gptq": 0.6, "awq_marlin": 0.6, "gptq_marlin": 0.6}
"""Bytes of a parameter; 4 bits with their scales, and some layers left as they were, come to some 0.6."""


class Gpus(NamedTuple):
    """GPUs of equal memory, in GiB."""

    memory_gib: float
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuPlan:
    """The memory of each GPU, in GiB, and what follows from it.

    ``cache_tokens`` is the number of tokens whose keys and values fit beside the weights, in each replica of the
    engine; ``at_once`` is the number of requests of the plan's longest that fit into that. ``problem`` and ``remedy``
    are empty if the engine can start.
    """

    gpus: Gpus
    tensor_parallel: int
    replicas: int
    weights_gib: float
    activations_gib: float
    cache_gib: float
    cache_tokens: int
    context: int
    at_once: int
    sizes: tuple[int, ...]
    problem: str = ""
    remedy: str = ""

    def rows(self) -> dict[str, str]:
        """Return the plan as a table."""
        sizes = ", ".join(map(str, self.sizes))
        rows = {
            "GPUs": f"{self.gpus.number} of {self.gpus.memory_gib:g} GB",
            "tensor parallel": f"{self.tensor_parallel} (possible here: {sizes})",
            "replicas": str(self.replicas),
            "weights on each GPU": f"{self.weights_gib:.1f} GiB",
            "allowance for activations": f"{self.activations_gib:.1f} GiB",
            "left for the cache on each GPU": f"{max(self.cache_gib, 0):.1f} GiB",
            "tokens in the cache of a replica": f"{self.cache_tokens:,}",
            "requests at once, of the longest": str(self.at_once),
        }
        if not self.problem:
            return rows | {"fits": "yes"}
        return rows | {"fits": f"no: {self.problem}", "remedy": self.remedy}


def read_gpus(text: str) -> Gpus:
    """Read GPUs as ``80GB``, ``80GB×2``, ``80GBx2`` or ``2x80GB``; :class:`UsageError` for anything else."""
    match = re.fullmatch(
        r"\s*(?:(?P<before>\d+)\s*[x×*]\s*)?(?P<memory>\d+(?:\.\d+)?)\s*(?:GB|GiB|G)?(?:\s*[x×*]\s*(?P<after>\d+))?\s*",
        text,
        re.IGNORECASE,
    )
    if match is None or (match["before"] and match["after"]):
        raise UsageError(f"--gpu {text}: memory and number are expected, such as 80GB, 80GBx2 or 2x80GB")
    gpus = Gpus(float(match["memory"]), int(match["before"] or match["after"] or 1))
    if gpus.number < 1 or gpus.memory_gib <= 0:
        raise UsageError(f"--gpu {text}: at least one GPU with memory is expected, such as 80GB or 80GBx2")
    return gpus


def gpu_plan(
    model: ModelCard, backend: str, options: Mapping[str, Any], gpus: Gpus, *, longest: int, context: int | None
) -> GpuPlan:
    """Plan the memory of an engine that holds the whole model; ``longest`` is the plan's longest request in tokens.

    The cache takes 2 × layers × heads of keys and values × size of a head × bytes for each token, divided among the
    GPUs of a replica as far as there are heads. Raises :class:`UsageError` if the card does not state the sizes.
    """
    text = model.text
    if text is None or model.parameters_b is None:
        raise UsageError(f"--gpu: the card of {model.name} states no parameters and sizes (parameters_b, text)")
    settings = {**_engine_settings(model, backend), **options}
    sizes = _possible_sizes(text.heads, gpus.number)
    size = _tensor_parallel(settings, options, sizes)
    if text.heads % size:
        raise UsageError(
            f"tensor_parallel_size={size} does not divide the {text.heads} attention heads of {model.name}; "
            f"on {gpus.number} GPUs these do: {', '.join(map(str, sizes))}"
        )
    if size > gpus.number:
        raise UsageError(f"tensor_parallel_size={size} needs more GPUs than the {gpus.number} of --gpu")
    heads = max(1, text.kv_heads // size)
    token_bytes = 2 * text.layers * heads * text.head_dim * _cache_bytes(settings)
    weights = model.parameters_b * 1e9 * _weight_bytes(settings) / size / GIB
    usable = gpus.memory_gib * float(settings.get("gpu_memory_utilization", UTILIZATION))
    cache = usable - weights - ACTIVATIONS_GIB
    tokens = max(0, int(cache * GIB / token_bytes))
    context = context or longest
    plan = GpuPlan(
        gpus=gpus,
        tensor_parallel=size,
        replicas=gpus.number // size,
        weights_gib=weights,
        activations_gib=ACTIVATIONS_GIB,
        cache_gib=cache,
        cache_tokens=tokens,
        context=context,
        at_once=tokens // max(longest, 1),
        sizes=sizes,
    )
    return _judged(plan, model, backend, options, longest)


def _judged(plan: GpuPlan, model: ModelCard, backend: str, options: Mapping[str, Any], longest: int) -> GpuPlan:
    """Return the plan with its problem, if there is one, and the remedy."""
    if plan.cache_tokens >= plan.context:
        return plan
    if plan.cache_gib <= 0:
        problem = "the weights do not leave room for a cache"
    else:
        problem = f"the cache holds {plan.cache_tokens:,} tokens, fewer than the context of {plan.context:,}"
    remedies = []
    if plan.cache_tokens >= longest:
        remedies.append(f"-o max_model_len={plan.cache_tokens // 1024 * 1024} (the longest request has {longest:,})")
    larger = [size for size in plan.sizes if size > plan.tensor_parallel]
    for size in larger:
        wider = gpu_plan(
            model, backend, {**options, "tensor_parallel_size": size}, plan.gpus, longest=longest, context=plan.context
        )
        if not wider.problem:
            remedies.append(f"-o tensor_parallel_size={size}")
            break
    remedies += ["more GPUs"] if not larger else []
    remedies += ["-o quantization=fp8", "-o kv_cache_dtype=fp8"]
    return replace(plan, problem=problem, remedy=", or ".join(remedies))


def _engine_settings(model: ModelCard, backend: str) -> Mapping[str, Any]:
    """Return the card's settings of the backend's engine; of a server, those of the first engine with GPUs."""
    if backend in model.engines:
        return model.engines[backend]
    return next((engine for engine in model.engines.values() if "tensor_parallel_size" in engine), {})


def _possible_sizes(heads: int, count: int) -> tuple[int, ...]:
    return tuple(size for size in range(1, count + 1) if heads % size == 0)


def _tensor_parallel(settings: Mapping[str, Any], options: Mapping[str, Any], sizes: tuple[int, ...]) -> int:
    if "tensor_parallel_size" in options:
        return int(options["tensor_parallel_size"])
    # A card's number is a hint that the backend fits to the machine.
    hint = int(settings.get("tensor_parallel_size", 1))
    return max(size for size in sizes if hint % size == 0)


def _weight_bytes(settings: Mapping[str, Any]) -> float:
    quantization = settings.get("quantization")
    if quantization:
        return next((size for name, size in QUANTIZED_BYTES.items() if name in str(quantization)), 1.0)
    return BYTES.get(str(settings.get("dtype", "auto")), 2.0)


def _cache_bytes(settings: Mapping[str, Any]) -> float:
    if str(settings.get("kv_cache_dtype", "auto")).startswith(("fp8", "int8")):
        return 1.0
    return BYTES.get(str(settings.get("dtype", "auto")), 2.0)

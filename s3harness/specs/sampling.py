"""Sampling changed for an ablation: frame rates and windows other than a task's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from s3harness.errors import UsageError
from s3harness.specs.tasks import TaskSpec

RATES = frozenset({"fps", "frames"})
"""Alternative parameters for the number of frames; a task keeps to its own."""

GROWS_WITH_WINDOW: Mapping[str, Sequence[str]] = {"sliding_windows": ("stride_s",), "onset_window": ("margin_s",)}
"""Sampler → parameters that stay about the same share of the window, in whole seconds, so that clips share frames: the
overlap, and the margin of a drawn place."""

IN_EVERY_SAMPLER = frozenset({"max_frames", "max_pixels", "max_clip_pixels"})


def with_sampling(specs: Mapping[str, TaskSpec], sampling: Mapping[str, object]) -> dict[str, TaskSpec]:
    """Return the specs with these parameters in every sampler that has them.

    ``fps`` is for tasks that sample by frames a second, ``frames`` for those that sample a number of frames,
    ``window_s`` and others for samplers that are given them. Raises :class:`UsageError` for a parameter that no task
    has.
    """
    changed = {name: TaskSpec(_sampled(spec.data, sampling)) for name, spec in specs.items()}
    for parameter in sampling:
        # A parameter that changes nothing would be an ablation of nothing.
        if not any(parameter in _parameters(spec.data) for spec in specs.values()):
            known = sorted({known for spec in specs.values() for known in _parameters(spec.data)})
            raise UsageError(
                f"none of the tasks has the sampling parameter {parameter!r}; they have {', '.join(known)}"
            )
    return changed


def without_sound(specs: Mapping[str, TaskSpec]) -> dict[str, TaskSpec]:
    """Return the specs with clips without sound."""
    return {name: TaskSpec(_muted(spec.data)) for name, spec in specs.items()}


def _muted(data: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(data)
    if "sampler" in data:
        changed["sampler"] = {**data["sampler"], "audio": False}
    if "subjects" in data:
        changed["subjects"] = {name: _muted(subject) for name, subject in data["subjects"].items()}
    return changed


def _sampled(data: Mapping[str, Any], sampling: Mapping[str, object]) -> dict[str, Any]:
    """Return a spec's data with its samplers changed, those of its subjects too."""
    changed = dict(data)
    if "sampler" in data:
        changed["sampler"] = _changed(data["sampler"], sampling)
    if "subjects" in data:
        # A subject may have a sampler of its own, which the task's does not reach.
        changed["subjects"] = {name: _sampled(subject, sampling) for name, subject in data["subjects"].items()}
    return changed


def _changed(sampler: Mapping[str, Any], sampling: Mapping[str, object]) -> dict[str, Any]:
    taken = {name: value for name, value in sampling.items() if name in _of_sampler(sampler)}
    changed = {**sampler, **taken}
    before, after = sampler.get("window_s"), taken.get("window_s")
    if isinstance(before, int | float) and isinstance(after, int | float):
        for name in GROWS_WITH_WINDOW.get(str(sampler["name"]), ()):
            # A stride or margin that the user names is meant as it is.
            if name in sampler and name not in taken:
                changed[name] = _scaled(sampler[name], after / before)
    return changed


def _scaled(seconds: float, factor: float) -> float:
    """Return the product in whole seconds, unless that is 0."""
    return float(int(seconds * factor)) or seconds * factor


def _parameters(data: Mapping[str, Any]) -> frozenset[str]:
    own = _of_sampler(data["sampler"]) if "sampler" in data else frozenset[str]()
    return own.union(*(_parameters(subject) for subject in data.get("subjects", {}).values()))


def _of_sampler(sampler: Mapping[str, Any]) -> frozenset[str]:
    """Parameters of a spec's sampler that can be changed: those it names, and limits that every sampler has."""
    return frozenset(sampler) - {"name", "audio"} | IN_EVERY_SAMPLER

"""Task specs, resolved for a protocol, a scoring profile and a model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3harness.errors import SpecError, UsageError, suggest
from s3harness.specs.rqi_presets import preset_name

if TYPE_CHECKING:
    from s3harness.specs.models import ModelCard
    from s3harness.types import Generation

PROTOCOLS = ("strict", "paper")
PROTOCOL_VERSIONS = {"strict": 2, "paper": 1}
"""Version of each protocol's prompts and samplers; any change to what a model is asked raises it."""
PROFILES = ("strict", "paper")
DEFAULT_MAX_TOKENS = 512


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric of a task: its registered name, its parameters, and how tables call it."""

    name: str
    label: str
    params: Mapping[str, Any]
    primary: bool


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task as it is asked and scored: the spec with protocol, family and profile merged into it.

    ``data`` is the merged spec, from which everything else here is read; ``hash`` is its SHA-256.
    """

    data: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The full name, suite/task."""
        return str(self.data["name"])

    @property
    def title(self) -> str:
        """Title for people."""
        return str(self.data["title"])

    @property
    def item(self) -> str:
        """Kind of item: ``feature``, ``boundary``, ``report`` and others; see :mod:`s3harness.specs.subjects`."""
        return str(self.data["item"])

    @property
    def uses(self) -> str | None:
        """The task whose answers this one reads, if it asks nothing itself."""
        return self.data.get("uses")

    @property
    def hash(self) -> str:
        """SHA-256 of the merged spec, in hexadecimal."""
        import hashlib

        # Sorted, so that the order of fields in a file does not change the hash.
        return hashlib.sha256(json.dumps(self.data, sort_keys=True).encode()).hexdigest()

    @property
    def metrics(self) -> tuple[MetricSpec, ...]:
        """The metrics in order; the first is primary unless another says so."""
        entries = [{"name": m} if isinstance(m, str) else dict(m) for m in self.data["metrics"]]
        # The first is primary by default: authors list the metric that counts first.
        chosen = next((i for i, entry in enumerate(entries) if entry.get("primary")), 0)
        return tuple(_metric(entry, i == chosen) for i, entry in enumerate(entries))

    @property
    def aggregator(self) -> tuple[str, dict[str, Any]]:
        """Name and parameters of the aggregator."""
        return _named(self.data.get("aggregate", "single"))

    def for_subject(self, subject: str) -> TaskSpec:
        """The spec with what is different for one subject."""
        return TaskSpec(_merged(self.data, self.data.get("subjects", {}).get(subject, {})))

    @property
    def sampler(self) -> tuple[str, dict[str, Any]]:
        """Name and parameters of the sampler."""
        return _named(self.data["sampler"])

    @property
    def prompt(self) -> str:
        """The prompt's template."""
        return str(self.data["prompt"])

    @property
    def system(self) -> str:
        """The system prompt, empty if there is none."""
        return str(self.data.get("system", ""))

    @property
    def answer(self) -> dict[str, Any]:
        """Reading of the answer: ``parser``, its parameters, ``schema`` and ``choices``."""
        return dict(self.data["answer"])

    @property
    def generation(self) -> Generation:
        """Generation settings of the answer."""
        from s3harness.types import Generation

        return Generation(**{"max_tokens": DEFAULT_MAX_TOKENS, **self.data.get("generation", {})})


def resolve(data: Mapping[str, Any], *, protocol: str, profile: str, model: ModelCard) -> TaskSpec:
    """Merge protocol, family, model and profile into a task's spec.

    Prompt and sampler come from the task, then its protocol, then the model's family, then the model's card; reading
    and scoring from the task, then its profile. A clip has sound exactly if the model hears.
    """
    asking = data.get("protocols", {}).get(protocol, {})
    family = asking.get("families", {}).get(model.family, {})
    scoring = data.get("profiles", {}).get(profile, {})
    common = {k: v for k, v in data.items() if k not in ("protocols", "profiles")}
    merged = _merged(_merged(common, {k: v for k, v in asking.items() if k != "families"}), family)
    # The card goes last: what is published of one model beats what holds for its family.
    card = model.protocols.get(protocol, {})
    if "sampler" in merged:
        subjects = [subject for subject in merged.get("subjects", {}).values() if "sampler" in subject]
        for subject in subjects:
            # A subject's sampler is completed by the task's first, as for_subject will do.
            subject["sampler"] = _for_model(_merged(merged, subject)["sampler"], card, model.hears())
        merged["sampler"] = _for_model(merged["sampler"], card, model.hears())
    merged = _merged(merged, {"generation": card.get("generation", {})})
    return TaskSpec(_merged(merged, scoring))


def with_rqi(spec: TaskSpec, preset: str) -> TaskSpec:
    """Return the spec with another preset of the Seizure-RQI; its label names it in full: ``strict-2`` for ``strict``.

    Raises :class:`UsageError` for an unknown preset.
    """
    preset = preset_name(preset)
    metrics = [{"name": m} if isinstance(m, str) else dict(m) for m in spec.data["metrics"]]
    named = {"preset": preset, "label": f"Seizure-RQI ({preset})"}
    return TaskSpec({**spec.data, "metrics": [m | named if m["name"] == "rqi" else m for m in metrics]})


def check_choice(kind: str, value: str, known: Sequence[str]) -> None:
    """Raise :class:`UsageError` unless a value is one of those known."""
    if value not in known:
        raise UsageError(f"there is no {kind} named {value!r}{suggest(value, known)}")


def _for_model(sampler: Mapping[str, Any], card: Mapping[str, Any], hears: bool) -> dict[str, Any]:
    """Return the sampler with the parameters of a model's card, and sound if the model hears."""
    if "name" not in sampler:
        raise SpecError("sampler: name must be given, by the task or by each protocol that changes its sampler")
    own = card.get("samplers", {}).get(sampler["name"], {})
    merged: dict[str, Any] = _merged({"sampler": sampler}, {"sampler": own})["sampler"]
    return merged | {"audio": hears and bool(card.get("audio", True))}


def _named(value: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if isinstance(value, str):
        return value, {}
    return str(value["name"]), {k: v for k, v in value.items() if k != "name"}


def _metric(entry: dict[str, Any], primary: bool) -> MetricSpec:
    params = {k: v for k, v in entry.items() if k not in ("name", "label", "primary")}
    return MetricSpec(str(entry["name"]), str(entry.get("label", entry["name"])), params, primary)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deep copy of ``base`` with ``over`` on top; a new sampler or parser brings its own parameters."""
    out = {k: _merged(v, {}) if isinstance(v, Mapping) else v for k, v in base.items()}
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(out.get(key), Mapping) and not _replaces(out[key], value):
            out[key] = _merged(_without_rival(out[key], value), value)
        else:
            out[key] = _merged(value, {}) if isinstance(value, Mapping) else value
    return out


def _replaces(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    # Parameters of another sampler or parser would be unknown to the new one.
    return any(key in old and key in new and old[key] != new[key] for key in ("name", "parser"))


def _without_rival(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``old`` without the frame rate if ``new`` gives a number of frames, and the other way round."""
    # Alternatives for the number of frames: a protocol may change from one to the other.
    rivals = {"fps": "frames", "frames": "fps"}
    return {k: v for k, v in old.items() if rivals.get(k) not in new}

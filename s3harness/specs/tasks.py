"""Task specs: loaded, validated, and resolved for a protocol, a scoring profile and a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s3harness.errors import SpecError, UsageError
from s3harness.plugins import Kind, load, manager, suggest
from s3harness.specs.document import Document, read_document, specs_directory, validate
from s3harness.specs.models import ModelCard
from s3harness.types import Generation

PROTOCOLS = ("strict", "paper")
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
    """One task as it is asked and scored, after protocol, family and profile had their say.

    ``data`` is the merged spec, from which everything else here is read; ``hash`` is its SHA-256.
    """

    data: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The full name, suite/task."""
        return str(self.data["name"])

    @property
    def title(self) -> str:
        """What people call it."""
        return str(self.data["title"])

    @property
    def item(self) -> str:
        """What one item is."""
        return str(self.data["item"])

    @property
    def uses(self) -> str | None:
        """The task whose answers this one reads, if it asks nothing itself."""
        return self.data.get("uses")

    @property
    def hash(self) -> str:
        """SHA-256 of the merged spec, in hexadecimal."""
        return hashlib.sha256(json.dumps(self.data, sort_keys=True).encode()).hexdigest()

    @property
    def metrics(self) -> tuple[MetricSpec, ...]:
        """The metrics in order; the first is primary unless another says so."""
        entries = [{"name": m} if isinstance(m, str) else dict(m) for m in self.data["metrics"]]
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
        """How the answer is read: ``parser``, its parameters, ``schema`` and ``choices``."""
        return dict(self.data["answer"])

    @property
    def generation(self) -> Generation:
        """How the answer is generated."""
        return Generation(**{"max_tokens": DEFAULT_MAX_TOKENS, **self.data.get("generation", {})})


def task_names() -> list[str]:
    """The full names of all known tasks, in the order of their files."""
    return list(_documents())


def load_task(name: str) -> Document:
    """The validated document of a task, by full name, short name (``task4``, ``4``) or path to a YAML file."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else _documents().get(full_name(name))
    if path is None:
        raise UsageError(f"there is no task named {name!r}")
    return read_task(path)


def read_task(path: Path) -> Document:
    """Read and validate one spec; :class:`SpecError` names file, line, field and what would be right."""
    document = read_document(path)
    validate(document, "task")
    _check_names(document)
    return document


def full_name(name: str) -> str:
    """``4``, ``task4`` or ``task4_temporal_boundaries`` → ``s3/task4_temporal_boundaries``."""
    known = task_names()
    wanted = f"task{name}" if name.isdigit() else name
    matches = [k for k in known if wanted in (k, k.split("/")[1]) or k.split("/")[1].startswith(f"{wanted}_")]
    if len(matches) != 1:
        hint = f"; it could be {' or '.join(matches)}" if matches else suggest(name, known)
        raise UsageError(f"there is no task named {name!r}{hint}")
    return matches[0]


def resolve(data: Mapping[str, Any], *, protocol: str, profile: str, model: ModelCard) -> TaskSpec:
    """Merge protocol, family, model and profile into a task's spec.

    What is asked comes from the task, then its protocol, then the model's family, then the model's card; what is read
    and scored from the task, then its profile. Sound is part of a clip exactly if the model hears.
    """
    asked = data.get("protocols", {}).get(protocol, {})
    family = asked.get("families", {}).get(model.family, {})
    scored = data.get("profiles", {}).get(profile, {})
    kept = {k: v for k, v in data.items() if k not in ("protocols", "profiles")}
    merged = _merged(_merged(kept, {k: v for k, v in asked.items() if k != "families"}), family)
    card = model.protocols.get(protocol, {})
    if "sampler" in merged:
        merged = _merged(merged, {"sampler": card.get("samplers", {}).get(merged["sampler"]["name"], {})})
        merged["sampler"]["audio"] = model.hears() and bool(card.get("audio", True))
    merged = _merged(merged, {"generation": card.get("generation", {})})
    return TaskSpec(_merged(merged, scored))


def check_choice(kind: str, value: str, known: Sequence[str]) -> None:
    """Raise :class:`UsageError` unless a value is one of those known."""
    if value not in known:
        raise UsageError(f"there is no {kind} named {value!r}{suggest(value, known)}")


def _documents() -> dict[str, Path]:
    directories = [specs_directory()]
    for name in manager().registry.names("task_specs"):
        target = load("task_specs", name)
        directories.append(Path(str(target() if callable(target) else target)))
    paths = [path for directory in directories for path in sorted((directory / "tasks").glob("*.yaml"))]
    found: dict[str, Path] = {}
    for path in paths:
        name = str(read_document(path).data.get("name", path.stem))
        if name in found:
            raise SpecError(f"{path}: the task {name!r} is already defined in {found[name]}")
        found[name] = path
    return found


def _check_names(document: Document) -> None:
    """Every sampler, parser, aggregator and metric that a spec names must be registered."""
    registry = manager().registry
    data = document.data
    named: list[tuple[Kind, tuple[str | int, ...], Any]] = [
        ("sampler", ("sampler", "name"), data.get("sampler", {}).get("name"))
    ]
    named.append(("parser", ("answer", "parser"), data.get("answer", {}).get("parser")))
    if "aggregate" in data:
        named.append(("aggregator", ("aggregate",), _named(data["aggregate"])[0]))
    named += [("metric", ("metrics", i), _named(m)[0]) for i, m in enumerate(data["metrics"])]
    for kind, where, name in named:
        known = registry.names(kind)
        if name is not None and name not in known:
            raise document.error(where, f"there is no {kind} named {name!r}{suggest(name, known)}")


def _named(value: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if isinstance(value, str):
        return value, {}
    return str(value["name"]), {k: v for k, v in value.items() if k != "name"}


def _metric(entry: dict[str, Any], primary: bool) -> MetricSpec:
    params = {k: v for k, v in entry.items() if k not in ("name", "label", "primary")}
    return MetricSpec(str(entry["name"]), str(entry.get("label", entry["name"])), params, primary)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A deep copy of ``base`` with ``over`` on top; a new sampler or parser brings its own parameters."""
    out = {k: _merged(v, {}) if isinstance(v, Mapping) else v for k, v in base.items()}
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(out.get(key), Mapping) and not _replaces(out[key], value):
            out[key] = _merged(_without_rival(out[key], value), value)
        else:
            out[key] = _merged(value, {}) if isinstance(value, Mapping) else value
    return out


def _replaces(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return any(key in old and key in new and old[key] != new[key] for key in ("name", "parser"))


def _without_rival(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """A sampler takes frames per second or a number of frames, never both."""
    rivals = {"fps": "frames", "frames": "fps"}
    return {k: v for k, v in old.items() if rivals.get(k) not in new}

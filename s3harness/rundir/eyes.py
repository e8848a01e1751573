"""The entry ``eyes`` of a manifest: the checks that the model uses the frames and the sound of a clip."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s3harness.files import write_json
from s3harness.rundir.manifest import FILE as MANIFEST
from s3harness.rundir.manifest import read_manifest

KEY = "eyes"
_SENSES = {"video": ("sees", "grey frames"), "audio": ("hears", "silence")}


def engine_hash(model: str, identity: Mapping[str, object]) -> str:
    """Return a short hash of a model and the identity of its engine, by which a check is known again."""
    return hashlib.sha256(json.dumps([model, identity], sort_keys=True, default=str).encode()).hexdigest()[:16]


def passed_engines(directory: Path) -> frozenset[str]:
    """Return the hashes of the engines that have passed in this run."""
    return frozenset(str(entry["engine"]) for entry in read_manifest(directory).get(KEY, ()) if "engine" in entry)


def note_check(directory: Path, entry: Mapping[str, object]) -> None:
    """Add an entry to the manifest, unless it holds the same one."""
    manifest = read_manifest(directory)
    entries = list(manifest.get(KEY, ()))
    if entry not in entries:
        write_json(directory / MANIFEST, manifest | {KEY: [*entries, dict(entry)]})


def describe_check(manifest: Mapping[str, Any]) -> str:
    """Describe the checks of a run in a line: "sees: yes (…); hears: yes (…)"; empty where there was none."""
    return "; ".join(dict.fromkeys(_described(entry) for entry in manifest.get(KEY, ())))


def _described(entry: Mapping[str, Any]) -> str:
    if "allowed" in entry:
        return f"not checked whether it sees and hears ({entry['allowed']})"
    senses = [
        f"{verb}: {_evidence(entry[sense], altered)}"
        for sense, (verb, altered) in _SENSES.items()
        if entry[sense].get("status") != "not checked" or "not a modality" not in entry[sense].get("reason", "")
    ]
    tokens = entry.get("prompt_tokens", {})
    if tokens.get("with_clip") and tokens.get("text_alone"):
        senses.append(f"prompt of {tokens['with_clip']} tokens with the clip, {tokens['text_alone']} of text alone")
    return "; ".join(senses)


def _evidence(evidence: Mapping[str, Any], altered: str) -> str:
    status = str(evidence.get("status"))
    if reason := evidence.get("reason"):
        return f"{status} ({reason})"
    if evidence.get("measured") != "probabilities":
        return f"{status} (another answer with {altered})"
    return f"{status} (a probability moved by {evidence.get('change', 0.0):.2g} with {altered})"

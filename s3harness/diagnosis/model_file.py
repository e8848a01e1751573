"""A fitted classifier as a JSON file: numbers and words, no code, and nobody's name.

The file ends with the SHA-256 of all else it holds, so that a damaged one is known for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from s3harness.dataset.known_patients import KnownPatients
from s3harness.diagnosis.cases import Cases, patients_of_each
from s3harness.diagnosis.contract import load_classifier
from s3harness.diagnosis.encoding import encoder_from
from s3harness.diagnosis.fit import Fitted
from s3harness.diagnosis.sources import Origin, Source
from s3harness.errors import UsageError
from s3harness.files import parse_json, write_json
from s3harness.plugins.manager import manager

SCHEMA = "s3harness/diagnosis/v1"
NOTE = "Research use, not a medical device."


@dataclass(frozen=True, slots=True)
class SavedModel:
    """A classifier from a file, and what is said of what it was fitted on."""

    fitted: Fitted
    origin: Origin
    about: Mapping[str, Any]


def save_model(path: Path, fitted: Fitted, source: Source, cases: Cases, learnt_from: str) -> None:
    """Write a classifier that was fitted on ``cases`` of a source; its patients only as salted digests."""
    es, nes = patients_of_each(cases)
    known, entry = fitted.trained_on.sealed(), manager().registry.entry("classifier", fitted.classifier)
    content = {
        "schema": SCHEMA,
        "note": NOTE,
        "classifier": {"name": fitted.classifier, "package": entry.package, "version": entry.version},
        "setting": dict(fitted.setting),
        "seed": fitted.seed,
        "threshold": fitted.threshold,
        "inner_brier": fitted.inner_brier,
        "encoder": asdict(fitted.encoder),
        "parameters": dict(fitted.parameters),
        "fitted_on": {
            "what": learnt_from,
            "data": asdict(source.origin),
            "videos": len(cases),
            "patients": len(cases.marks),
            "patients_with_es": es,
            "patients_with_nes": nes,
        },
        "patients": {"salt": known.salt, "digests": sorted(known.marks)},
    }
    write_json(path, {**content, "sha256": _digest(content)})


def read_model(path: Path) -> SavedModel:
    """Read a classifier; :class:`UsageError` naming the file and what is wrong with it."""
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is damaged, or not a file of s3harness diagnose fit: {error}") from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise UsageError(f"{path} is not a file of s3harness diagnose fit: its schema is not {SCHEMA}")
    if data.pop("sha256", None) != _digest(data):
        raise UsageError(f"{path} is damaged or was changed: its checksum is not that of its content; fit it again")
    try:
        return _model(data)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{path} holds no usable classifier: {error}; fit it again") from error


def refuse_if_unknowable(model: SavedModel, source: Source) -> None:
    """Raise :class:`UsageError` where nobody can tell whether patients of the source were fitted.

    That is so for two states of what may be one data set, where one side has only run directories to go by.
    """
    theirs, ours = model.origin, source.origin
    same_name = (theirs.name, theirs.version) == (ours.name, ours.version)
    if same_name and theirs.fingerprint != ours.fingerprint and (theirs.by_place_alone or ours.by_place_alone):
        side = "fit again" if theirs.by_place_alone else "try again"
        raise UsageError(
            f"the classifier was fitted on another state of the data set {theirs.name!r}, and a run directory alone "
            f"does not show whether the two share patients; {side} with --data DIR, the data set of the run"
        )


def _model(data: Mapping[str, Any]) -> SavedModel:
    made = load_classifier(str(data["classifier"]["name"]))
    encoder = encoder_from(data["encoder"])
    made.check(data["parameters"], len(encoder.columns))
    threshold, patients = float(data["threshold"]), data["patients"]
    if not 0.0 <= threshold <= 1.0:
        raise ValueError(f"its threshold {threshold} is not a probability")
    bytes.fromhex(patients["salt"])
    if not patients["salt"] or not patients["digests"]:
        raise ValueError("the patients that it was fitted on are missing")
    fitted = Fitted(
        str(data["classifier"]["name"]),
        encoder,
        data["parameters"],
        data["setting"],
        threshold,
        float(data["inner_brier"]),
        int(data["seed"]),
        KnownPatients(frozenset(map(str, patients["digests"])), str(patients["salt"])),
    )
    return SavedModel(fitted, Origin(**data["fitted_on"]["data"]), data["fitted_on"])


def _digest(content: Mapping[str, Any]) -> str:
    told = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(told.encode()).hexdigest()

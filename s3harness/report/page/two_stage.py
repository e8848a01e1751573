"""The two-stage diagnosis in the report: how good it is, and which wrong signs turned the wrong ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s3harness.diagnosis.result_file import read_diagnosis
from s3harness.report.diagnosis import HEADINGS
from s3harness.specs.features import vocabulary


def two_stage(run: Path) -> dict[str, Any] | None:
    """What ``s3harness diagnose`` found of the answers that the run has now, for the page; ``None`` if nothing."""
    found = read_diagnosis(run)
    if found is None:
        return None
    first = found["findings"][0]["classifier"]
    return {
        "about": f"{found['n']} videos ({found['es']} ES, {found['nes']} NES) of {found['n_patients']} patients",
        "headings": list(HEADINGS.values()),
        "systems": [_system(system) for system in found["systems"]],
        "flips": [_flips(one) for one in found["findings"] if one["classifier"] == first],
        "notes": found["notes"],
    }


def _system(system: Mapping[str, Any]) -> dict[str, Any]:
    cells = [_measure(system["measures"].get(name)) for name in HEADINGS]
    return {"name": system["name"], "cells": cells, "answered": f"{system['answered']:g}/{system['n']}"}


def _measure(measure: Mapping[str, Any] | None) -> tuple[str, str]:
    """A value and its interval."""
    if measure is None or measure["value"] is None:
        return "–", ""
    interval = measure["interval"]
    return f"{measure['value']:.2f}", f"{interval['low']:.2f}–{interval['high']:.2f}" if interval else ""


def _flips(findings: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        {**flip, "why": _why(flip), **{key: _titles(flip[key]) for key in ("flipped_by", "wrong")}}
        for flip in findings["flips"]
    ]
    return {
        "title": f"{findings['classifier'].replace('_', ' ')}, fitted on {findings['fitted_on']}",
        "rows": rows,
        "counts": Counter(row["why"] for row in rows).most_common(),
    }


def _why(flip: Mapping[str, Any]) -> str:
    if flip["flipped_by"]:
        return "one wrong sign"
    return "wrong signs together" if flip["by_all"] else "the classifier: true signs do not help"


def _titles(signs: list[str]) -> str:
    known = {feature.name: feature.title for feature in vocabulary().features}
    return ", ".join(known.get(sign, sign) for sign in signs) or "–"

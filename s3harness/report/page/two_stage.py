"""Two-stage diagnosis in the report: its scores, and the wrong signs that caused wrong diagnoses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s3harness.diagnosis.result_file import read_diagnosis
from s3harness.report.diagnosis import HEADINGS
from s3harness.specs.features import vocabulary


def two_stage(run: Path) -> dict[str, Any] | None:
    """Return the result of ``s3harness diagnose`` on the run's present answers, for the page; ``None`` without one."""
    result = read_diagnosis(run)
    if result is None:
        return None
    # One classifier is enough here: the terminal has a table of any other.
    first = result["findings"][0]["classifier"]
    return {
        "about": f"{result['n']} videos ({result['es']} ES, {result['nes']} NES) of {result['n_patients']} patients",
        "headings": list(HEADINGS.values()),
        "systems": [_system(system) for system in result["systems"]],
        "flips": [_flips(one) for one in result["findings"] if one["classifier"] == first],
        "notes": result["notes"],
    }


def _system(system: Mapping[str, Any]) -> dict[str, Any]:
    cells = [_measure(system["measures"].get(name)) for name in HEADINGS]
    return {"name": system["name"], "cells": cells, "answered": f"{system['answered']:g}/{system['n']}"}


def _measure(measure: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return a value and its interval as text."""
    if measure is None or measure["value"] is None:
        return "–", ""
    interval = measure["interval"]
    # Two digits: with tens of patients the third is noise.
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
    return "several wrong signs together" if flip["by_all"] else "the classifier, even with the true signs"


def _titles(signs: list[str]) -> str:
    titles = {feature.name: feature.title for feature in vocabulary().features}
    return ", ".join(titles.get(sign, sign) for sign in signs) or "–"

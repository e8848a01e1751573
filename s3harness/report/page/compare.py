"""Page of a comparison: one HTML file that opens offline, in the style of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from s3harness.analysis.compare import Comparison, Report
from s3harness.analysis.systems import Shared
from s3harness.analysis.versus import Versus, versus
from s3harness.files import write_text
from s3harness.report.comparison import comparison_notes, p_text
from s3harness.report.page.charts import difference_whisker
from s3harness.report.page.html import page
from s3harness.report.table import number, task_title
from s3harness.specs.features import vocabulary


def write_comparison(report: Report, shared: Shared, out: Path, profile: str) -> Path:
    """Write the page of runs that :func:`~s3harness.analysis.compare.compare` compared, and return its path."""
    names = list(next(iter(shared.values()))[1])
    by_item = versus(shared)
    text = page(
        "compare.html",
        "compare.js",
        _script_data(by_item, names),
        names=names,
        notes=comparison_notes(report),
        profile=profile,
        pairs=_pairs(report, by_item),
        heat=_heat_map(report.features),
        heat_pairs=list(dict.fromkeys((c.first, c.second) for c in report.features)),
        ranks=_ranks(report) if len(names) > 2 else {},
        n_disagreements=len(by_item.disagreements),
    )
    write_text(out, text)
    return out


def _pairs(report: Report, by_item: Versus) -> list[dict[str, Any]]:
    """Return the tables of each pair of runs: its tasks, and the items won and lost in them."""
    duels = [asdict(duel) | {"task": task_title(duel.task)} for duel in by_item.duels]
    return [
        {
            "first": first,
            "second": second,
            "tasks": [_row(c) for c in report.tasks if (c.first, c.second) == (first, second)],
            "duels": [duel for duel in duels if (duel["first"], duel["second"]) == (first, second)],
        }
        for first, second in dict.fromkeys((c.first, c.second) for c in report.tasks)
    ]


def _row(c: Comparison) -> dict[str, Any]:
    counts = ((c.n_items, "item"), (c.n_patients, "patient"))
    return {
        "name": f"{task_title(c.task)}: {c.metric}",
        "first": number(c.first_value),
        "second": number(c.second_value),
        "difference": _signed(c.difference),
        "interval": f"{_signed(c.low)} to {_signed(c.high)}" if c.low is not None else "",
        "note": f"No interval: {c.note}." if c.low is None and c.note else "",
        "whisker": difference_whisker(c.difference, c.low, c.high, higher_is_better=c.higher_is_better),
        "p": p_text(c.p),
        "p_adjusted": p_text(c.p_adjusted),
        "least_p": p_text(c.least_p),
        "detectable": number(c.detectable),
        "n": ", ".join(f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in counts),
        "verdict": c.verdict,
    }


def _heat_map(features: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Return one row per sign with one cell per pair of runs; ``share`` is the size of the difference, 0–1."""
    titles = {feature.name: feature.title for feature in vocabulary().features}
    rows: dict[str, list[dict[str, Any]]] = {}
    for c in features:
        difference = c.difference or 0.0
        cell = {
            "text": _signed(c.difference),
            "values": f"{number(c.first_value)} → {number(c.second_value)}",
            "share": min(1.0, abs(difference)),
            "kind": "gain" if difference > 0 else "loss",
            "sure": c.is_significant,
            "p": p_text(c.p_adjusted),
        }
        # Signs outside of the benchmark's vocabulary have no title.
        rows.setdefault(titles.get(c.metric, c.metric), []).append(cell)
    return [{"sign": sign, "cells": cells} for sign, cells in rows.items()]


def _ranks(report: Report) -> dict[str, list[str]]:
    return {
        task_title(task): [f"{r.rank:g} ({r.low:g}–{r.high:g})" for r in ranks.values()]
        for task, ranks in report.ranks.items()
    }


def _script_data(by_item: Versus, names: Sequence[str]) -> dict[str, Any]:
    """Return the disagreements that the page's script lists."""
    rows = [asdict(one) | {"task": task_title(one.task)} for one in by_item.disagreements]
    return {"names": names, "rows": rows}


def _signed(value: float | None) -> str:
    # A true minus sign is as wide as the plus sign, so that columns align.
    return "–" if value is None else f"{value:+.3f}".replace("-", "−")

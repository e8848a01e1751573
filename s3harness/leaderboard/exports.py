"""One table in many forms: CSV, LaTeX, a model-card section, Hub evaluation results, Every Eval Ever records."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from s3harness.leaderboard.entries import Entry
from s3harness.leaderboard.every_eval_ever import write_record
from s3harness.leaderboard.folder import read_folder
from s3harness.leaderboard.samples import Sample, read_samples
from s3harness.report.table import number, task_title
from s3harness.run.manifest import write_text
from s3harness.types import Score

RECORDS = "every_eval_ever"
COLUMNS = (
    *("entry", "model", "tier", "protocol", "data", "task", "metric", "primary", "value", "low", "high", "level"),
    *("floor", "floor_name", "ceiling", "skill", "coverage", "n_items", "n_patients"),
)


def rows(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The one table behind all exports: a row for each score of each entry; ``None`` where there is no number."""
    return [_row(entry, score) for entry in entries for score in entry.scores]


def write_exports(entries: Sequence[Entry], out: Path, *, with_samples: bool = False) -> None:
    """Write every form of the table into a folder.

    ``with_samples`` adds the items of submissions that hold their truth to the Every Eval Ever records; of others they
    stay out, for whoever knows what was answered and whether it was right knows the truth.
    """
    out.mkdir(parents=True, exist_ok=True)
    table = rows(entries)
    write_text(out / "scores.csv", as_csv(table))
    write_text(out / "scores.json", as_json_rows(table))
    write_text(out / "scores.tex", as_latex(entries))
    for entry in entries:
        write_text(out / f"{entry.slug}.md", model_card_section(entry))
        write_text(out / f"{entry.slug}.eval_results.yaml", hub_results(entry))
        write_record(entry, out / RECORDS, _now(), _samples(entry) if with_samples else ())


def as_csv(table: Sequence[dict[str, Any]]) -> str:
    """Comma-separated values; text that a spreadsheet would run as a formula is disarmed."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _harmless(value) for key, value in row.items()} for row in table)
    return text.getvalue()


def as_json_rows(table: Sequence[dict[str, Any]]) -> str:
    """A JSON list with a line for each row."""
    lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) for row in table)
    return "[\n" + ",\n".join(lines) + "\n]\n"


def as_latex(entries: Sequence[Entry]) -> str:
    """A booktabs table of the primary scores with their intervals."""
    tasks = sorted({task for entry in entries for task in entry.primary})
    head = " & ".join(["Model", *(_tex(task_title(task)) for task in tasks)])
    lines = [f"\\begin{{tabular}}{{l{'r' * len(tasks)}}}", "\\toprule", f"{head} \\\\", "\\midrule"]
    for entry in entries:
        cells = [_cell(entry.primary.get(task)) for task in tasks]
        lines.append(" & ".join([_tex(entry.model["title"] or entry.model["name"]), *cells]) + " \\\\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", ""])


def model_card_section(entry: Entry) -> str:
    """Markdown for the evaluation section of a model card."""
    lines = [
        "## Evaluation on the Seizure-Semiology-Suite",
        "",
        f"Protocol {entry.protocol}, {entry.tier}. Research use, not a medical device.",
        "",
        "| task | metric | score | 95 % interval | floor | ceiling | skill | answered |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for score in entry.scores:
        if score.primary:
            interval = f"{number(score.interval.low)}–{number(score.interval.high)}" if score.interval else "–"
            cells = (task_title(score.task), score.metric, number(score.value, score.unit), interval)
            more = (number(score.floor), number(score.ceiling), number(score.skill), f"{100 * score.coverage:.0f} %")
            lines.append("| " + " | ".join((*cells, *more)) + " |")
    return "\n".join([*lines, ""])


def hub_results(entry: Entry) -> str:
    """The Hub's ``.eval_results`` YAML: one item for each primary score."""
    import yaml

    items = [
        {
            "dataset": {"id": "s3/seizure-semiology-suite", "task_id": score.task.rpartition("/")[2]},
            "value": score.value,
            "notes": f"{score.metric}; floor {number(score.floor)}, coverage {score.coverage:.2f}",
        }
        for score in entry.scores
        if score.primary and score.value is not None
    ]
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(items, Dumper=dumper, sort_keys=False, allow_unicode=True))


def _samples(entry: Entry) -> Iterable[Sample]:
    folder = read_folder(entry.folder) if entry.folder else None
    return read_samples(folder) if folder and folder.has_truth else ()


def _now() -> int:
    """The time, in seconds since 1970; ``SOURCE_DATE_EPOCH`` stands in for it where builds must be the same."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())


def _row(entry: Entry, score: Score) -> dict[str, Any]:
    interval = score.interval
    return {
        "entry": entry.slug,
        "model": entry.model["name"],
        "tier": entry.tier,
        "protocol": entry.protocol,
        "data": entry.dataset,
        "task": score.task,
        "metric": score.metric,
        "primary": score.primary,
        "value": score.value,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "level": interval.level if interval else None,
        "floor": score.floor,
        "floor_name": score.floor_name,
        "ceiling": score.ceiling,
        "skill": score.skill,
        "coverage": score.coverage,
        "n_items": score.n_items,
        "n_patients": score.n_patients,
    }


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _cell(score: Score | None) -> str:
    if score is None or score.value is None:
        return "--"
    interval = f" ({number(score.interval.low)}--{number(score.interval.high)})" if score.interval else ""
    return f"{number(score.value)}{interval}"


def _tex(text: str) -> str:
    special = {c: f"\\{c}" for c in "&%$#_{}"} | {
        "\\": "\\textbackslash{}",
        "~": "\\textasciitilde{}",
        "^": "\\textasciicircum{}",
    }
    return "".join(special.get(c, c) for c in text)

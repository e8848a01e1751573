"""Exports of the leaderboard: CSV, JSON, LaTeX, model cards, Hub evaluation results, Every Eval Ever records."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from s3harness.errors import UsageError
from s3harness.files import write_text
from s3harness.leaderboard.entries import LeaderboardEntry
from s3harness.leaderboard.escapes import for_csv, for_latex, for_markdown
from s3harness.leaderboard.every_eval_ever import write_record
from s3harness.leaderboard.folder import read_folder
from s3harness.leaderboard.ranks import is_failed, mean_skill, task_skill
from s3harness.leaderboard.samples import SampleRecord, read_samples
from s3harness.report.table import number, task_title
from s3harness.types import Score

RECORDS = "every_eval_ever"
HUB_TASK = "mean_skill"
"""Task id on the Hub of the mean skill over the benchmark; the skill of a task has the task's own name."""
COLUMNS = (
    *(
        "entry",
        "model",
        "tier",
        "partial",
        "protocol",
        "data",
        "task",
        "metric",
        "primary",
        "value",
        "low",
        "high",
        "level",
    ),
    *("floor", "floor_name", "ceiling", "skill", "coverage", "n_items", "n_patients"),
)


@dataclass(frozen=True, slots=True)
class HubTarget:
    """Destination of results on the Hub: the benchmark's data set repository, and the page with the results."""

    dataset: str
    source_url: str

    def __post_init__(self) -> None:
        # Both texts are written into YAML that other repositories take over.
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", self.dataset, re.ASCII):
            raise UsageError(f"--hub-dataset {self.dataset!r} is not a data set of the Hub; give OWNER/NAME")
        if not re.fullmatch(r"https://[\w.-]+(/[\w./?&=%#~+-]*)?", self.source_url, re.ASCII):
            raise UsageError(f"--hub-source {self.source_url!r} is not the address of a page; give https://…")


def rows(entries: Sequence[LeaderboardEntry]) -> list[dict[str, Any]]:
    """Return the one table behind all exports: a row per score of each entry, ``None`` where there is no number."""
    return [_row(entry, score) for entry in entries for score in entry.scores]


def write_exports(
    entries: Sequence[LeaderboardEntry], out: Path, *, with_samples: bool = False, hub: HubTarget | None = None
) -> None:
    """Write every form of the table into a folder; results for the Hub only if ``hub`` names their destination.

    ``with_samples`` adds the items of submissions that include their truth to the Every Eval Ever records. Items of
    other submissions are left out: an answer together with its correctness gives away the truth.
    """
    out.mkdir(parents=True, exist_ok=True)
    table = rows(entries)
    write_text(out / "scores.csv", as_csv(table))
    write_text(out / "scores.json", as_json_rows(table))
    write_text(out / "scores.tex", as_latex(entries))
    for entry in entries:
        write_text(out / f"{entry.slug}.md", model_card_section(entry))
        if hub is not None:
            write_text(out / f"{entry.slug}.eval_results.yaml", hub_results(entry, hub))
        write_record(entry, out / RECORDS, _now(), _samples(entry) if with_samples else ())


def as_csv(table: Sequence[dict[str, Any]]) -> str:
    """Return comma-separated values; text that a spreadsheet would run as a formula is escaped."""
    # csv ends lines with CR LF by default, which diffs of exports in git would show.
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: for_csv(value) for key, value in row.items()} for row in table)
    return text.getvalue()


def as_json_rows(table: Sequence[dict[str, Any]]) -> str:
    """Return a JSON list with one line per row."""
    lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) for row in table)
    return "[\n" + ",\n".join(lines) + "\n]\n"


def as_latex(entries: Sequence[LeaderboardEntry]) -> str:
    """Return a LaTeX table (booktabs) of the primary scores with their intervals."""
    tasks = sorted({task for entry in entries for task in entry.tasks})
    head = " & ".join(["Model", *(for_latex(task_title(task)) for task in tasks)])
    lines = [f"\\begin{{tabular}}{{l{'r' * len(tasks)}}}", "\\toprule", f"{head} \\\\", "\\midrule"]
    for entry in entries:
        cells = [_cell(entry, task) for task in tasks]
        lines.append(" & ".join([for_latex(_title(entry)), *cells]) + " \\\\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", ""])


def model_card_section(entry: LeaderboardEntry) -> str:
    """Return Markdown for the evaluation section of a model card."""
    partial = f" A partial entry: {for_markdown(entry.partial)}." if entry.partial else ""
    about = f"Protocol {for_markdown(entry.protocol)}, {entry.tier}.{partial}"
    lines = [
        "## Evaluation on the Seizure-Semiology-Suite",
        "",
        f"{about} Research use, not a medical device.",
        "",
        "| task | metric | score | 95 % interval | floor | ceiling | skill | answered |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for score in entry.scores:
        if score.primary:
            interval = f"{number(score.interval.low)}–{number(score.interval.high)}" if score.interval else "–"
            # A dash would read as "not run".
            value = "failed" if is_failed(score) and score.value is None else number(score.value, score.unit)
            cells = (for_markdown(task_title(score.task)), for_markdown(score.metric), value, interval)
            skill = number(task_skill(score))
            more = (number(score.floor), number(score.ceiling), skill, f"{100 * score.coverage:.0f} %")
            lines.append("| " + " | ".join((*cells, *more)) + " |")
    return "\n".join([*lines, ""])


def hub_results(entry: LeaderboardEntry, hub: HubTarget) -> str:
    """Return the Hub's ``.eval_results`` YAML: an item for the mean skill, and one for the skill of each task.

    The Hub takes one number per result, of which more is better. An error in seconds is no such number, but skill is:
    0 is the score of the best trivial answerer, 1 that of the truth, −1 that of a failed task. Each result has its
    source and the date of writing (https://huggingface.co/docs/hub/eval-results). A partial entry has no mean skill.
    """
    import yaml

    date = datetime.fromtimestamp(_now(), UTC).date().isoformat()
    shared = {"date": date, "source": {"url": hub.source_url, "name": "s3harness leaderboard"}}
    mean = mean_skill(entry)
    items = [] if mean is None else [_hub_item(hub, HUB_TASK, mean, f"mean over {len(entry.tasks)} tasks", shared)]
    for task, score in sorted(entry.primary.items()):
        skill = task_skill(score)
        if skill is not None:
            measured = f"skill; {score.metric} {number(score.value, score.unit)}, floor {number(score.floor)}"
            notes = f"{measured}, answered {100 * score.coverage:.0f} %, {score.n_items} items, {entry.tier}"
            items.append(_hub_item(hub, task.rpartition("/")[2], skill, notes, shared))
    # PyYAML is built without libyaml on some platforms; its C dumper is only faster.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(items, Dumper=dumper, sort_keys=False, allow_unicode=True))


def _hub_item(hub: HubTarget, task: str, value: float, notes: str, shared: dict[str, Any]) -> dict[str, Any]:
    about = {"dataset": {"id": hub.dataset, "task_id": task}, "value": round(value, 4)}
    # A copy for each item: PyYAML writes an object that occurs twice as an anchor and aliases.
    return about | {"date": shared["date"], "source": dict(shared["source"]), "notes": notes}


def _samples(entry: LeaderboardEntry) -> Iterable[SampleRecord]:
    folder = read_folder(entry.folder) if entry.folder else None
    return read_samples(folder) if folder and folder.has_truth else ()


def _now() -> int:
    """Return the time in seconds since 1970, or ``SOURCE_DATE_EPOCH``, by which builds can be reproduced."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())


def _row(entry: LeaderboardEntry, score: Score) -> dict[str, Any]:
    interval = score.interval
    return {
        "entry": entry.slug,
        "model": entry.model["name"],
        "tier": entry.tier,
        "partial": entry.partial,
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
        "skill": task_skill(score) if score.primary else score.skill,
        "coverage": score.coverage,
        "n_items": score.n_items,
        "n_patients": score.n_patients,
    }


def _cell(entry: LeaderboardEntry, task: str) -> str:
    score = entry.primary.get(task)
    if score is None:
        # A task that was run and has no score at all failed; one that was not run is left open.
        return "failed" if task in entry.tasks else "--"
    if score.value is None:
        return "failed" if is_failed(score) else "--"
    interval = f" ({number(score.interval.low)}--{number(score.interval.high)})" if score.interval else ""
    return f"{number(score.value)}{interval}"


def _title(entry: LeaderboardEntry) -> str:
    return str(entry.model["title"] or entry.model["name"])

"""Pages of the leaderboard: static files that open from a disk, a web server or a Hub Space."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from s3harness.errors import UsageError
from s3harness.files import write_text
from s3harness.leaderboard.boards import Board, boards_of, data_of
from s3harness.leaderboard.entries import LeaderboardEntry
from s3harness.leaderboard.exports import HubTarget, write_exports
from s3harness.leaderboard.human_lines import human_lines
from s3harness.leaderboard.ranks import (
    above_floor,
    is_bold,
    is_failed,
    mean_skill,
    rank_intervals,
    surest,
    task_skill,
)
from s3harness.report.page.charts import whisker
from s3harness.report.page.html import policy, styles
from s3harness.report.table import number, task_title
from s3harness.types import Score

TEMPLATES = Path(__file__).parent / "pages"
MARK = ".s3harness-leaderboard"
"""File that marks a folder as an earlier build, which may be replaced."""


def build_site(
    entries: Sequence[LeaderboardEntry],
    published: Sequence[Mapping[str, Any]],
    out: Path,
    *,
    claimed: Sequence[LeaderboardEntry] = (),
    with_samples: bool = False,
    hub: HubTarget | None = None,
) -> Path:
    """Write the pages into ``out``, which is new, empty, or an earlier build, and return the path of the index page.

    ``entries`` are ranked; ``claimed`` are shown on a page of their own, unranked and without exports. ``with_samples``
    and ``hub`` are for :func:`~s3harness.leaderboard.exports.write_exports`.

    Raises :class:`UsageError` if ``out`` holds anything else, or two entries have the same name.
    """
    if out.exists() and any(out.iterdir()) and not (out / MARK).exists():
        raise UsageError(f"{out} holds other files; choose an empty folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    # Built aside and moved whole: visitors never see half of a build, and a failed one leaves the old pages.
    with tempfile.TemporaryDirectory(prefix=".building-", dir=out.parent) as temporary:
        built = Path(temporary) / "site"
        built.mkdir()
        _refuse_equal_slugs([*entries, *claimed])
        _write_pages(entries, claimed, published, built)
        write_exports(entries, built / "exports", with_samples=with_samples, hub=hub)
        write_text(built / MARK, "")
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(built, out)
    return out / "index.html"


def _refuse_equal_slugs(entries: Sequence[LeaderboardEntry]) -> None:
    # Each entry has a page by its name, and many file systems ignore case.
    counts = Counter(entry.slug.casefold() for entry in entries)
    twice = sorted(slug for slug, number in counts.items() if number > 1)
    if twice:
        raise UsageError(f"two entries have the name {twice[0]}; rename one of the folders")


def _write_pages(
    entries: Sequence[LeaderboardEntry],
    claimed: Sequence[LeaderboardEntry],
    published: Sequence[Mapping[str, Any]],
    out: Path,
) -> None:
    pages, boards = _Pages(out), boards_of(entries)
    tasks = sorted({task for board in boards for task in board.tasks})
    shared: dict[str, Any] = {"tasks": [(_file(task), task_title(task)) for task in tasks], "published": published}
    shared |= {"protocols": sorted({entry.protocol for entry in entries}), "n_claimed": len(claimed)}
    tables = [(board, _tables(board, entries)) for board in boards]
    overall = [_overall(board, of_board) for board, of_board in tables]
    pages.write("index.html", "index.html", title="S³ leaderboard", boards=overall, **shared)
    for task in tasks:
        of_task = [(board, of_board[task]) for board, of_board in tables if task in of_board]
        printed = [table for table in (_of_task(table, task) for table in published) if table["metrics"]]
        pages.write(_file(task), "task.html", title=task_title(task), boards=of_task, printed=printed, **shared)
    for entry in (*entries, *claimed):
        pages.write(
            f"model-{entry.slug}.html", "model.html", title=entry.model["title"], **_model(entry, published), **shared
        )
    pages.write("published.html", "published.html", title="Published, not run again", **shared)
    pages.write("claimed.html", "claimed.html", title="Claimed, not verified", rows=_claimed(claimed), **shared)


def _tables(board: Board, entries: Sequence[LeaderboardEntry]) -> dict[str, dict[str, Any]]:
    """Return task → its table, for the tasks of a board that have a score; ``entries`` are those of all boards."""
    above = above_floor(board.entries)
    with_score = {task for entry in board.entries for task in entry.primary}
    return {
        task: _task_table(task, board.entries, above, list(human_lines(board, task, entries)))
        for task in board.tasks
        if task in with_score
    }


class _Pages:
    """Templates of the pages; each page includes style and script, so that it opens by itself."""

    def __init__(self, out: Path) -> None:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        self._out = out
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        script = (TEMPLATES / "table.js").read_text(encoding="utf-8")
        # Style and script are read once and stand in every page, so that a page opens from a disk by itself.
        self._environment.globals |= {
            "css": styles(TEMPLATES / "site.css"),
            "script": script,
            "policy": policy(script),
        }

    def write(self, name: str, template: str, **values: Any) -> None:
        write_text(self._out / name, self._environment.get_template(template).render(page=name, **values))


def _file(task: str) -> str:
    return f"{task.rpartition('/')[2].replace('_', '-')}.html"


def _task_table(
    task: str, entries: Sequence[LeaderboardEntry], above: Set[tuple[str, str]], humans: Sequence[tuple[str, str, int]]
) -> dict[str, Any]:
    """Return the rows of one task, best skill first, with its floors, ceilings and lines of human readers.

    ``above`` holds the entries and tasks that are significantly above their floor.
    """
    scored = [(entry, score) for entry in entries if (score := entry.primary.get(task))]
    ranks = rank_intervals({entry.slug: score for entry, score in scored if not entry.yardstick})
    # A yardstick sees the truth or is a person: it stands in the table and takes no rank from a model.
    best = surest(score for entry, score in scored if not entry.yardstick)
    rows = [
        _row(entry, score)
        | {
            "rank": str(ranks.get(entry.slug, entry.yardstick)),
            "bold": not entry.yardstick and is_bold(score, best, (entry.slug, task) in above),
        }
        for entry, score in sorted(scored, key=lambda pair: -_sortable(pair[1]))
    ]
    return {"metric": scored[0][1].metric, "rows": rows, "bounds": [*_bounds(score for _, score in scored), *humans]}


def _sortable(score: Score) -> float:
    skill = task_skill(score)
    return float("-inf") if skill is None else skill


def _row(entry: LeaderboardEntry, score: Score) -> dict[str, Any]:
    interval, has_failed = score.interval, is_failed(score)
    return _about(entry) | {
        "rank": "",
        "bold": False,
        "value": "failed" if has_failed and score.value is None else number(score.value, score.unit),
        "sort": "" if score.value is None else score.value,
        "interval": f"{number(interval.low)}–{number(interval.high)}" if interval else _no_interval(score),
        # For the table of all tasks; the pages of a task and of a model have the reason.
        "interval_brief": f"{number(interval.low)}–{number(interval.high)}" if interval else "no interval",
        "whisker": whisker(score),
        "floor": number(score.floor),
        "floor_name": score.floor_name.replace("_", " "),
        "ceiling": number(score.ceiling),
        "skill": number(task_skill(score)) + (" (failed)" if has_failed else ""),
        "skill_sort": "" if task_skill(score) is None else task_skill(score),
        # A no-break space: "%" alone on a line is read as a value of its own.
        "coverage": f"{100 * score.coverage:.0f}\u00a0%",
        "lost": ", ".join(f"{n} {why}" for why, n in score.lost.items()),
        "n": f"{_count(score.n_items, 'item')}, {_count(score.n_patients, 'patient')}",
    }


def _no_interval(score: Score) -> str:
    return f"no interval: {score.interval_note}" if score.interval_note else "–"


def _bounds(scores: Iterable[Score]) -> Iterator[tuple[str, str, int]]:
    """Yield name, value and number of items of the floor and ceiling of each set of items, without repetition."""
    bounds = set()
    for score in scores:
        for name, value in ((f"floor: {score.floor_name.replace('_', ' ')}", score.floor), ("ceiling", score.ceiling)):
            bound = (name, number(value), score.n_items)
            if bound not in bounds:
                bounds.add(bound)
                yield bound


def _about(entry: LeaderboardEntry) -> dict[str, Any]:
    parameters = entry.model["parameters_b"]
    return {
        "slug": entry.slug,
        "name": entry.model["title"] or entry.model["name"],
        "size": "–" if parameters is None else f"{parameters:g} B",
        "size_sort": "" if parameters is None else parameters,
        "takes": " + ".join(entry.model["modalities"]),
        "open": {True: "open", False: "closed", None: "unknown"}[entry.model["open_weights"]],
        "protocol": entry.protocol,
        "tier": entry.tier,
        "data": data_of(entry),
        "yardstick": entry.yardstick,
        "tokens": "–" if not entry.tokens else f"{entry.tokens:,}",
        "seconds": "–" if entry.seconds is None else f"{entry.seconds:,.0f}",
    }


def _overall(board: Board, tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the overall table: one row per entry with its mean skill and its score in each task."""
    cells = {(task, row["slug"]): row for task, table in tables.items() for row in table["rows"]}
    rows = []
    for entry in board.entries:
        skill = mean_skill(entry)
        mine = [cells.get((task, entry.slug)) for task in board.tasks]
        n_failed = sum(task not in entry.primary or is_failed(entry.primary[task]) for task in entry.tasks)
        rows.append(
            _about(entry)
            | {"skill": number(skill), "skill_sort": "" if skill is None else skill, "cells": mine}
            | {"n_tasks": f"{_count(len(entry.tasks), 'task')}" + (f", {n_failed} failed" if n_failed else "")}
        )
    return {
        "title": board.title,
        "partial": board.partial,
        "names": [task_title(task) for task in board.tasks],
        "rows": sorted(rows, key=lambda row: (bool(row["yardstick"]), _falling(row["skill_sort"]), row["name"])),
        "bounds": _overall_bounds(tables, board.tasks),
    }


def _falling(skill: float | str) -> float:
    # Entries without a mean skill come last.
    return -skill if isinstance(skill, float) else math.inf


def _count(number_of: int, noun: str) -> str:
    return f"{number_of} {noun}" if number_of == 1 else f"{number_of} {noun}s"


def _claimed(entries: Sequence[LeaderboardEntry]) -> list[dict[str, Any]]:
    """Return the rows of claimed entries, by name and without ranks, since only their submitters have scored them."""
    rows = [
        _about(entry)
        | {"submitter": entry.submitter, "partial": entry.partial}
        | {"scores": [(task_title(t), s.metric, number(s.value, s.unit)) for t, s in sorted(entry.primary.items())]}
        for entry in entries
    ]
    return sorted(rows, key=lambda row: (row["name"], row["slug"]))


def _model(entry: LeaderboardEntry, published: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    groups = [
        (task_title(task), [_row(entry, score) | {"metric": score.metric} for score in scores])
        for task, scores in _by_task(entry.scores).items()
    ]
    parts = {task_title(s.task): {k: number(v) for k, v in s.parts.items()} for s in entry.scores if s.primary}
    parts = {task: named for task, named in parts.items() if named}
    printed = [table for table in (_of_model(t, entry.model["name"]) for t in published) if table["rows"]]
    return {"entry": entry, "about": _about(entry), "groups": groups, "parts": parts, "printed": printed}


def _of_task(table: Mapping[str, Any], task: str) -> dict[str, Any]:
    """Return a published table with only the columns of a task."""
    # Columns of the file format begin with the number of their task: "task4_onset_mae_s".
    number_of = task.rpartition("/")[2].partition("_")[0]
    return dict(table) | {"metrics": [m for m in table["metrics"] if m["name"].startswith(f"{number_of}_")]}


def _of_model(table: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a published table with only the rows of a model."""
    return dict(table) | {"rows": [row for row in table["rows"] if row["about"]["name"] == name]}


def _overall_bounds(tables: Mapping[str, Mapping[str, Any]], tasks: Sequence[str]) -> dict[str, list[str]]:
    """Return floors, ceilings and readers of all tasks as rows, with several values where entries have other items."""
    bounds = {task: [(name.partition(":")[0], value) for name, value, _ in tables[task]["bounds"]] for task in tables}
    # Floor and ceiling first, also where a task has none.
    kinds = dict.fromkeys(["floor", "ceiling", *(name for of_task in bounds.values() for name, _ in of_task)])
    return {
        kind: [
            ", ".join(dict.fromkeys(value for name, value in bounds.get(task, []) if name == kind)) for task in tasks
        ]
        for kind in kinds
    }


def _by_task(scores: Sequence[Score]) -> dict[str, list[Score]]:
    by_task: dict[str, list[Score]] = {}
    for score in scores:
        by_task.setdefault(score.task, []).append(score)
    return by_task

"""``s3harness score-release``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s3harness.cli.options import json_option, print_json, split_names

if TYPE_CHECKING:
    from s3harness.paper.layout import Release


@click.command("score-release")
@click.argument("checkout", type=click.Path(path_type=Path))
@click.option("--models", help="Comma-separated models, by their folders; default: all with predictions.")
@click.option("--tasks", help="Comma-separated tasks (1, task4 …); default: all.")
@click.option(
    "--part",
    type=click.Choice(["test", "full"]),
    default="test",
    show_default=True,
    help="Videos to score: the test fold, or all.",
)
@click.option(
    "--profile", default="strict", show_default=True, help="Scoring: strict, or paper (the authors' formulas)."
)
@click.option(
    "--resamples", type=click.IntRange(min=2), default=2000, show_default=True, help="Number of bootstrap resamples."
)
@click.option("--all", "every", is_flag=True, help="With strict: print every metric, not only each task's primary one.")
@json_option
def score_release(
    checkout: Path,
    models: str | None,
    tasks: str | None,
    part: str,
    profile: str,
    resamples: int,
    every: bool,
    as_json: bool,
) -> None:
    """Score the predictions of a checkout of the authors' release.

    strict: scores as of a run, on a fixed list of items, beside floors and ceilings; then the published conclusions
    that change. paper: recomputes and compares every published number, and merges every prediction file again from its
    windows; the exit code is 1 if a published number differs, a table cannot be read, or nothing was compared.
    """
    from s3harness.paper.layout import chosen_models, open_release
    from s3harness.specs.loading import full_name, task_names
    from s3harness.specs.tasks import PROFILES, check_choice

    check_choice("profile", profile, PROFILES)
    release = open_release(checkout, "full" if part == "full" else "test")
    chosen = chosen_models(release, split_names(models))
    names = [full_name(name) for name in split_names(tasks)] or task_names()
    if profile == "paper":
        _paper(release, chosen, names, as_json)
    else:
        _strict(release, chosen, names, resamples, every, as_json)


def _paper(release: Release, models: Sequence[str], tasks: Sequence[str], as_json: bool) -> None:
    from s3harness.paper.problems import odd_annotations
    from s3harness.paper.reproduce import (
        check_paper,
        explained_lines,
        mismatch_lines,
        unused_tables,
        without_predictions,
    )
    from s3harness.report.release import paper_total, print_paper

    # The authors number their tables by task; a task of a plugin has no number, and none of their tables.
    numbers = [int(match[1]) for name in tasks if (match := re.search(r"task(\d)", name))]
    checks = []
    for model in models:
        click.echo(f"{model} …", err=True)
        checks.append(check_paper(release, model, numbers))
    strangers, annotations = without_predictions(release), odd_annotations(release)
    unused = unused_tables(release, checks)
    if as_json:
        print_json(
            {
                "profile": "paper",
                "part": release.part,
                "compared": sum(len(check.published) for check in checks),
                "remade_from_windows": sum(len(check.windows) for check in checks),
                "mismatches": mismatch_lines(checks),
                "explained": explained_lines(checks),
                "summary": paper_total(checks),
                "models": [
                    {
                        "model": check.model,
                        "tables": {table: count._asdict() for table, count in check.counts().items()},
                        "missing": check.missing,
                        "unread": check.unread,
                        "problems": check.problems,
                    }
                    for check in checks
                ],
                "without_predictions": strangers,
                "compared_with_nothing": unused,
                "annotations": annotations,
            }
        )
    else:
        print_paper(checks, strangers, annotations, unused)
    # Nothing compared is a failure too: a misnamed folder must not pass as "no mismatch".
    compared = any(check.published for check in checks)
    sys.exit(0 if compared and not any(check.mismatches or check.unread for check in checks) else 1)


def _strict(
    release: Release, models: Sequence[str], tasks: Sequence[str], resamples: int, every: bool, as_json: bool
) -> None:
    from dataclasses import asdict

    from s3harness.paper.annotations import read_annotations
    from s3harness.paper.findings import findings
    from s3harness.paper.problems import odd_annotations
    from s3harness.paper.strict import corrected_together, score_strict
    from s3harness.report.release import print_annotations, print_findings, print_strict

    annotations = read_annotations(release)
    results = []
    for model in models:
        click.echo(f"{model} …", err=True)
        results.append(score_strict(release, annotations, model, tasks, resamples=resamples))
    results = corrected_together(results)  # Holm over all models and tasks, so only when all are there
    if not as_json:
        for result in results:
            print_strict(result, every=every)
    conclusions, odd = findings(release, results), odd_annotations(release)
    if as_json:
        print_json(
            {
                "profile": "strict",
                "part": release.part,
                "models": [
                    {
                        "model": result.model,
                        "modalities": result.modalities,
                        "scores": [asdict(score) | {"skill": score.skill} for score in result.scores],
                        "missing": result.missing,
                        "strays": [asdict(rows) for rows in result.unmatched],
                        "problems": result.problems,
                    }
                    for result in results
                ],
                "findings": [asdict(finding) for finding in conclusions],
                "annotations": odd,
            }
        )
    else:
        print_findings(conclusions)
        print_annotations(odd)
    # No answer to any item is a failure of the call: a misnamed folder must not look like a bad model.
    sys.exit(0 if any(score.coverage > 0 for result in results for score in result.scores) else 1)

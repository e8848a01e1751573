"""``s3harness compare``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import json_option, print_json, split_names, warn_of_identifiers

if TYPE_CHECKING:
    from s3harness.analysis.systems import ScoredSystem

STRICT = "strict"


@click.command()
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1)
@click.option("--tasks", help="Comma-separated tasks (1, task4 …); default: all tasks that the systems share.")
@click.option("--released", type=click.Path(path_type=Path), help="Checkout of the authors' release, for --models.")
@click.option("--models", help="Comma-separated released models to compare as well; default with --released: all.")
@click.option(
    "--part",
    type=click.Choice(["test", "full"]),
    default="test",
    show_default=True,
    help="Released predictions to use: of the test fold, or of all videos.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Data set with the truth that a submission withholds.")
@click.option("--profile", default=STRICT, show_default=True, help="Scoring: strict, or paper (the authors' formulas).")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write an HTML page to this file.")
@json_option
def compare(
    runs: tuple[Path, ...],
    tasks: str | None,
    data: Path | None,
    profile: str,
    html: Path | None,
    as_json: bool,
    **release: Any,
) -> None:
    """Compare RUNS (run directories or submissions) on the items that they share, paired by patient.

    Add released models with --released CHECKOUT --models A,B. p-values are corrected by Holm over all pairs and tasks,
    and by Benjamini and Hochberg over all pairs and features. The page adds each system's wins and losses item by
    item, and lists the items on which the systems disagree.
    """
    from dataclasses import asdict

    from s3harness.analysis.compare import compare as compare_systems
    from s3harness.analysis.systems import join
    from s3harness.report.comparison import print_comparison
    from s3harness.specs.loading import full_name

    systems = _systems(runs, release["released"], split_names(release["models"]), release["part"], data, profile)
    answered = {task for system in systems for task in system.tasks}
    # A submission may name a task that is not installed here, which full_name() would refuse.
    joined = join(systems, [name if name in answered else full_name(name) for name in split_names(tasks)])
    report = compare_systems(joined)
    if as_json:
        print_json(asdict(report))
    else:
        print_comparison(report)
    if html is not None:
        from s3harness.report.page.compare import write_comparison

        click.echo(f"page: {write_comparison(report, joined.shared, html, profile)}", err=True)
        warn_of_identifiers(html, runs)


def _systems(
    runs: Sequence[Path], released: Path | None, models: Sequence[str], part: str, data: Path | None, profile: str
) -> list[ScoredSystem]:
    """Read the systems to compare; :class:`click.BadParameter` if there are fewer than two, or options conflict."""
    if models and released is None:
        raise click.BadParameter("released models also need --released CHECKOUT", param_hint="--models")
    if released is not None and profile != STRICT:
        raise click.BadParameter(
            "released models can only be compared by the strict profile; leave --profile out", param_hint="--profile"
        )
    # By resolved path: the same run under two spellings would differ from itself by nothing, with p = 1.
    if len({path.resolve() for path in runs}) < len(runs):
        raise click.BadParameter("a run cannot be compared with itself", param_hint="RUNS")
    # Released models last: their names give way to those of runs.
    systems = _runs(runs, data, profile)
    if released is not None:
        systems += _released(released, models, part, {system.name for system in systems})
    if len(systems) < 2:
        raise click.BadParameter("name at least two runs, submissions or released models", param_hint="RUNS")
    return systems


def _runs(runs: Sequence[Path], data: Path | None, profile: str) -> list[ScoredSystem]:
    """Read run directories and submissions, in the order given."""
    from s3harness.analysis.systems import folder_names, read_system
    from s3harness.leaderboard.folder import SUBMISSION
    from s3harness.leaderboard.system import read_submission

    return [
        read_submission(path, name, profile=profile, data=data)
        if (path / SUBMISSION).is_file()
        else read_system(path, name, profile=profile)
        for name, path in zip(folder_names(runs), runs, strict=True)
    ]


def _released(checkout: Path, wanted: Sequence[str], part: str, taken: set[str]) -> list[ScoredSystem]:
    """Read released models; one with the name of a run gets the name "… (released)"."""
    from s3harness.analysis.systems import read_released
    from s3harness.paper.annotations import read_annotations
    from s3harness.paper.layout import chosen_models, open_release

    release = open_release(checkout, "full" if part == "full" else "test")
    annotations = read_annotations(release)
    return [
        read_released(release, annotations, model, f"{model} (released)" if model in taken else model)
        for model in chosen_models(release, wanted)
    ]

"""``s3harness compare``."""

from __future__ import annotations

from pathlib import Path

import click

from s3harness.cli.options import json_option, print_json


@click.command()
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--profile", default="strict", show_default=True, help="How they are scored: strict, or paper exactly.")
@json_option
def compare(runs: tuple[Path, ...], profile: str, as_json: bool) -> None:
    """Compare the run directories RUNS on the items they share, paired by patient.

    Differences are later minus earlier. p-values are corrected by Holm over the tasks, and by Benjamini and Hochberg
    over the features.
    """
    from dataclasses import asdict

    from s3harness.analysis.compare import compare_runs
    from s3harness.report.comparison import print_comparison

    if len(runs) < 2:
        raise click.BadParameter("at least two runs are needed", param_hint="RUNS")
    report = compare_runs(runs, profile=profile)
    print_json(asdict(report)) if as_json else print_comparison(report)

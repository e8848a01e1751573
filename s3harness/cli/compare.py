"""``s3harness compare``."""

from __future__ import annotations

from pathlib import Path

import click

from s3harness.cli.options import json_option, print_json, tell_identifiers


@click.command()
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--profile", default="strict", show_default=True, help="How they are scored: strict, or paper exactly.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page of it, too, to this file.")
@json_option
def compare(runs: tuple[Path, ...], profile: str, html: Path | None, as_json: bool) -> None:
    """Compare the run directories RUNS on the items they share, paired by patient.

    Differences are later minus earlier. p-values are corrected by Holm over the tasks, and by Benjamini and Hochberg
    over the features. The page adds what each run won and lost item by item, and lists the items they disagree on.
    """
    from dataclasses import asdict

    from s3harness.analysis import compare as comparing
    from s3harness.report.comparison import print_comparison

    if len(runs) < 2:
        raise click.BadParameter("at least two runs are needed", param_hint="RUNS")
    shared = comparing.read_runs(runs, profile=profile)
    report = comparing.compare(shared)
    print_json(asdict(report)) if as_json else print_comparison(report)
    if html is not None:
        from s3harness.report.page.compare import write_comparison

        click.echo(f"page: {write_comparison(report, shared, html, profile)}", err=True)
        tell_identifiers(html, runs)

"""``s3harness score``."""

from __future__ import annotations

from pathlib import Path

import click

from s3harness.cli.options import json_option, print_json


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--profile", default="strict", show_default=True, help="How it is scored: strict, or paper exactly.")
@click.option("--rqi", help="The preset of the Seizure-RQI with penalties by name, strict+PENALTY.")
@click.option(
    "--resamples", type=click.IntRange(2, 100_000), default=2000, show_default=True, help="Bootstrap resamples."
)
@click.option("--all", "every", is_flag=True, help="Every metric, not only each task's primary one.")
@json_option
def score(run: Path, profile: str, rqi: str | None, resamples: int, every: bool, as_json: bool) -> None:
    """Score the answers of the run directory RUN again, offline; no engine, no video and no data set is needed."""
    from s3harness.report.table import print_scores
    from s3harness.run.manifest import read_manifest
    from s3harness.scoring.run import as_json as scores_json
    from s3harness.scoring.run import score_run
    from s3harness.specs.tasks import PROFILES, check_choice

    check_choice("profile", profile, PROFILES)
    scores = score_run(run, profile=profile, rqi=rqi, resamples=resamples)
    manifest = read_manifest(run)
    if as_json:
        print_json(scores_json(scores, manifest, profile, rqi, resamples))
    else:
        print_scores(scores, every=every, sees_truth=manifest["run"]["sees_truth"])

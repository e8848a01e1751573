"""``s3harness score``."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.judge import judge_options, judge_settings, print_judged
from s3harness.cli.options import json_option, print_json, readers_option

if TYPE_CHECKING:
    from s3harness.scoring.judging.folder import JudgeSettings
    from s3harness.scoring.judging.judge import Judged


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--profile", default="strict", show_default=True, help="Scoring: strict, or paper (the authors' formulas)."
)
@click.option("--rqi", help="Seizure-RQI preset, with extra penalties by name: strict-2+PENALTY.")
@click.option(
    "--resamples",
    type=click.IntRange(2, 100_000),
    default=2000,
    show_default=True,
    help="Number of bootstrap resamples.",
)
@click.option("--all", "every", is_flag=True, help="Print every metric, not only each task's primary one.")
@readers_option
@judge_options
@json_option
def score(
    run: Path,
    profile: str,
    rqi: str | None,
    resamples: int,
    every: bool,
    readers: tuple[Path, ...],
    as_json: bool,
    **judge: Any,
) -> None:
    """Score the answers of the run directory RUN again, offline, without engine, videos or data set.

    Only --judge-backend sends anything: the reports, to a language model that reads them. Its raw replies are kept in
    RUN/judges; --judge without --judge-backend scores those again. Scores by another profile, preset or judge go to
    their own file beside scores.json. The exit code is 1 if the judge could not read a report.

    With --readers the mean score of people who took the same exam stands beside floor and ceiling.
    """
    from s3harness.analysis.readers import read_readers, reader_lines
    from s3harness.analysis.systems import read_system
    from s3harness.report.page.costs import latency_line
    from s3harness.report.table import number, print_scores
    from s3harness.rundir.manifest import read_manifest
    from s3harness.scoring.judging.folder import FOLDER
    from s3harness.scoring.score_run import describe_cautions, score_run, scores_file
    from s3harness.specs.tasks import PROFILES, check_choice

    check_choice("profile", profile, PROFILES)  # before a judge is asked, which costs time and money
    manifest = read_manifest(run)
    people = reader_lines(read_system(run, run.name), read_readers(readers)) if readers else []
    judged = _judged(run, profile, judge_settings(run / FOLDER, **judge))
    with redirect_stdout(sys.stderr):  # a plugin's metric may print, and stdout holds the result alone
        scores = score_run(run, profile=profile, rqi=rqi, judged=judged, resamples=resamples)
    path = run / scores_file(profile, rqi, judged)
    if as_json:
        print_json(json.loads(path.read_text(encoding="utf-8")))
    else:
        changes = describe_cautions(manifest)
        print_scores(
            scores,
            every=every,
            sees_truth=manifest["run"]["sees_truth"],
            changes=changes,
            readers={line.task: (number(line.mean), line.sentence) for line in people},
        )
        if line := latency_line(run, manifest.get("seconds")):
            click.echo(line)
    click.echo(f"written to {path}", err=as_json)  # with --json, stdout holds the JSON document alone
    sys.exit(1 if judged and judged.lost else 0)


def _judged(run: Path, profile: str, settings: JudgeSettings | None) -> Judged | None:
    from s3harness.report.progress import shown_progress
    from s3harness.scoring.judge_run import judge_run

    if settings is None:
        return None
    with shown_progress() as progress:
        judged = judge_run(run, profile, settings, progress)
    print_judged(judged)
    return judged

"""``s3harness run``."""

from __future__ import annotations

import math
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import (
    default_data,
    identifier_options,
    isolate_option,
    json_option,
    parse_options,
    print_json,
    split_names,
)

if TYPE_CHECKING:
    from s3harness.evaluation.execute import RunOutcome
    from s3harness.evaluation.prepare import PreparedRun
    from s3harness.evaluation.settings import RunSettings


@click.command()
@click.option("--backend", required=True, help="What answers: a registered backend (s3harness plugins list).")
@click.option("--model", help="A model's alias (s3harness models list), or a path to a card of your own.")
@click.option(
    "--weights", type=click.Path(path_type=Path, file_okay=False), help="A directory with the model's weights."
)
@click.option("--tasks", help="Comma-separated tasks, by name or number; all seven if absent.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=default_data,
    show_default="$S3HARNESS_DATA or ./data",
    help="The data set directory.",
)
@click.option("--split", help="Only the videos of this split.")
@click.option("--protocol", default="strict", show_default=True, help="What is asked: strict, or paper as the authors.")
@click.option("--profile", default="strict", show_default=True, help="How it is scored: strict, or paper exactly.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first N videos.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The run directory; runs/BACKEND-MODEL-PROTOCOL if absent."
)
@click.option("--resume", is_flag=True, help="Go on with the run in --out; what is answered is not asked again.")
@click.option(
    "--allow-mixed",
    default="",
    metavar="REASON",
    help="With --resume: another model or version may go on with the run, which then says that it is a mixture.",
)
@click.option("--dry-run", is_flag=True, help="Plan and count; load no engine, decode nothing.")
@click.option(
    "--rate",
    metavar="N|RUN",
    help="With --dry-run: requests a minute, or a finished run to take them from; the hours are then told.",
)
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="An option of the backend; repeatable.")
@click.option(
    "--sampling", multiple=True, metavar="KEY=VALUE", help="Sample otherwise: fps, window_s, max_frames, …; repeatable."
)
@click.option(
    "--transform", "transforms", multiple=True, metavar="NAME", help="Show clips through a transform; repeatable."
)
@click.option("--allow-remote", multiple=True, metavar="HOST", help="A host that video may be sent to; repeatable.")
@identifier_options
@click.option("--executor", default="local", show_default=True, help="Where requests run: local or ray.")
@click.option(
    "-x",
    "--executor-option",
    "executor_options",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the executor; repeatable.",
)
@click.option("--cache", "cache_dir", type=click.Path(path_type=Path), help="Where decoded frames are kept.")
@click.option("--cache-gb", type=click.FloatRange(min=0), help="How much of them, in GB.")
@click.option(
    "--media", multiple=True, metavar="KEY=VALUE", help="How videos are decoded: workers, stall_s, …; repeatable."
)
@isolate_option
@json_option
def run(*, dry_run: bool, rate: str | None, as_json: bool, **said: Any) -> None:
    """Ask a model everything about a data set, and score it.

    Every answer is journalled the moment it comes, so a run may be stopped or killed at any time and gone on with by
    --resume. The exit code is 1 if any request failed.
    """
    from s3harness.evaluation.prepare import prepare

    if rate is not None and not dry_run:
        raise click.UsageError("--rate is for --dry-run, which tells how long a run would take")
    prepared = prepare(settings_of(said))
    if dry_run:
        show_estimate(prepared, as_json, rate)
        return
    outcome = execute_visibly(prepared)
    show_outcome(prepared, outcome, as_json)
    sys.exit(1 if outcome.failed else 0)


def settings_of(said: dict[str, Any]) -> RunSettings:
    """The settings that the options of ``run`` say."""
    from s3harness.evaluation.settings import RunSettings
    from s3harness.media.options import MediaOptions

    gigabytes = said.pop("cache_gb")
    if gigabytes is not None and not math.isfinite(gigabytes):
        raise click.BadParameter("a finite number is expected", param_hint="--cache-gb")
    if said["tasks"] is not None and not split_names(said["tasks"]):
        raise click.BadParameter("no task is named; leave the option out for all", param_hint="--tasks")
    name = dict.fromkeys(part for part in (said["backend"], said["model"], said["protocol"]) if part)
    said["out"] = said["out"] or Path("runs") / "-".join(name)
    said["tasks"] = split_names(said["tasks"])
    said["options"] = parse_options(said["options"])
    said["sampling"] = parse_options(said["sampling"], "--sampling")
    said["executor_options"] = parse_options(said["executor_options"], "-x")
    said["media"] = MediaOptions.of(parse_options(said["media"], "--media"))
    return RunSettings(**said, cache_bytes=None if gigabytes is None else int(gigabytes * 1e9))


def execute_visibly(prepared: PreparedRun, again: str = " and --resume") -> RunOutcome:
    """Carry a run out with its progress shown on standard error.

    If it is stopped, it says that it goes on with the same command, and what that needs besides (``again``).
    """
    from s3harness.evaluation.execute import execute
    from s3harness.report.progress import shown_progress

    try:
        with shown_progress() as progress, redirect_stdout(sys.stderr):
            outcome = execute(prepared, progress)
    except KeyboardInterrupt:
        out = prepared.settings.out
        click.echo(f"all answers so far are in {out}; go on with the same command{again}", err=True)
        raise
    if not progress.total:
        click.echo(f"all {outcome.requests} requests were answered before", err=True)
    return outcome


def show_outcome(prepared: PreparedRun, outcome: RunOutcome, as_json: bool) -> None:
    """Print the scores of a run, and how much of it failed."""
    from s3harness.report.page.costs import latency_line
    from s3harness.report.table import print_scores
    from s3harness.rundir.manifest import read_manifest
    from s3harness.scoring.score_run import scores_file, told_cautions

    out, profile = prepared.settings.out, prepared.settings.profile
    if as_json:
        import json

        print_json(json.loads((out / scores_file(profile)).read_text(encoding="utf-8")))
    else:
        manifest = read_manifest(out)
        changes = told_cautions(manifest)
        print_scores(outcome.scores, sees_truth=prepared.backend_class.sees_truth, changes=changes)
        if line := latency_line(out, manifest.get("seconds")):
            click.echo(line)
        again = "" if profile == "strict" else f" --profile {profile}"
        click.echo(f"run directory: {out} (all metrics: s3harness score {out} --all{again})")
    if outcome.failed:
        message = f"{outcome.failed} of {outcome.requests} requests failed"
        click.echo(f"s3harness: {message}; see responses.jsonl, mend the cause and use --resume", err=True)


def show_estimate(prepared: PreparedRun, as_json: bool, rate: str | None = None) -> None:
    """Print what a run would ask; an option that its backend does not take is refused here already.

    ``rate`` is requests a minute, or the directory of a run whose rate is taken.
    """
    from dataclasses import asdict

    from s3harness.evaluation.prepare import check_backend
    from s3harness.report.plain import print_pairs
    from s3harness.run.estimate import estimate, hours, measured_rate

    check_backend(prepared)
    per_minute = None if rate is None else _stated_rate(rate) or measured_rate(Path(rate))
    plan = asdict(estimate(prepared.plan))
    plan |= (
        {} if per_minute is None else {"requests_a_minute": per_minute, "hours": hours(plan["requests"], per_minute)}
    )
    if as_json:
        print_json(plan)
        return
    items, warnings = plan.pop("items"), plan.pop("warnings")
    rows = {f"items of {task}": number for task, number in items.items()} | plan
    shown = {
        name: f"{value:,.1f}" if name in ("hours", "requests_a_minute") else f"{value:,.0f}"
        for name, value in rows.items()
    }
    print_pairs({name.replace("_", " "): value for name, value in shown.items()})
    for task, warning in warnings.items():
        click.echo(f"warning: {task}: {warning}")


def _stated_rate(rate: str) -> float | None:
    """Requests a minute if they are stated as a number; ``None`` if it is something else."""
    try:
        stated = float(rate)
    except ValueError:
        return None
    if not (math.isfinite(stated) and stated > 0):
        raise click.BadParameter(
            "requests a minute above 0, or the directory of a run, are expected", param_hint="--rate"
        )
    return stated

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
@click.option("--backend", required=True, help="Backend that answers (s3harness plugins list --kind backend).")
@click.option("--model", help="Model: an alias (s3harness models list), or the path of your own model card.")
@click.option("--weights", type=click.Path(path_type=Path, file_okay=False), help="Directory with the model's weights.")
@click.option("--tasks", help="Comma-separated tasks, by name or number; default: all seven.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=default_data,
    show_default="$S3HARNESS_DATA or ./data",
    help="Data set directory.",
)
@click.option("--split", help="Use only the videos of this split.")
@click.option(
    "--protocol", default="strict", show_default=True, help="Prompts and sampling: strict, or paper (the authors')."
)
@click.option(
    "--profile", default="strict", show_default=True, help="Scoring: strict, or paper (the authors' formulas)."
)
@click.option("--limit", type=click.IntRange(min=1), help="Use only the first N videos.")
@click.option("--out", type=click.Path(path_type=Path), help="Run directory; default: runs/BACKEND-MODEL-PROTOCOL.")
@click.option("--resume", is_flag=True, help="Continue the run in --out; answered requests are not sent again.")
@click.option(
    "--allow-mixed",
    default="",
    metavar="REASON",
    help="With --resume: continue with another model or version; the run is then marked as mixed.",
)
@click.option("--dry-run", is_flag=True, help="Plan and count the requests; load no engine, decode nothing.")
@click.option(
    "--rate",
    metavar="N|RUN",
    help="With --dry-run: estimate the hours, from requests per minute or from a finished run.",
)
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="Backend option, name=value; repeatable.")
@click.option(
    "--sampling",
    multiple=True,
    metavar="KEY=VALUE",
    help="Sampling option, name=value (fps, window_s, max_frames, …); repeatable.",
)
@click.option(
    "--transform", "transforms", multiple=True, metavar="NAME", help="Transform applied to every clip; repeatable."
)
@click.option("--allow-remote", multiple=True, metavar="HOST", help="Host that video may be sent to; repeatable.")
@identifier_options
@click.option("--executor", default="local", show_default=True, help="Where requests run: local or ray.")
@click.option(
    "-x",
    "--executor-option",
    "executor_options",
    multiple=True,
    metavar="KEY=VALUE",
    help="Executor option, name=value; repeatable.",
)
@click.option("--cache", "cache_dir", type=click.Path(path_type=Path), help="Cache directory for decoded frames.")
@click.option("--cache-gb", type=click.FloatRange(min=0), help="Size limit of the cache, in GB.")
@click.option(
    "--media",
    multiple=True,
    metavar="KEY=VALUE",
    help="Decoding option, name=value (workers, stall_s, …); repeatable.",
)
@isolate_option
@json_option
def run(*, dry_run: bool, rate: str | None, as_json: bool, **arguments: Any) -> None:
    """Run the tasks of a data set on a model, and score the answers.

    Each answer is written to the journal as it arrives, so a run can be stopped or killed at any time and continued
    with --resume. The exit code is 1 if any request failed.
    """
    from s3harness.evaluation.prepare import prepare

    if rate is not None and not dry_run:
        raise click.UsageError("--rate needs --dry-run: it estimates how long a run would take")
    prepared = prepare(settings_of(arguments))
    if dry_run:
        show_estimate(prepared, as_json, rate)
        return
    outcome = execute_visibly(prepared)
    show_outcome(prepared, outcome, as_json)
    sys.exit(1 if outcome.failed else 0)


def settings_of(arguments: dict[str, Any]) -> RunSettings:
    """Build the settings of a run from the command's parsed options, which are changed in place."""
    from s3harness.evaluation.settings import RunSettings
    from s3harness.media.options import MediaOptions

    gigabytes = arguments.pop("cache_gb")
    # click's FloatRange lets "inf" and "nan" pass, and int(nan * 1e9) below would be a traceback.
    if gigabytes is not None and not math.isfinite(gigabytes):
        raise click.BadParameter("a finite number is expected", param_hint="--cache-gb")
    # An empty shell variable (--tasks "$TASKS") must not mean all seven tasks.
    if arguments["tasks"] is not None and not split_names(arguments["tasks"]):
        raise click.BadParameter("no task is named; leave the option out to run all tasks", param_hint="--tasks")
    # A dictionary, so that a model of the backend's name stands once in the directory's name.
    name = dict.fromkeys(part for part in (arguments["backend"], arguments["model"], arguments["protocol"]) if part)
    arguments["out"] = arguments["out"] or Path("runs") / "-".join(name)
    arguments["tasks"] = split_names(arguments["tasks"])
    arguments["options"] = parse_options(arguments["options"])
    arguments["sampling"] = parse_options(arguments["sampling"], "--sampling")
    arguments["executor_options"] = parse_options(arguments["executor_options"], "-x")
    arguments["media"] = MediaOptions.of(parse_options(arguments["media"], "--media"))
    return RunSettings(**arguments, cache_bytes=None if gigabytes is None else int(gigabytes * 1e9))


def execute_visibly(prepared: PreparedRun, again: str = " and --resume") -> RunOutcome:
    """Execute a run with its progress shown on standard error.

    If the user stops it, print how to continue: the same command, with ``again`` added.
    """
    from s3harness.evaluation.execute import execute
    from s3harness.report.progress import shown_progress

    try:
        # Engines and plugins print to stdout, which with --json must hold one JSON document alone.
        with shown_progress() as progress, redirect_stdout(sys.stderr):
            outcome = execute(prepared, progress)
    except KeyboardInterrupt:
        out = prepared.settings.out
        click.echo(f"all answers so far are in {out}; continue with the same command{again}", err=True)
        raise  # main() ends the process with exit code 1
    if not progress.total:
        click.echo(f"nothing to send: all {outcome.requests} requests are already answered", err=True)
    return outcome


def show_outcome(prepared: PreparedRun, outcome: RunOutcome, as_json: bool) -> None:
    """Print the scores of a run and the number of its failed requests."""
    from s3harness.report.page.costs import latency_line
    from s3harness.report.table import print_scores
    from s3harness.rundir.manifest import read_manifest
    from s3harness.scoring.score_run import describe_cautions, scores_file

    out, profile = prepared.settings.out, prepared.settings.profile
    if as_json:
        import json

        # The file as it was written, so that --json and scores.json cannot differ.
        print_json(json.loads((out / scores_file(profile)).read_text(encoding="utf-8")))
    else:
        manifest = read_manifest(out)
        changes = describe_cautions(manifest)
        print_scores(outcome.scores, sees_truth=prepared.backend_class.sees_truth, changes=changes)
        if line := latency_line(out, manifest.get("seconds")):
            click.echo(line)
        # The command is there to be copied, so it must show the profile of this run.
        again = "" if profile == "strict" else f" --profile {profile}"
        click.echo(f"run directory: {out} (all metrics: s3harness score {out} --all{again})")
    if outcome.failed:
        message = f"{outcome.failed} of {outcome.requests} requests failed"
        click.echo(f"s3harness: {message}; see responses.jsonl, fix the cause and use --resume", err=True)


def show_estimate(prepared: PreparedRun, as_json: bool, rate: str | None = None) -> None:
    """Print the number of requests of a run, and its hours at a ``rate``.

    ``rate`` is requests per minute, or the directory of a finished run whose rate is used.
    """
    from dataclasses import asdict

    from s3harness.evaluation.prepare import check_backend
    from s3harness.report.plain_text import print_pairs
    from s3harness.run.estimate import estimate, hours, measured_rate

    check_backend(prepared)  # a dry run refuses wrong backend options too, or the error would come after the wait
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
    cells = {
        name: f"{value:,.1f}" if name in ("hours", "requests_a_minute") else f"{value:,.0f}"
        for name, value in rows.items()
    }
    print_pairs({name.replace("_", " "): value for name, value in cells.items()})
    for task, warning in warnings.items():
        click.echo(f"warning: {task}: {warning}")


def _stated_rate(rate: str) -> float | None:
    """Parse requests per minute; ``None`` if the text is no number (it is then a run directory)."""
    try:
        stated = float(rate)
    except ValueError:
        return None
    if not (math.isfinite(stated) and stated > 0):
        raise click.BadParameter(
            f"{rate!r}: a number of requests per minute above 0, or a run directory, is expected", param_hint="--rate"
        )
    return stated

"""``s3harness run``."""

from __future__ import annotations

import math
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import (
    default_data,
    features_option,
    identifier_options,
    isolate_option,
    json_option,
    parse_options,
    print_json,
    split_names,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3harness.evaluation.execute import RunOutcome
    from s3harness.evaluation.prepare import PreparedRun
    from s3harness.evaluation.settings import RunSettings
    from s3harness.run.gpu_plan import GpuPlan


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
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Ask only N items, drawn at random.")
@click.option("--sample-seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the sample.")
@click.option("--out", type=click.Path(path_type=Path), help="Run directory; default: runs/BACKEND-MODEL-PROTOCOL.")
@click.option("--resume", is_flag=True, help="Continue the run in --out; answered requests are not sent again.")
@click.option(
    "--allow-mixed",
    default="",
    metavar="REASON",
    help="With --resume: continue with another model or version; the run is then marked as mixed.",
)
@click.option(
    "--allow-blind",
    default="",
    metavar="REASON",
    help="Do not check before the first request that the model uses frames and sound; the reason is recorded.",
)
@click.option("--dry-run", is_flag=True, help="Plan and count the requests; load no engine, decode nothing.")
@click.option(
    "--rate",
    metavar="N|RUN",
    help="With --dry-run: estimate the hours, from requests per minute or from a finished run.",
)
@click.option("--gpu", metavar="SIZE", help="With --dry-run: plan the memory of GPUs such as 80GB or 80GBx2.")
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="Backend option, name=value; repeatable.")
@click.option(
    "--sampling",
    multiple=True,
    metavar="KEY=VALUE",
    help="Sampling option, name=value (fps, window_s, max_frames, …); repeatable.",
)
@click.option(
    "--generation",
    multiple=True,
    metavar="KEY=VALUE",
    help="Generation setting, name=value (temperature, top_k, max_tokens, decoding=model, …); repeatable.",
)
@click.option("--thinking", metavar="on|off|TOKENS", help="Reasoning of a thinking model: on, off, or its most tokens.")
@click.option(
    "--transform", "transforms", multiple=True, metavar="NAME", help="Transform applied to every clip; repeatable."
)
@click.option(
    "--strategy",
    default="single",
    show_default=True,
    help="How an item is answered: one question, or a conversation (s3harness plugins list --kind strategy).",
)
@click.option(
    "--strategy-option",
    "strategy_options",
    multiple=True,
    metavar="KEY=VALUE",
    help="Strategy option, name=value (turns, frames, tokens, seconds, …); repeatable.",
)
@click.option("--allow-remote", multiple=True, metavar="HOST", help="Host that video may be sent to; repeatable.")
@features_option
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
def run(*, dry_run: bool, rate: str | None, gpu: str | None, as_json: bool, **arguments: Any) -> None:
    """Run the tasks of a data set on a model, and score the answers.

    Each answer is written to the journal as it arrives, so a run can be stopped or killed at any time and continued
    with --resume. The exit code is 1 if any request failed.
    """
    from s3harness.evaluation.prepare import prepare

    if rate is not None and not dry_run:
        raise click.UsageError("--rate needs --dry-run: it estimates how long a run would take")
    if gpu is not None and not dry_run:
        raise click.UsageError("--gpu needs --dry-run: it plans the memory that a run would take")
    prepared = prepare(settings_of(arguments))
    for note in prepared.model_notes:
        click.echo(f"model: {note}", err=True)
    if dry_run:
        show_estimate(prepared, as_json, rate, gpu)
        return
    outcome = execute_visibly(prepared)
    show_outcome(prepared, outcome, as_json)
    sys.exit(1 if outcome.failed else 0)


def settings_of(arguments: dict[str, Any]) -> RunSettings:
    """Build the settings of a run from the command's parsed options, which are changed in place."""
    from s3harness.evaluation.settings import RunSettings
    from s3harness.media.options import MediaOptions
    from s3harness.run.item_sample import ItemSample

    gigabytes = arguments.pop("cache_gb")
    # click's FloatRange lets "inf" and "nan" pass, and int(nan * 1e9) below would be a traceback.
    if gigabytes is not None and not math.isfinite(gigabytes):
        raise click.BadParameter("a finite number is expected", param_hint="--cache-gb")
    # An empty shell variable (--tasks "$TASKS") must not mean all seven tasks.
    if arguments["tasks"] is not None and not split_names(arguments["tasks"]):
        raise click.BadParameter("no task is named; leave the option out to run all tasks", param_hint="--tasks")
    # A dictionary, so that a model of the backend's name stands once in the directory's name.
    parts = [arguments["backend"], _plain_name(arguments["model"]), arguments["protocol"]]
    parts += [arguments["strategy"]] if arguments["strategy"] != "single" else []
    name = dict.fromkeys(filter(None, parts))
    items, seed = arguments["sample"], arguments.pop("sample_seed")
    arguments["sample"] = ItemSample(items, seed) if items else None
    arguments["out"] = arguments["out"] or Path("runs") / "-".join(name)
    arguments["tasks"] = split_names(arguments["tasks"])
    arguments["options"] = parse_options(arguments["options"])
    arguments["sampling"] = parse_options(arguments["sampling"], "--sampling")
    arguments["generation"] = _generation(arguments["generation"], arguments.pop("thinking"))
    arguments["strategy_options"] = parse_options(arguments["strategy_options"], "--strategy-option")
    arguments["executor_options"] = parse_options(arguments["executor_options"], "-x")
    arguments["media"] = MediaOptions.of(parse_options(arguments["media"], "--media"))
    return RunSettings(**arguments, cache_bytes=None if gigabytes is None else int(gigabytes * 1e9))


def _plain_name(model: str | None) -> str:
    """Return the name of a model as a part of a directory's name: of a path or a model on the hub its last part."""
    last = Path(model or "").name
    return re.sub(r"[^\w.@-]+", "-", last).strip("-.")


def _generation(pairs: Sequence[str], thinking: str | None) -> dict[str, object]:
    """Parse the generation settings, of which ``--thinking`` is one."""
    settings = parse_options(pairs, "--generation")
    if thinking is None:
        return settings
    if "thinking" in settings:
        raise click.BadParameter("thinking is given by --generation too", param_hint="--thinking")
    return settings | parse_options([f"thinking={thinking}"], "--thinking")


def execute_visibly(prepared: PreparedRun, again: str = " and --resume") -> RunOutcome:
    """Execute a run with its progress shown on standard error.

    If the user stops it, print how to continue: the same command, with ``again`` added.
    """
    from s3harness.evaluation.execute import execute
    from s3harness.report.progress import shown_progress

    for task, warning in (prepared.context.warnings() if prepared.context else {}).items():
        click.echo(f"warning: {task}: {warning}", err=True)
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
    from s3harness.rundir.eyes import describe_check
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
        if line := describe_check(manifest):
            click.echo(line)
        if line := latency_line(out, manifest.get("seconds")):
            click.echo(line)
        # The command is there to be copied, so it must show the profile of this run.
        again = "" if profile == "strict" else f" --profile {profile}"
        click.echo(f"run directory: {out} (all metrics: s3harness score {out} --all{again})")
    if outcome.failed:
        message = f"{outcome.failed} of {outcome.requests} requests failed"
        click.echo(f"s3harness: {message}; see responses.jsonl, fix the cause and use --resume", err=True)


def show_estimate(prepared: PreparedRun, as_json: bool, rate: str | None = None, gpu: str | None = None) -> None:
    """Print the number of requests of a run, its hours at a ``rate``, its context and its memory on ``gpu``.

    ``rate`` is requests per minute, or the directory of a finished run whose rate is used.
    """
    from dataclasses import asdict

    from s3harness.evaluation.prepare import check_backend
    from s3harness.report.plain_text import print_pairs
    from s3harness.run.estimate import estimate, hours, measured_rate

    check_backend(prepared)  # a dry run refuses wrong backend options too, or the error would come after the wait
    per_minute = None if rate is None else _stated_rate(rate) or measured_rate(Path(rate))
    plan = asdict(estimate(prepared.plan))
    context = prepared.context
    if context is not None:
        plan["warnings"] = {**plan["warnings"], **context.warnings()}
    memory = None if gpu is None else _gpu_plan(prepared, gpu)
    plan |= (
        {} if per_minute is None else {"requests_a_minute": per_minute, "hours": hours(plan["requests"], per_minute)}
    )
    if as_json:
        room = {} if context is None else {"context": {**asdict(context), "longest": context.longest}}
        print_json(plan | room | ({} if memory is None else {"gpu": asdict(memory)}))
        return
    least, most = plan.pop("pixels")
    items, warnings = plan.pop("items"), plan.pop("warnings")
    rows = {f"items of {task}": number for task, number in items.items()} | plan
    cells = {
        name: f"{value:,.1f}" if name in ("hours", "requests_a_minute") else f"{value:,.0f}"
        for name, value in rows.items()
    }
    cells["pixels of a frame, at most"] = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    if context is not None:
        cells |= {"context": f"{context.limit:,}", "longest request": f"{context.longest:,}"}
        cells["text tokens are"] = context.tokenizer
    print_pairs({name.replace("_", " "): value for name, value in cells.items()})
    if memory is not None:
        click.echo("")
        print_pairs(memory.rows())
    for task, warning in warnings.items():
        click.echo(f"warning: {task}: {warning}")


def _gpu_plan(prepared: PreparedRun, gpu: str) -> GpuPlan:
    """Plan the memory of an engine for a run on some GPUs."""
    from s3harness.run.context import check_context, context_limit
    from s3harness.run.gpu_plan import gpu_plan, read_gpus

    settings, model = prepared.settings, prepared.plan.model
    gpus = read_gpus(gpu)
    check = prepared.context or check_context(prepared.plan, None)
    limit = context_limit(model, settings.backend, settings.options)
    return gpu_plan(model, settings.backend, settings.options, gpus, longest=check.longest, context=limit)


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

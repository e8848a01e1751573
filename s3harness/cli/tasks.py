"""``s3harness tasks``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import json_option, print_json

if TYPE_CHECKING:
    from s3harness.specs.tasks import TaskSpec


@click.group()
def tasks() -> None:
    """Tasks: list, show, validate, check."""


@tasks.command("list")
@json_option
def list_tasks(as_json: bool) -> None:
    """List the tasks, each with the kind of its items and its primary metric."""
    from s3harness.report.plain_text import print_rows
    from s3harness.specs.catalogue import catalogue

    listing = catalogue()
    rows = [_row(name, document.data) for name, document in listing.documents.items()]
    print_json(rows) if as_json else print_rows(rows)
    for problem in listing.problems:
        click.echo(f"s3harness: {problem}", err=True)


@tasks.command("show")
@click.argument("name")
@click.option(
    "--protocol", default="strict", show_default=True, help="Prompts and sampling: strict, or paper (the authors')."
)
@click.option("--model", help="Show the task as this model gets it.")
@click.option("--prompt", is_flag=True, help="Show only the prompt, for each subject.")
@json_option
def show_task(name: str, protocol: str, model: str | None, prompt: bool, as_json: bool) -> None:
    """Show the prompt, sampling and scoring of the task NAME."""
    import yaml

    from s3harness.report.plain_text import harmless
    from s3harness.specs.loading import load_task
    from s3harness.specs.models import ModelCard, load_model
    from s3harness.specs.tasks import PROTOCOLS, check_choice, resolve

    check_choice("protocol", protocol, PROTOCOLS)
    # Without a model, as for one that sees and hears, so that no part of the task is left out.
    card = load_model(model) if model else ModelCard("any", modalities=("video", "audio"))
    spec = resolve(load_task(name).data, protocol=protocol, profile="strict", model=card)
    if as_json:
        print_json(spec.data)
    elif prompt:
        click.echo(harmless(_prompts(spec)))
    else:
        click.echo(yaml.safe_dump(spec.data, sort_keys=False, allow_unicode=True, width=100))


@tasks.command("validate")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def validate_task(file: Path, as_json: bool) -> None:
    """Check a task spec, and print each problem with file, line, field and the expected value.

    The exit code is 2 if there is any problem.
    """
    from s3harness.report.plain_text import harmless
    from s3harness.specs.loading import problems_of, read_task

    problems = [str(problem) for problem in problems_of(file)]
    if as_json:
        print_json({"file": str(file), "problems": problems})
    elif not problems:
        click.echo(f"{file}: {read_task(file).data['name']} is valid")
    else:
        for problem in problems:
            click.echo(f"s3harness: {harmless(problem)}", err=True)
    # As main() does for a SpecError: a wrong spec is a wrong call.
    sys.exit(2 if problems else 0)


@tasks.command("check")
@click.argument("names", metavar="[TASK]...", nargs=-1)
@click.option(
    "--profile", default="strict", show_default=True, help="Metrics to check: strict, or paper (the authors')."
)
@json_option
def check_tasks(names: tuple[str, ...], profile: str, as_json: bool) -> None:
    """Check the tasks' metrics on simulated answerers that deserve a high or a low score.

    Each metric scores the truth, an answerer who watched and errs, and dozens who answer without looking, spam, repeat,
    reverse or give up. Each broken promise is listed, with the reason why the metric is used nevertheless. The
    Seizure-RQI also ranks pairs of reports. The exit code is 1 if a promise is broken that is not a documented defect.
    """
    from s3harness.cli.tasks_check import as_data, print_suite
    from s3harness.specs.loading import full_name, task_names
    from s3harness.specs.tasks import PROFILES, check_choice
    from s3harness.testing.scenarios import ranked_wrong
    from s3harness.testing.suite import new_defects, suite

    check_choice("profile", profile, PROFILES)
    chosen = [full_name(name) for name in names] or task_names()
    outcomes = list(suite(profile, chosen))
    # The pairs of reports test the Seizure-RQI alone.
    wrong = ranked_wrong(profile) if any(one.metric.name == "rqi" for one in outcomes) else None
    print_json(as_data(profile, outcomes, wrong)) if as_json else print_suite(profile, outcomes, wrong)
    sys.exit(1 if new_defects(profile, outcomes, wrong or ()) else 0)


def _row(name: str, data: Mapping[str, Any]) -> dict[str, str]:
    """Return a task's row of the list; its spec may be wrong."""
    from s3harness.errors import S3HarnessError
    from s3harness.specs.tasks import TaskSpec

    try:
        primary = next(metric.label for metric in TaskSpec(data).metrics if metric.primary)
    except (S3HarnessError, LookupError, TypeError, ValueError):
        primary = "?"  # a wrong spec is listed all the same; tasks validate says what is wrong
    return {
        "task": name,
        "title": str(data.get("title", "")),
        "item": str(data.get("item", "")),
        "primary metric": primary,
    }


def _prompts(spec: TaskSpec) -> str:
    if spec.uses:
        return f"no prompt of its own: it scores the answers of {spec.uses}"
    subjects = {"": spec.prompt} | {
        subject: spec.for_subject(subject).prompt for subject in spec.data.get("subjects", {})
    }
    return "\n\n".join(f"# {subject}\n{text}" if subject else text for subject, text in subjects.items())

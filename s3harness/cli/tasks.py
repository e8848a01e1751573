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
    """The tasks: list, show, validate, check."""


@tasks.command("list")
@json_option
def list_tasks(as_json: bool) -> None:
    """List the tasks, what one item of each is, and its primary metric."""
    from s3harness.report.plain import print_rows
    from s3harness.specs.catalogue import catalogue

    found = catalogue()
    rows = [_row(name, document.data) for name, document in found.documents.items()]
    print_json(rows) if as_json else print_rows(rows)
    for problem in found.problems:
        click.echo(f"s3harness: {problem}", err=True)


@tasks.command("show")
@click.argument("name")
@click.option("--protocol", default="strict", show_default=True)
@click.option("--model", help="As this model is asked.")
@click.option("--prompt", is_flag=True, help="Only the prompt, for each subject.")
@json_option
def show_task(name: str, protocol: str, model: str | None, prompt: bool, as_json: bool) -> None:
    """Show a task as it is asked and scored."""
    import yaml

    from s3harness.report.plain import harmless
    from s3harness.specs.loading import load_task
    from s3harness.specs.models import ModelCard, load_model
    from s3harness.specs.tasks import PROTOCOLS, check_choice, resolve

    check_choice("protocol", protocol, PROTOCOLS)
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
    """Check a task spec; everything that is wrong is told, with file, line, field and what would be right.

    The exit code is 2 if anything is.
    """
    from s3harness.report.plain import harmless
    from s3harness.specs.loading import problems_of, read_task

    problems = [str(problem) for problem in problems_of(file)]
    if as_json:
        print_json({"file": str(file), "problems": problems})
    elif not problems:
        click.echo(f"{file}: {read_task(file).data['name']} is right")
    else:
        for problem in problems:
            click.echo(f"s3harness: {harmless(problem)}", err=True)
    sys.exit(2 if problems else 0)


@tasks.command("check")
@click.argument("names", metavar="[TASK]...", nargs=-1)
@click.option("--profile", default="strict", show_default=True, help="Whose metrics: strict, or paper.")
@json_option
def check_tasks(names: tuple[str, ...], profile: str, as_json: bool) -> None:
    """Hold the metrics of the tasks against answerers that deserve nothing.

    Each metric scores somebody who watched and errs, the truth, and dozens who answer without a look, spam, repeat,
    reverse or give up; what it breaks is listed with the reason that it is kept. The Seizure-RQI ranks pairs of reports
    besides. The exit code is 1 if anything is broken that is not known.
    """
    from s3harness.report.suite import as_data, print_suite
    from s3harness.specs.loading import full_name, task_names
    from s3harness.specs.tasks import PROFILES, check_choice
    from s3harness.testing.scenarios import ranked_wrong
    from s3harness.testing.suite import suite, unknown

    check_choice("profile", profile, PROFILES)
    chosen = [full_name(name) for name in names] or task_names()
    outcomes = list(suite(profile, chosen))
    wrong = ranked_wrong(profile) if any(one.metric.name == "rqi" for one in outcomes) else None
    print_json(as_data(profile, outcomes, wrong)) if as_json else print_suite(profile, outcomes, wrong)
    sys.exit(1 if unknown(profile, outcomes, wrong or ()) else 0)


def _row(name: str, data: Mapping[str, Any]) -> dict[str, str]:
    """A task as the list has it, whether or not its spec is right."""
    from s3harness.errors import S3HarnessError
    from s3harness.specs.tasks import TaskSpec

    try:
        primary = next(metric.label for metric in TaskSpec(data).metrics if metric.primary)
    except (S3HarnessError, LookupError, TypeError, ValueError):
        primary = "?"
    return {
        "task": name,
        "title": str(data.get("title", "")),
        "item": str(data.get("item", "")),
        "primary metric": primary,
    }


def _prompts(spec: TaskSpec) -> str:
    if spec.uses:
        return f"no prompt of its own: reads the answers of {spec.uses}"
    subjects = {"": spec.prompt} | {
        subject: spec.for_subject(subject).prompt for subject in spec.data.get("subjects", {})
    }
    return "\n\n".join(f"# {subject}\n{text}" if subject else text for subject, text in subjects.items())

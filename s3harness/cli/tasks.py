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
    """The tasks: list, show, validate."""


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
    from s3harness.specs.models import ModelCard, load_model
    from s3harness.specs.tasks import PROTOCOLS, check_choice, load_task, resolve

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
    from s3harness.specs.tasks import problems_of, read_task

    problems = [str(problem) for problem in problems_of(file)]
    if as_json:
        print_json({"file": str(file), "problems": problems})
    elif not problems:
        click.echo(f"{file}: {read_task(file).data['name']} is right")
    else:
        for problem in problems:
            click.echo(f"s3harness: {harmless(problem)}", err=True)
    sys.exit(2 if problems else 0)


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

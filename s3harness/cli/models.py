"""``s3harness models``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from s3harness.cli.options import json_option, print_json


@click.group()
def models() -> None:
    """The model cards: list, show."""


@models.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """List the known models, what they take, and where their weights are."""
    from s3harness.errors import S3HarnessError
    from s3harness.report.plain import print_rows
    from s3harness.specs.catalogue import card_document, model_names

    rows, problems = [], []
    for name in model_names():
        try:
            rows.append(_row(name, card_document(name).data))
        except S3HarnessError as error:
            problems.append(str(error))
    print_json(rows) if as_json else print_rows(rows)
    for problem in problems:
        click.echo(f"s3harness: {problem}", err=True)


@models.command("show")
@click.argument("name")
@json_option
def show_model(name: str, as_json: bool) -> None:
    """Show a model's card."""
    import yaml

    from s3harness.specs.models import load_model

    card = asdict(load_model(name)) | {"modalities": list(load_model(name).modalities)}
    del card["weights_id"]
    print_json(card) if as_json else click.echo(yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=100))


def _row(name: str, card: Mapping[str, Any]) -> dict[str, str]:
    """A model as the list has it, whether or not its card is right."""
    return {
        "model": name,
        "takes": " + ".join(map(str, card.get("modalities") or ())),
        "weights": str(card.get("weights") or "not released"),
        "engines": ", ".join(card.get("engines") or ()),
    }

"""``s3harness models``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from s3harness.cli.options import json_option, print_json


@click.group()
def models() -> None:
    """Model cards: list, show."""


@models.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """List the models that have a card, with their modalities, weights and engines."""
    from s3harness.errors import S3HarnessError
    from s3harness.report.plain_text import print_rows
    from s3harness.specs.catalogue import card_document, model_names

    rows, problems = [], []
    for name in model_names():
        try:
            rows.append(_row(name, card_document(name).data))
        except S3HarnessError as error:  # one wrong card of a plugin must not hide the others
            problems.append(str(error))
    print_json(rows) if as_json else print_rows(rows)
    for problem in problems:
        click.echo(f"s3harness: {problem}", err=True)


@models.command("show")
@click.argument("name")
@json_option
def show_model(name: str, as_json: bool) -> None:
    """Show the card of the model NAME."""
    import yaml

    from s3harness.specs.models import load_model

    card = asdict(load_model(name)) | {
        "modalities": list(load_model(name).modalities)
    }  # YAML would print a tuple's tag
    del card["weights_id"]  # computed from a weights directory, and not of the card
    print_json(card) if as_json else click.echo(yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=100))


def _row(name: str, card: Mapping[str, Any]) -> dict[str, str]:
    """Return a model's row of the list; its card may be wrong."""
    return {
        "model": name,
        "takes": " + ".join(map(str, card.get("modalities") or ())),
        "weights": str(card.get("weights") or "not released"),
        "engines": ", ".join(card.get("engines") or ()),
    }

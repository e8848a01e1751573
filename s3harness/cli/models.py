"""``s3harness models``."""

from __future__ import annotations

from dataclasses import asdict

import click

from s3harness.cli.options import json_option, print_json


@click.group()
def models() -> None:
    """The model cards: list, show."""


@models.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """List the known models, what they take, and where their weights are."""
    from s3harness.report.table import print_rows
    from s3harness.specs.models import load_model, model_names

    cards = [load_model(name) for name in model_names()]
    rows = [
        {
            "model": card.name,
            "title": card.title,
            "takes": " + ".join(card.modalities),
            "weights": card.weights or "not released",
            "engines": ", ".join(card.engines),
        }
        for card in cards
    ]
    print_json(rows) if as_json else print_rows(rows)


@models.command("show")
@click.argument("name")
@json_option
def show_model(name: str, as_json: bool) -> None:
    """Show a model's card."""
    import yaml

    from s3harness.specs.models import load_model

    card = asdict(load_model(name)) | {"modalities": list(load_model(name).modalities)}
    print_json(card) if as_json else click.echo(yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=100))

"""``s3harness models``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import count, default_data, json_option, parse_options, print_json, split_names

if TYPE_CHECKING:
    from s3harness.receipts.verify import Receipt
    from s3harness.specs.document import Document
    from s3harness.specs.resolution import ResolvedModel


@click.group()
def models() -> None:
    """Model cards: list, show, add; and verify what a model gets."""


@models.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """List the models that have a card, with their modalities, weights and engines, and where the card is from."""
    from s3harness.errors import S3HarnessError
    from s3harness.report.plain_text import print_rows
    from s3harness.specs.catalogue import card_document, card_source, model_names
    from s3harness.specs.document import read_document
    from s3harness.specs.resolution import check_clash
    from s3harness.specs.user_cards import user_card_names, user_card_path

    rows, problems = [], []
    for name in model_names():
        try:
            rows.append(_row(name, card_document(name), card_source(name)))
        except S3HarnessError as error:  # one wrong card of a plugin must not hide the others
            problems.append(str(error))
    for name in user_card_names():
        path = user_card_path(name)
        try:
            check_clash(name)
            rows.append(_row(name, read_document(path or Path()), str(path)))
        except S3HarnessError as error:
            problems.append(str(error))
    print_json(rows) if as_json else print_rows(rows)
    for problem in problems:
        click.echo(f"s3harness: {problem}", err=True)


@models.command("show")
@click.argument("name")
@click.option(
    "--derive",
    "is_derived",
    is_flag=True,
    help="Show the card that the model's own files amount to, and the source of each value; of a card, how it differs.",
)
@json_option
def show_model(name: str, is_derived: bool, as_json: bool) -> None:
    """Show the card of the model NAME: a card, a directory with weights, or a model on the hub (ORG/NAME)."""
    import yaml

    from s3harness.specs.resolution import resolve_model

    model = resolve_model(name)
    if is_derived:
        _show_derived(model, as_json)
        return
    # YAML would print a tuple's tag.
    card = asdict(model.card) | {"modalities": list(model.card.modalities)}
    del card["weights_id"]  # computed from a weights directory, and not of the card
    print_json(card) if as_json else click.echo(yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=100))
    _print_notes(model.notes)


@models.command("add")
@click.argument("model")
@click.option("--as", "alias", metavar="NAME", help="The name of the card; without it the model's own.")
@json_option
def add_model(model: str, alias: str | None, as_json: bool) -> None:
    """Save a card of MODEL under a name of your own: a directory with weights, a model on the hub, or a card.

    The card is written to your configuration folder, where you can change it. A model on the hub is pinned to the
    commit that it has now.
    """
    from s3harness.specs.adding import add_card

    name, path, notes = add_card(model, alias)
    _print_notes(notes)
    if as_json:
        print_json({"name": name, "path": str(path)})
    else:
        click.echo(f"saved {path}; use it with --model {name}")


@models.command("verify")
@click.argument("model")
@click.option("--data", type=click.Path(path_type=Path), default=default_data, help="Data set with the clips.")
@click.option("--backend", default="transformers", show_default=True, help="The backend whose inputs are verified.")
@click.option("--weights", type=click.Path(path_type=Path), help="Directory with the weights.")
@click.option("--against", default="", metavar="BACKEND", help="Compare with this backend, its answers included.")
@click.option("--clips", default=2, show_default=True, type=click.IntRange(min=1), help="Number of clips.")
@click.option("--tasks", default="1", show_default=True, help="Tasks whose clips are taken.")
@click.option("--protocol", default="strict", show_default=True, help="Prompts and sampling: strict, or paper.")
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="Backend option, name=value; repeatable.")
@click.option("--sampling", multiple=True, metavar="KEY=VALUE", help="Sampling option, name=value; repeatable.")
@click.option("--out", type=click.Path(path_type=Path), help="File of the receipt (JSON).")
@json_option
def verify_model(*, model: str, out: Path | None, as_json: bool, against: str, clips: int, **arguments: Any) -> None:
    """Compare what MODEL gets of sample clips with what its own processor makes of them.

    Frames, their times, pixel values, features of sound and tokens are equal, or the first difference is named with its
    cause. The exit code is 1 if anything differs.
    """
    from s3harness.evaluation.prepare import prepare
    from s3harness.evaluation.settings import RunSettings
    from s3harness.files import write_json
    from s3harness.receipts.verify import verify

    arguments["tasks"] = split_names(arguments["tasks"])
    for name, hint in (("options", "-o"), ("sampling", "--sampling")):
        arguments[name] = parse_options(arguments[name], hint)
    prepared = prepare(RunSettings(model=model, out=Path("receipt"), **arguments))
    receipt = verify(prepared, clips, against)
    if out is not None:
        write_json(out, receipt.as_json())
    print_json(receipt.as_json()) if as_json else _show_receipt(receipt)
    sys.exit(0 if receipt.equal else 1)


def _show_receipt(receipt: Receipt) -> None:
    from s3harness.report.plain_text import print_rows

    for clip in receipt.clips:
        sound = " and sound" if clip.audio else ""
        click.echo(f"video {clip.video}, {clip.task}: {count(clip.frames, 'frame')}{sound}")
        print_rows(
            [
                {
                    "stage": stage.name.replace("_", " "),
                    "verdict": "equal" if stage.equal else "differs",
                    "difference": stage.difference,
                    "mean": "" if stage.mean is None else f"{stage.mean:.2g}",
                    "largest": "" if stage.largest is None else f"{stage.largest:.2g}",
                    "ours": clip.hashes.get(stage.name, "")[:12],
                    "official": clip.official_hashes.get(stage.name, "")[:12],
                }
                for stage in clip.stages
            ]
        )
        if clip.cause:
            click.echo(f"cause: {clip.cause}")
        if clip.recipe is not None:
            verdict = "equal" if clip.recipe.equal else f"differs: {clip.recipe.cause}"
            click.echo(f"authors' recipe ({clip.recipe.library}): {verdict}")
        if clip.note:
            click.echo(f"note: {clip.note}")
    for one in receipt.probabilities:
        apart = "no probabilities" if one["largest"] is None else f"largest difference {one['largest']:.2g}"
        click.echo(f"answers about video {one['video']}: {'equal' if one['equal'] else 'differ'} ({apart})")
    verdict = "equal to" if receipt.equal else "not equal to"
    click.echo(f"{receipt.model} by {receipt.backend}: {verdict} its own processor's inputs ({receipt.official})")


def _row(name: str, card: Document, source: str) -> dict[str, str]:
    """Return a model's row of the list; its card may be wrong."""
    data: Mapping[str, Any] = card.data
    return {
        "model": name,
        "takes": " + ".join(map(str, data.get("modalities") or ("text",))),
        "weights": str(data.get("weights") or ("a directory" if data.get("directory") else "not released")),
        "engines": ", ".join(data.get("engines") or ()),
        "card": source,
    }


def _show_derived(model: ResolvedModel, as_json: bool) -> None:
    from s3harness.report.plain_text import print_rows
    from s3harness.specs.adding import derived_of

    derived = model.derived or derived_of(model.card)
    rows = [
        {"field": field, "value": value, "from": derived.sources.get(field, "")}
        for field, value in _fields(derived.card)
        if field in derived.sources or field in ("weights", "revision")
    ]
    if model.derived is None:
        written = dict(_fields(model.card))
        for row in rows:
            stated = written.get(row["field"], "")
            row["card"] = stated if stated != row["value"] else "the same"
    print_json(rows) if as_json else print_rows(rows)
    _print_notes(derived.notes)


def _fields(card: Any) -> Iterator[tuple[str, str]]:
    """Yield the fields of a card as texts, those of its records by themselves (``vision.patch_size``)."""
    from s3harness.specs.user_cards import written_card

    for name, value in written_card(card).items():
        # The template and the sampling settings come from one file each, and are shown whole.
        if isinstance(value, dict) and name not in ("chat_template", "generation", "thinking", "engines", "protocols"):
            yield from ((f"{name}.{part}", _text(inner)) for part, inner in value.items())
        else:
            yield name, _text(value)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join("no limit" if part is None else str(part) for part in value) or "text alone"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(part)}" for name, part in value.items())
    return str(value)


def _print_notes(notes: tuple[str, ...]) -> None:
    for note in notes:
        click.echo(f"model: {note}", err=True)

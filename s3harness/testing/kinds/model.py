"""Promises of a model card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from s3harness.specs.models import read_card
from s3harness.testing.trial import Bench

PROMISES: Mapping[str, str] = {
    "form": "it is the path of a YAML file or of a directory with NAME.yaml, or a function that returns one",
    "right": "the card is valid: its fields, its samplers, its name",
    "licence": "the card names the licence of the weights",
}


def try_it(bench: Bench) -> None:
    """Read the model card."""
    path: Path | None = None
    with bench.trying("form"):
        location = Path(str(bench.thing() if callable(bench.thing) else bench.thing))
        path = location / f"{bench.name}.yaml" if location.is_dir() else location
        bench.must("form", path.is_file(), f"there is no file {path.name}")
    # The trial above has recorded why.
    if path is None or not path.is_file():
        return
    with bench.trying("right"):
        card = read_card(path)
        bench.must("right", card.name == bench.name, f"its name is {card.name!r}, it is registered as {bench.name!r}")
        # A card without weights names a served model, whose licence is its provider's.
        bench.must("licence", bool(card.licence) or not card.weights, "licence is not given")

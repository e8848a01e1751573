"""Leave to a small omni model one sign that is only heard and one that is seen: ``python heard_and_seen.py DATA``.

The sign that is seen is, of those that most videos with it show well enough for their resolution and frame rate, the
one that is present in the number of videos nearest to half.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import click

HEARD = "ictal_vocalization"
HINDRANCES = ("below_resolution", "undersampled")


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--seen", help="The sign that is seen; default: the one that is shown best.")
def main(data: Path, seen: str | None) -> None:
    """Rewrite the table of signs of a synthetic data set, and say which two are left."""
    path = data / "features.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = {HEARD, seen or _best_seen(rows)}
    kept = [row for row in rows if row["feature"] in chosen]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(kept)
    present = Counter(row["feature"] for row in kept if row["present"] == "yes")
    videos = Counter(row["feature"] for row in kept if row["present"] in ("yes", "no"))
    click.echo("; ".join(f"{name}: present in {present[name]} of {videos[name]} videos" for name in sorted(chosen)))


def _best_seen(rows: list[dict[str, str]]) -> str:
    present, hidden, videos = Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        videos[row["feature"]] += row["present"] in ("yes", "no")
        if row["present"] == "yes":
            present[row["feature"]] += 1
            hidden[row["feature"]] += "yes" in (row[name] for name in HINDRANCES)
    shown = [name for name in present if name != HEARD and hidden[name] < present[name] / 4]
    return min(shown, key=lambda name: abs(present[name] / videos[name] - 0.5))


if __name__ == "__main__":
    main()

"""Leave to a small model the signs that its pictures show: ``python seen_signs.py DATA``.

A synthetic data set says of every sign whether the picture is too small or the frames too few to show it. A sign that
most of those who have it show so leaves the table, so that it is neither taught nor asked.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import click

HINDRANCES = ("below_resolution", "undersampled")


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(data: Path) -> None:
    """Rewrite the table of signs of a synthetic data set, and say which are left."""
    path = data / "features.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shown, hidden = Counter[str](), Counter[str]()
    for row in rows:
        if row["present"] == "yes":
            shown[row["feature"]] += 1
            hidden[row["feature"]] += "yes" in (row[name] for name in HINDRANCES)
    seen = {feature for feature, count in shown.items() if hidden[feature] < count / 2}
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(row for row in rows if row["feature"] in seen)
    click.echo(f"seen: {', '.join(sorted(seen))}")


if __name__ == "__main__":
    main()

"""Tables of the Seizure-RQI's agreement with human raters, for the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from s3harness.report.plain_text import print_pairs, print_rows

if TYPE_CHECKING:
    from s3harness.metrics.rqi.validate import Validation
    from s3harness.paper.expert_study import SignAgreement, Study
    from s3harness.types import Interval

MEASURES = {
    "pearson": "Pearson",
    "spearman": "Spearman",
    "kendall": "Kendall",
    "pairwise": "pairs in order",
    "pairwise_same_video": "pairs of one video",
}


def print_validation(title: str, validation: Validation) -> None:
    """Print one validation, measure by measure."""
    click.echo(f"{title}: {_counted(validation)}")
    print_pairs({f"  {name}": value for name, value in _cells(validation).items()})


def print_study(study: Study) -> None:
    """Print the agreement of every scoring method, then of every extractor of signs."""
    first = study.compared[0].agreement
    if first:
        click.echo(
            f"Agreement of the Seizure-RQI with human raters: {_counted(first)}. Intervals (95 %) resample videos.\n"
        )
    nothing = dict.fromkeys(MEASURES.values(), "–")
    rows = [(one, _cells(one.agreement) if one.agreement else nothing) for one in study.compared]
    print_rows([{"Seizure-RQI": one.score, "reports": one.n_reports, **cells} for one, cells in rows])
    # Only a release that includes extracted structures can be recomputed.
    if study.remade:
        click.echo(
            f"\n{study.equal} of {study.remade} scores from released structures equal the published ones (1e-9)."
        )
    click.echo(
        "\nSigns extracted from the experts' reports, against the annotators' labels. Intervals resample patients.\n"
    )
    print_rows([_signs(one) for one in study.signs])
    click.echo("".join(f"\n{problem}" for problem in study.problems))


def _counted(validation: Validation) -> str:
    unscored = f"; {validation.unscored} more have no score" if validation.unscored else ""
    pairs = (
        f"{validation.n_pairs} pairs with different human scores, {validation.n_pairs_same_video} of them of one video"
    )
    return f"{validation.n_reports} reports of {validation.n_videos} videos, {pairs}{unscored}"


def _cells(validation: Validation) -> dict[str, str]:
    measures = ((title, getattr(validation, name)) for name, title in MEASURES.items())
    return {title: _number(one.value, one.interval) for title, one in measures}


def _signs(one: SignAgreement) -> dict[str, object]:
    values = {name: _number(value, interval) for name, (value, interval) in one.values.items()}
    return {"read by": one.reader, "reports": one.n_reports, **values}


def _number(value: float, interval: Interval | None) -> str:
    # A correlation without variance is NaN.
    if not math.isfinite(value):
        return "undefined"
    return f"{value:.3f} ({interval.low:.2f}–{interval.high:.2f})" if interval else f"{value:.3f}"

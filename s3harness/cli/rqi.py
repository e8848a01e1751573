"""``s3harness rqi``."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import json_option, print_json
from s3harness.errors import UsageError

if TYPE_CHECKING:
    from s3harness.metrics.rqi import RQI

report_option = click.option("--report", type=click.Path(path_type=Path), required=True, help="The report; - is stdin.")
expert_option = click.option("--expert", type=click.Path(path_type=Path), required=True, help="The expert's report.")
preset_option = click.option(
    "--preset", default="strict", show_default=True, help="strict, paper, or either with +PENALTY."
)


@click.group()
def rqi() -> None:
    """The Seizure-RQI of reports: score, explain, validate."""


@rqi.command()
@report_option
@expert_option
@preset_option
@json_option
def score(report: Path, expert: Path, preset: str, as_json: bool) -> None:
    """Score a report against an expert's, 0 to 100."""
    result = _scored(report, expert, preset)
    print_json({"rqi": result.value, "preset": result.preset}) if as_json else click.echo(f"{result.value:.1f}")


@rqi.command()
@report_option
@expert_option
@preset_option
@json_option
def explain(report: Path, expert: Path, preset: str, as_json: bool) -> None:
    """Score a report and show every component and penalty with the words that it rests on."""
    from dataclasses import asdict

    result = _scored(report, expert, preset)
    if as_json:
        print_json(asdict(result))
        return
    click.echo(f"Seizure-RQI ({result.preset}): {result.value:.1f}; before penalties {result.base:.1f}")
    for name, component in result.components.items():
        value = "nothing to score" if component.value is None else f"{component.value:.2f}"
        click.echo(f"  {name} of {result.weights[name]:.1f} points: {value}")
        for line in component.evidence:
            click.echo(f"      {line}")
    for name, penalty in result.penalties.items():
        click.echo(f"  × {penalty.multiplier:.2f} {name}")
        for line in penalty.evidence:
            click.echo(f"      {line}")


@rqi.command()
@click.argument("table", type=click.Path(path_type=Path))
@preset_option
@json_option
def validate(table: Path, preset: str, as_json: bool) -> None:
    """Say how well the score agrees with people's.

    TABLE is a CSV file with the columns video, system, human (a person's score), report and expert (texts). Intervals
    resample videos.
    """
    from dataclasses import asdict

    from s3harness.metrics.rqi import parse_preset, score_report
    from s3harness.metrics.rqi.validate import validate as agreement

    chosen = parse_preset(preset)
    rows = _rows(table)
    human = {(row["video"], row["system"]): float(row["human"]) for row in rows}
    scores = {
        (row["video"], row["system"]): score_report(row["report"], {"text": row["expert"]}, chosen).value
        for row in rows
    }
    found = asdict(agreement(scores, human))
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['n_reports']} reports of {found['n_videos']} videos, Seizure-RQI ({preset})")
    for name, measure in found.items():
        if isinstance(measure, dict):
            low, high = measure["interval"]["low"], measure["interval"]["high"]
            click.echo(f"  {name.replace('_', ' ')}: {measure['value']:.3f} ({low:.3f} to {high:.3f})")


def _scored(report: Path, expert: Path, preset: str) -> RQI:
    from s3harness.metrics.rqi import score_report

    held_against = _text(expert)
    if not held_against.strip():
        raise UsageError(f"{expert}: the expert's report is empty; there is nothing to score against")
    return score_report(_text(report), {"text": held_against}, preset)


def _text(path: Path) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error


def _rows(path: Path) -> list[dict[str, Any]]:
    needed = ("video", "system", "human", "report", "expert")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    missing = [name for name in needed if not rows or name not in rows[0]]
    if missing:
        raise click.BadParameter(f"{path} has no column {', '.join(missing)}", param_hint="TABLE")
    for number, row in enumerate(rows, start=2):
        try:
            float(row["human"])
        except (TypeError, ValueError) as error:
            raise click.BadParameter(f"{path}:{number}: human: {row['human']!r} is no number") from error
    return rows

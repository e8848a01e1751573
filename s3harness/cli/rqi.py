"""``s3harness rqi``."""

from __future__ import annotations

import csv
import math
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.judge import judge_options, judge_settings, judge_visibly
from s3harness.cli.options import json_option, print_json
from s3harness.errors import UsageError

if TYPE_CHECKING:
    from s3harness.metrics.rqi import RQI
    from s3harness.metrics.rqi.validate import Key
    from s3harness.scoring.judging.folder import JudgeSettings
    from s3harness.scoring.judging.judge import Judged

FOLDER = "judges"
"""The default directory of a judge's replies, in the working directory."""

report_option = click.option(
    "--report", type=click.Path(path_type=Path), required=True, help="File of the report to score; - is standard input."
)
expert_option = click.option(
    "--expert", type=click.Path(path_type=Path), required=True, help="File of the expert's report."
)
preset_option = click.option(
    "--preset",
    default="strict",
    show_default=True,
    help="Scoring preset: strict-2, strict-1 or paper, also with +PENALTY; strict is the newest strict preset.",
)


@click.group()
def rqi() -> None:
    """Seizure-RQI of reports: score, explain, validate."""


@rqi.command()
@report_option
@expert_option
@preset_option
@judge_options
@json_option
def score(report: Path, expert: Path, preset: str, as_json: bool, **judge: Any) -> None:
    """Score a report against an expert's, 0 to 100."""
    result, judged = _scored(report, expert, preset, judge)
    if as_json:
        reasons = {key: reason for key in ("undefined", "unread") if (reason := getattr(result, key))}
        print_json({"rqi": result.value, "preset": result.preset, **reasons, **_by(judged)})
    else:
        click.echo(_value(result))
    if result.unread:
        click.echo(f"The score is 0 because the rules cannot read the {result.unread}.", err=True)


@rqi.command()
@report_option
@expert_option
@preset_option
@judge_options
@json_option
def explain(report: Path, expert: Path, preset: str, as_json: bool, **judge: Any) -> None:
    """Score a report, and show every component and penalty with the words behind it."""
    from s3harness.report.plain_text import one_line

    result, judged = _scored(report, expert, preset, judge)
    if as_json:
        print_json(_plain(result) | _by(judged))
        return
    click.echo(f"Seizure-RQI ({result.preset}): {_value(result)}; before penalties {result.base:.1f}")
    if result.unread:
        click.echo(f"  the score is 0 because the rules cannot read the {result.unread}")
    for name, component in result.components.items():
        value = "nothing to score" if component.value is None else f"{component.value:.2f}"
        click.echo(f"  {name} of {result.weights[name]:.1f} points: {value}")
        for line in component.evidence:
            click.echo(f"      {one_line(line)}")
    for name, penalty in result.penalties.items():
        click.echo(f"  × {penalty.multiplier:.2f} {name}")
        for line in penalty.evidence:
            click.echo(f"      {one_line(line)}")


@rqi.command()
@click.argument("source", type=click.Path(path_type=Path))
@preset_option
@judge_options
@json_option
def validate(source: Path, preset: str, as_json: bool, **judge: Any) -> None:
    """Measure the agreement of the score with human scores.

    SOURCE is a checkout of the authors' release, which holds their expert study, or a CSV file with the columns video,
    system, human (a person's score), report and expert (texts). Intervals resample videos. For a checkout, the
    accuracy of rules and judge in finding the annotated signs in reports is shown as well. The exit code is 1 if the
    judge could not read a report.
    """
    settings = judge_settings(Path(FOLDER), **judge)
    judged = (_of_release if source.is_dir() else _of_table)(source, preset, settings, as_json)
    sys.exit(1 if judged and judged.lost else 0)


def _of_release(checkout: Path, preset: str, settings: JudgeSettings | None, as_json: bool) -> Judged | None:
    from s3harness.paper.annotations import read_annotations
    from s3harness.paper.expert_study import read_reports_of_study, study, texts_of_study
    from s3harness.paper.layout import open_release
    from s3harness.report.study import print_study

    release = open_release(checkout)
    reports, annotations = read_reports_of_study(release), read_annotations(release)
    # Sorted: the order of a set differs from call to call, and repeated calls should send the same requests.
    judged = judge_visibly(sorted(texts_of_study(reports, annotations)), settings) if settings else None
    result = study(release, reports, annotations, preset, {f"judge {judged.name}": judged.read} if judged else {})
    print_json(_plain(result) | _by(judged)) if as_json else print_study(result)
    return judged


def _of_table(table: Path, preset: str, settings: JudgeSettings | None, as_json: bool) -> Judged | None:
    from s3harness.metrics.rqi import parse_preset, score_report
    from s3harness.metrics.rqi.validate import validate as agreement
    from s3harness.report.study import print_validation

    chosen, rows = parse_preset(preset), _rows(table)
    judged = (
        judge_visibly([text for row in rows for text in (row["expert"], row["report"])], settings) if settings else None
    )
    read = judged.read if judged else None
    # A report that the judge could not read has no score; as 0 it would count against the metric, not the judge.
    scored = [row for row in rows if not judged or not {row["expert"], row["report"]} & judged.lost.keys()]
    values = {_key(row): score_report(row["report"], {"text": row["expert"]}, chosen, read).value for row in scored}
    scores = {key: value for key, value in values.items() if value is not None}
    validation = agreement(scores, {_key(row): float(row["human"]) for row in rows})
    reader = f", read by {judged.name}" if judged else ""
    title = f"Seizure-RQI ({chosen.name}{reader})"
    print_json(_plain(validation) | _by(judged)) if as_json else print_validation(title, validation)
    return judged


def _scored(report: Path, expert: Path, preset: str, judge: dict[str, Any]) -> tuple[RQI, Judged | None]:
    """Score a report; return the score, and the judge's readings if a judge was named."""
    from s3harness.metrics.rqi import score_report

    text, reference = _text(report), _text(expert)
    if not reference.strip():
        raise UsageError(f"{expert}: the expert's report is empty, so there is nothing to score against")
    settings = judge_settings(Path(FOLDER), **judge)
    judged = judge_visibly([text, reference], settings) if settings else None
    with redirect_stdout(sys.stderr):  # a plugin's penalty may print, and stdout holds the result alone
        return score_report(text, {"text": reference}, preset, judged.read if judged else None), judged


def _value(result: RQI) -> str:
    return f"undefined ({result.undefined})" if result.value is None else f"{result.value:.1f}"


def _by(judged: Judged | None) -> dict[str, Any]:
    return {"judge": {**judged.about, "reports": judged.counts()}} if judged else {}


def _plain(result: Any) -> dict[str, Any]:
    """Return a dataclass as JSON data, with null for NaN."""
    from dataclasses import asdict

    return dict(_finite(asdict(result)))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple | frozenset):
        # Sets have no order, and two calls must print the same.
        return [_finite(item) for item in (sorted(value) if isinstance(value, frozenset) else value)]
    # JSON has neither NaN nor infinity.
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _key(row: dict[str, Any]) -> Key:
    return row["video"], row["system"]


def _text(path: Path) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error


def _rows(path: Path) -> list[dict[str, Any]]:
    needed = ("video", "system", "human", "report", "expert")
    try:
        # utf-8-sig: spreadsheet programs begin a CSV file with a byte order mark.
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    missing = [name for name in needed if not rows or name not in rows[0]]
    if missing:
        raise click.BadParameter(
            f"{path} lacks {', '.join(missing)}; the columns {', '.join(needed)} are needed, and at least one row",
            param_hint="SOURCE",
        )
    for number, row in enumerate(rows, start=2):  # line 1 is the header
        try:
            float(row["human"])
        except (TypeError, ValueError) as error:
            raise click.BadParameter(f"{path}:{number}: human: {row['human']!r} is not a number") from error
    return rows

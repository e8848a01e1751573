"""Two-stage diagnoses: the tables on the terminal, and the charts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s3harness.report.plain import print_rows
from s3harness.report.plot import Point, Row, Scale, line_chart, row_chart, write_svg
from s3harness.report.table import DISCLAIMER

if TYPE_CHECKING:
    from s3harness.diagnosis.apply import Applied
    from s3harness.diagnosis.diagnose import Diagnosed, Findings
    from s3harness.diagnosis.explain import Explanation
    from s3harness.diagnosis.scores import Measure, System
    from s3harness.diagnosis.signs import LikelihoodRatios

HEADINGS: Mapping[str, str] = {
    "balanced_accuracy": "balanced acc.",
    "mcc": "MCC",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "f1": "F1",
    "auroc": "AUROC",
    "brier": "Brier",
}
SHOWN_SIGNS = 3
RATIOS = (0.01, 100.0)
"""The likelihood ratios that a chart shows; what lies beyond is put at its end."""


def print_diagnosed(found: Diagnosed, classifier: str = "") -> None:
    """Print the systems, the signs as one ``classifier`` (the first if none is said) sees them, and the notes."""
    click.echo(f"{found.source}: {found.n} videos ({found.es} ES, {found.nes} NES) of {found.n_patients} patients")
    click.echo(_how(found) + "\n")
    print_systems(found.systems)
    shown = next((f for f in found.findings if f.classifier == classifier), found.findings[0])
    click.echo(f"\nSigns, out of fold, by {_titled(shown)}")
    print_rows([*_sign_rows(found, shown)])
    _notes([*_published(found), *found.notes])


def print_systems(systems: Sequence[System]) -> None:
    """Print what each way to diagnose scores, with the 95 % intervals."""
    print_rows(
        [
            {"": system.name}
            | {title: shown_measure(system.measures.get(name)) for name, title in HEADINGS.items()}
            | {"answered": f"{system.answered:g}/{system.n}"}
            for system in systems
        ]
    )


def print_explanations(explanations: Iterable[Explanation], *, every: bool = False) -> None:
    """Print the diagnosis of each video and the signs that moved it most, ``every`` one of them if asked for."""
    rows = []
    for found in explanations:
        signs = found.moved if every else found.moved[:SHOWN_SIGNS]
        rows.append(
            {
                "video": found.video,
                "P(ES)": "–" if found.probability is None else f"{found.probability:.2f}",
                "threshold": f"{found.threshold:.2f}",
                "says": found.says or "–",
                "truth": found.truth or "–",
                f"moved by ({found.unit})": "; ".join(f"{m.sign} {m.said} {m.by:+.2f}" for m in signs) or "–",
            }
        )
    print_rows(rows)


def print_applied(found: Applied) -> None:
    """Print what a saved classifier says of each video, and its scores where diagnoses are known."""
    click.echo(f"{found.source}: {found.n} videos of {found.n_patients} patients, by a saved {found.classifier}\n")
    print_explanations(found.explanations)
    if found.systems:
        click.echo("")
        print_systems(found.systems)
    _notes(found.notes)


def print_end() -> None:
    """Print what goes for every table."""
    click.echo(
        "\nES is the positive class. Brackets: 95 % intervals between patients. No answer counts as wrong. Every "
        "classifier, its settings and its threshold come from other patients than those it is scored on.\n" + DISCLAIMER
    )


def write_charts(folder: Path, found: Diagnosed) -> list[Path]:
    """Write systems, calibration, importance and likelihood ratios as SVG; returns the files."""
    charts = {
        "systems": _systems_chart(found),
        "likelihood-ratios": _ratio_chart(found),
        "calibration": _calibration_chart(found),
        **{f"importance-{f.classifier}-{f.fitted_on}": _importance_chart(found, f) for f in found.findings},
    }
    paths = {folder / f"{_file_name(found.source)}-{name}.svg": svg for name, svg in charts.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for path, svg in paths.items():
        write_svg(path, svg)
    return list(paths)


def shown_measure(measure: Measure | None) -> str:
    """``0.61 [0.50, 0.72]``."""
    if measure is None or measure.value is None:
        return "–"
    interval = measure.interval
    return f"{measure.value:.2f}" + (f" [{interval.low:.2f}, {interval.high:.2f}]" if interval else "")


def _how(found: Diagnosed) -> str:
    folds = "the data set's own folds" if not found.folds.isdigit() else f"{found.folds} folds of patients"
    repeats = f", mean of {found.repeats} ways to deal them" if found.repeats > 1 else ""
    return f"Out of fold: {folds}{repeats}; settings and threshold chosen on inner folds of the training patients."


def _titled(found: Findings) -> str:
    return f"{found.classifier.replace('_', ' ')}, fitted on {found.fitted_on}"


def _sign_rows(found: Diagnosed, shown: Findings) -> Iterable[dict[str, str]]:
    rows = zip(found.ratios, found.true_ratios, shown.influences, strict=True)
    for own, true, influence in sorted(rows, key=lambda row: -(row[2].importance.value or 0.0)):
        yield {
            "sign": own.sign,
            "present": f"{own.present}/{own.known}",
            "LR+": shown_ratio(own.positive, own),
            "LR-": shown_ratio(own.negative, own),
            "LR+ of the truth": shown_ratio(true.positive, true),
            "importance": _finer(influence.importance),
            "effect on P(ES)": shown_measure(influence.effect),
            "speaks for": influence.direction,
        }


def shown_ratio(measure: Measure, ratios: LikelihoodRatios) -> str:
    """A likelihood ratio to three figures; a star where half a video was added to empty counts."""
    if measure.value is None:
        return "–"
    star = "*" if ratios.is_corrected else ""
    interval = measure.interval
    return f"{measure.value:.3g}{star}" + (f" [{interval.low:.2g}, {interval.high:.2g}]" if interval else "")


def _finer(measure: Measure) -> str:
    if measure.value is None:
        return "–"
    interval = measure.interval
    return f"{measure.value:+.3f}" + (f" [{interval.low:+.3f}, {interval.high:+.3f}]" if interval else "")


def _published(found: Diagnosed) -> list[str]:
    from s3harness.paper.two_stage import known_of

    return [known_of(found.published)] if found.published else []


def _notes(notes: Iterable[str]) -> None:
    for note in notes:
        click.echo(f"- {note}")


def _systems_chart(found: Diagnosed) -> str:
    kinds = ("floor", "direct", "two-stage", "ceiling")
    rows = [_row(s.name, s.measures["balanced_accuracy"], kinds.index(s.kind)) for s in found.systems]
    return row_chart(f"{found.source}: ES or NES", Scale("balanced accuracy", 0.0, 1.0, mark=0.5), rows)


def _ratio_chart(found: Diagnosed) -> str:
    rows = [
        _row(f"{ratios.sign}, {who}", ratios.positive, series)
        for own, true in zip(found.ratios, found.true_ratios, strict=True)
        for series, who, ratios in ((0, "as answered", own), (1, "as annotated", true))
    ]
    scale = Scale("LR+: how much likelier in ES than in NES", *RATIOS, is_log=True, mark=1.0)
    return row_chart(f"{found.source}: likelihood ratios of the signs", scale, rows)


def _importance_chart(found: Diagnosed, shown: Findings) -> str:
    ordered = sorted(shown.influences, key=lambda i: -(i.importance.value or 0.0))
    series = {"unclear": 0, "ES": 1, "NES": 2}
    rows = [_row(f"{i.sign} ({i.direction})", i.importance, series[i.direction]) for i in ordered]
    ends = [end for row in rows for end in (row.low, row.high, row.value) if end is not None] or [0.0]
    scale = Scale("rise of the Brier score when the sign is exchanged", min(*ends, -0.01), max(*ends, 0.01), mark=0.0)
    return row_chart(f"{found.source}: {_titled(shown)}", scale, rows)


def _calibration_chart(found: Diagnosed) -> str:
    first = found.findings[0].fitted_on
    series = [
        (
            f.classifier.replace("_", " "),
            [Point(p.predicted, p.observed.value or 0.0, *_ends(p.observed)) for p in f.curve],
        )
        for f in found.findings
        if f.fitted_on == first
    ]
    x, y = Scale("predicted probability of ES", 0.0, 1.0), Scale("share of ES", 0.0, 1.0)
    return line_chart(f"{found.source}: calibration, fitted on {first}", x, y, series, diagonal=True)


def _row(name: str, measure: Measure, series: int) -> Row:
    return Row(name, measure.value, *_ends(measure), series)


def _ends(measure: Measure) -> tuple[float | None, float | None]:
    return (measure.interval.low, measure.interval.high) if measure.interval else (None, None)


def _file_name(source: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in source)

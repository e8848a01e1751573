"""Tables on the terminal and charts of two-stage diagnoses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s3harness.report.plain_text import print_rows
from s3harness.report.plot import PlotPoint, PlotRow, Scale, line_chart, row_chart, write_svg
from s3harness.report.table import DISCLAIMER

if TYPE_CHECKING:
    from s3harness.diagnosis.apply import Applied
    from s3harness.diagnosis.diagnose import Diagnosed, Findings
    from s3harness.diagnosis.explain import Explanation
    from s3harness.diagnosis.scores import Measure, MethodScores
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
"""Range of the likelihood ratios in a chart; values beyond it are drawn at its end."""


def print_diagnosed(diagnosed: Diagnosed, classifier: str = "") -> None:
    """Print the systems, the weight of each sign in one ``classifier`` (by default the first), and the notes."""
    classes = f"({diagnosed.es} ES, {diagnosed.nes} NES)"
    click.echo(f"{diagnosed.source}: {diagnosed.n} videos {classes} of {diagnosed.n_patients} patients")
    click.echo(_method(diagnosed) + "\n")
    print_systems(diagnosed.systems)
    chosen = next((f for f in diagnosed.findings if f.classifier == classifier), diagnosed.findings[0])
    click.echo(f"\nSigns, out of fold, by {_titled(chosen)}")
    print_rows([*_sign_rows(diagnosed, chosen)])
    # What is known of the paper's own numbers comes first, as readers compare with it.
    _notes([*_published(diagnosed), *diagnosed.notes])


def print_systems(systems: Sequence[MethodScores]) -> None:
    """Print the scores of each method of diagnosis, with 95 % intervals."""
    print_rows(
        [
            {"": system.name}
            | {title: shown_measure(system.measures.get(name)) for name, title in HEADINGS.items()}
            | {"answered": f"{system.answered:g}/{system.n}"}
            for system in systems
        ]
    )


def print_explanations(explanations: Iterable[Explanation], *, every: bool = False) -> None:
    """Print the diagnosis of each video and the signs that moved it most, or ``every`` sign that moved it."""
    rows = []
    for explanation in explanations:
        signs = explanation.moved if every else explanation.moved[:SHOWN_SIGNS]
        rows.append(
            {
                "video": explanation.video,
                "P(ES)": "–" if explanation.probability is None else f"{explanation.probability:.2f}",
                "threshold": f"{explanation.threshold:.2f}",
                "diagnosis": explanation.says or "–",
                "truth": explanation.truth or "–",
                f"moved by ({explanation.unit})": "; ".join(f"{m.sign} {m.answer} {m.by:+.2f}" for m in signs) or "–",
            }
        )
    print_rows(rows)


def print_applied(applied: Applied) -> None:
    """Print a saved classifier's diagnosis of each video, and its scores where the true diagnoses are known."""
    click.echo(
        f"{applied.source}: {applied.n} videos of {applied.n_patients} patients, by a saved {applied.classifier}\n"
    )
    print_explanations(applied.explanations)
    if applied.systems:
        click.echo("")
        print_systems(applied.systems)
    _notes(applied.notes)


def print_end() -> None:
    """Print the remarks that apply to every table."""
    click.echo(
        "\nES is the positive class. Brackets: 95 % intervals over patients. A missing answer counts as wrong. Each "
        "patient is scored by a classifier whose training, settings and threshold exclude that patient.\n" + DISCLAIMER
    )


def write_charts(folder: Path, diagnosed: Diagnosed) -> list[Path]:
    """Write systems, calibration, importance and likelihood ratios as SVG, and return the paths."""
    charts = {
        "systems": _systems_chart(diagnosed),
        "likelihood-ratios": _ratio_chart(diagnosed),
        "calibration": _calibration_chart(diagnosed),
        **{f"importance-{f.classifier}-{f.fitted_on}": _importance_chart(diagnosed, f) for f in diagnosed.findings},
    }
    paths = {folder / f"{_file_name(diagnosed.source)}-{name}.svg": svg for name, svg in charts.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for path, svg in paths.items():
        write_svg(path, svg)
    return list(paths)


def shown_measure(measure: Measure | None) -> str:
    """Return a measure with its interval: ``0.61 [0.50, 0.72]``."""
    if measure is None or measure.value is None:
        return "–"
    interval = measure.interval
    return f"{measure.value:.2f}" + (f" [{interval.low:.2f}, {interval.high:.2f}]" if interval else "")


def _method(diagnosed: Diagnosed) -> str:
    folds = "the data set's own folds" if not diagnosed.folds.isdigit() else f"{diagnosed.folds} folds of patients"
    repeats = f", mean of {diagnosed.repeats} random assignments" if diagnosed.repeats > 1 else ""
    return f"Out of fold: {folds}{repeats}; settings and threshold are chosen on inner folds of the training patients."


def _titled(findings: Findings) -> str:
    return f"{findings.classifier.replace('_', ' ')}, fitted on {findings.fitted_on}"


def _sign_rows(diagnosed: Diagnosed, findings: Findings) -> Iterable[dict[str, str]]:
    # One entry per sign in each, in the same order.
    rows = zip(diagnosed.ratios, diagnosed.true_ratios, findings.influences, strict=True)
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
    """Return a likelihood ratio with three digits, with a star where 0.5 was added to its counts."""
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


def _published(diagnosed: Diagnosed) -> list[str]:
    from s3harness.paper.two_stage import describe_figure

    return [describe_figure(diagnosed.published)] if diagnosed.published else []


def _notes(notes: Iterable[str]) -> None:
    for note in notes:
        click.echo(f"- {note}")


def _systems_chart(diagnosed: Diagnosed) -> str:
    kinds = ("floor", "direct", "two-stage", "ceiling")
    rows = [_row(s.name, s.measures["balanced_accuracy"], kinds.index(s.kind)) for s in diagnosed.systems]
    return row_chart(
        f"{diagnosed.source}: ES or NES", Scale(title="balanced accuracy", low=0.0, high=1.0, mark=0.5), rows
    )


def _ratio_chart(diagnosed: Diagnosed) -> str:
    rows = [
        _row(f"{ratios.sign}, {who}", ratios.positive, series)
        for own, true in zip(diagnosed.ratios, diagnosed.true_ratios, strict=True)
        for series, who, ratios in ((0, "as answered", own), (1, "as annotated", true))
    ]
    low, high = RATIOS
    scale = Scale(title="LR+: probability in ES / probability in NES", low=low, high=high, is_log=True, mark=1.0)
    return row_chart(f"{diagnosed.source}: likelihood ratios of the signs", scale, rows)


def _importance_chart(diagnosed: Diagnosed, findings: Findings) -> str:
    ordered = sorted(findings.influences, key=lambda i: -(i.importance.value or 0.0))
    # Colours by direction, the same in every chart.
    series = {"unclear": 0, "ES": 1, "NES": 2}
    rows = [_row(f"{i.sign} ({i.direction})", i.importance, series[i.direction]) for i in ordered]
    ends = [end for row in rows for end in (row.low, row.high, row.value) if end is not None] or [0.0]
    # At least ±0.01: a scale without length would draw rounding errors as large effects.
    title = "rise of the Brier score when the sign is permuted"
    scale = Scale(title=title, low=min(*ends, -0.01), high=max(*ends, 0.01), mark=0.0)
    return row_chart(f"{diagnosed.source}: {_titled(findings)}", scale, rows)


def _calibration_chart(diagnosed: Diagnosed) -> str:
    # Curves of classifiers fitted on predictions and on annotations are not comparable in one chart.
    first = diagnosed.findings[0].fitted_on
    series = [
        (
            f.classifier.replace("_", " "),
            [PlotPoint(p.predicted, p.observed.value or 0.0, *_ends(p.observed)) for p in f.curve],
        )
        for f in diagnosed.findings
        if f.fitted_on == first
    ]
    x = Scale(title="predicted probability of ES", low=0.0, high=1.0)
    y = Scale(title="observed share of ES", low=0.0, high=1.0)
    return line_chart(f"{diagnosed.source}: calibration, fitted on {first}", x, y, series, diagonal=True)


def _row(name: str, measure: Measure, series: int) -> PlotRow:
    return PlotRow(name, measure.value, *_ends(measure), series)


def _ends(measure: Measure) -> tuple[float | None, float | None]:
    return (measure.interval.low, measure.interval.high) if measure.interval else (None, None)


def _file_name(source: str) -> str:
    # Sources may be paths or names of models with slashes.
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in source)

"""``s3harness judgements``: what readers' verdicts say about answers, labels, and the readers themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

import s3harness
from s3harness_view.verdict_file import ReaderVerdict


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--data", type=click.Path(path_type=Path), help="The runs' data set, for --corrected.")
@click.option("--corrected", type=click.Path(path_type=Path), help="Write the data set with corrected labels here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def judgements(runs: tuple[Path, ...], data: Path | None, corrected: Path | None, as_json: bool) -> None:
    """Summarise the verdicts beside RUNS: agreement of readers (κ, AC1) and precision of the annotators' labels.

    With --data and --corrected a new version of the data set is written, in which a present or absent sign whose label
    most readers call wrong has the other label. Scores against it are those of another data set.
    """
    from s3harness_view.verdict_file import last_verdicts
    from s3harness_view.verdict_statistics import label_precision, label_verdicts, pair_agreements

    by_run = {run.name: last_verdicts(run) for run in runs}
    verdicts = [verdict for of_run in by_run.values() for verdict in of_run]
    if not verdicts:
        raise s3harness.UsageError(f"no verdict stands beside {', '.join(map(str, runs))}; s3harness view takes them")
    labels = label_verdicts(verdicts)
    summary: dict[str, Any] = {
        "answers": {name: dict(_answer_counts(of_run)) for name, of_run in by_run.items()},
        # A target is one answer of one run: verdicts on two runs' answers are not compared.
        "agreement": [asdict(pair) for pair in pair_agreements(_distinct(by_run))],
        "labels": asdict(label_precision(labels)),
        "disputed": sorted(item for item, verdict in labels.items() if verdict == "wrong"),
    }
    if corrected is not None:
        from s3harness_view.corrected_dataset import write_corrected

        if data is None:
            raise s3harness.UsageError("--corrected needs --data DIR, the data set to correct")
        summary["corrections"] = write_corrected(data, corrected, summary["disputed"])
    click.echo(json.dumps(summary, indent=1, ensure_ascii=False) if as_json else "\n".join(_lines(summary)))


def _answer_counts(verdicts: Sequence[ReaderVerdict]) -> Counter[str]:
    return Counter(verdict.verdict for verdict in verdicts if verdict.target == "answer")


def _distinct(by_run: Mapping[str, Sequence[ReaderVerdict]]) -> list[ReaderVerdict]:
    from dataclasses import replace

    return [replace(v, target=f"{v.target} {name}") for name, of_run in by_run.items() for v in of_run]


def _lines(summary: Mapping[str, Any]) -> Iterator[str]:
    for run, counts in summary["answers"].items():
        given = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items())) or "none"
        yield f"{run}: verdicts on answers: {given}"
    for pair in summary["agreement"]:
        yield (
            f"{pair['first']} – {pair['second']}: {pair['n']} judged by both, agreement {_number(pair['agreement'])}, "
            f"Cohen's κ {_number(pair['kappa'])}, Gwet's AC1 {_number(pair['ac1'])}"
        )
    labels = summary["labels"]
    interval = f" [{labels['low']:.2f}–{labels['high']:.2f}]" if labels["low"] is not None else ""
    yield (
        f"annotators' labels: {labels['upheld']} of {labels['judged']} upheld, precision "
        f"{_number(labels['precision'])}{interval}; {labels['ambiguous']} ambiguous"
    )
    for item in summary["disputed"]:
        yield f"disputed: {item}"
    if "corrections" in summary:
        counts = summary["corrections"]
        yield f"corrected labels: {counts['changed']}; left as they are: {counts['left']}"
    yield "Research use, not a medical device."


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"

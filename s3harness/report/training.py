"""Tables of training sets and the reward gate, for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from s3harness.report.plain_text import print_pairs, print_rows

if TYPE_CHECKING:
    from s3harness.training.gate import GateReport, Payment
    from s3harness.training.training_set import TrainingSet


def print_gate(report: GateReport, *, every: bool) -> None:
    """Print the rewards of candidate answers: of each reward the three best-paid candidates, or ``every`` one."""
    shown = list(report.payments)
    # Refused candidates are always listed: they decide whether training may begin.
    if not every:
        counts: Counter[str] = Counter()
        shown = [p for p in shown if p.is_refused or _next(counts, p.reward) <= BEST]
    print_rows([_row(payment) for payment in shown])


def summary(training_set: TrainingSet) -> dict[str, Any]:
    """Return a training set in numbers, as JSON-able data."""
    tasks = {
        name: {
            "samples": len(samples),
            "different": len({s.id for s in samples}),
            "mirrored": sum(s.mirrored for s in samples),
            "subjects": len({s.request.subject for s in samples}),
        }
        for name in training_set.specs
        if (samples := training_set.of_task(name))
    }
    return {
        "samples": len(training_set.samples),
        "training_patients": len({v.patient for v in training_set.division.training}),
        "training_videos": len(training_set.division.training),
        "held_out_patients": len({v.patient for v in training_set.division.held_out}),
        "held_out_videos": len(training_set.division.held_out),
        "fingerprint": training_set.fingerprint,
        "tasks": tasks,
        "left_out": dict(training_set.left_out),
    }


def print_summary(counts_by_name: Mapping[str, Any]) -> None:
    """Print the result of :func:`summary`."""
    print_pairs(
        {name.replace("_", " "): value for name, value in counts_by_name.items() if not isinstance(value, dict)}
    )
    print_rows([{"task": name, **counts} for name, counts in counts_by_name["tasks"].items()])
    if counts_by_name["left_out"]:
        print_rows([{"left out": number, "why": why} for why, number in counts_by_name["left_out"].items()])


def gate_as_json(report: GateReport, limit: float) -> dict[str, Any]:
    """Return the gate's table as JSON-able data."""
    rows: Sequence[Payment] = report.payments
    return {
        "limit": limit,
        "refused": report.refused,
        "payments": [
            {
                "reward": p.reward,
                "task": p.task,
                "weight": p.weight,
                "candidate": p.candidate,
                "paid": p.paid,
                "truth": p.truth,
                # A share of nothing has no value.
                "share": p.share if p.truth > 0 else None,
                "samples": p.samples,
                "refused": p.is_refused,
            }
            for p in rows
        ],
    }


BEST = 3
"""Candidates shown for each reward."""


def _next(counts: Counter[str], name: str) -> int:
    counts[name] += 1
    return counts[name]


def _row(payment: Payment) -> dict[str, object]:
    return {
        "reward": payment.reward,
        "candidate": payment.candidate,
        "paid": f"{payment.paid:.3f}",
        "truth": f"{payment.truth:.3f}",
        "share": f"{payment.share:.0%}" if payment.truth > 0 else "–",
        "samples": payment.samples,
        "": "refused" if payment.is_refused else "",
    }

"""Tables of training sets and the reward gate, for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from s3harness.report.plain_text import print_pairs, print_rows

if TYPE_CHECKING:
    from s3harness.training.gate import GateReport, Payment
    from s3harness.training.plan import TrainingPlan
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


def print_plan(plan: TrainingPlan) -> None:
    """Print the plan of a training: its memory, its hours, the assumptions, and how to launch it."""
    print_rows([{"one GPU holds": name, "GiB": f"{amount:.2f}"} for name, amount in plan.memory_gb.items()])
    verdict = "fits" if plan.fits else "DOES NOT FIT"
    print_pairs(
        {
            "memory": f"{plan.total_gb:.1f} of {plan.limit_gb:.1f} GiB: {verdict}",
            "hours": f"{plan.hours:.2f}",
            **{name.replace("_", " "): _plain(value) for name, value in plan.facts.items()},
            "assumed": "; ".join(plan.assumptions),
            **({"remedies": "; ".join(plan.remedies)} if plan.remedies else {}),
            "launch": plan.command,
        }
    )
    for name, content in plan.files.items():
        print(f"\n{name}:\n{content}", end="")


def plan_as_json(plan: TrainingPlan) -> dict[str, Any]:
    """Return the plan of a training as JSON-able data."""
    return {
        "memory_gb": dict(plan.memory_gb),
        "total_gb": plan.total_gb,
        "limit_gb": plan.limit_gb,
        "fits": plan.fits,
        "hours": plan.hours,
        "facts": dict(plan.facts),
        "assumptions": list(plan.assumptions),
        "remedies": list(plan.remedies),
        "command": plan.command,
        "files": dict(plan.files),
    }


def _plain(value: object) -> object:
    return ", ".join(f"{name} {number:,}" for name, number in value.items()) if isinstance(value, dict) else value


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

"""Promises of a metric: the adversarial suite (:mod:`s3harness.testing.metrics`) on the kind of items it is for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from s3harness.testing.metrics import CENTRED, KINDS, Violation, check_metric
from s3harness.testing.metrics import PROMISES as OF_METRICS
from s3harness.testing.trial import Bench, takes

MEMBERS = ("higher_is_better", "unit", "statistics", "value", "parts")

PROMISES: Mapping[str, str] = {
    "contract": f"it returns an object with {', '.join(MEMBERS)}",
    "sound": "it keeps all promises on at least one kind of items",
    **{str(name): says for name, says in OF_METRICS.items()},
}


def try_it(bench: Bench) -> None:
    """Try a metric on made-up items of ``bench.settings.item``; if empty on every kind, one of which must suit it."""
    params = dict(bench.settings.options)
    wrong = "it cannot be called" if not callable(bench.thing) else takes(bench.thing, **params)
    if not bench.must("contract", not wrong, f"{wrong}; parameters are given with -o KEY=VALUE"):
        return
    missing = list(MEMBERS)
    with bench.trying("contract", "made", params):
        metric = bench.thing(**params)
        missing = [name for name in MEMBERS if not hasattr(metric, name)]
    if not bench.must("contract", not missing, f"its result has no {', '.join(missing)}"):
        return
    broken = _by_item(bench, params)
    sound = [item for item, violations in broken.items() if not violations]
    if bench.settings.item or not sound:
        # Of the kind that comes nearest alone: violations on all others would bury it.
        item = min(broken, key=lambda item: _distance(broken[item]), default="")
        _report(bench, item, broken.get(item, ()))
    if not sound:
        bench.broke(
            "sound", f"on {bench.settings.item or 'every kind'} it breaks a promise; --item KIND chooses one kind"
        )
    elif not bench.settings.item:
        bench.untried.append(f"sound for {', '.join(sound)}; --item KIND lists what it breaks on another kind")


def _by_item(bench: Bench, params: Mapping[str, Any]) -> dict[str, Sequence[Violation]]:
    """Return kind of items → promises that the metric breaks on it."""
    # Centred boundaries break promises by the fault of their clips, whatever the metric.
    items = [bench.settings.item] if bench.settings.item else [kind for kind in KINDS if kind != CENTRED]
    broken: dict[str, Sequence[Violation]] = {}
    for item in items:
        # One trial per kind: an exception on one leaves the results of the others.
        with bench.trying("raises", item, params):
            broken[item] = check_metric(bench.thing, item, **params)
    return broken


def _distance(violations: Sequence[Violation]) -> tuple[bool, int]:
    """Distance of a metric from suiting a kind of items: no score for an honest answerer, then the violations."""
    # Without an honest score a metric has few other violations, so that a count alone would prefer it.
    return any(math.isnan(v.score) and v.answerer == "honest" for v in violations), len(violations)


def _report(bench: Bench, item: str, violations: Sequence[Violation]) -> None:
    for violation in violations:
        bench.broke(violation.promise, f"on {item} {violation.answerer!r} scores {_numbers(violation)}")


def _numbers(violation: Violation) -> str:
    return f"{violation.score:.4g}, the limit is {violation.limit:.4g} {violation.note}"

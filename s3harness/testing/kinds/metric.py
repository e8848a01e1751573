"""What a metric promises: the adversarial suite (:mod:`s3harness.testing.metrics`) for the kind of items it is for."""

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
    """Try a metric on made-up items of ``bench.settings.item``; on every kind, of which one must suit it, if empty."""
    params = dict(bench.settings.options)
    wrong = "it cannot be called" if not callable(bench.thing) else takes(bench.thing, **params)
    if not bench.must("contract", not wrong, f"{wrong}; parameters are given with -o KEY=VALUE"):
        return
    lacking = list(MEMBERS)
    with bench.trying("contract", "made", params):
        made = bench.thing(**params)
        lacking = [name for name in MEMBERS if not hasattr(made, name)]
    if not bench.must("contract", not lacking, f"what it makes has no {', '.join(lacking)}"):
        return
    broken = _by_item(bench, params)
    sound = [item for item, violations in broken.items() if not violations]
    if bench.settings.item or not sound:
        item = min(broken, key=lambda item: _distance(broken[item]), default="")
        _tell(bench, item, broken.get(item, ()))
    if not sound:
        bench.broke(
            "sound", f"of {bench.settings.item or 'any kind'} it keeps not all; say --item KIND for one of them"
        )
    elif not bench.settings.item:
        bench.untried.append(f"sound for {', '.join(sound)}; --item KIND tells what it breaks of another kind")


def _by_item(bench: Bench, params: Mapping[str, Any]) -> dict[str, Sequence[Violation]]:
    """Kind of items → what the metric breaks on them."""
    items = [bench.settings.item] if bench.settings.item else [kind for kind in KINDS if kind != CENTRED]
    broken: dict[str, Sequence[Violation]] = {}
    for item in items:
        with bench.trying("raises", item, params):
            broken[item] = check_metric(bench.thing, item, **params)
    return broken


def _distance(violations: Sequence[Violation]) -> tuple[bool, int]:
    """How far a metric is from being one of a kind of items: first whether it has no score for an honest answerer."""
    return any(math.isnan(v.score) and v.answerer == "honest" for v in violations), len(violations)


def _tell(bench: Bench, item: str, violations: Sequence[Violation]) -> None:
    for violation in violations:
        bench.broke(violation.promise, f"of {item} {violation.answerer!r} scores {_numbers(violation)}")


def _numbers(violation: Violation) -> str:
    return f"{violation.score:.4g}, the limit is {violation.limit:.4g} {violation.note}"

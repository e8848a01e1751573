"""Promises of an aggregator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from s3harness.aggregators.aggregate import Aggregate
from s3harness.errors import S3HarnessError
from s3harness.testing.trial import Bench, same, takes, writable
from s3harness.types import Answer, Clip

PROMISES: Mapping[str, str] = {
    "form": "it is a function (answers, **params) that returns an Aggregate",
    "answers": "it combines the answers to at least one kind of item, and raises only errors of s3harness",
    "value": "its value is JSON data, its probability lies in 0–1, and without a value it gives a note",
    "one": "it accepts a single answer",
}
WINDOW_S = 30.0

ANSWERS: Mapping[str, Sequence[object]] = {
    "feature": ("yes", "no", "na", "yes"),
    "rationale": (
        {"answer": "yes", "justification": "The arm is stiff."},
        {"answer": "no", "justification": "Nothing moves."},
        {"answer": "na", "justification": ""},
    ),
    "laterality": ("left",),
    "boundary": (12.5,),
    "sequence": (["blank_stare", "tonic"], ["tonic", "clonic"], []),
    "report": ("The head turns.", "Then the arm stiffens.", ""),
    "diagnosis": ("ES",),
    "seizures": (((2.0, 9.5),), ((0.0, 4.0), (20.0, 28.0)), ()),
}
"""Kind of item → the values of its windows, as parsers read them."""


def try_it(bench: Bench) -> None:
    """Try an aggregator on answers of ``bench.settings.item``; if empty on every kind, one of which it must accept."""
    params = dict(bench.settings.options)
    wrong = "it cannot be called" if not callable(bench.thing) else takes(bench.thing, [], **params)
    if not bench.must("form", not wrong, wrong):
        return
    items = [bench.settings.item] if bench.settings.item else list(ANSWERS)
    # Aggregators have no declared kind of items: one that refuses all but its own is right.
    refused = {item: error for item in items if (error := _refusal(bench, ANSWERS[item], params))}
    if len(refused) == len(items):
        reasons = "; ".join(f"{item}: {error}" for item, error in refused.items())
        bench.broke("answers", f"it accepts none: {reasons}")
    for item in [item for item in items if item not in refused]:
        _try(bench, item, _answers(ANSWERS[item]), params, "answers")
        # A video that is shorter than a window has a single answer.
        _try(bench, item, _answers(ANSWERS[item])[:1], params, "one")


def _refusal(bench: Bench, values: Sequence[object], params: Mapping[str, object]) -> str:
    """Return the error with which an aggregator refuses answers that it is not meant for; "" if it accepts them."""
    try:
        bench.thing(_answers(values), **params)
    except S3HarnessError as error:
        return str(error)
    except Exception as error:
        # Of a kind that the caller named, any other error is a fault, which the trial below records.
        return "" if bench.settings.item else f"{type(error).__name__}: {error}"
    return ""


def _try(bench: Bench, item: str, answers: list[Answer], params: Mapping[str, object], promise: str) -> None:
    aggregate: object = None
    case = f"{len(answers)} answers of {item}"
    with bench.trying(promise, case, (answers, dict(params))):
        aggregate = bench.thing(answers, **params)
        bench.must(
            "same again", same(bench.thing(answers, **params), aggregate), f"{case}: another result when repeated"
        )
    # None is a fault of its own, unless the trial has recorded the error that led to it.
    if aggregate is None:
        bench.must(
            "form", any(f.promise in (promise, "in time") for f in bench.findings), f"{case}: it returned nothing"
        )
        return
    if not bench.must("form", isinstance(aggregate, Aggregate), f"{case}: it returned {type(aggregate).__name__}"):
        return
    # For mypy, which does not follow bench.must.
    assert isinstance(aggregate, Aggregate)
    bench.must("value", not writable(aggregate.value), f"{case}: {writable(aggregate.value)}")
    bench.must("value", aggregate.value is not None or bool(aggregate.note), f"{case}: neither a value nor a note")
    probability = aggregate.probability
    bench.must("value", probability is None or 0 <= probability <= 1, f"{case}: a probability of {probability}")


def _answers(values: Sequence[object]) -> list[Answer]:
    return [
        Answer(
            f"r{n}",
            value,
            clip=Clip("v1", n * WINDOW_S, (n + 1) * WINDOW_S, (), 1, index=n),
            probability=0.25 + 0.1 * n,
        )
        for n, value in enumerate(values)
    ]

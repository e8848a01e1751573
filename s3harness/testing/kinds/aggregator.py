"""What an aggregator promises."""

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

SAID: Mapping[str, Sequence[object]] = {
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
}
"""Kind of item → the values of its windows, as parsers read them."""


def try_it(bench: Bench) -> None:
    """Try an aggregator on answers of ``bench.settings.item``, or of every kind, of which it must take one."""
    params = dict(bench.settings.options)
    wrong = "it cannot be called" if not callable(bench.thing) else takes(bench.thing, [], **params)
    if not bench.must("form", not wrong, wrong):
        return
    items = [bench.settings.item] if bench.settings.item else list(SAID)
    refused = {item: why for item in items if (why := _refusal(bench, SAID[item], params))}
    if len(refused) == len(items):
        told = "; ".join(f"{item}: {why}" for item, why in refused.items())
        bench.broke("answers", f"it takes none: {told}")
    for item in [item for item in items if item not in refused]:
        _try(bench, item, _answers(SAID[item]), params, "answers")
        _try(bench, item, _answers(SAID[item])[:1], params, "one")


def _refusal(bench: Bench, values: Sequence[object], params: Mapping[str, object]) -> str:
    """Why an aggregator does not take such answers: it is meant for others; "" if it does."""
    try:
        bench.thing(_answers(values), **params)
    except S3HarnessError as error:
        return str(error)
    except Exception as error:
        return "" if bench.settings.item else f"{type(error).__name__}: {error}"
    return ""


def _try(bench: Bench, item: str, answers: list[Answer], params: Mapping[str, object], promise: str) -> None:
    made: object = None
    what = f"{len(answers)} answers of {item}"
    with bench.trying(promise, what, (answers, dict(params))):
        made = bench.thing(answers, **params)
        bench.must("same again", same(bench.thing(answers, **params), made), f"{what} came out differently")
    if made is None:
        bench.must(
            "form", any(f.promise in (promise, "in time") for f in bench.findings), f"{what}: it returned nothing"
        )
        return
    if not bench.must("form", isinstance(made, Aggregate), f"{what}: it returned {type(made).__name__}"):
        return
    assert isinstance(made, Aggregate)
    bench.must("value", not writable(made.value), f"{what}: {writable(made.value)}")
    bench.must("value", made.value is not None or bool(made.note), f"{what}: neither a value nor a note")
    likely = made.probability
    bench.must("value", likely is None or 0 <= likely <= 1, f"{what}: a probability of {likely}")


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

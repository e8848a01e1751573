"""Promises of a classifier."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from s3harness.diagnosis.contract import Classifier
from s3harness.metrics.base import Array
from s3harness.testing.trial import Bench, same, writable

PROMISES: Mapping[str, str] = {
    "form": "it is a class made without arguments, an s3harness.Classifier, whose grid is a list of settings",
    "answers": "it can be fitted with every setting of its grid, and gives a probability in 0–1 for each row",
    "plain": "its parameters are JSON data, and give the same probabilities after a round trip",
    "learns": "it separates classes that one column separates",
    "checks": "it accepts its own parameters, and refuses those for other columns and anything else",
    "explains": "contributions have the columns' shape, and rules are texts",
}
ROWS = 60
COLUMNS = 6
SEED = 3


def try_it(bench: Bench) -> None:
    """Try a classifier on made-up columns, the first of which separates the classes."""
    classifier: object = None
    with bench.trying("form"):
        classifier = bench.thing()
    if classifier is None:
        return
    if not bench.must("form", isinstance(classifier, Classifier), f"it is {type(classifier).__name__}"):
        return
    assert isinstance(classifier, Classifier)
    grid = list(classifier.grid)
    if bench.must("form", bool(grid) and all(isinstance(s, Mapping) for s in grid), f"its grid is {classifier.grid!r}"):
        x, y = _cases()
        for setting in grid:
            _try(bench, classifier, x, y, setting)


def _try(bench: Bench, classifier: Classifier, x: Array, y: Array, setting: Mapping[str, Any]) -> None:
    case = f"with {dict(setting)}"
    parameters: Any = None
    with bench.trying("answers", case, (x, y, dict(setting))):
        parameters = classifier.fit(x, y, setting, SEED)
        bench.must(
            "same again", same(bench.thing().fit(x, y, setting, SEED), parameters), f"{case} another fit differs"
        )
    if parameters is None:
        return
    if not bench.must("plain", not writable(parameters), f"{case}: {writable(parameters)}"):
        return
    # Parameters are stored as JSON, in which tuples become lists and keys become texts.
    restored = json.loads(json.dumps(parameters))
    with bench.trying("answers", case, (x, parameters)):
        probability = classifier.probability(parameters, x)
        is_right = np.shape(probability) == (len(x),) and bool(np.all((probability >= 0) & (probability <= 1)))
        if bench.must("answers", is_right, f"{case}: probabilities of shape {np.shape(probability)}, or not in 0–1"):
            # In a new object, so that nothing of the fit but its parameters is left.
            bench.must(
                "plain",
                np.allclose(bench.thing().probability(restored, x), probability),
                f"{case}: others after a round trip",
            )
            bench.must(
                "learns",
                _separates(probability, y),
                f"{case}: class 1 is not the more probable one",
            )
    _try_checks(bench, classifier, restored, case)
    with bench.trying("explains", case, (x, parameters)):
        added = classifier.contributions(parameters, x)
        bench.must("explains", added is None or added.shape == x.shape, f"{case}: contributions of another shape")
        lines = classifier.rules(parameters, [f"sign {n}" for n in range(COLUMNS)])
        bench.must("explains", all(isinstance(line, str) for line in lines), f"{case}: rules {lines!r}")


def _try_checks(bench: Bench, classifier: Classifier, parameters: Any, case: str) -> None:
    with bench.trying("checks", f"{case}: its own"):
        classifier.check(parameters, COLUMNS)
    for name, wrong, columns in (("those of columns that are not there", parameters, 0), ("none", {}, COLUMNS)):
        try:
            classifier.check(wrong, columns)
        # The errors that Classifier.check is documented to raise.
        except (ValueError, KeyError, TypeError):
            continue
        except Exception as error:
            bench.broke("checks", f"{case}: {name}: {type(error).__name__}: {error}")
            continue
        bench.broke("checks", f"{case}: {name} are accepted")


def _cases() -> tuple[Array, Array]:
    random = np.random.default_rng(SEED)
    y = (np.arange(ROWS) % 3 > 0).astype(np.float64)
    x = random.integers(0, 2, (ROWS, COLUMNS)).astype(np.float64)
    x[:, 0] = y
    return x, y


def _separates(likely: Array, y: Array) -> bool:
    """Return True if cases of class 1 have a higher mean probability than those of class 0."""
    return float(likely[y == 1].mean()) > float(likely[y == 0].mean())

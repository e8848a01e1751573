"""What a classifier promises."""

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
    """Try a classifier on made-up columns, the first of which tells the classes apart."""
    made: object = None
    with bench.trying("form"):
        made = bench.thing()
    if made is None:
        return
    if not bench.must("form", isinstance(made, Classifier), f"it is {type(made).__name__}"):
        return
    assert isinstance(made, Classifier)
    grid = list(made.grid)
    if bench.must("form", bool(grid) and all(isinstance(s, Mapping) for s in grid), f"its grid is {made.grid!r}"):
        x, y = _cases()
        for setting in grid:
            _try(bench, made, x, y, setting)


def _try(bench: Bench, classifier: Classifier, x: Array, y: Array, setting: Mapping[str, Any]) -> None:
    what = f"with {dict(setting)}"
    parameters: Any = None
    with bench.trying("answers", what, (x, y, dict(setting))):
        parameters = classifier.fit(x, y, setting, SEED)
        bench.must(
            "same again", same(bench.thing().fit(x, y, setting, SEED), parameters), f"{what} another fit differs"
        )
    if parameters is None:
        return
    if not bench.must("plain", not writable(parameters), f"{what}: {writable(parameters)}"):
        return
    again = json.loads(json.dumps(parameters))
    with bench.trying("answers", what, (x, parameters)):
        likely = classifier.probability(parameters, x)
        is_right = np.shape(likely) == (len(x),) and bool(np.all((likely >= 0) & (likely <= 1)))
        if bench.must("answers", is_right, f"{what}: probabilities of shape {np.shape(likely)}, or not in 0–1"):
            bench.must("plain", np.allclose(bench.thing().probability(again, x), likely), f"{what}: others come back")
            bench.must("learns", _tells_apart(likely, y), f"{what}: it finds no case more likely than another")
    _try_checks(bench, classifier, again, what)
    with bench.trying("explains", what, (x, parameters)):
        added = classifier.contributions(parameters, x)
        bench.must("explains", added is None or added.shape == x.shape, f"{what}: contributions of another shape")
        lines = classifier.rules(parameters, [f"sign {n}" for n in range(COLUMNS)])
        bench.must("explains", all(isinstance(line, str) for line in lines), f"{what}: rules {lines!r}")


def _try_checks(bench: Bench, classifier: Classifier, parameters: Any, what: str) -> None:
    with bench.trying("checks", f"{what}: its own"):
        classifier.check(parameters, COLUMNS)
    for name, wrong, columns in (("those of columns that are not there", parameters, 0), ("none", {}, COLUMNS)):
        try:
            classifier.check(wrong, columns)
        except (ValueError, KeyError, TypeError):
            continue
        except Exception as error:
            bench.broke("checks", f"{what}: {name}: {type(error).__name__}: {error}")
            continue
        bench.broke("checks", f"{what}: {name} are taken")


def _cases() -> tuple[Array, Array]:
    random = np.random.default_rng(SEED)
    y = (np.arange(ROWS) % 3 > 0).astype(np.float64)
    x = random.integers(0, 2, (ROWS, COLUMNS)).astype(np.float64)
    x[:, 0] = y
    return x, y


def _tells_apart(likely: Array, y: Array) -> bool:
    """Whether those of the one class are found more likely than those of the other, on the whole."""
    return float(likely[y == 1].mean()) > float(likely[y == 0].mean())

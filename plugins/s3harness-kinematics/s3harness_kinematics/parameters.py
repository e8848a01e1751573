"""The calibrated weights, a file of plain numbers by name, and the weighted sums made of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

FILE = "parameters.json"
SCHEMA = "s3harness/kinematics/v1"

FARTHEST = 4.0
"""Distance from the usual value, in spreads, beyond which a number counts no more."""


@dataclass(frozen=True, slots=True)
class WeightedSum:
    """A weighted sum of numbers by name, each in spreads from its usual value; a missing number counts as usual.

    ``threshold`` is the lowest probability that means yes.
    """

    weights: Mapping[str, float]
    intercept: float = 0.0
    threshold: float = 0.5

    def score(self, standard: Mapping[str, float]) -> float:
        """Return the sum for numbers of :func:`standardised`."""
        return self.intercept + sum(weight * standard.get(name, 0.0) for name, weight in self.weights.items())

    def probability(self, standard: Mapping[str, float]) -> float:
        """Return the logistic function of the sum, 0–1."""
        # Within ±30: math.exp overflows near 710, and beyond 30 the probability is 0 or 1 anyway.
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, self.score(standard)))))


Scales = Mapping[str, tuple[float, float]]
"""Name → usual value and spread."""


def standardised(numbers: Mapping[str, float], scales: Scales) -> dict[str, float]:
    """Return each number in spreads from its usual value, after :func:`rooted`, within ±:data:`FARTHEST`."""
    return {
        name: max(-FARTHEST, min(FARTHEST, (rooted(numbers[name]) - usual) / spread))
        for name, (usual, spread) in scales.items()
        if name in numbers
    }


def rooted(value: float) -> float:
    """Return the square root of the magnitude with the value's sign."""
    # Shares and grey levels are skewed; their roots are less so.
    return math.copysign(math.sqrt(abs(value)), value)


@lru_cache(maxsize=1)
def parameters() -> Mapping[str, Any]:
    """Return the content of ``parameters.json``."""
    return read(files("s3harness_kinematics").joinpath(FILE).read_text(encoding="utf-8"))


def read(text: str) -> Mapping[str, Any]:
    """Return parameters read from JSON; raise :class:`ValueError` if they are of another schema."""
    content: Mapping[str, Any] = json.loads(text)
    if content.get("schema") != SCHEMA:
        raise ValueError(f"{FILE}: schema {content.get('schema')!r}, expected {SCHEMA!r}")
    return content


def to_json(value: object, indent: int = 0) -> str:
    """Return parameters as JSON text with one entry a line: a list, or an object of plain values, takes one line."""
    if not isinstance(value, Mapping) or not any(isinstance(inner, Mapping | list | tuple) for inner in value.values()):
        return json.dumps(value, ensure_ascii=False)
    pad = " " * (indent + 1)
    lines = [f"{pad}{json.dumps(name)}: {to_json(inner, indent + 1)}" for name, inner in value.items()]
    return "{\n" + ",\n".join(lines) + f"\n{' ' * indent}}}"


def weights(entry: Mapping[str, Any]) -> WeightedSum:
    """Return the weighted sum of one entry of the file."""
    return WeightedSum(entry["weights"], entry.get("intercept", 0.0), entry.get("threshold", 0.5))


def scales(entry: Mapping[str, Any]) -> Scales:
    """Return the scales of one entry of the file."""
    return {name: (float(usual), float(spread)) for name, (usual, spread) in entry.items()}

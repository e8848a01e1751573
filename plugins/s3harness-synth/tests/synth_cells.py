"""What the labels of the benchmark say of its events, cell by cell, beside what sampled scripts say of theirs.

A cell is a prevalence, a quartile of a length or a lag, a share of events in which one sign comes before another, and
so on. Its interval is the 95 % interval (Wilson's) of the share in the labels, with the events of one patient taken
for as many as their likeness leaves: n / (1 + (m − 1) ICC).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor, sqrt
from pathlib import Path

import numpy as np
from s3harness_synth.production import Take
from s3harness_synth.truth import feature_labels

from s3harness.types import FeatureLabel

LABELS = json.loads((Path(__file__).parent / "s3_labels.json").read_text(encoding="utf-8"))

EVENTS_PER_PATIENT, LIKENESS = 432 / 116, 0.5
"""Events per patient in the benchmark, and how alike those of one patient are (ICC; semiology is stereotyped)."""


@dataclass(frozen=True)
class Cell:
    """One number of the labels as a share (0–1) with its interval, and the share in the sample."""

    name: str
    stated: float
    low: float
    high: float
    sampled: float

    @property
    def holds(self) -> bool:
        return self.low <= self.sampled <= self.high


def cells(takes: Sequence[Take]) -> Iterator[Cell]:
    """All cells; times are noted in whole seconds, as the labels are."""
    for diagnosis in ("ES", "NES"):
        labels = [feature_labels(take.script) for take in takes if take.script.diagnosis == diagnosis]
        scripts = [take.script for take in takes if take.script.diagnosis == diagnosis]
        group = LABELS["groups"][diagnosis]
        spans = [script.interval[1] - script.interval[0] for script in scripts]
        events = LABELS["events"][diagnosis]
        yield from _quantiles(f"{diagnosis} span", group["span_s"], (0.25, 0.5, 0.75, 0.95), spans, events)
        leads = [floor(script.interval[0]) for script in scripts]
        yield from _quantiles(f"{diagnosis} lead-in", [group["lead_in_s"]], (0.5,), leads, events)
        for feature, stated in group["features"].items():
            yield from _feature_cells(f"{diagnosis} {feature}", feature, stated, labels, events)
    labels = [feature_labels(take.script) for take in takes if take.script.diagnosis == "ES"]
    for pair, (share, n) in LABELS["before"]["ES"].items():
        first, second = pair.split("<")
        both = [label for label in labels if first in _timed(label) and second in _timed(label)]
        sampled = np.mean([floor(label[first].start_s) < floor(label[second].start_s) for label in both])
        yield _cell(f"ES {pair}", share, n, float(sampled))
    yield from _side_cells(takes)


def _feature_cells(name: str, feature: str, stated: dict, labels: list, events: int) -> Iterator[Cell]:
    present = [label for label in labels if label[feature].present == "yes"]
    yield _cell(f"{name} prevalence", stated["prevalence"], events, len(present) / len(labels))
    if "tested" in stated:
        tested = [label for label in labels if label[feature].present != "untested"]
        yield _cell(f"{name} tested", stated["tested"], events, len(tested) / len(labels))
        share = len(present) / len(tested)
        yield _cell(f"{name} if tested", stated["prevalence_if_tested"], events * stated["tested"], share)
    if "length_s" in stated:
        n = events * stated["prevalence"]
        lengths = [label[feature].end_s - label[feature].start_s for label in present]
        lags = [floor(label[feature].start_s) - _first(label) for label in present]
        yield from _quantiles(f"{name} length", stated["length_s"], (0.25, 0.5, 0.75), lengths, n)
        yield from _quantiles(f"{name} lag", stated["lag_s"], (0.25, 0.5, 0.75), lags, n)
        yield _cell(f"{name} first", stated["first"], n, float(np.mean(np.array(lags) == 0)))


def _side_cells(takes: Sequence[Take]) -> Iterator[Cell]:
    found = [feature_labels(take.script) for take in takes]
    sides = [
        (label["head_turning"].side, label["arm_movement"].side if "arm_movement" in label else None) for label in found
    ]
    heads = [head for head, _ in sides if head in ("left", "right")]
    arms = [arm for _, arm in sides if arm in ("left", "right")]
    same = [head == arm for head, arm in sides if head and arm]
    sampled = {
        "head_right": np.mean([side == "right" for side in heads]),
        "arm_right": np.mean([side == "right" for side in arms]),
        "same_side": np.mean(same),
    }
    for name, (count, n) in LABELS["laterality"].items():
        yield _cell(name, count / n, n, float(sampled[name]))


def _first(label: dict[str, FeatureLabel]) -> int:
    return min(floor(label[feature].start_s) for feature in _timed(label))


def _timed(label: dict[str, FeatureLabel]) -> list[str]:
    untimed = ("occur_during_sleep", "arm_movement")
    return [f for f, found in label.items() if found.start_s is not None and f not in untimed]


def _quantiles(
    name: str, values: Sequence[float], shares: Sequence[float], sample: Sequence[float], n: float
) -> Iterator[Cell]:
    """How much of the sample lies up to each quantile of the labels, which are whole seconds."""
    found = np.array(sample)
    for value, share in zip(values, shares, strict=True):
        below, up_to = float(np.mean(found < value - 0.5)), float(np.mean(found <= value + 0.5))
        yield _cell(f"{name} q{100 * share:.0f}", share, n, min(max(share, below), up_to))


def _cell(name: str, stated: float, n: float, sampled: float) -> Cell:
    effective = max(n / (1 + (min(EVENTS_PER_PATIENT, max(n, 1)) - 1) * LIKENESS), 1.0)
    z = 1.96
    centre = (stated + z * z / (2 * effective)) / (1 + z * z / effective)
    half = z * sqrt(stated * (1 - stated) / effective + z * z / (4 * effective**2)) / (1 + z * z / effective)
    return Cell(name, stated, centre - half - 1e-9, centre + half + 1e-9, sampled)

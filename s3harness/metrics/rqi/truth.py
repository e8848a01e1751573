"""The truth that a report is compared with, from an item's truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import cast

from s3harness.metrics.rqi.components import SLEEP
from s3harness.metrics.rqi.extract import extract
from s3harness.metrics.rqi.structure import LATERALITY_KEYS, NONE, ReportStructure, ReportTruth


def report_truth(truth: Mapping[str, object], read: Callable[[str], ReportStructure] = extract) -> ReportTruth:
    """Return the truth of one report item: ``text``, ``events`` in order of onset, ``sides`` by sign, ``untested``.

    The expert's text is read in the same way as a model's report and gives the expected signs; the annotators' signs
    are the others that a report may name. Where there is no expert text, they make up the structure.
    """
    labelled = tuple(str(event) for event in cast("Iterable[object]", truth.get("events") or ()))
    sides = {str(sign): str(side) for sign, side in cast("Mapping[object, object]", truth.get("sides") or {}).items()}
    untested = frozenset(str(sign) for sign in cast("Iterable[object]", truth.get("untested") or ()))
    text = str(truth.get("text") or "")
    structure = read(text) if text.strip() else _from_labels(labelled, sides)
    return ReportTruth(structure, labelled, sides, untested)


def _from_labels(labelled: tuple[str, ...], sides: Mapping[str, str]) -> ReportStructure:
    """A structure without a text: labels give onset and spread, never the state after the event."""
    # Sleep is a state before the event, so that it is no sign of onset.
    events = tuple(dict.fromkeys(labelled))
    moving = [event for event in events if event != SLEEP]
    components = {"onset": bool(moving), "propagation": len(moving) > 1}
    given = {"head_turning": sides.get("head_turning", NONE), "first_motor_laterality": sides.get("arm_movement", NONE)}
    return ReportStructure(
        components=frozenset(name for name, present in components.items() if present),
        events=events,
        laterality={key: given.get(key, NONE) for key in LATERALITY_KEYS},
    )

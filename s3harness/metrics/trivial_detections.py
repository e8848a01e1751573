"""Trivial answerers of the detection of seizures in whole recordings."""

from __future__ import annotations

from random import Random
from typing import Any

from s3harness.metrics.cohort import PatientCounts, PatientMedians
from s3harness.metrics.trivial_answerers import Answerers, Cohort, Floor, Say, Without, always, sole
from s3harness.spans import Span, union, within
from s3harness.types import Prediction, Reference

DRAWS = 20
"""Random answers to a recording over which a random answerer is averaged."""
NIGHT_S = ((0.0, 6 * 3600.0), (22 * 3600.0, 24 * 3600.0))
"""The night in seconds from midnight: 22:00 to 6:00."""
DAY_S = 86_400.0
_MILLI = 1000


class Detections(Cohort):
    """No alarm, one that never ends, and as many random alarms, of the usual length, as others have seizures.

    ``rate_matched`` places them anywhere, ``night_only`` at night alone, and none in a recording of the day; a
    recording without a time of day counts as all night. Rate and median length are those of other patients.
    """

    def __init__(self) -> None:
        super().__init__()
        self.counts, self.lengths = PatientCounts(), PatientMedians()

    def learn(self, patient: int, subject: str, truth: Any, reference: Reference) -> None:
        """Count seizures and hours, and note the lengths."""
        # Whole milliseconds: sums of fractions would depend on the order of the patients.
        self.counts.add(patient, "all", "time", round(_MILLI * truth["duration_s"]))
        self.counts.add(patient, "all", "seizures", len(truth["seizures"]))
        for onset, offset in truth["seizures"]:
            self.lengths.add(patient, "all", offset - onset)

    def answerers(self, left_out: Without) -> Answerers:
        """Return the fitted answerers."""

        def drawn(draw: int, at_night: bool) -> Say:
            return lambda r: Prediction(r.item, self._drawn(r, left_out(r), draw, at_night))

        says: dict[str, Say] = {
            "never": lambda r: Prediction(r.item, []),
            "always": lambda r: Prediction(r.item, [[0.0, _content(r)["duration_s"]]]),
        }
        floors = {name: sole(name) for name in says}
        for name, at_night in (("rate_matched", False), ("night_only", True)):
            parts = {f"{name} {n}": drawn(n, at_night) for n in range(DRAWS)}
            says |= parts
            floors[name] = Floor([(part, always(1 / DRAWS)) for part in parts], is_fitted=True)
        return Answerers(says, floors)

    def _drawn(self, reference: Reference, without: int | None, draw: int, at_night: bool) -> list[list[float]]:
        """Return random alarms at the rate and of the median length of other patients' seizures."""
        content, counts = _content(reference), self.counts.of("all", without)
        duration_s, length_s = float(content["duration_s"]), self.lengths.of("all", without)
        if not counts["time"] or length_s is None:
            return []
        # The same rate by hour of recording, so that the alarms of a whole day crowd into its night.
        expected = duration_s * _MILLI * counts["seizures"] / counts["time"]
        # A string seeds the same stream in every process; the draws of a recording do not depend on the others.
        random = Random(f"{reference.item} {draw}")
        number = int(expected) + (random.random() < expected % 1)
        open_s = _nights(duration_s, content.get("clock_s")) if at_night else [(0.0, duration_s)]
        starts = [_place(open_s, random.random()) for _ in range(number if open_s else 0)]
        alarms = union((max(0.0, start - length_s / 2), start + length_s / 2) for start in starts)
        return [list(alarm) for alarm in within(alarms, 0.0, duration_s)]


def _content(reference: Reference) -> dict[str, Any]:
    truth: dict[str, Any] = reference.truth  # type: ignore[assignment]
    return truth


def _nights(duration_s: float, clock_s: float | None) -> list[Span]:
    """Return the spans of a recording that are at night."""
    if clock_s is None:
        return [(0.0, duration_s)]
    days = range(int((clock_s + duration_s) // DAY_S) + 1)
    nights = [(day * DAY_S + start - clock_s, day * DAY_S + end - clock_s) for day in days for start, end in NIGHT_S]
    return within(nights, 0.0, duration_s)


def _place(spans: list[Span], share: float) -> float:
    """Return the moment that divides the time within spans at a share in 0–1."""
    left_s = share * sum(end - start for start, end in spans)
    for start, end in spans:
        if left_s <= end - start:
            return start + left_s
        left_s -= end - start
    return spans[-1][1]

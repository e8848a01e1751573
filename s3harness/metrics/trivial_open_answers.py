"""Trivial answerers of open questions: times, lists of signs, reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from s3harness.metrics.cohort import PatientCounts, PatientMedians, commonest_of
from s3harness.metrics.sentences import Sentences
from s3harness.metrics.simulated_reader import reader_of
from s3harness.metrics.trivial_answerers import Answerers, Cohort, Floor, Say, Without, always, sole
from s3harness.types import Prediction, Reference

PLACES = 21
"""Evenly spaced places of a window at which a random moment is scored."""
CONSTANT_REPORT = (
    "At onset the patient turns the head, followed by tonic stiffening of both arms and then by clonic jerking of the "
    "whole body. Afterwards the patient is confused and unresponsive."
)
"""A report that could stand under almost any seizure."""


class Boundaries(Cohort):
    """A place of the item's window; without a window the median time of the subject's other patients."""

    def __init__(self) -> None:
        super().__init__()
        self.times, self.places, self.lacks_window = PatientMedians(), PatientMedians(), False

    def learn(self, patient: int, subject: str, truth: Any, reference: Reference) -> None:
        """Add the time, and its relative place in the window."""
        self.times.add(patient, subject, float(truth))
        self.places.add(patient, subject, _place(float(truth), reference.window))
        self.lacks_window |= reference.window is None

    def answerers(self, left_out: Without) -> Answerers:
        """Return the fitted answerers."""

        def at(share: Callable[[Reference], float]) -> Say:
            return lambda r: Prediction(r.item, self._within(r, share(r), left_out(r)))

        def usual(reference: Reference) -> float:
            place = self.places.of(reference.subject, left_out(reference))
            return 0.5 if place is None else place

        # A random moment as an even mixture of places: its exact expectation but for their spacing.
        middles = {f"place {n}": (n + 0.5) / PLACES for n in range(PLACES)}
        constants = {"window_centre": 0.5, "window_start": 0.0, "window_end": 1.0}
        says = {name: at(lambda r, share=share: share) for name, share in (constants | middles).items()}  # type: ignore[misc]
        says["commonest_place"] = at(usual)
        # Without a window even the constants fall back on the median of other patients, and so are fitted.
        floors = {name: sole(name, self.lacks_window) for name in constants}
        floors["commonest_place"] = sole("commonest_place", is_fitted=True)
        floors["anywhere"] = Floor([(name, always(1 / PLACES)) for name in middles], self.lacks_window)
        reader = reader_of("boundary")
        return Answerers(says | reader.says, floors, reader=reader)

    def _within(self, reference: Reference, share: float, without: int | None) -> float:
        if reference.window is None:
            return self.times.of(reference.subject, without) or 0.0
        start, end = reference.window
        return start + share * (end - start)


def _place(truth: float, window: tuple[float, float] | None) -> float:
    """Relative place of a truth in its window, 0–1; the middle without a window."""
    if window is None or window[1] <= window[0]:
        return 0.5
    return (truth - window[0]) / (window[1] - window[0])


class Sequences(Cohort):
    """Signs that are common, in their usual order."""

    WHOLE = 465_585_120
    """A place among up to 20 signs is a whole number of these: twice the least common multiple of 1 to 20."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = PatientCounts()

    def learn(self, patient: int, subject: str, truth: Any, reference: Reference) -> None:
        """Count the signs and their places."""
        self.counts.add(patient, "videos", "")
        for number, (sign, _) in enumerate(truth):
            self.counts.add(patient, "signs", str(sign))
            # Whole numbers: sums of fractions would depend on the order of the patients, and so the ties.
            self.counts.add(patient, "places", str(sign), (2 * number + 1) * self.WHOLE // (2 * len(truth)))

    def answerers(self, left_out: Without) -> Answerers:
        """Return the fitted answerers."""

        def signs_of(share: float) -> Say:
            return lambda r: Prediction(r.item, self._common(share, left_out(r)))

        def single(reference: Reference) -> Prediction:
            sign = commonest_of(self.counts.of("signs", left_out(reference)))
            return Prediction(reference.item, [sign] if sign else [])

        # From one sign to all: the shares at which naming more signs pays depend on the metric.
        fitted: dict[str, Say] = {
            "commonest_sign": single,
            "typical_sequence": signs_of(1 / 2),
            "common_sequence": signs_of(1 / 4),
            "all_signs": signs_of(0.0),
        }
        reader = reader_of("sequence", lambda group: self.counts.things("signs"))
        floors = {"empty": sole("empty")} | {name: sole(name, is_fitted=True) for name in fitted}
        says: dict[str, Say] = {"empty": lambda r: Prediction(r.item, []), **fitted}
        return Answerers(says | reader.says, floors, reader=reader)

    def _common(self, share: float, without: int | None) -> list[str]:
        """Signs that at least this share of the videos have, by their mean place in the sequences."""
        videos = self.counts.of("videos", without).total()
        signs, places = self.counts.of("signs", without), self.counts.of("places", without)
        return sorted((s for s in signs if signs[s] >= share * videos), key=lambda s: (places[s] / signs[s], s))


class TrivialReports(Cohort):
    """A constant report, the commonest report, and a report of the commonest signs, as many as usual or twice that."""

    def __init__(self) -> None:
        # Imported here: the rules of the Seizure-RQI are needed for Task 6 alone.
        from s3harness.metrics.typical_report import TypicalReport

        super().__init__()
        self.texts, self.typical = Sentences(), TypicalReport()

    def learn(self, patient: int, subject: str, truth: Any, reference: Reference) -> None:
        """Add the text, and count the signs that it names."""
        from s3harness.metrics.rqi.glossary import known_language

        text = str(truth["text"])
        self.texts.add(patient, "", text)
        self.typical.add(patient, text, known_language(truth))

    def answerers(self, left_out: Without) -> Answerers:
        """Return the fitted answerers."""
        reader = reader_of("report")
        says: dict[str, Say] = {
            "empty": lambda r: Prediction(r.item, ""),
            "constant_report": lambda r: Prediction(r.item, CONSTANT_REPORT),
            "commonest_report": lambda r: Prediction(r.item, self.texts.commonest("", left_out(r))),
            "typical_report": lambda r: Prediction(r.item, self.typical.of(left_out(r))),
            "detailed_report": lambda r: Prediction(r.item, self.typical.of(left_out(r), times=2.0)),
        }
        floors = {name: sole(name, name not in ("empty", "constant_report")) for name in says}
        return Answerers(says | reader.says, floors, reader=reader)

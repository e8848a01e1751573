"""Contradictions between a model's own answers; no label is needed, so that video without annotations can be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from s3harness.metrics.rqi import extract
from s3harness.scoring.score_run import ScoredTask

SEQUENCE, REPORT = "order of events", "report"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two answers about one video that cannot both be right."""

    video_id: str
    subject: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Consistency:
    """The number of pairs of answers that could be compared, and the pairs that contradict each other."""

    n_compared: int
    contradictions: tuple[Contradiction, ...]

    @property
    def share(self) -> float | None:
        """Return the share of pairs that agree, 0–1; ``None`` if there are none to compare."""
        return 1.0 - len(self.contradictions) / self.n_compared if self.n_compared else None


def self_consistency(tasks: Mapping[str, ScoredTask]) -> Consistency:
    """Compare the signs with the list of events and the report, and the diagnoses with and without the report."""
    answers = {scored.spec.item: _answers(scored) for scored in tasks.values()}
    pairs = [*_signs_against(answers, "sequence"), *_signs_against(answers, "report"), *_diagnoses(answers)]
    return Consistency(len(pairs), tuple(pair for pair in pairs if pair.first != pair.second))


def _answers(scored: ScoredTask) -> dict[str, dict[str, Any]]:
    """Return video → subject → answered value."""
    values: dict[str, dict[str, Any]] = {}
    for reference, prediction in zip(scored.references, scored.predictions, strict=True):
        # A missing answer contradicts nothing.
        if prediction.value is not None:
            values.setdefault(reference.video_id, {})[reference.subject] = prediction.value
    return values


def _signs_against(answers: Mapping[str, Mapping[str, Mapping[str, Any]]], kind: str) -> Iterator[Contradiction]:
    """Pair the answers about single signs with the list of events or the report; equal pairs are no contradiction."""
    name = {"sequence": SEQUENCE, "report": REPORT}[kind]
    for video_id, values in answers.get(kind, {}).items():
        # These two kinds have one subject for a video.
        value = next(iter(values.values()))
        claimed = set(map(str, value)) if kind == "sequence" else set(extract(str(value)).events)
        for sign, presence in answers.get("feature", {}).get(video_id, {}).items():
            # A report need not mention every sign, so only the signs that it claims are compared.
            if presence in ("yes", "no") and (sign in claimed or kind == "sequence"):
                in_text = "present" if sign in claimed else "absent"
                own = "present" if presence == "yes" else "absent"
                # Some features are no events, so a list without a sign that was seen contradicts nothing.
                if kind == "report" or presence == "no" or sign in claimed:
                    yield Contradiction(video_id, f"{sign}, {name}", own, in_text)


def _diagnoses(answers: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[Contradiction]:
    for video_id, values in answers.get("diagnosis", {}).items():
        # A model may have answered only one of the two questions.
        if len(values) > 1:
            first, second, *_ = (str(value) for value in values.values())
            yield Contradiction(video_id, "diagnosis with and without the report", first, second)

"""Where a model contradicts itself: found without any label, so that it works on video that nobody has annotated."""

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
    """How many pairs of answers could be compared, and which contradict each other."""

    n_compared: int
    contradictions: tuple[Contradiction, ...]

    @property
    def share(self) -> float | None:
        """The share of pairs that agree, 0–1; ``None`` if there is none to compare."""
        return 1.0 - len(self.contradictions) / self.n_compared if self.n_compared else None


def self_consistency(tasks: Mapping[str, ScoredTask]) -> Consistency:
    """Presence of each sign against the list of events and the report; the diagnosis with a report and without."""
    answers = {scored.spec.item: _answers(scored) for scored in tasks.values()}
    pairs = [*_signs_against(answers, "sequence"), *_signs_against(answers, "report"), *_diagnoses(answers)]
    return Consistency(len(pairs), tuple(pair for pair in pairs if pair.first != pair.second))


def _answers(scored: ScoredTask) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for reference, prediction in zip(scored.references, scored.predictions, strict=True):
        if prediction.value is not None:
            found.setdefault(reference.video_id, {})[reference.subject] = prediction.value
    return found


def _signs_against(answers: Mapping[str, Mapping[str, Mapping[str, Any]]], kind: str) -> Iterator[Contradiction]:
    """A report need not mention all that was seen, so there only what it claims is compared."""
    name = {"sequence": SEQUENCE, "report": REPORT}[kind]
    for video_id, given in answers.get(kind, {}).items():
        value = next(iter(given.values()))
        claimed = set(map(str, value)) if kind == "sequence" else set(extract(str(value)).events)
        for sign, said in answers.get("feature", {}).get(video_id, {}).items():
            if said in ("yes", "no") and (sign in claimed or kind == "sequence"):
                told = "present" if sign in claimed else "absent"
                own = "present" if said == "yes" else "absent"
                if kind == "report" or said == "no" or sign in claimed:
                    yield Contradiction(video_id, f"{sign}, {name}", own, told)


def _diagnoses(answers: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[Contradiction]:
    for video_id, given in answers.get("diagnosis", {}).items():
        if len(given) > 1:
            first, second, *_ = (str(value) for value in given.values())
            yield Contradiction(video_id, "diagnosis with and without the report", first, second)

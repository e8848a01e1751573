"""Pairs of reports of which any reader of seizure reports knows the better one, and their ranking by a preset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from s3harness.metrics.rqi import parse_preset, score_report
from s3harness.metrics.rqi.components import SLEEP
from s3harness.metrics.rqi.extract import extract_in
from s3harness.specs.document import read_document, specs_directory

FILE = "rqi_scenarios.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One pair of ``task_specs/rqi_scenarios.yaml``, which documents the fields."""

    name: str
    group: str
    expert: str
    better: str
    worse: str
    labels: tuple[str, ...] | None = None
    sides: Mapping[str, str] = field(default_factory=dict)
    untested: tuple[str, ...] = ()
    worse_times: int = 1
    language: str = ""

    def scores(self, preset: str) -> tuple[float, float]:
        """Seizure-RQI of the better and of the worse report, 0–100."""
        labels = self.labels
        read = extract_in(self.language) if self.language else parse_preset(preset).read
        if labels is None:
            # Sleep is annotated, but in no sequence of signs.
            labels = tuple(event for event in read(self.expert).events if event != SLEEP)
        truth: dict[str, object] = {"text": self.expert, "events": labels, "sides": self.sides}
        truth |= {"untested": self.untested, **({"language": self.language} if self.language else {})}
        worse = " ".join([self.worse] * self.worse_times)
        return score_report(self.better, truth, preset).points, score_report(worse, truth, preset).points


def scenarios(language: str = "") -> list[Scenario]:
    """Return all pairs in the order of the file: of the English ones, or of those of another language."""
    file = FILE.replace(".yaml", f"-{language}.yaml") if language else FILE
    pairs = read_document(specs_directory() / file).data["scenarios"]
    return [Scenario(**pair, language=language) for pair in pairs]


def ranked_wrong(preset: str) -> list[str]:
    """Return the names of the pairs whose better report does not score higher."""
    scored = {scenario.name: scenario.scores(preset) for scenario in scenarios()}
    # A tie is wrong too: a metric that cannot tell the two reports apart ranks neither.
    return [name for name, (better, worse) in scored.items() if better <= worse]

"""The structure of a report: the intermediate form between its text and its score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# The names of the authors' released extractions, which the published scores are computed from.
COMPONENTS = ("onset", "propagation", "postictal")
"""The parts of an event that a complete report covers."""

LATERALITY_KEYS = ("head_turning", "first_motor_laterality", "asymmetric_posturing", "figure_4")
"""The lateralising signs. ``figure_4`` is the side of the extended arm; a posture reads "right arm extension"."""

NONE = "none"
"""The value of a lateralising sign without a side in the report."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A finding, and the words of the report behind it: ``start`` and ``end`` are offsets into the report's text."""

    finding: str
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStructure:
    """The content of one report, as read by the rules, an LLM judge, or the authors' released extraction.

    ``events`` are the signs in the order in which they happened according to the report. The rules give each sign
    once and only signs of the vocabulary; the released extractions hold repeats and words of their own, which the
    ``paper`` preset needs. ``steps`` has one number per event: events of one step are simultaneous, so that their order
    means nothing; empty, every event is a step of its own. ``denied`` are signs that the report calls absent. ``other``
    are signs that experts report and the benchmark's vocabulary lacks. ``certainty`` gives the weight in 0–1 of those
    ``events`` and ``other`` signs that are hedged, one of several alternatives, or denied elsewhere in the report;
    every other sign counts 1. ``side_certainty`` is the same for the lateralising signs. ``contradicted`` signs are
    asserted and denied in one sentence, so that they are neither. ``laterality`` maps each of :data:`LATERALITY_KEYS`
    to ``left``, ``right``, ``both``, a posture, or ``none``, always the patient's own side. ``words`` counts
    white-space separated words.
    """

    components: frozenset[str] = frozenset()
    events: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    denied: frozenset[str] = frozenset()
    laterality: Mapping[str, str] = field(default_factory=dict)
    off_topic: bool = False
    hazardous: bool = False
    words: int = 0
    evidence: tuple[Evidence, ...] = ()
    other: tuple[str, ...] = ()
    certainty: Mapping[str, float] = field(default_factory=dict)
    side_certainty: Mapping[str, float] = field(default_factory=dict)
    contradicted: frozenset[str] = frozenset()

    def side(self, key: str) -> str:
        """Return the value of one lateralising sign, ``none`` where the report has none."""
        return self.laterality.get(key, NONE)

    def weights(self) -> dict[str, float]:
        """Return each sign of ``events`` and ``other`` with its weight in 0–1, repeats once."""
        # A dictionary, since the released extractions repeat signs.
        return {sign: self.certainty.get(sign, 1.0) for sign in (*self.events, *self.other)}

    def quotes(self, finding: str) -> tuple[str, ...]:
        """Return the words of the report behind one finding, each wording once."""
        # dict.fromkeys keeps the order of the text, which a set would lose.
        return tuple(dict.fromkeys(e.quote for e in self.evidence if e.finding == finding))


@dataclass(frozen=True, slots=True)
class ReportTruth:
    """The truth that a report is compared with.

    ``structure`` is the expert's report, read like the model's. ``labelled`` are the annotators' signs in order of
    onset and ``sides`` their sides: a sign that the expert did not write down but an annotator saw is not an invention.
    ``labelled`` is ``None`` where a video has no annotation at all. ``untested`` signs could not be judged.
    """

    structure: ReportStructure
    labelled: tuple[str, ...] | None = None
    sides: Mapping[str, str] = field(default_factory=dict)
    untested: frozenset[str] = frozenset()

"""The Seizure-RQI: (15·S + 35·C + 25·L + 25·T) × P_hall × P_off × P_len × P_haz, as one object with its evidence.

Presets are data, and a preset's name never changes its meaning. ``paper`` is the published formula, recovered from the
released scores and exact. ``strict-1`` repairs it:

- L is scored only where the expert's report has a lateralising sign, else its weight moves to the other components:
  in ``paper`` a report that says nothing of sides earns most of the 25 points.
- T is order: longest common chain, symmetric, nothing for padding, free within what the expert tells as simultaneous.
- C stays recall, balanced by hallucination against the same truth; what nobody tested is not punished.
- Onset during sleep is a hallucination only where the expert denies it, not always.
- Signs count once, whatever is repeated, and each invention costs the same 5 %, where the published price falls with
  each further one: naming everything never pays.
- The length budget follows the expert's report and its price is smooth.
- Talk beside the point, and advice that could hurt, are priced by what the report adds to the expert's.
- Where the expert's report gives a component nothing to score, its weight moves on; an empty report scores 0.

``strict-2``, which ``strict`` and ``rqi`` mean, prices what is dangerous and pays nothing for nothing:

| What a report says | Counts |
| --- | --- |
| a sign that the expert has | 1 |
| the same with doubt ("may", "possible", "in some episodes") | 0.5 |
| the same as one of n alternatives ("X or Y") | 1 / n |
| the same, denied in another sentence of the same moment | 0.5 |
| the same, told and denied in one breath ("X or no X") | 0 |
| "whole-body shaking" where the expert has a clonic phase | 0.5 |
| a sign of the expert's, denied | − 1 in C, and × 0.9 |
| the right side of a lateralising sign | + 1 in L |
| the other side | − 1 in L: tossing a coin earns what silence earns |
| both sides, or none | 0 in L |
| an invented sign or side | × 0.9, all together − 0.1 each |
| an invented sign that no annotator labels (kicking, yawning) | half of that |
| "responsive" for "unresponsive" | − 1 in C, and − 0.2 |

- Unresponsiveness, kicks, deviation of the gaze, yawning and a drop of the head are signs too: C counts them.
- S is what the report has right of each phase: a sign of the expert's first moment, one of a later moment, and the
  state afterwards. Naming a phase earns nothing, and neither does a side without any sign right.
- The score is undefined where the expert's report names no sign, and, read by rules, where it is in a language that
  the lexicon does not know. A report in such a language scores 0, and is counted as unread. German, French and
  Spanish have glossaries, which are used where the data set states that language; English is read beside it.

Texts that earn without looking, against the experts' reports of the published test fold (82 videos; ``strict-2`` is
defined on 79 of them):

| Text | strict-1 | strict-2 |
| --- | --- | --- |
| the expert's report | 100.0 | 100.0 |
| the expert's report, every side turned round | 83.5 | 66.1 |
| the same, the 54 videos with a lateralising sign | 75.0 | 50.5 |
| these 54 without any side | 74.7 | 74.7 |
| "unknown", "Hello.", the prompt, a text in German | 6.1 | 0.0 |
| "There are no signs of" the whole vocabulary | 20.4 | 0.0 |
| every sign of the vocabulary "or no" such sign | 27.1 | 0.0 |
| the whole vocabulary | 25.8 | 3.4 |
| ten signs | 38.8 | 25.2 |
| ten signs, each "possible" | 38.8 | 13.0 |
| a tonic-clonic seizure with "left and right" for each side | 40.4 | 28.4 |
| "Bilateral tonic-clonic seizure." | 29.0 | 13.5 |

The expert's report scored against itself is 100 in ``strict-1`` and ``strict-2``, where it is defined; in ``paper`` it
is 84 on average, by the released extraction of the test fold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from s3harness.errors import UsageError
from s3harness.language import language_name, language_of
from s3harness.metrics.rqi.components import Component, paper_components, strict_components
from s3harness.metrics.rqi.extract import extract, extract_first, extract_in
from s3harness.metrics.rqi.glossary import known_language
from s3harness.metrics.rqi.lexicon import default_lexicon
from s3harness.metrics.rqi.penalties import Penalty, PenaltyContext, PenaltyFunction, penalty_named
from s3harness.metrics.rqi.structure import ReportStructure, ReportTruth
from s3harness.metrics.rqi.truth import report_truth
from s3harness.metrics.rqi.weighed import expects_signs, weighed_components
from s3harness.plugins.manager import blamed
from s3harness.specs.rqi_presets import preset_name

WEIGHTS: Mapping[str, float] = {"S": 15.0, "C": 35.0, "L": 25.0, "T": 25.0}
"""Points of each component; they sum to 100."""

ComponentsFunction = Callable[[ReportStructure, ReportTruth], Mapping[str, Component]]
PenaltyResolver = Callable[[str], PenaltyFunction]
ReportReader = Callable[[str], ReportStructure]
"""The function from a report's text to its structure: the rules, or a judge's recorded reply."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """The definition of a score: component definitions, weights in points, and penalties by name.

    ``read`` reads texts without a judge. With ``scores_empty`` a report without a word can have points, for agreeing
    with the expert's silence. With ``needs_signs`` the score is undefined where the expert's report names no sign, and
    the rules refuse texts in languages that their lexicon lacks.
    """

    name: str
    components: ComponentsFunction
    penalties: Mapping[str, PenaltyFunction]
    read: ReportReader
    scores_empty: bool = False
    needs_signs: bool = False
    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RQI:
    """The score of one report, 0–100, with its components, penalties and both structures.

    ``value`` is ``None`` where the score is undefined, for the reason in ``undefined``. ``unread`` is the reason for
    which the rules cannot read a report, which then scores 0. ``weights`` are the points that each component could earn
    here (0 where the truth has nothing to score), ``base`` the points earned before the penalties.
    """

    value: float | None
    preset: str
    base: float
    components: Mapping[str, Component]
    weights: Mapping[str, float]
    penalties: Mapping[str, Penalty]
    prediction: ReportStructure
    truth: ReportTruth
    undefined: str = ""
    unread: str = ""

    @property
    def points(self) -> float:
        """The value of a defined score; raises :class:`ValueError` with the reason otherwise."""
        if self.value is None:
            raise ValueError(f"the Seizure-RQI is undefined: {self.undefined}")
        return self.value

    def unearned(self) -> dict[str, float]:
        """Return the points that each component did not earn; with ``base`` they sum to 100, if any can be earned.

        A base below 0 counts as 0: the points that negative components would take beyond it are left out.
        """
        scored = {name: part.value for name, part in self.components.items() if part.value is not None}
        lost = {name: (1.0 - value) * self.weights[name] for name, value in scored.items()}
        surplus = sum(lost.values()) + self.base - sum(self.weights.values())
        negative = [name for name, value in scored.items() if value < 0]
        for name in negative if surplus > 0 else []:
            lost[name] -= surplus / len(negative)
        return lost


NO_SIGN = "no sign in the expert's report"
EXPERT_IN = "expert's report in"
REPORT_IN = "report in"
KIN: Mapping[str, tuple[str, ...]] = {"es": ("gl", "ca")}
"""Languages that a short text is taken for; such a report is read all the same."""
_PAPER = ("paper_hallucination", "paper_off_topic", "paper_length", "paper_hazard")
_FIRST = ("hallucination", "off_topic", "length", "hazard")
_SECOND = ("invention", "off_topic", "length", "hazard")
_NO_PENALTIES: Mapping[str, PenaltyFunction] = {}
_PRESETS: Mapping[str, tuple[Preset, tuple[str, ...]]] = {
    "paper": (
        Preset(
            name="paper", components=paper_components, penalties=_NO_PENALTIES, read=extract_first, scores_empty=True
        ),
        _PAPER,
    ),
    "strict-1": (
        Preset(name="strict-1", components=strict_components, penalties=_NO_PENALTIES, read=extract_first),
        _FIRST,
    ),
    "strict-2": (
        Preset(name="strict-2", components=weighed_components, penalties=_NO_PENALTIES, read=extract, needs_signs=True),
        _SECOND,
    ),
}


def parse_preset(name: str, resolver: PenaltyResolver = penalty_named) -> Preset:
    """Return a preset by its name: ``strict-2``, ``strict-1``, ``paper``, or with more penalties ``strict-2+length``.

    ``strict`` and ``rqi`` mean the newest, ``strict-2``. ``resolver`` gives the function of a penalty's name. Raises
    :class:`UsageError` for an unknown preset, or as the resolver does.
    """
    full = preset_name(name)
    base, *more = full.split("+")
    preset, penalties = _PRESETS[base]
    # dict.fromkeys: a penalty named twice is applied once.
    functions = {penalty: resolver(penalty) for penalty in dict.fromkeys((*penalties, *more))}
    return replace(preset, name=full, penalties=functions)


def score_structures(prediction: ReportStructure, truth: ReportTruth, preset: Preset, text: str = "") -> RQI:
    """Score a structure: the base times the penalties in the preset's order, then caps and the bounds 0 and 100."""
    components = preset.components(prediction, truth)
    weights = _weights(components, preset.weights)
    base = _base(components, preset.weights) if preset.scores_empty or _says_something(prediction) else 0.0
    context = PenaltyContext(prediction, truth, text)
    penalties = {name: _applied(name, penalty, context) for name, penalty in preset.penalties.items()}
    value = base
    for penalty in penalties.values():
        value *= penalty.multiplier
    # Caps after all factors, as in the published formula: a cap before them would be lowered again.
    value = max(0.0, min(value, *(penalty.cap for penalty in penalties.values()), 100.0))
    undefined = NO_SIGN if preset.needs_signs and not expects_signs(truth.structure) else ""
    return RQI(
        value=None if undefined else value,
        preset=preset.name,
        base=base,
        components=components,
        weights=weights,
        penalties=penalties,
        prediction=prediction,
        truth=truth,
        undefined=undefined,
    )


def score_report(
    report: str,
    truth: Mapping[str, object] | ReportTruth,
    preset: Preset | str = "strict",
    read: ReportReader | None = None,
) -> RQI:
    """Score a report's text against an expert's report and the annotators' signs (see :func:`.report_truth`).

    Both texts are read by ``read``, a judge; by the rules of the preset where there is none.
    """
    chosen = parse_preset(preset) if isinstance(preset, str) else preset
    language = _language(truth, chosen)
    reader = read or (extract_in(language) if language else chosen.read)
    structured = truth if isinstance(truth, ReportTruth) else report_truth(truth, reader)
    score = score_structures(reader(report), structured, chosen, report)
    # A judge reads every language; only the rules have a lexicon of some.
    if read:
        return score
    if undefined := _unread_expert(truth, chosen) or score.undefined:
        return replace(score, value=None, undefined=undefined)
    unread = unread_reason(report, chosen, language)
    return replace(score, value=0.0, unread=unread) if unread else score


def undefined_reason(
    truth: Mapping[str, object] | ReportTruth, preset: Preset, read: ReportReader | None = None
) -> str:
    """Return the reason for which no report has a defined score against this truth, "" where one has."""
    if not preset.needs_signs:
        return ""
    if not read and (undefined := _unread_expert(truth, preset)):
        return undefined
    language = _language(truth, preset)
    reader = read or (extract_in(language) if language else preset.read)
    structured = truth if isinstance(truth, ReportTruth) else report_truth(truth, reader)
    return "" if expects_signs(structured.structure) else NO_SIGN


def _unread_expert(truth: Mapping[str, object] | ReportTruth, preset: Preset) -> str:
    # A structure has no text whose language could be wrong.
    if isinstance(truth, ReportTruth) or not preset.needs_signs:
        return ""
    # Whoever states the language of the data set knows it better than a guess from a short text.
    if _language(truth, preset):
        return ""
    language = foreign_language(str(truth.get("text") or ""))
    return f"{EXPERT_IN} {language}" if language else ""


def unread_reason(report: str, preset: Preset, language: str = "") -> str:
    """Return the reason for which the rules of a preset cannot read a report, "" where they can or do not check.

    ``language`` is that of the data set, which is read beside English where it has a glossary.
    """
    # Older presets do not check, so that their scores never change.
    foreign = foreign_language(report, language) if preset.needs_signs else ""
    return f"{REPORT_IN} {foreign}" if foreign else ""


def _language(truth: Mapping[str, object] | ReportTruth, preset: Preset) -> str:
    """Return the language of a data set's reports beside English, if the preset's rules read it; "" else."""
    if isinstance(truth, ReportTruth) or not preset.needs_signs:
        return ""
    return known_language(truth)


# Cached: an expert's report is checked once per model's report and floor.
@lru_cache(maxsize=1024)
def foreign_language(text: str, known: str = "") -> str:
    """Return the name of a text's language if the rules cannot read it, "" if they can or it is uncertain.

    ``known`` is a language that is read beside English.
    """
    code = language_of(text)
    is_read = code is None or code in {known, *KIN.get(known, ())} or code in default_lexicon().languages
    return "" if is_read else language_name(str(code))


def with_penalties(preset: Preset, names: Sequence[str], resolver: PenaltyResolver = penalty_named) -> Preset:
    """Return a preset with more penalties, which its name then lists."""
    new = {name: resolver(name) for name in names if name not in preset.penalties}
    return replace(preset, name="+".join((preset.name, *new)), penalties={**preset.penalties, **new})


def _weights(components: Mapping[str, Component], weights: Mapping[str, float]) -> dict[str, float]:
    """The weights of the components that can be scored, raised so that they keep their ratios and their sum."""
    scored = {name: weights[name] for name, part in components.items() if part.value is not None}
    total, shared = sum(weights.values()), sum(scored.values())
    return {name: scored[name] * total / shared if name in scored else 0.0 for name in components}


def _base(components: Mapping[str, Component], weights: Mapping[str, float]) -> float:
    """The weighted sum, at least 0; full points where the truth gives nothing to score and only the penalties speak."""
    if all(part.value is None for part in components.values()):
        return sum(weights.values())
    scored = {name: part.value for name, part in components.items() if part.value is not None}
    earned = sum(weights[name] * value for name, value in scored.items())
    return max(0.0, earned * sum(weights.values()) / sum(weights[name] for name in scored))


def _says_something(prediction: ReportStructure) -> bool:
    return bool(prediction.words or prediction.events)


def _applied(name: str, penalty: PenaltyFunction, context: PenaltyContext) -> Penalty:
    """Result of a penalty; raises :class:`UsageError` with the penalty's name for a wrong type or range."""
    # Checked, as penalties come from plugins: a multiplier above 1 would be a bonus.
    with blamed("rqi_penalty", name):
        result: object = penalty(context)
    if not isinstance(result, Penalty):
        raise UsageError(f"RQI penalty {name!r} gave {type(result).__name__}; an s3harness.Penalty is expected")
    if not (0.0 <= result.multiplier <= 1.0 and 0.0 <= result.cap <= 100.0):
        values = f"a multiplier of {result.multiplier!r} and a cap of {result.cap!r}"
        raise UsageError(f"RQI penalty {name!r} gave {values}; they lie in 0 to 1 and in 0 to 100")
    return result

"""The Seizure-RQI: (15·S + 35·C + 25·L + 25·T) × P_hall × P_off × P_len × P_haz, as one object that shows its reasons.

Presets are data. ``paper`` is the published formula, recovered from the released scores and exact. ``strict``, the
default, repairs it:

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

The expert's report scored against itself is therefore 100 in ``strict``; in ``paper`` it is 84 on average, by the
released extraction of the test fold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from s3harness.errors import UsageError
from s3harness.metrics.rqi.components import Component, paper_components, strict_components
from s3harness.metrics.rqi.extract import extract
from s3harness.metrics.rqi.penalties import Penalty, PenaltyContext, PenaltyFunction, penalty_named
from s3harness.metrics.rqi.structure import ReportStructure, ReportTruth
from s3harness.metrics.rqi.truth import report_truth
from s3harness.plugins import blamed

WEIGHTS: Mapping[str, float] = {"S": 15.0, "C": 35.0, "L": 25.0, "T": 25.0}
"""Points of each component; they sum to 100."""

ComponentsFunction = Callable[[ReportStructure, ReportTruth], Mapping[str, Component]]
PenaltyResolver = Callable[[str], PenaltyFunction]
Reader = Callable[[str], ReportStructure]
"""From a report's text to its structure: the rules, or what a judge replied."""


@dataclass(frozen=True)
class Preset:
    """How the score is put together: component definitions, weights in points, and penalties by name.

    ``scores_empty`` lets a report without a word have points: for agreeing that nothing was said.
    """

    name: str
    components: ComponentsFunction
    penalties: Mapping[str, PenaltyFunction]
    scores_empty: bool = False
    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)


@dataclass(frozen=True, slots=True)
class RQI:
    """The score of one report, 0–100, and everything it came from.

    ``weights`` are the points each component could earn here (0 where the truth has nothing to score), ``base`` is what
    they earned before the penalties.
    """

    value: float
    preset: str
    base: float
    components: Mapping[str, Component]
    weights: Mapping[str, float]
    penalties: Mapping[str, Penalty]
    prediction: ReportStructure
    truth: ReportTruth


_PAPER = ("paper_hallucination", "paper_off_topic", "paper_length", "paper_hazard")
_STRICT = ("hallucination", "off_topic", "length", "hazard")
_PRESETS: Mapping[str, tuple[ComponentsFunction, tuple[str, ...]]] = {
    "paper": (paper_components, _PAPER),
    "strict": (strict_components, _STRICT),
}
_ALIASES = {"rqi": "strict"}


def parse_preset(name: str, resolver: PenaltyResolver = penalty_named) -> Preset:
    """A preset from its name: ``strict``, ``paper``, or either with more penalties, ``strict+redundancy``.

    ``rqi`` is another word for ``strict``. ``resolver`` gives the function of a penalty's name. Raises
    :class:`UsageError` for an unknown preset, or as the resolver does.
    """
    first, *more = (part.strip() for part in name.split("+"))
    base = _ALIASES.get(first, first)
    if base not in _PRESETS:
        raise UsageError(f"no RQI preset is called {first!r}; known are {', '.join(_PRESETS)}, with +PENALTY after it")
    components, penalties = _PRESETS[base]
    functions = {penalty: resolver(penalty) for penalty in dict.fromkeys((*penalties, *more))}
    return Preset("+".join((base, *more)), components, functions, scores_empty=base == "paper")


def score_structures(prediction: ReportStructure, truth: ReportTruth, preset: Preset, text: str = "") -> RQI:
    """Score what a report says. Multiplies in the order of the preset, then applies caps and the bounds 0 and 100."""
    components = preset.components(prediction, truth)
    weights = _weights(components, preset.weights)
    base = _base(components, preset.weights) if preset.scores_empty or _says_something(prediction) else 0.0
    context = PenaltyContext(prediction, truth, text)
    penalties = {name: _applied(name, penalty, context) for name, penalty in preset.penalties.items()}
    value = base
    for penalty in penalties.values():
        value *= penalty.multiplier
    value = max(0.0, min(value, *(penalty.cap for penalty in penalties.values()), 100.0))
    return RQI(value, preset.name, base, components, weights, penalties, prediction, truth)


def score_report(
    report: str,
    truth: Mapping[str, object] | ReportTruth,
    preset: Preset | str = "strict",
    read: Reader = extract,
) -> RQI:
    """Score a report's text against an expert's report and the annotators' signs (see :func:`.report_truth`).

    Both texts are read by ``read``.
    """
    chosen = parse_preset(preset) if isinstance(preset, str) else preset
    held_against = truth if isinstance(truth, ReportTruth) else report_truth(truth, read)
    return score_structures(read(report), held_against, chosen, report)


def with_penalties(preset: Preset, names: Sequence[str], resolver: PenaltyResolver = penalty_named) -> Preset:
    """A preset with more penalties, named in the result."""
    new = {name: resolver(name) for name in names if name not in preset.penalties}
    return replace(preset, name="+".join((preset.name, *new)), penalties={**preset.penalties, **new})


def _weights(components: Mapping[str, Component], weights: Mapping[str, float]) -> dict[str, float]:
    """The weights of the components that can be scored, raised so that they keep their ratios and their sum."""
    scored = {name: weights[name] for name, part in components.items() if part.value is not None}
    total, shared = sum(weights.values()), sum(scored.values())
    return {name: scored[name] * total / shared if name in scored else 0.0 for name in components}


def _base(components: Mapping[str, Component], weights: Mapping[str, float]) -> float:
    """The weighted sum; full points where the truth gives nothing to score and only the penalties speak."""
    if all(part.value is None for part in components.values()):
        return sum(weights.values())
    scored = {name: part.value for name, part in components.items() if part.value is not None}
    earned = sum(weights[name] * value for name, value in scored.items())
    return earned * sum(weights.values()) / sum(weights[name] for name in scored)


def _says_something(prediction: ReportStructure) -> bool:
    return bool(prediction.words or prediction.events)


def _applied(name: str, penalty: PenaltyFunction, context: PenaltyContext) -> Penalty:
    """What a penalty gives, if it is one; :class:`UsageError` naming it otherwise."""
    with blamed("rqi_penalty", name):
        made: object = penalty(context)
    if not isinstance(made, Penalty):
        raise UsageError(f"RQI penalty {name!r} gave {type(made).__name__}; a s3harness.Penalty is expected")
    if not (0.0 <= made.multiplier <= 1.0 and 0.0 <= made.cap <= 100.0):
        given = f"a multiplier of {made.multiplier!r} and a cap of {made.cap!r}"
        raise UsageError(f"RQI penalty {name!r} gave {given}; they lie in 0 to 1 and in 0 to 100")
    return made

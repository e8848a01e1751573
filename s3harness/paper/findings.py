"""Published conclusions, checked with failures counted, a fixed list of items, and floors beside the scores.

Every sentence is computed from the released predictions and annotations of the checkout. A published headline is
recomputed from a model's own pairs, as the authors joined them; the trivial answerers are scored by the same published
metric on the same pairs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from s3harness.errors import DatasetError
from s3harness.metrics.base import Metric, Pair
from s3harness.metrics.boundaries import boundary_mae
from s3harness.metrics.diagnosis import diagnosis_f1
from s3harness.metrics.features import feature_macro_f1
from s3harness.metrics.floors import answerers, expected_value
from s3harness.paper.annotations import CLIP_S, Annotations, read_annotations
from s3harness.paper.answers import training_items
from s3harness.paper.layout import Release
from s3harness.paper.metrics import released
from s3harness.paper.metrics.boundaries import paper_boundary_mae
from s3harness.paper.metrics.diagnosis import paper_diagnosis
from s3harness.paper.metrics.features import paper_features
from s3harness.paper.metrics.laterality import paper_laterality
from s3harness.paper.metrics.order import paper_lcs_ratio, paper_temporal_f1
from s3harness.paper.metrics.text import paper_rouge_l
from s3harness.paper.reproduce import published_rqi
from s3harness.paper.strict import StrictResult, corrected_together
from s3harness.scoring.above_floor import is_above_floor
from s3harness.types import Reference, Score

ENOUGH = 0.95
"""Share of the items below which a published score is one of a selection, and from which answers are constant."""

# These words are values in the command's JSON, which other programs may compare.
Kind = Literal["trivial wins", "leader", "below floor", "not told from floor", "above floor", "selection", "constant"]


@dataclass(frozen=True, slots=True)
class ReleaseFinding:
    """A sentence on one published conclusion; ``changes`` tells whether the conclusion no longer holds."""

    task: str
    kind: Kind
    changes: bool
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Headline:
    """A number that the paper reports of every model: its pairs, its metric, and a strict one that counts failures."""

    task: str
    label: str
    item: str
    pairs: Callable[[Release, str], list[Pair]]
    metric: Callable[[], Metric]
    subject: str = ""
    strict: Callable[[], Metric] | None = None
    has_floors: bool = True


@dataclass(frozen=True, slots=True)
class ModelHeadline:
    """A headline of one model: its value, on ``n`` items, and the best trivial answerer on the same items."""

    model: str
    value: float
    n: int
    trivial: str
    trivial_value: float


_QUESTIONS = {"head_turning": "head turning", "arm_movement": "arm", "onset_body_part": "onset body part"}
_VIDEO = {"video": "video alone", "video_and_report": "video and report"}

HEADLINES: tuple[Headline, ...] = (
    Headline(
        task="s3/task1_features",
        label="mean F1",
        item="feature",
        pairs=released.feature_pairs,
        metric=paper_features,
        strict=feature_macro_f1,
    ),
    # Without floors: this headline is only checked for a selection of the items.
    Headline(
        task="s3/task2_rationales",
        label="ROUGE-L",
        item="rationale",
        pairs=released.rationale_pairs,
        metric=paper_rouge_l,
        has_floors=False,
    ),
    *(
        Headline(
            task="s3/task3_laterality",
            label=f"accuracy, {name}",
            item="laterality",
            pairs=released.laterality_pairs,
            # subject=subject binds this turn's value; a closure would see the last one. mypy 2.4 cannot infer it.
            metric=lambda subject=subject: paper_laterality(statistic="accuracy", subject=subject),  # type: ignore[misc]
            subject=subject,
        )
        for subject, name in _QUESTIONS.items()
    ),
    Headline(
        task="s3/task4_temporal_boundaries",
        label="mean MAE in s",
        item="boundary",
        pairs=released.boundary_pairs,
        metric=paper_boundary_mae,
        # Over subjects, as the published mean is one over boundaries.
        strict=lambda: boundary_mae(average="subjects"),
    ),
    Headline(
        task="s3/task5_event_order",
        label="temporal F1",
        item="sequence",
        pairs=released.sequence_pairs,
        metric=paper_temporal_f1,
    ),
    Headline(
        task="s3/task5_event_order",
        label="LCS ratio",
        item="sequence",
        pairs=released.sequence_pairs,
        metric=paper_lcs_ratio,
    ),
    *(
        Headline(
            task="s3/task7_diagnosis",
            label=f"F1, {name}",
            item="diagnosis",
            pairs=released.diagnosis_pairs,
            metric=lambda subject=subject: paper_diagnosis(statistic="f1", subject=subject),  # type: ignore[misc]
            subject=subject,
            strict=lambda subject=subject: diagnosis_f1(subject=subject),  # type: ignore[misc]
        )
        for subject, name in _VIDEO.items()
    ),
)


def findings(release: Release, results: Sequence[StrictResult]) -> list[ReleaseFinding]:
    """Check the published conclusions of these models, in the order of the tasks.

    :func:`.is_above_floor` decides, corrected over all models and tasks, if a score is above its floor.
    """
    # Again over exactly these models: a caller may have corrected over others.
    results = corrected_together(results)
    scored = {name for result in results for name in result.tasks}
    annotations = read_annotations(release)
    published = {h: _model_headlines(h, release, annotations, results) for h in HEADLINES if h.task in scored}
    rows = [f for headline, models in published.items() for f in _of_headline(headline, models, results)]
    leaders = _leaders(release, published, results)
    rows += [f for task in sorted(scored) for f in _of_scores(task, leaders.get(task, ""), results)]
    rows += [finding for result in results for finding in _constants(result)]
    # Changed conclusions first within a task; the sort is stable, so the order above stays otherwise.
    return sorted(rows, key=lambda finding: (finding.task, not finding.changes))


def _model_headlines(
    headline: Headline, release: Release, annotations: Annotations, results: Sequence[StrictResult]
) -> list[ModelHeadline]:
    """Return the headline of each model that has one."""
    out = []
    for result in results:
        training = training_items(annotations, release.part, headline.task, headline.item, result.modalities)
        try:
            pairs = [p for p in headline.pairs(release, result.model) if headline.subject in ("", p.reference.subject)]
        except DatasetError:
            # The strict result of the model names the file already.
            continue
        metric = headline.metric()
        rows = metric.statistics(pairs)
        # A pair that the published metric leaves out has a row of zeros.
        n = int((rows != 0).any(axis=1).sum()) if pairs else 0
        if n:
            value, trivial = float(metric.value(rows.sum(axis=0))), _trivial(headline, pairs, training)
            out.append(ModelHeadline(result.model, value, n, *trivial))
    return out


def _trivial(headline: Headline, pairs: Sequence[Pair], training: Sequence[Reference] | None) -> tuple[str, float]:
    """Return the best trivial answerer on the items of these pairs, fitted on the training folds if there are any."""
    if not headline.has_floors:
        return "", math.nan
    # The answerer that gives the middle of the clip needs the clip.
    window = (0.0, CLIP_S) if headline.item == "boundary" else None
    references = [replace(p.reference, window=window) for p in pairs if p.reference.truth not in _NO_TRUTH]
    offered = answerers(headline.item, references, training)
    values = {offered.title(n): expected_value(headline.metric(), offered, n, references) for n in offered.floors}
    better = max if headline.metric().higher_is_better else min
    # NaN compares false with everything, and would win or lose by its place.
    best = better((name for name in values if math.isfinite(values[name])), key=lambda name: values[name], default="")
    return best, values.get(best, math.nan)


# Truths of the release that no answer can match, so that no item is made of them.
_NO_TRUTH = ("Sample", "untested")


def _of_headline(
    headline: Headline, published: Sequence[ModelHeadline], results: Sequence[StrictResult]
) -> list[ReleaseFinding]:
    """Compare the best published model with the trivial answerer, and name the scores that are of a selection."""
    if not published:
        return []
    higher = headline.metric().higher_is_better
    best = (max if higher else min)(published, key=lambda one: one.value)
    out = []
    if headline.has_floors and math.isfinite(best.trivial_value):
        # A tie is enough: a model that equals a trivial answer has shown nothing.
        wins = (best.trivial_value >= best.value) if higher else (best.trivial_value <= best.value)
        verb = "no better than" if wins else "better than"
        text = (
            f"published {headline.label}: the best model, {best.model} ({best.value:.2f}), is {verb} the trivial "
            f"answer {best.trivial} ({best.trivial_value:.2f}) on the same {best.n} items"
        )
        out.append(ReleaseFinding(headline.task, "trivial wins", wins, text))
    return [*out, *_selections(headline, published, results)]


def _selections(
    headline: Headline, published: Sequence[ModelHeadline], results: Sequence[StrictResult]
) -> Iterator[ReleaseFinding]:
    """Yield the models whose published headline leaves out items, with the strict score on all of them."""
    by_model = {result.model: result for result in results}
    for one in published:
        task = by_model[one.model].tasks.get(headline.task)
        pairs = (
            [
                Pair(reference, prediction)
                for reference, prediction in zip(task.references, task.predictions, strict=True)
                if headline.subject in ("", reference.subject) and reference.truth not in _NO_TRUTH
            ]
            if task
            else []
        )
        if not pairs or one.n >= ENOUGH * len(pairs):
            continue
        text = f"{one.model}: published {headline.label} {one.value:.2f} is of {one.n} of {len(pairs)} items"
        if headline.strict:
            metric = headline.strict()
            value = float(metric.value(metric.statistics(pairs).sum(axis=0)))
            text += f"; {value:.2f} on all of them, failures counted as wrong"
        yield ReleaseFinding(headline.task, "selection", True, text)


def _leaders(
    release: Release, published: Mapping[Headline, Sequence[ModelHeadline]], results: Sequence[StrictResult]
) -> dict[str, str]:
    """Return task → the model with the best value of the paper's first headline of it."""
    leaders: dict[str, str] = {}
    for headline, models in published.items():
        if models and headline.task not in leaders:
            better = max if headline.metric().higher_is_better else min
            leaders[headline.task] = better(models, key=lambda one: one.value).model
    # The Seizure-RQI is published as a table, and not recomputed from pairs as the headlines are.
    rqi = {r.model: value for r in results if (value := published_rqi(release, r.model)) is not None}
    return {**leaders, **({"s3/task6_report": max(rqi, key=lambda name: rqi[name])} if rqi else {})}


def _of_scores(task: str, leader: str, results: Sequence[StrictResult]) -> Iterator[ReleaseFinding]:
    """Yield the findings on a task's strict primary scores: the leader, and the models below and above the floor."""
    scores = {r.model: s for r in results for s in r.scores if s.task == task and s.primary and s.value is not None}
    if not scores:
        return
    best = max(scores, key=lambda name: _gain(scores[name]))
    if leader in scores and len(scores) > 1:
        text = f"strict {scores[best].metric}: {best} leads ({_value(scores[best])})"
        text += "" if best == leader else f"; published, it was {leader} (strict {_value(scores[leader])})"
        yield ReleaseFinding(task, "leader", best != leader, text)
    below = [name for name, score in scores.items() if score.floor is not None and _gain(score) <= 0]
    above = [name for name, score in scores.items() if is_above_floor(score)]
    # Above the floor, but not significantly.
    unsure = [name for name, score in scores.items() if score.floor_test and name not in (*below, *above)]
    first = next(iter(scores.values()))
    if below:
        text = f"at or below the floor {first.floor_name}, {len(below)} of {len(scores)}: "
        yield ReleaseFinding(task, "below floor", True, text + ", ".join(f"{n} ({_against(scores[n])})" for n in below))
    if unsure:
        text = f"better than the floor {first.floor_name} but not significantly, {len(unsure)} of {len(scores)}: "
        yield ReleaseFinding(
            task, "not told from floor", True, text + ", ".join(f"{n} ({_tested(scores[n])})" for n in unsure)
        )
    if above:
        text = f"significantly above the floor {first.floor_name}, {len(above)} of {len(scores)}: "
        yield ReleaseFinding(task, "above floor", False, text + ", ".join(f"{n} ({_tested(scores[n])})" for n in above))


def _gain(score: Score) -> float:
    """Return the score minus its floor, or minus 0 where there is none; positive is better."""
    difference = (score.value or 0.0) - (score.floor or 0.0)
    return difference if score.higher_is_better else -difference


def _value(score: Score) -> str:
    return f"{score.value:.3g}"


def _against(score: Score) -> str:
    return f"{score.value:.3g} against {score.floor:.3g}"


def _tested(score: Score) -> str:
    """Format score and floor, with the p-value of their comparison, corrected over the models and tasks shown."""
    test = score.floor_test
    p_value = f", p = {test.p_adjusted:.2g}" if test and test.p_adjusted is not None else ""
    return f"{_against(score)}{p_value}"


def _constants(result: StrictResult) -> Iterator[ReleaseFinding]:
    """Yield the questions that a model answers alike on nearly all videos."""
    for name, task in result.tasks.items():
        # Of signs, "no" on every video may be right; sides and diagnoses differ between these videos.
        if task.spec.item not in ("laterality", "diagnosis"):
            continue
        answers: dict[str, Counter[str]] = {}
        for reference, prediction in zip(task.references, task.predictions, strict=True):
            if isinstance(prediction.value, str):
                answers.setdefault(reference.subject, Counter())[prediction.value] += 1
        for subject, counts in answers.items():
            word, number = counts.most_common(1)[0]
            # One answer is always constant.
            if number >= ENOUGH * counts.total() and counts.total() > 1:
                text = f"{result.model} answers {word!r} to {number} of {counts.total()}: {_named(subject)}"
                yield ReleaseFinding(name, "constant", True, text)


def _named(subject: str) -> str:
    names: Mapping[str, str] = {**_QUESTIONS, **_VIDEO}
    return names.get(subject, subject)

"""A panel of readers who took the same exam: their scores together, their agreement, and their consensus."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import s3harness
from s3harness_view.verdict_statistics import coefficients

CLOSED = frozenset({"feature", "laterality", "diagnosis"})
"""Kinds of items with a closed list of answers, on which readers agree or not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelTask:
    """One task of a panel on its ``items`` shared ones.

    ``scores`` are those of the readers by the task's primary metric, ``mean`` their mean, ``consensus`` that of the
    answers that most of them gave; a tie is no answer, and counts as wrong. Agreement, κ and AC1 are means over pairs
    of readers; ``None`` where the answers are not of a closed list, or a value is undefined.
    """

    task: str
    metric: str
    items: int
    scores: Mapping[str, float | None]
    mean: float | None
    consensus: float | None
    agreement: float | None
    kappa: float | None
    ac1: float | None


def panel(runs: Mapping[str, Mapping[str, s3harness.ScoredTask]]) -> list[PanelTask]:
    """Return the tasks that all readers have, on the items that all of them were asked.

    Raises :class:`UsageError` if the readers share no item, or the truth of one differs.
    """
    first, *others = runs.values()
    rows = [_task(name, runs) for name in first if all(name in other for other in others)]
    shared = [row for row in rows if row is not None]
    if not shared:
        raise s3harness.UsageError(f"{', '.join(runs)}: these runs share no item; readers take an exam of one --seed")
    return shared


def _task(name: str, runs: Mapping[str, Mapping[str, s3harness.ScoredTask]]) -> PanelTask | None:
    tasks = {reader: run[name] for reader, run in runs.items()}
    by_item = {
        reader: {r.item: (r, p) for r, p in zip(task.references, task.predictions, strict=True)}
        for reader, task in tasks.items()
    }
    one = next(iter(by_item.values()))
    items = [item for item in one if all(item in other for other in by_item.values())]
    if not items:
        return None
    for item in items:
        if len({repr(of_reader[item][0].truth) for of_reader in by_item.values()}) > 1:
            raise s3harness.UsageError(f"the truth of {item} differs: the readers took exams on different data")
    answers = {reader: [of_reader[item][1] for item in items] for reader, of_reader in by_item.items()}
    references = [one[item][0] for item in items]
    spec = next(iter(tasks.values())).spec
    scores = {reader: _score(spec, references, predictions) for reader, predictions in answers.items()}
    defined = [score.value for score in scores.values() if score.value is not None]
    is_closed = spec.item in CLOSED
    agreement, kappa, ac1 = _agreement(list(answers.values())) if is_closed else (None, None, None)
    consensus = [_majority(of_item) for of_item in zip(*answers.values(), strict=True)] if is_closed else []
    return PanelTask(
        task=name,
        metric=next(iter(scores.values())).metric,
        items=len(items),
        scores={reader: score.value for reader, score in scores.items()},
        mean=statistics.mean(defined) if defined else None,
        consensus=_score(spec, references, consensus).value if is_closed else None,
        agreement=agreement,
        kappa=kappa,
        ac1=ac1,
    )


def _score(
    spec: object, references: Sequence[s3harness.Reference], predictions: Sequence[s3harness.Prediction]
) -> s3harness.RunningScore:
    # A missing answer would be left out of a running score; here it is wrong.
    given = [replace(p, status="unparsable") if p.status == "missing" else p for p in predictions]
    task = s3harness.ScoredTask(spec, references, given)  # type: ignore[arg-type]
    return s3harness.running_scores({"": task})[0]


def _agreement(answers: Sequence[Sequence[s3harness.Prediction]]) -> tuple[float | None, ...]:
    pairs = [
        coefficients([(str(a.value), str(b.value)) for a, b in zip(one, two, strict=True)])
        for one, two in combinations(answers, 2)
    ]
    defined = ([value for value in column if value is not None] for column in zip(*pairs, strict=True))
    return tuple(statistics.mean(values) if values else None for values in defined)


def _majority(predictions: Sequence[s3harness.Prediction]) -> s3harness.Prediction:
    counts = Counter(repr(p.value) for p in predictions if p.value is not None).most_common()
    item = predictions[0].item
    if not counts or (len(counts) > 1 and counts[0][1] == counts[1][1]):
        return s3harness.Prediction(item, None, "unparsable", "no majority of the readers")
    return next(p for p in predictions if repr(p.value) == counts[0][0])

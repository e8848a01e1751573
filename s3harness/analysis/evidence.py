"""Evidence use of a model: its answers before and after a probe, compared without any label.

An answer is one reply to one request about one clip, before windows are aggregated, so that probes that reverse the
question can be compared, too. The expected answer follows from the probe and from the answer before it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s3harness.metrics.base import ItemMean
from s3harness.metrics.rqi import extract
from s3harness.metrics.rqi.structure import NONE
from s3harness.probes.probe import Expected, Probe, ProbeSubject, differ
from s3harness.rundir.items import Items
from s3harness.rundir.journal import FILE as JOURNAL
from s3harness.rundir.journal import read_journal
from s3harness.rundir.manifest import read_manifest
from s3harness.scoring.answers import read_answers
from s3harness.scoring.score_run import run_tasks
from s3harness.stats import interval_of_rows
from s3harness.types import Interval

UNREAD = "unread"
"""The group of answers that could not be read before, of which nothing can be expected."""

LEVEL = 0.95
"""Level of the intervals."""

Key = tuple[str, str, int]
"""Task, item, and number of the window."""


@dataclass(frozen=True, slots=True)
class ComparableAnswer:
    """One answer in a form that can be compared; ``value`` is ``None`` if it could not be read."""

    subject: ProbeSubject
    cluster: int
    value: object


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceUse:
    """Changes of the answers of one task for which the probe has one expectation.

    ``direction`` is that of :class:`~s3harness.probes.probe.Expected`, or ``unread``. ``answers`` is the number of
    answers read before and after, ``changed`` the share of them that differ; ``lost`` were read at most once.
    ``as_expected`` is the share that meets the expectation; an answer lost after the probe does not.
    """

    probe: str
    task: str
    direction: str
    answers: int
    items: int
    patients: int
    lost: int
    changed: float | None
    changed_interval: Interval | None
    as_expected: float | None
    expected_interval: Interval | None


def evidence(
    name: str, probe: Probe, before: Mapping[Key, ComparableAnswer], after: Mapping[Key, ComparableAnswer]
) -> list[EvidenceUse]:
    """Compute the evidence use that one probe shows, from the answers without it and with it."""
    # A probe may leave tasks out, whose answers before it are then not lost.
    tasks = {task for task, _, _ in after}
    groups: dict[tuple[str, str], list[_ProbedAnswer]] = {}
    for key, answer in before.items():
        if key[0] in tasks:
            one = _probed_answer(probe, key, answer, after.get(key))
            groups.setdefault((key[0], one.expected.direction if one.expected else UNREAD), []).append(one)
    return [_evidence_use(name, task, direction, group) for (task, direction), group in sorted(groups.items())]


def read_comparable(directory: Path) -> dict[Key, ComparableAnswer]:
    """Read the answers of a run, by task, item and window; :class:`UsageError` if there is no run."""
    tasks = run_tasks(read_manifest(directory), "strict")
    clusters = {reference.item: reference.cluster for reference in Items(directory)}
    # The last entry of a request counts: a resumed run asks failed requests again.
    last = {entry.id: entry for entry in read_journal(directory / JOURNAL) if entry.task in tasks and not entry.parent}
    answers = read_answers(last.values(), tasks)
    by_key = {}
    for entry in last.values():
        kind, answer = tasks[entry.task].item, answers[entry.id]
        value = comparable(kind, answer.value) if answer.is_read else None
        # These three name the same request in the runs with and without the probe.
        key = (entry.task, entry.item, entry.clip.index)
        by_key[key] = ComparableAnswer(ProbeSubject(kind, entry.subject), clusters.get(entry.item, -1), value)
    return by_key


def comparable(item: str, value: object) -> object:
    """Return an answer as it is compared: a word, seconds, a tuple of signs, or (signs, sides) of a report."""
    if item == "boundary" and isinstance(value, int | float):
        return float(value)
    if item == "sequence" and isinstance(value, list | tuple):
        return tuple(map(str, value))
    if item == "report":
        # Another wording of the same findings is no change.
        structure = extract(str(value))
        sides = sorted((name, side) for name, side in structure.laterality.items() if side != NONE)
        return tuple(structure.events), tuple(sides)
    # The reason beside an answer is worded differently each time.
    if isinstance(value, Mapping) and "answer" in value:
        value = value["answer"]
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def share_interval(hits: Sequence[bool], clusters: Sequence[int]) -> Interval | None:
    """Return the interval of a share, resampling patients; ``None`` where there are too few patients for one.

    Where all patients agree it is Wilson's interval, with the patients as its trials (:func:`.patient_interval`).
    """
    # The metric serves for its formula, the mean of rows (value, 1); no pair is scored by it.
    rows = np.array([(float(hit), 1.0) for hit in hits]).reshape(-1, 2)
    return interval_of_rows(ItemMean(lambda _: None), rows, list(clusters), level=LEVEL).interval


@dataclass(frozen=True, slots=True)
class _ProbedAnswer:
    """One answer before and after the probe; ``expected`` is ``None`` where it could not be read before."""

    item: str
    before: ComparableAnswer
    after: object
    expected: Expected | None

    @property
    def is_read(self) -> bool:
        return self.before.value is not None and self.after is not None


def _probed_answer(probe: Probe, key: Key, before: ComparableAnswer, after: ComparableAnswer | None) -> _ProbedAnswer:
    expected = None if before.value is None else probe.expect(before.subject, before.value)
    return _ProbedAnswer(key[1], before, after.value if after else None, expected)


def _evidence_use(probe: str, task: str, direction: str, group: Sequence[_ProbedAnswer]) -> EvidenceUse:
    read = [one for one in group if one.is_read]
    # "open" expects nothing in particular, so nothing can be counted as expected.
    expecting = [one for one in group if one.expected] if direction not in ("open", UNREAD) else []
    changed, changed_interval = _share(read, lambda one: differ(one.before.value, one.after))
    met, met_interval = _share(
        expecting, lambda one: bool(one.is_read and one.expected and one.expected.holds(one.after))
    )
    return EvidenceUse(
        probe=probe,
        task=task,
        direction=direction,
        answers=len(read),
        items=len({one.item for one in group}),
        patients=len({one.before.cluster for one in group}),
        lost=len(group) - len(read),
        changed=changed,
        changed_interval=changed_interval,
        as_expected=met,
        expected_interval=met_interval,
    )


def _share(
    group: Sequence[_ProbedAnswer], is_hit: Callable[[_ProbedAnswer], bool]
) -> tuple[float | None, Interval | None]:
    if not group:
        return None, None
    hits = [is_hit(one) for one in group]
    return sum(hits) / len(hits), share_interval(hits, [one.before.cluster for one in group])

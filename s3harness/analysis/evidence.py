"""What evidence a model uses: its answers before and after a probe, compared without any label.

An answer is one reply to one question about one clip, before windows are put together: so questions asked the other
way round can be compared too. What an answer should become follows from what was done and from the answer before.
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

Key = tuple[str, str, int]
"""Task, item, and number of the window."""


@dataclass(frozen=True, slots=True)
class Said:
    """One answer in a form that can be compared; ``value`` is ``None`` if it could not be read."""

    asked: ProbeSubject
    cluster: int
    value: object


@dataclass(frozen=True, slots=True)
class Evidence:
    """What became of the answers of one task of which the probe expects one thing.

    ``direction`` is that of :class:`~s3harness.probes.probe.Expected`, or ``unread``. ``answers`` were read before and
    after, and ``changed`` is the share of them that differ; ``lost`` were read at most once. ``as_expected`` is the
    share that became what they should, those lost after the probe counting against it.
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


def evidence(name: str, probe: Probe, before: Mapping[Key, Said], after: Mapping[Key, Said]) -> list[Evidence]:
    """The evidence of one probe, from the answers of the run without it and of the run with it."""
    asked = {task for task, _, _ in after}
    groups: dict[tuple[str, str], list[_Compared]] = {}
    for key, said in before.items():
        if key[0] in asked:
            one = _compared(probe, key, said, after.get(key))
            groups.setdefault((key[0], one.expected.direction if one.expected else UNREAD), []).append(one)
    return [_evidence(name, task, direction, group) for (task, direction), group in sorted(groups.items())]


def read_said(directory: Path) -> dict[Key, Said]:
    """The answers of a run, by task, item and window; :class:`UsageError` if there is no run."""
    tasks = run_tasks(read_manifest(directory), "strict")
    clusters = {reference.item: reference.cluster for reference in Items(directory)}
    last = {entry.id: entry for entry in read_journal(directory / JOURNAL) if entry.task in tasks}
    answers = read_answers(last.values(), tasks)
    found = {}
    for entry in last.values():
        kind, answer = tasks[entry.task].item, answers[entry.id]
        value = said(kind, answer.value) if answer.is_read else None
        key = (entry.task, entry.item, entry.clip.index)
        found[key] = Said(ProbeSubject(kind, entry.subject), clusters.get(entry.item, -1), value)
    return found


def said(item: str, value: object) -> object:
    """An answer as it is compared: a word, seconds, a tuple of signs, or (signs, sides) of a report."""
    if item == "boundary" and isinstance(value, int | float):
        return float(value)
    if item == "sequence" and isinstance(value, list | tuple):
        return tuple(map(str, value))
    if item == "report":
        told = extract(str(value))
        return tuple(told.events), tuple(sorted((k, side) for k, side in told.laterality.items() if side != NONE))
    if isinstance(value, Mapping) and "answer" in value:
        value = value["answer"]
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def share_interval(hits: Sequence[bool], clusters: Sequence[int]) -> Interval | None:
    """The interval of a share, between patients; ``None`` where too few of them carry one.

    Where all patients agree it is Wilson's, with the patients as its trials (:func:`.patient_interval`).
    """
    rows = np.array([(float(hit), 1.0) for hit in hits]).reshape(-1, 2)
    return interval_of_rows(ItemMean(lambda _: None), rows, list(clusters), level=LEVEL).interval


@dataclass(frozen=True, slots=True)
class _Compared:
    """One answer before and after; ``expected`` is ``None`` where it could not be read before."""

    item: str
    before: Said
    after: object
    expected: Expected | None

    @property
    def is_read(self) -> bool:
        return self.before.value is not None and self.after is not None


def _compared(probe: Probe, key: Key, before: Said, after: Said | None) -> _Compared:
    expected = None if before.value is None else probe.expect(before.asked, before.value)
    return _Compared(key[1], before, after.value if after else None, expected)


def _evidence(probe: str, task: str, direction: str, group: Sequence[_Compared]) -> Evidence:
    read = [one for one in group if one.is_read]
    due = [one for one in group if one.expected] if direction not in ("open", UNREAD) else []
    changed, changed_interval = _share(read, lambda one: differ(one.before.value, one.after))
    kept, kept_interval = _share(due, lambda one: bool(one.is_read and one.expected and one.expected.holds(one.after)))
    return Evidence(
        probe=probe,
        task=task,
        direction=direction,
        answers=len(read),
        items=len({one.item for one in group}),
        patients=len({one.before.cluster for one in group}),
        lost=len(group) - len(read),
        changed=changed,
        changed_interval=changed_interval,
        as_expected=kept,
        expected_interval=kept_interval,
    )


def _share(group: Sequence[_Compared], is_hit: Callable[[_Compared], bool]) -> tuple[float | None, Interval | None]:
    if not group:
        return None, None
    hits = [is_hit(one) for one in group]
    return sum(hits) / len(hits), share_interval(hits, [one.before.cluster for one in group])

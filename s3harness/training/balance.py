"""As many samples of each answer: a model that is shown nine "no" for a "yes" learns to say "no".

Of each answer, half are mirror images. Where most patients raise the right arm, most mirrored ones raise the left, and
a model that tells a mirrored room from a real one would answer by that.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from s3harness.errors import UsageError

if TYPE_CHECKING:
    from s3harness.training.sample import Sample

BALANCES = ("repeat", "drop", "none")
"""Repeat the samples of the rarer answers, drop those of the commoner ones, or leave all as they are.

Repeated, the questions of a task are as common as well, since metrics weigh them so: a question with eleven answers
would otherwise crowd out one with two.
"""

CLOSED = ("feature", "laterality", "diagnosis")


def balanced(
    samples: Sequence[Sample],
    kinds: Mapping[str, str],
    how: str,
    seed: int,
    leave_out_constant: bool,
    left_out: Counter[str],
) -> list[Sample]:
    """The samples with every answer to a question equally common, in an order that ``seed`` fixes.

    A question is a subject of a task; lists of signs are balanced between empty and not. ``kinds`` are the kinds of
    items by task. A closed question that has one answer alone raises :class:`UsageError`, or is left out and counted.
    """
    groups: defaultdict[tuple[str, str], defaultdict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for sample in _shuffled(samples, seed):
        groups[sample.request.task, sample.request.subject][_answer(sample, kinds)].append(sample)
    constant = {q: answers for q, answers in groups.items() if kinds[q[0]] in CLOSED and len(answers) < 2}
    if constant and not leave_out_constant:
        raise UsageError(_complaint(constant))
    for question in constant:
        left_out["a question with only one answer"] += sum(map(len, groups.pop(question).values()))
    if not groups:
        raise UsageError("every question has only one answer in the training patients; add patients, or other tasks")
    of_task: defaultdict[str, list[list[Sample]]] = defaultdict(list)
    for (task, _), answers in groups.items():
        evened = [_evened(_real_and_mirrored(group), how) for group in answers.values()]
        of_task[task].append(_evened(evened, how))
    among = "repeat" if how == "repeat" else "none"
    return _shuffled([sample for questions in of_task.values() for sample in _evened(questions, among)], seed)


def _real_and_mirrored(group: Sequence[Sample]) -> list[list[Sample]]:
    parts = ([s for s in group if s.mirrored is mirrored] for mirrored in (False, True))
    return [part for part in parts if part]


def _evened(groups: Sequence[Sequence[Sample]], how: str) -> list[Sample]:
    """As many of each group, in turn."""
    counts = [len(group) for group in groups]
    wanted = {"repeat": max(counts), "drop": min(counts)}.get(how)
    if wanted is None:
        return [sample for group in groups for sample in group]
    return [group[number % len(group)] for number in range(wanted) for group in groups]


def _answer(sample: Sample, kinds: Mapping[str, str]) -> str:
    """The class of a sample's answer; one class where answers are open."""
    kind = kinds[sample.request.task]
    truth = next(reference.truth for reference in sample.references if reference.task == sample.request.task)
    if kind == "sequence":
        return "some" if truth else "none"
    return str(truth) if kind in CLOSED else ""


def _shuffled(samples: Sequence[Sample], seed: int) -> list[Sample]:
    copies: Counter[str] = Counter()
    keyed = []
    for sample in samples:
        copies[sample.id] += 1
        keyed.append((hashlib.sha256(f"{seed}/{sample.id}/{copies[sample.id]}".encode()).digest(), sample))
    return [sample for _, sample in sorted(keyed, key=lambda pair: pair[0])]


def _complaint(constant: Mapping[tuple[str, str], Mapping[str, Sequence[Sample]]]) -> str:
    said = "; ".join(
        f"{subject} ({task}) is always {next(iter(answers))!r}" for (task, subject), answers in constant.items()
    )
    return (
        f"these questions have only one answer in the training patients, so a model can learn it without looking: "
        f"{said}. Add patients with the other answer, or leave such questions out (--leave-out-constant)"
    )

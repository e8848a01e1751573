"""Balancing a training set, so that every answer to a question is equally common.

Otherwise a model that is trained on nine "no" for each "yes" learns to answer "no". Half of the samples of each answer
are mirror images: if most patients raise the right arm, most mirrored ones raise the left, and a model that can tell a
mirrored room from a real one would answer by that alone.
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

With "repeat", the questions of a task are equally common too, as metrics weigh them: a question with eleven answers
would otherwise crowd out one with two.
"""

CLOSED = ("feature", "laterality", "diagnosis")
"""Kinds of items whose answers are one of a few classes."""


def balance_samples(
    samples: Sequence[Sample],
    kinds: Mapping[str, str],
    balance: str,
    seed: int,
    leave_out_constant: bool,
    left_out: Counter[str],
) -> list[Sample]:
    """Return the samples with every answer to a question equally common, in an order that ``seed`` determines.

    A question is a subject of a task; lists of signs are balanced between empty and not. ``kinds`` are the kinds of
    items by task, ``balance`` is one of :data:`BALANCES`. A closed question with a single answer raises
    :class:`UsageError`, or, with ``leave_out_constant``, is left out and counted in ``left_out``.
    """
    groups: defaultdict[tuple[str, str], defaultdict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    # Shuffled before, so that "drop" and the rest of "repeat" take samples at random, not those of the first videos.
    for sample in _shuffled(samples, seed):
        groups[sample.request.task, sample.request.subject][_answer(sample, kinds)].append(sample)
    constant = {q: answers for q, answers in groups.items() if kinds[q[0]] in CLOSED and len(answers) < 2}
    if constant and not leave_out_constant:
        raise UsageError(_constant_questions_message(constant))
    for question in constant:
        left_out["a question with only one answer"] += sum(map(len, groups.pop(question).values()))
    if not groups:
        raise UsageError("every question has only one answer in the training patients; add patients, or other tasks")
    of_task: defaultdict[str, list[list[Sample]]] = defaultdict(list)
    for (task, _), answers in groups.items():
        evened = [_evened(_real_and_mirrored(group), balance) for group in answers.values()]
        of_task[task].append(_evened(evened, balance))
    # Questions are never dropped to be equally common: the rarest would decide how much is left of all others.
    among = "repeat" if balance == "repeat" else "none"
    return _shuffled([sample for questions in of_task.values() for sample in _evened(questions, among)], seed)


def mix_tasks(samples: Sequence[Sample], shares: Mapping[str, float], seed: int) -> list[Sample]:
    """Return as many samples with each task in its share, in an order that ``seed`` determines.

    ``shares`` are relative weights by full name; a task that is not named is left out. Samples of a task are taken in
    their order, again from the first where they are too few, so that a balanced order stays so. Otherwise a task with a
    question for each sign would crowd out one with three questions for each video.
    """
    of_task: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        of_task[sample.request.task].append(sample)
    total = sum(shares[task] for task in of_task if task in shares)
    mixed = []
    for task, group in of_task.items():
        wanted = round(len(samples) * shares.get(task, 0.0) / total) if total else 0
        mixed += [group[number % len(group)] for number in range(wanted)]
    return _shuffled(mixed, seed)


def _real_and_mirrored(group: Sequence[Sample]) -> list[list[Sample]]:
    parts = ([s for s in group if s.mirrored is mirrored] for mirrored in (False, True))
    return [part for part in parts if part]


def _evened(groups: Sequence[Sequence[Sample]], balance: str) -> list[Sample]:
    """Return equally many samples of each group, in turn."""
    counts = [len(group) for group in groups]
    wanted = {"repeat": max(counts), "drop": min(counts)}.get(balance)
    if wanted is None:
        return [sample for group in groups for sample in group]
    return [group[number % len(group)] for number in range(wanted) for group in groups]


def _answer(sample: Sample, kinds: Mapping[str, str]) -> str:
    """Return the class of a sample's answer; all answers of an open question are one class."""
    kind = kinds[sample.request.task]
    truth = next(reference.truth for reference in sample.references if reference.task == sample.request.task)
    if kind == "sequence":
        return "some" if truth else "none"
    return str(truth) if kind in CLOSED else ""


def _shuffled(samples: Sequence[Sample], seed: int) -> list[Sample]:
    # By hash, not by a generator: the order is the same on every machine and with every version of Python, and one
    # sample more does not move all others.
    copies: Counter[str] = Counter()
    keyed = []
    for sample in samples:
        copies[sample.id] += 1
        keyed.append((hashlib.sha256(f"{seed}/{sample.id}/{copies[sample.id]}".encode()).digest(), sample))
    return [sample for _, sample in sorted(keyed, key=lambda pair: pair[0])]


def _constant_questions_message(constant: Mapping[tuple[str, str], Mapping[str, Sequence[Sample]]]) -> str:
    questions = "; ".join(
        f"{subject} ({task}) is always {next(iter(answers))!r}" for (task, subject), answers in constant.items()
    )
    return (
        f"these questions have only one answer in the training patients, so a model can learn it without looking: "
        f"{questions}. Add patients with the other answer, or leave such questions out (--leave-out-constant)"
    )

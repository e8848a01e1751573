"""Replays: submissions whose answers are copied, in whole or in part, from another submission.

Two honest models agree by chance, and where both are right. Replays are therefore found by agreement beyond chance,
Cohen's kappa (Educational and Psychological Measurement 1960), with chance agreement computed for each subject: two
models that always answer "no" about one sign and "yes" about another agree by chance alone. Kappa is computed task by
task on the parsed predictions, which rewording does not change, and on the texts without case, blanks and punctuation,
over the items that both submissions have, so that a copied part is found as well as the whole.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from s3harness.leaderboard.findings import AuditFinding
from s3harness.leaderboard.folder import MAX_FILE_BYTES, PREDICTIONS, RESPONSES, SUBMISSION, Folder
from s3harness.leaderboard.safe_json import loads

SAME_TEXTS = 0.98
"""Kappa of all texts together from which a submission counts as the other one, and is refused."""
SUSPECT = 0.7
"""Kappa in one task from which a maintainer has to review. Among 15 pairs of six released models (two of them trained
from the same weights) the greatest is .48 in predictions (diagnosis; signs .39, sides .23, times .07, orders .03) and
.01 in free texts; among this harness's own answerers on the demo's data it is .11. A replay of which a tenth was
changed at random has .9, and two models that are right in nine of ten binary items have .64."""
LEAST_CHANCES = 10.0
"""Expected number of differences of independent answers below which a task is not judged: ten equal answers to ten
binary questions happen once in a thousand pairs."""
_OF_RESPONSE = frozenset({"task", "item", "subject", "clip", "text"})
_OF_PREDICTION = frozenset({"item", "subject", "value"})
SHOWN_PAIRS = 5
SHOWN_CHARACTERS = 60

Kind = Literal["texts", "predictions"]
KINDS: tuple[Kind, ...] = ("texts", "predictions")
Key = tuple[str, str, str]
"""Task, item and window (empty for a prediction): renaming requests does not change these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedAnswers:
    """All answers of one submission: subject, and text or prediction, by task, item and window."""

    name: str
    title: str
    digest: str
    texts: Mapping[Key, tuple[str, str]] = field(repr=False)
    predictions: Mapping[Key, tuple[str, str]] = field(repr=False)
    raw: Mapping[Key, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReplayAgreement:
    """Agreement of two submissions: ``same`` of ``n`` answers are equal.

    ``chances`` is the number of differences to expect between submissions that answer independently.
    """

    n: int
    same: int
    chances: float

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa, 1 if nothing differs; ``None`` if all answers would agree by chance."""
        return None if self.chances < 1e-9 else 1 - (self.n - self.same) / self.chances


@dataclass(frozen=True, slots=True)
class Resemblance:
    """A task in which two submissions agree more than independent ones would, with answers of both side by side."""

    other: str
    task: str
    kind: Kind
    agreement: ReplayAgreement
    pairs: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        agreement = self.agreement
        beyond = f"agreement beyond chance {agreement.kappa:.2f}"
        return f"{self.task}: {agreement.same} of {agreement.n} {self.kind} are those of {self.other} ({beyond})"


def answers_of(folder: Folder, name: str) -> SubmittedAnswers:
    """Return the answers of a submission."""
    predictions = [
        line for file, lines in folder.tables.items() if file.startswith(f"{PREDICTIONS}/") for line in lines
    ]
    return _answers(name, _title(folder.about), folder.tables[RESPONSES], predictions)


def read_answers(path: Path) -> SubmittedAnswers:
    """Return the answers of the submission in a folder, without unreadable lines; symbolic links are not followed."""
    about = next(_lines(path / SUBMISSION, whole=True), {})
    responses = [line for line in _lines(path / RESPONSES) if line.keys() >= _OF_RESPONSE]
    files = sorted((path / PREDICTIONS).glob("*.jsonl"))
    predictions = [line for file in files for line in _lines(file) if line.keys() >= _OF_PREDICTION]
    return _answers(path.resolve().name, _title(about), responses, predictions)


def is_same(mine: SubmittedAnswers, other: SubmittedAnswers) -> bool:
    """Return whether two submissions have the same answers, apart from case, blanks, punctuation, order and number."""
    if mine.digest == other.digest:
        return True
    of_texts = agreement(mine.texts, other.texts)
    return of_texts.kappa is not None and of_texts.chances >= LEAST_CHANCES and of_texts.kappa >= SAME_TEXTS


def resemblances(mine: SubmittedAnswers, other: SubmittedAnswers) -> Iterator[Resemblance]:
    """Yield the tasks in which the texts, or else the predictions, agree by :data:`SUSPECT` or more."""
    tasks = sorted({key[0] for key in mine.texts} | {key[0] for key in mine.predictions})
    for task in tasks:
        for kind in KINDS:
            of_task = agreement(_of_task(getattr(mine, kind), task), getattr(other, kind))
            if of_task.kappa is not None and of_task.chances >= LEAST_CHANCES and of_task.kappa >= SUSPECT:
                yield Resemblance(other.name, task, kind, of_task, tuple(_side_by_side(mine, other, task)))
                # Equal texts have equal predictions: one finding per task is enough.
                break


def agreement(ours: Mapping[Key, tuple[str, str]], theirs: Mapping[Key, tuple[str, str]]) -> ReplayAgreement:
    """Return the agreement of two submissions over the answers that both have."""
    pairs: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    # By the subject of our own answer: an item has one subject, whatever a file states.
    for key in ours.keys() & theirs.keys():
        subject, answer = ours[key]
        pairs[key[0], subject].append((answer, theirs[key][1]))
    same = sum(a == b for group in pairs.values() for a, b in group)
    n = sum(map(len, pairs.values()))
    return ReplayAgreement(n, same, n - sum(map(_by_chance, pairs.values())))


def replay_findings(mine: SubmittedAnswers, others: Iterable[SubmittedAnswers]) -> Iterator[AuditFinding]:
    """Yield a finding for each other submission that this one repeats."""
    for other in others:
        if is_same(mine, other):
            of_texts = agreement(mine.texts, other.texts)
            share = f"{of_texts.same} of {of_texts.n} texts are those of {other.name}"
            yield AuditFinding(RESPONSES, "", "duplicate", f"{share}: this run was submitted before")


def near_replays(mine: SubmittedAnswers, others: Iterable[SubmittedAnswers]) -> list[Resemblance]:
    """Return the resemblances to other submissions that are not the same."""
    return [one for other in others if not is_same(mine, other) for one in resemblances(mine, other)]


def normalised(text: str) -> str:
    """Return the words of a text in lower case, without punctuation, separated by one blank."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def _by_chance(pairs: Sequence[tuple[str, str]]) -> float:
    """Return the expected number of equal answers about one subject if each submission's were shuffled."""
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    return sum(first[answer] * second[answer] for answer in first) / len(pairs)


def _title(about: Mapping[str, Any]) -> str:
    model = about.get("model", {})
    return str(model.get("title") or model.get("name") or "")


def _answers(name: str, title: str, responses: Sequence[Any], predictions: Sequence[Any]) -> SubmittedAnswers:
    texts, raw = {}, {}
    for line in responses:
        key = (line["task"], line["item"], str(line["clip"]["index"]))
        # Later lines win: a request that failed was sent again.
        raw[key] = line["text"]
        # Empty answers agree with each other and say nothing of where they come from.
        if line["text"].strip():
            texts[key] = (line["subject"], normalised(line["text"]))
    values = {
        (_task_of(line["item"]), line["item"], ""): (line["subject"], _value(line["value"]))
        for line in predictions
        if line["value"] is not None
    }
    return SubmittedAnswers(name=name, title=title, digest=_digest(texts), texts=texts, predictions=values, raw=raw)


def _digest(texts: Mapping[Key, tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps(sorted(texts.items())).encode()).hexdigest()


def _value(value: object) -> str:
    """Return a prediction as text to compare; times are rounded to seconds, so that adding a tenth hides no replay."""
    if isinstance(value, float):
        value = round(value)
    return normalised(value) if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _task_of(item: str) -> str:
    return "/".join(item.split("/")[:2])


def _of_task(answers: Mapping[Key, tuple[str, str]], task: str) -> dict[Key, tuple[str, str]]:
    return {key: answer for key, answer in answers.items() if key[0] == task}


def _side_by_side(mine: SubmittedAnswers, other: SubmittedAnswers, task: str) -> Iterator[tuple[str, str, str]]:
    """Yield some items of a task with both texts (or predictions, if the texts are another task's), differing first."""
    texts = [{k: v for k, v in one.raw.items() if k[0] == task} for one in (mine, other)]
    values = [{k: v for k, (_, v) in one.predictions.items() if k[0] == task} for one in (mine, other)]
    # A task that uses another's answers has no texts of its own.
    ours, theirs = texts if texts[0].keys() & texts[1].keys() else values
    both = sorted(ours.keys() & theirs.keys(), key=lambda key: (ours[key] == theirs[key], key))
    for key in both[:SHOWN_PAIRS]:
        yield key[1], ours[key][:SHOWN_CHARACTERS], theirs[key][:SHOWN_CHARACTERS]


def _lines(path: Path, *, whole: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file of JSON lines, or of one ``whole`` document."""
    # The other submissions of a folder were not all verified: their files are read as carefully as a stranger's.
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
        return
    data = path.read_bytes()
    for line in [data] if whole else data.splitlines():
        try:
            value = loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value

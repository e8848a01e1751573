"""Reasons for a maintainer's review of a submission: each is unlikely in an honest one, and none proves a fault."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from s3harness.analysis.readers import AIDED_READER, READER
from s3harness.leaderboard.expected_items import backend_class
from s3harness.leaderboard.findings import AuditFinding
from s3harness.leaderboard.folder import MANIFEST, RESPONSES, SCORES, SUBMISSION, Folder
from s3harness.leaderboard.replays import SubmittedAnswers, normalised
from s3harness.leaderboard.titles import skeleton
from s3harness.types import Prediction, Reference, Score

PERFECT_ITEMS = 20
"""Items from which a perfect score is reviewed. A model that is right nine times in ten, which is better than any known
one, has 20 of 20 right once in eight runs, and 40 of 40 once in 68."""
OWN_WORDS = 5
"""Words from which a text is characteristic of its writer: anybody would write a shorter one ("no head turning")."""
VERBATIM = 0.1
"""Share of the annotators' texts repeated word for word from which a submission is reviewed; six released models repeat
none of 8,626."""


def review_findings(
    folder: Folder,
    references: Iterable[Reference],
    predictions: Mapping[str, Prediction],
    scores: Sequence[Score],
    others: Iterable[SubmittedAnswers],
) -> Iterator[AuditFinding]:
    """Yield the reasons for a review; a yardstick, which sees the truth and says so, is reviewed for its name alone."""
    yield from _names(folder, others)
    if not folder.documents[MANIFEST]["run"]["sees_truth"]:
        yield from _perfect(scores)
        yield from _own_words(references, predictions)
        yield from _tokens(folder)


def _names(folder: Folder, others: Iterable[SubmittedAnswers]) -> Iterator[AuditFinding]:
    model = folder.about["model"]
    title = model.get("title") or model["name"]
    for other in others:
        # The same title twice is an update by the same people, or is found as a replay.
        if other.title != title and skeleton(other.title) == skeleton(title):
            yield AuditFinding(SUBMISSION, "model.title", "name", f"looks almost like the title of {other.name}")


def _perfect(scores: Iterable[Score]) -> Iterator[AuditFinding]:
    primary = [score for score in scores if score.primary and score.value is not None and score.ceiling is not None]
    perfect = [score for score in primary if _is_perfect(score)]
    # A small submission with every task perfect is as unlikely as one perfect task of many items.
    is_everything = bool(primary) and len(perfect) == len(primary)
    for score in perfect:
        if is_everything or score.n_items >= PERFECT_ITEMS:
            where = f"{score.task} {score.metric}"
            yield AuditFinding(
                SCORES,
                where,
                "perfect",
                f"perfect score on {score.n_items} {'item' if score.n_items == 1 else 'items'}",
            )


def _is_perfect(score: Score) -> bool:
    assert score.value is not None
    assert score.ceiling is not None
    return math.isclose(score.value, score.ceiling, rel_tol=1e-9, abs_tol=1e-9)


def _own_words(references: Iterable[Reference], predictions: Mapping[str, Prediction]) -> Iterator[AuditFinding]:
    repeated: dict[str, list[bool]] = {}
    for reference in references:
        words = {normalised(text) for text in _texts(reference.truth)}
        own = {text for text in words if len(text.split()) >= OWN_WORDS}
        if own and (prediction := predictions.get(reference.item)):
            answered = {normalised(text) for text in _texts(prediction.value)}
            repeated.setdefault(reference.task, []).append(bool(own & answered))
    for task, hits in repeated.items():
        # A single hit in a small task may be chance.
        if sum(hits) >= max(2, VERBATIM * len(hits)):
            message = f"{task}: {sum(hits)} of {len(hits)} answers repeat the annotators' text word for word"
            yield AuditFinding(RESPONSES, "", "verbatim", message)


def _texts(value: object) -> Iterator[str]:
    """Yield all texts within a truth or a prediction."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)


def _tokens(folder: Folder) -> Iterator[AuditFinding]:
    """Yield a finding for answers of a served model that lack the token counts which every engine reports."""
    backend = backend_class(folder.documents[MANIFEST]["run"]["backend"])
    # A backend that is itself the model, such as a baseline, has no tokens to count.
    if backend is not None and backend.is_model:
        return
    # People have none either, and take no rank that a model which claimed to be one could take.
    if folder.documents[MANIFEST]["run"]["model"].get("family") in (READER, AIDED_READER):
        return
    responses: list[dict[str, Any]] = folder.tables[RESPONSES]
    answered = [line for line in responses if line["status"] == "ok" and line["text"] and "conversation" not in line]
    missing = sum(not line.get("completion_tokens") for line in answered)
    if missing:
        yield AuditFinding(
            RESPONSES, "", "tokens", f"{missing} of {len(answered)} answers of a served model have no token counts"
        )

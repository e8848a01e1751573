"""Verifying of a submission: its raw answers are scored again, and every difference is a finding."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from s3harness.dataset.load import load_dataset
from s3harness.dataset.sources import own_words
from s3harness.errors import S3HarnessError, UsageError
from s3harness.leaderboard.expected_items import planned_references, unscored
from s3harness.leaderboard.findings import AuditFinding, RefusedError
from s3harness.leaderboard.flags import review_findings
from s3harness.leaderboard.folder import (
    ITEMS,
    MANIFEST,
    PREDICTIONS,
    RESPONSES,
    SCHEMA,
    SCORES,
    Folder,
    read_folder,
)
from s3harness.leaderboard.integrity import answer_findings, integrity_findings, point_findings
from s3harness.leaderboard.leaks import find_leaks, search_of
from s3harness.leaderboard.replays import SubmittedAnswers, answers_of, near_replays, replay_findings
from s3harness.leaderboard.unpack import unpacked
from s3harness.leaderboard.verdicts import Verdict
from s3harness.rundir.identities import describe_mixture
from s3harness.rundir.items import reference_of
from s3harness.rundir.manifest import describe_strategy
from s3harness.scoring.above_floor import corrected
from s3harness.scoring.score_run import as_json, read_run
from s3harness.scoring.score_task import RESAMPLES, score_task
from s3harness.types import Prediction, Reference, Score

TOLERANCE = 1e-9
"""Relative and absolute difference up to which two numbers are equal: processors round differently."""
SHOWN_ITEMS = 3
ADDED_IN_V2 = frozenset({"interval_note", "floor_test", "informed", "informed_name"})
"""Fields of a score that submissions of version 1 lack."""


@dataclass(frozen=True, slots=True)
class _Rescored:
    """Result of scoring the raw answers again."""

    findings: tuple[AuditFinding, ...] = ()
    predictions: Mapping[str, Prediction] | None = None
    scores: Sequence[Score] = ()


def verify(path: Path, data: Path | None = None, among: Sequence[SubmittedAnswers] = (), reviewed: str = "") -> Verdict:
    """Check files, leaks, hashes, replays and items of a submission, then score its raw answers and compare.

    ``data`` is a data set directory with annotations; its items and truth count, not the submission's. Without it the
    submission must include the truth, and its tier is only "claimed". ``among`` are the answers of the submissions that
    it may have copied. ``reviewed`` is a maintainer's reason to accept the points of a review; findings reject a
    submission all the same.
    """
    try:
        folder = read_folder(path)
    except RefusedError as error:
        return Verdict(tier="claimed", findings=error.findings, checked=("files",))
    # Named by its folder, as findings about other submissions name it.
    answers = answers_of(folder, path.resolve().name)
    findings = [*_leaks(folder, data), *integrity_findings(folder), *replay_findings(answers, among)]
    references, of_items = _references(folder, data)
    findings += [*of_items, *answer_findings(folder, references)]
    # Scoring takes minutes, and a submission with a finding is refused in any case.
    rescored = _Rescored() if findings else _rescored(folder, references)
    findings += [*rescored.findings, *point_findings(folder)]
    return Verdict(
        tier="claimed" if findings or data is None else "re-scored",
        findings=tuple(findings),
        reviews=tuple(review_findings(folder, references, rescored.predictions or {}, rescored.scores, among)),
        resemblances=tuple(near_replays(answers, among)),
        reviewed=reviewed,
        checked=("files", "leaks", "hashes", "replays", "items", "answers", *(() if findings else ("scores",))),
        n_responses=len(folder.tables[RESPONSES]),
        n_items=len(folder.tables[ITEMS]),
        n_scores=len(folder.documents[SCORES]["scores"]),
        notes=tuple(
            filter(None, (describe_strategy(folder.documents[MANIFEST]), describe_mixture(folder.documents[MANIFEST])))
        ),
    )


def _leaks(folder: Folder, data: Path | None) -> list[AuditFinding]:
    words = own_words(data, load_dataset(data).videos) if data else None
    return find_leaks(folder, search_of(folder, words))


def _references(folder: Folder, data: Path | None) -> tuple[list[Reference], list[AuditFinding]]:
    """Return the references to score by, and the findings about the item list."""
    # By item: a duplicate is a finding of integrity_findings.
    stated = {line["item"]: line for line in folder.tables[ITEMS]}
    if data is None:
        if not folder.has_truth:
            why = "the truth is withheld; give the data set with the annotations: --data DIR"
            return [], [AuditFinding(ITEMS, "", "truth", why)]
        return [reference_of(line) for line in stated.values()], []
    planned, problem = _planned(folder, data)
    if problem:
        return [], [problem]
    only_used = unscored(folder.documents[MANIFEST], {line["task"] for line in stated.values()})
    wanted = {item: reference for item, reference in planned.items() if reference.task not in only_used}
    return list(wanted.values()), list(_item_findings(stated, wanted))


def _planned(folder: Folder, data: Path) -> tuple[dict[str, Reference], AuditFinding | None]:
    try:
        fingerprint = load_dataset(data).fingerprint
        # Compared first: items of another data set would all be reported one by one.
        if folder.about["dataset"]["fingerprint"] != fingerprint:
            what = "is of another data set, or another version of it, than the one given"
            return {}, AuditFinding(MANIFEST, "dataset", "items", what)
        return planned_references(folder.documents[MANIFEST], data), None
    except UsageError as error:
        return {}, AuditFinding(MANIFEST, "run", "items", f"cannot be planned again: {error}")


def _item_findings(stated: Mapping[str, Any], wanted: Mapping[str, Reference]) -> Iterator[AuditFinding]:
    for what, items in (
        ("missing", wanted.keys() - stated.keys()),
        ("not of this split", stated.keys() - wanted.keys()),
    ):
        if items:
            some, more = ", ".join(sorted(items)[:SHOWN_ITEMS]), ", …" if len(items) > SHOWN_ITEMS else ""
            tasks = sorted({"/".join(item.split("/")[:2]) for item in items})
            are = "item is" if len(items) == 1 else "items are"
            message = f"{len(items)} {are} {what} ({some}{more}), of {', '.join(tasks)}"
            yield AuditFinding(ITEMS, "", "items", message)
    wrong: dict[str, int] = {}
    for item, line in stated.items():
        if item in wanted:
            # Through JSON, in which tuples become lists as in the file.
            right = json.loads(json.dumps(asdict(wanted[item])))
            for key in (key for key in line if line[key] != right[key]):
                wrong[key] = wrong.get(key, 0) + 1
    for key, number in wrong.items():
        # No item is named: from which truths are wrong, the right ones of a withheld data set would be known.
        items_differ = "1 item differs" if number == 1 else f"{number} items differ"
        yield AuditFinding(ITEMS, key, "items", f"{items_differ} from the data set's")


def _rescored(folder: Folder, references: Sequence[Reference]) -> _Rescored:
    """Score the raw answers and compare predictions and scores."""
    stated = folder.documents[SCORES]
    # Scored by the code that scores runs, so that both can never differ.
    with unpacked(folder, references) as run:
        try:
            tasks = read_run(run, stated["profile"], stated["rqi"])
            scores = corrected(s for t in tasks.values() for s in score_task(t.spec, t.references, t.predictions))
        except S3HarnessError as error:
            return _Rescored((AuditFinding(SCORES, "", "scores", f"cannot be scored again: {error}"),))
    predicted = {p.item: p for task in tasks.values() for p in task.predictions}
    again = as_json(scores, folder.documents[MANIFEST], stated["profile"], stated["rqi"], RESAMPLES)
    # A submission of version 2 without these fields has lost them after packing.
    ignored = frozenset() if folder.about["schema"] == SCHEMA else ADDED_IN_V2
    findings = (*_prediction_findings(folder, predicted), *_score_findings(stated, again, ignored))
    return _Rescored(findings, predicted, scores)


def _prediction_findings(folder: Folder, predicted: Mapping[str, Any]) -> Iterator[AuditFinding]:
    stated: dict[str, tuple[str, int, Any]] = {}
    for name, lines in folder.tables.items():
        if name.startswith(f"{PREDICTIONS}/"):
            stated |= {line["item"]: (name, number, line) for number, line in enumerate(lines, start=1)}
    for item in sorted(predicted.keys() - stated.keys())[:SHOWN_ITEMS]:
        yield AuditFinding(PREDICTIONS, "", "predictions", f"{item} is missing")
    for item, (name, number, line) in stated.items():
        right = json.loads(json.dumps(asdict(predicted[item]))) if item in predicted else {}
        # A parser's note explains a prediction and enters no score.
        if any(line[key] != right.get(key) for key in ("value", "status", "probability")):
            yield AuditFinding(name, str(number), "predictions", "differs from the raw answers")


def _score_findings(
    stated: Mapping[str, Any], again: Mapping[str, Any], ignored: frozenset[str]
) -> Iterator[AuditFinding]:
    """Yield the differences from the scores computed again; ``ignored`` are fields that may be missing."""
    theirs = {(score["task"], score["metric"]): score for score in stated["scores"]}
    ours = {(score["task"], score["metric"]): score for score in again["scores"]}
    for task, metric in sorted(theirs.keys() ^ ours.keys()):
        what = "is missing" if (task, metric) in ours else "is not a score of this profile"
        yield AuditFinding(SCORES, f"{task} {metric}", "scores", what)
    for key in sorted(theirs.keys() & ours.keys()):
        # Fields that this version does not know cannot be computed again.
        compared = [name for name in ours[key] if name in theirs[key] or name not in ignored]
        wrong = [name for name in compared if not _equal(theirs[key].get(name), ours[key][name])]
        if wrong:
            values = "; ".join(f"{n} {_short(theirs[key].get(n))}, re-scored {_short(ours[key][n])}" for n in wrong)
            yield AuditFinding(SCORES, " ".join(key), "scores", values)


def _equal(stated: Any, computed: Any) -> bool:
    if isinstance(stated, Mapping) and isinstance(computed, Mapping):
        return stated.keys() == computed.keys() and all(_equal(stated[key], computed[key]) for key in computed)
    if isinstance(stated, int | float) and isinstance(computed, int | float):
        return math.isclose(stated, computed, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(stated == computed)


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)[:60]

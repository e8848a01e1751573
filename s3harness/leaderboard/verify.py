"""Verifying: every score of a submission earned again from its raw answers, or the submission refused."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import s3harness
from s3harness.dataset.load import load_dataset
from s3harness.dataset.sources import own_words
from s3harness.errors import S3HarnessError, UsageError
from s3harness.leaderboard.findings import Finding, RefusedError
from s3harness.leaderboard.folder import (
    ITEMS,
    MANIFEST,
    PREDICTIONS,
    RESPONSES,
    SCORES,
    SUBMISSION,
    Folder,
    answers_sha256,
    read_folder,
)
from s3harness.leaderboard.leaks import find_leaks, search_of
from s3harness.leaderboard.replan import card_of, own_spec, planned_references
from s3harness.leaderboard.unpack import unpacked
from s3harness.run.manifest import digest
from s3harness.rundir.identities import told_mixture
from s3harness.scoring.floor_test import corrected
from s3harness.scoring.items import reference_of
from s3harness.scoring.run import as_json, read_run, told_changes
from s3harness.scoring.score import RESAMPLES, score_task
from s3harness.specs.tasks import PROFILES, resolve
from s3harness.types import Reference

Tier = Literal["published", "claimed", "re-scored", "reproduced"]
"""Published: copied from a paper, not run again. Claimed: scored by the submitter, whose annotations nobody else has
seen. Re-scored: the same scores came out of the raw answers and the maintainer's own annotations. Reproduced: the
answers, too, came out again, in a run by somebody else."""

TOLERANCE = 1e-9
ALIKE = 0.98
SHOWN_ITEMS = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of verifying: the tier, what it rests on, and what speaks against it (nothing, if it is accepted).

    ``notes`` are what a reader of its scores has to know: that several models answered, say.
    """

    tier: Tier
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    n_responses: int = 0
    n_items: int = 0
    n_scores: int = 0
    notes: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.findings


def verify(path: Path, data: Path | None = None, among: Sequence[Path] = ()) -> Verdict:
    """Check files, leaks, hashes, duplicates and items of a submission, then score its raw answers and compare.

    ``data`` is a data set directory with the annotations, whose items and truth then count, whatever the submission
    says; without it the submission must hold the truth itself, and is no more than claimed. ``among`` are the
    submissions that it may repeat.
    """
    try:
        folder = read_folder(path)
    except RefusedError as error:
        return Verdict("claimed", error.findings, ("files",))
    findings = [*_leaks(folder, data), *hash_findings(folder), *_manifest(folder), *_duplicates(path, folder, among)]
    references, of_items = _references(folder, data)
    findings += of_items
    findings += _answers(folder, references)
    if not findings:
        findings += _scores(folder, references)
    return Verdict(
        "claimed" if findings or data is None else "re-scored",
        tuple(findings),
        ("files", "leaks", "hashes", "duplicates", "items", "answers", *(() if findings else ("scores",))),
        len(folder.tables[RESPONSES]),
        len(folder.tables[ITEMS]),
        len(folder.documents[SCORES]["scores"]),
        tuple(filter(None, (told_mixture(folder.documents[MANIFEST]),))),
    )


def _leaks(folder: Folder, data: Path | None) -> list[Finding]:
    words = own_words(data, load_dataset(data).videos) if data else None
    return find_leaks(folder, search_of(folder, words))


def hash_findings(folder: Folder) -> Iterator[Finding]:
    """Files that are not what was packed."""
    found, told = folder.hashes(), folder.about["files"]
    for name in sorted(found.keys() | told.keys()):
        if found.get(name) != told.get(name):
            what = "is not in the folder" if name not in found else "is not what was packed: its SHA-256 differs"
            yield Finding(name, "", "hash", what)
    if answers_sha256(folder.tables[RESPONSES]) != folder.about["answers_sha256"]:
        yield Finding(RESPONSES, "", "hash", "the answers are not those that were packed")


def _manifest(folder: Folder) -> Iterator[Finding]:
    """The manifest against everything else that tells the same."""
    manifest, scores, about = (folder.documents[name] for name in (MANIFEST, SCORES, SUBMISSION))
    run = manifest["run"]
    told = {"model": run["model"].get("name"), "dataset": run["dataset"].get("fingerprint")}
    claimed = {"model": about["model"]["name"], "dataset": about["dataset"]["fingerprint"]}
    yield from _differences(SUBMISSION, "manifest", claimed, told)
    shared = ("backend", "protocol", "sees_truth")
    ours = {"model": told["model"]} | {key: run[key] for key in shared}
    yield from _differences(SCORES, "manifest", {"model": scores["model"]} | {k: scores[k] for k in shared}, ours)
    yield from _differences(MANIFEST, "manifest", _counted(manifest), _facts(folder.tables[RESPONSES]))
    yield from _identities(manifest, folder.tables[RESPONSES])
    if changes := told_changes(run):
        yield Finding(
            MANIFEST, "", "manifest", f"is no entry of a leaderboard, which has videos as they are: {changes}"
        )
    yield from spec_findings(manifest)
    yield from _scorer(scores)


def _differences(file: str, kind: str, told: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Finding]:
    for key in told:
        if told[key] != found[key]:
            yield Finding(file, key, kind, f"says {str(told[key])[:80]}, but it is {str(found[key])[:80]}")


def _identities(manifest: Mapping[str, Any], responses: list[Any]) -> Iterator[Finding]:
    """Whose answers they are by the manifest, against what each answer says."""
    if entries := manifest.get("identities"):
        told = {number: entry.get("answers", 0) for number, entry in enumerate(entries)}
        last = {line["id"]: line.get("by", 0) for line in responses if line["status"] != "failed"}
        found = {**dict.fromkeys(told, 0), **Counter(last.values())}
        if found != told:
            what = f"says {list(told.values())} answers of its identities, but they are {list(found.values())}"
            yield Finding(MANIFEST, "identities", "manifest", what)


def _counted(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: manifest[key] for key in ("requests", "failed", "media_sha256", "tokens")}


def _facts(responses: list[Any]) -> dict[str, Any]:
    """What the journal itself tells of what the manifest states."""
    last = {line["id"]: line["status"] for line in responses}
    return {
        "requests": len(last),
        "failed": sum(status == "failed" for status in last.values()),
        "media_sha256": digest(line["media"] for line in responses if line["media"]),
        "tokens": {
            kind: sum(line.get(f"{kind}_tokens") or 0 for line in responses) for kind in ("prompt", "completion")
        },
    }


def spec_findings(manifest: Mapping[str, Any]) -> Iterator[Finding]:
    """The tasks must be the benchmark's own, as they are installed here: no spec of a stranger is ever used."""
    run, card = manifest["run"], card_of(manifest)
    for name, told in run["tasks"].items():
        own = own_spec(name)
        if own is None:
            yield Finding(MANIFEST, name, "spec", "is no task of this benchmark")
        elif json.loads(json.dumps(own)) != told["spec"]:
            yield Finding(MANIFEST, name, "spec", "was asked by another spec than this version's; run it again")
        elif resolve(own, protocol=run["protocol"], profile="", model=card).hash != told["sha256"]:
            yield Finding(MANIFEST, name, "spec", "its hash is not that of the spec, protocol and model named")


def _scorer(scores: Mapping[str, Any]) -> Iterator[Finding]:
    version = scores["plugins"].get("s3harness")
    if version != s3harness.__version__:
        remedy = "score the run with this version and pack it again"
        yield Finding(SCORES, "plugins", "scorer", f"scored by {version}, this is {s3harness.__version__}; {remedy}")
    if scores["profile"] not in PROFILES:
        yield Finding(SCORES, "profile", "scorer", f"{scores['profile']} is no profile")
    if scores["interval"].get("resamples") != RESAMPLES:
        yield Finding(SCORES, "interval", "scorer", f"intervals of a submission rest on {RESAMPLES} resamples")


def _duplicates(path: Path, folder: Folder, among: Sequence[Path]) -> Iterator[Finding]:
    mine = _texts(folder.tables[RESPONSES])
    for other in among:
        if other.resolve() == path.resolve():
            continue
        try:
            theirs = _texts(read_folder(other).tables[RESPONSES])
        except S3HarnessError:
            continue
        same = sum(theirs.get(key) == text for key, text in mine.items())
        if mine and same >= ALIKE * max(len(mine), len(theirs)):
            share = f"{same} of {len(mine)} answers are those of {other.name}"
            yield Finding(RESPONSES, "", "duplicate", f"{share}: the same run, submitted before")


def _texts(responses: list[Any]) -> dict[str, str]:
    return {line["id"]: line["text"] for line in responses}


def _references(folder: Folder, data: Path | None) -> tuple[list[Reference], list[Finding]]:
    """The references to score by, and what is wrong with the item list."""
    told = {line["item"]: line for line in folder.tables[ITEMS]}
    findings = []
    if len(told) < len(folder.tables[ITEMS]):
        findings.append(Finding(ITEMS, "", "items", "an item is listed twice"))
    if data is None:
        if not folder.has_truth:
            why = "the truth is withheld, so nothing can be scored again without the annotations: --data DIR"
            findings.append(Finding(ITEMS, "", "truth", why))
            return [], findings
        return [reference_of(line) for line in told.values()], findings
    planned, problem = _planned(folder, data)
    if problem:
        return [], [*findings, problem]
    tasks = {line["task"] for line in told.values()}
    wanted = {item: reference for item, reference in planned.items() if reference.task in tasks}
    findings += _item_findings(told, wanted)
    return list(wanted.values()), findings


def _planned(folder: Folder, data: Path) -> tuple[dict[str, Reference], Finding | None]:
    try:
        fingerprint = load_dataset(data).fingerprint
        if folder.about["dataset"]["fingerprint"] != fingerprint:
            what = "was made on another data set, or another version of it, than the one given"
            return {}, Finding(MANIFEST, "dataset", "items", what)
        return planned_references(folder.documents[MANIFEST], data), None
    except UsageError as error:
        return {}, Finding(MANIFEST, "run", "items", f"cannot be planned again: {error}")


def _item_findings(told: Mapping[str, Any], wanted: Mapping[str, Reference]) -> Iterator[Finding]:
    for what, items in (("missing", wanted.keys() - told.keys()), ("not of this split", told.keys() - wanted.keys())):
        if items:
            some = ", ".join(sorted(items)[:SHOWN_ITEMS])
            yield Finding(ITEMS, "", "items", f"{len(items)} items are {what} ({some} …)")
    for item, line in told.items():
        if item in wanted:
            right = json.loads(json.dumps(asdict(wanted[item])))
            wrong = [key for key in line if line[key] != right[key]]
            if wrong:
                yield Finding(ITEMS, item, "items", f"{', '.join(wrong)} differ from the data set's")


def _answers(folder: Folder, references: Sequence[Reference]) -> Iterator[Finding]:
    """Answers to what was asked, and to nothing else."""
    asked = {request for line in folder.tables[ITEMS] for request in line["requests"]}
    asked |= {request for reference in references for request in reference.requests}
    tasks = {line["task"] for line in folder.tables[ITEMS]}
    foreign = sum(line["task"] in tasks and line["id"] not in asked for line in folder.tables[RESPONSES])
    if foreign:
        yield Finding(RESPONSES, "", "answers", f"{foreign} answers are to requests that no item of the run makes")


def _scores(folder: Folder, references: Sequence[Reference]) -> list[Finding]:
    """Score the raw answers and compare predictions and scores."""
    told = folder.documents[SCORES]
    with unpacked(folder, references) as run:
        try:
            tasks = read_run(run, told["profile"], told["rqi"])
            scores = corrected(s for t in tasks.values() for s in score_task(t.spec, t.references, t.predictions))
        except S3HarnessError as error:
            return [Finding(SCORES, "", "scores", f"cannot be scored again: {error}")]
    predicted = {p.item: p for task in tasks.values() for p in task.predictions}
    again = as_json(scores, folder.documents[MANIFEST], told["profile"], told["rqi"], RESAMPLES)
    return [*_prediction_findings(folder, predicted), *_score_findings(told, again)]


def _prediction_findings(folder: Folder, predicted: Mapping[str, Any]) -> Iterator[Finding]:
    told: dict[str, tuple[str, int, Any]] = {}
    for name, lines in folder.tables.items():
        if name.startswith(f"{PREDICTIONS}/"):
            told |= {line["item"]: (name, number, line) for number, line in enumerate(lines, start=1)}
    for item in sorted(predicted.keys() - told.keys())[:SHOWN_ITEMS]:
        yield Finding(PREDICTIONS, "", "predictions", f"{item} is missing")
    for item, (name, number, line) in told.items():
        right = json.loads(json.dumps(asdict(predicted[item]))) if item in predicted else {}
        if any(line[key] != right.get(key) for key in ("value", "status", "probability")):
            yield Finding(name, str(number), "predictions", "is not what the raw answers say")


def _score_findings(told: Mapping[str, Any], again: Mapping[str, Any]) -> Iterator[Finding]:
    theirs = {(score["task"], score["metric"]): score for score in told["scores"]}
    ours = {(score["task"], score["metric"]): score for score in again["scores"]}
    for task, metric in sorted(theirs.keys() ^ ours.keys()):
        what = "is missing" if (task, metric) in ours else "is no score of this profile"
        yield Finding(SCORES, f"{task} {metric}", "scores", what)
    for key in sorted(theirs.keys() & ours.keys()):
        wrong = [name for name in ours[key] if not _equal(theirs[key].get(name), ours[key][name])]
        if wrong:
            values = "; ".join(f"{n} {_short(theirs[key].get(n))}, re-scored {_short(ours[key][n])}" for n in wrong)
            yield Finding(SCORES, " ".join(key), "scores", values)


def _equal(told: Any, found: Any) -> bool:
    if isinstance(told, Mapping) and isinstance(found, Mapping):
        return told.keys() == found.keys() and all(_equal(told[key], found[key]) for key in found)
    if isinstance(told, int | float) and isinstance(found, int | float):
        return math.isclose(told, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(told == found)


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)[:60]

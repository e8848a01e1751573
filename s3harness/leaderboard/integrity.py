"""Consistency of a submission with itself: hashes, manifest, answers, and one answer per request."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from s3harness.errors import S3HarnessError
from s3harness.files import digest
from s3harness.leaderboard.expected_items import backend_class, card_of, own_spec
from s3harness.leaderboard.findings import AuditFinding
from s3harness.leaderboard.folder import (
    ITEMS,
    MANIFEST,
    RESPONSES,
    SCORES,
    SUBMISSION,
    Folder,
    answers_sha256,
)
from s3harness.leaderboard.item_sets import item_sets
from s3harness.leaderboard.pack import model_description
from s3harness.leaderboard.titles import skeleton
from s3harness.scoring.score_run import describe_changes
from s3harness.scoring.score_task import RESAMPLES
from s3harness.specs.generation import with_generation
from s3harness.specs.models import ModelCard, load_model, model_names
from s3harness.specs.tasks import PROFILES, resolve
from s3harness.types import Reference
from s3harness.version import __version__


def integrity_findings(folder: Folder) -> Iterator[AuditFinding]:
    """Yield the contradictions within a submission, which need no annotations to be seen."""
    yield from hash_findings(folder)
    yield from _manifest(folder)
    yield from _model(folder)
    yield from _answered_twice(folder.tables[RESPONSES])
    yield from _items(folder)


def hash_findings(folder: Folder) -> Iterator[AuditFinding]:
    """Yield the files that differ from those packed."""
    present, packed = folder.hashes(), folder.about["files"]
    for name in sorted(present.keys() | packed.keys()):
        if present.get(name) != packed.get(name):
            what = "is not in the folder" if name not in present else "was changed after packing: its SHA-256 differs"
            yield AuditFinding(name, "", "hash", what)
    # Version 2 of a folder could list the hash of a changed file as well; the answers have a digest of their own.
    # Checked even if all hashes agree: a pushed folder takes its name from this digest.
    if answers_sha256(folder.tables[RESPONSES]) != folder.about["answers_sha256"]:
        yield AuditFinding(RESPONSES, "", "hash", "the answers were changed after packing")


def answer_findings(folder: Folder, references: Sequence[Reference]) -> Iterator[AuditFinding]:
    """Yield a finding for answers to requests that no item has."""
    requests = {request for line in folder.tables[ITEMS] for request in line["requests"]}
    requests |= {request for reference in references for request in reference.requests}
    tasks = {line["task"] for line in folder.tables[ITEMS]}
    # A turn of a conversation is to the request that the conversation answers.
    planned = ((line["task"], line.get("parent", line["id"])) for line in folder.tables[RESPONSES])
    foreign = sum(task in tasks and request not in requests for task, request in planned)
    if foreign:
        yield AuditFinding(
            RESPONSES,
            "",
            "answers",
            f"{foreign} {'answer is' if foreign == 1 else 'answers are'} to requests that no item has",
        )


def point_findings(folder: Folder) -> Iterator[AuditFinding]:
    """Yield scores that lie outside their own intervals."""
    for score in folder.documents[SCORES]["scores"]:
        interval, value = score["interval"], score["value"]
        ends = (interval["low"], interval["high"]) if interval else (None, None)
        if value is None or None in ends:
            continue
        # Rounding errors do not put a value outside its interval.
        slack = 1e-9 * max(1.0, abs(value))
        if not ends[0] - slack <= value <= ends[1] + slack:
            where = f"{score['task']} {score['metric']}"
            yield AuditFinding(
                SCORES, where, "scores", f"{value:.6g} lies outside its interval {ends[0]:.6g}–{ends[1]:.6g}"
            )


def _manifest(folder: Folder) -> Iterator[AuditFinding]:
    """Yield where the manifest differs from other files that state the same facts."""
    manifest, scores, about = (folder.documents[name] for name in (MANIFEST, SCORES, SUBMISSION))
    run = manifest["run"]
    stated = {"model": run["model"].get("name"), "dataset": run["dataset"].get("fingerprint")}
    claimed = {"model": about["model"]["name"], "dataset": about["dataset"]["fingerprint"]}
    yield from _differences(SUBMISSION, "manifest", claimed, stated)
    shared = ("backend", "protocol", "sees_truth")
    ours = {"model": stated["model"]} | {key: run[key] for key in shared}
    yield from _differences(SCORES, "manifest", {"model": scores["model"]} | {k: scores[k] for k in shared}, ours)
    yield from _differences(MANIFEST, "manifest", _counted(manifest), _facts(folder.tables[RESPONSES]))
    yield from _identities(manifest, folder.tables[RESPONSES])
    if changes := describe_changes(run):
        yield AuditFinding(MANIFEST, "", "manifest", f"a leaderboard entry must show videos unchanged: {changes}")
    if run.get("vocabulary"):
        yield AuditFinding(MANIFEST, "vocabulary", "spec", "an entry must be about the benchmark's own signs")
    yield from spec_findings(manifest)
    yield from _scorer(scores)


def _differences(file: str, kind: str, stated: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[AuditFinding]:
    for key in stated:
        if stated[key] != actual[key]:
            yield AuditFinding(
                file, key, kind, f"states {str(stated[key])[:80]}; the other files have {str(actual[key])[:80]}"
            )


def _identities(manifest: Mapping[str, Any], responses: list[Any]) -> Iterator[AuditFinding]:
    """Yield a finding if the manifest's answer counts by model identity differ from those of the answers."""
    if entries := manifest.get("identities"):
        stated = {number: entry.get("answers", 0) for number, entry in enumerate(entries)}
        replies = (line for line in responses if line["status"] != "failed" and "conversation" not in line)
        last = {line["id"]: line.get("by", 0) for line in replies}
        counted = {**dict.fromkeys(stated, 0), **Counter(last.values())}
        if counted != stated:
            what = (
                f"states {list(stated.values())} answers by model identity; the answers have {list(counted.values())}"
            )
            yield AuditFinding(MANIFEST, "identities", "manifest", what)


def _counted(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: manifest[key] for key in ("requests", "failed", "media_sha256", "tokens")}


def _facts(responses: list[Any]) -> dict[str, Any]:
    """Return the manifest's counts, computed from the journal."""
    last = {line["id"]: line["status"] for line in responses if "parent" not in line}
    return {
        "requests": len(last),
        "failed": sum(status == "failed" for status in last.values()),
        "media_sha256": digest(line["media"] for line in responses if line["media"]),
        "tokens": {
            kind: sum(line.get(f"{kind}_tokens") or 0 for line in responses) for kind in ("prompt", "completion")
        },
    }


def spec_findings(manifest: Mapping[str, Any]) -> Iterator[AuditFinding]:
    """Yield the tasks whose spec is not the benchmark's own as installed here: a submitted spec is never used."""
    run, card = manifest["run"], card_of(manifest)
    for name, task in run["tasks"].items():
        own = own_spec(name)
        if own is None:
            yield AuditFinding(MANIFEST, name, "spec", "is not a task of this benchmark")
        # Specs hold tuples, which are lists once they were written as JSON.
        elif json.loads(json.dumps(own)) != task["spec"]:
            yield AuditFinding(MANIFEST, name, "spec", "was run with another version of the spec; run it again")
        elif _resolved_hash(name, own, run["protocol"], card) != task["sha256"]:
            yield AuditFinding(MANIFEST, name, "spec", "its hash does not match the spec, protocol and model stated")


def _resolved_hash(name: str, own: Mapping[str, Any], protocol: str, card: ModelCard) -> str:
    spec = resolve(own, protocol=protocol, profile="", model=card)
    # Without settings of the user: these are only the tokens that a thinking model gets for its reasoning.
    return with_generation({name: spec}, {}, card)[name].hash


def _scorer(scores: Mapping[str, Any]) -> Iterator[AuditFinding]:
    version = scores["plugins"].get("s3harness")
    if version != __version__:
        remedy = "score the run with this version and pack it again"
        yield AuditFinding(
            SCORES, "plugins", "scorer", f"scored by version {version}, but this is {__version__}; {remedy}"
        )
    if scores["profile"] not in PROFILES:
        yield AuditFinding(
            SCORES, "profile", "scorer", f"{scores['profile']} is not a profile; known are {', '.join(PROFILES)}"
        )
    if scores["interval"].get("resamples") != RESAMPLES:
        yield AuditFinding(SCORES, "interval", "scorer", f"intervals of a submission need {RESAMPLES} resamples")


def _model(folder: Folder) -> Iterator[AuditFinding]:
    """Yield where the description of the model differs from the manifest's, or a known model's from its card."""
    run, stated = folder.documents[MANIFEST]["run"], folder.about["model"]
    expected = model_description(run["model"], stated.get("open_weights"))
    if stated["name"] not in model_names():
        # The card of a model that is not known here is the submitter's: what only a card says is theirs to say.
        expected |= {key: stated.get(key) for key in ("title", "parameters_b", "licence")}
    wrong = [key for key in expected if key != "open_weights" and stated.get(key) != expected[key]]
    if wrong:
        what = "the manifest and the model's card" if stated["name"] in model_names() else "the manifest"
        yield AuditFinding(
            SUBMISSION, "model", "manifest", f"{', '.join(wrong)}: differs from {what}; pack the run again"
        )
    for shown in {stated["name"], stated.get("title") or stated["name"]}:
        # "Iingshu-32B" with a capital I would stand on the board as Lingshu.
        lookalike = _known_shapes().get(skeleton(shown))
        if lookalike and stated["name"] != lookalike:
            yield AuditFinding(SUBMISSION, "model", "name", f"{shown!r} looks almost like the known model {lookalike}")
    backend = backend_class(run["backend"])
    if backend is not None and backend.sees_truth != run["sees_truth"]:
        yield AuditFinding(MANIFEST, "sees_truth", "manifest", f"contradicts the {run['backend']} backend")
    if backend is not None and backend.is_model and run["model"].get("name") != run["backend"]:
        why = f"the {run['backend']} backend is itself a model and cannot answer for another one"
        yield AuditFinding(MANIFEST, "model", "manifest", why)


@lru_cache
def _known_shapes() -> dict[str, str]:
    """Return skeleton of a name or title → the name of the known model."""
    shapes: dict[str, str] = {}
    for name in model_names():
        try:
            # A plugin's card that cannot be read must not stop the check of a submission.
            card = load_model(name)
        except S3HarnessError:
            continue
        shapes |= {skeleton(shown): name for shown in (card.name, card.title or card.name)}
    return shapes


def _answered_twice(responses: Sequence[Mapping[str, Any]]) -> Iterator[AuditFinding]:
    """Yield requests answered more than once, and failures with an answer; only a failed request may be repeated."""
    by_id: dict[str, bool] = {}
    by_question: dict[tuple[str, int], str] = {}
    twice = answered_failures = 0
    for line in responses:
        # Turns are asked of one item many times, and none of them is scored.
        if "parent" in line:
            continue
        # The same question under two ids would let a submitter choose the better of two answers.
        other = by_question.setdefault((line["item"], line["clip"]["index"]), line["id"])
        twice += by_id.get(line["id"], False) or other != line["id"]
        by_id[line["id"]] = line["status"] != "failed"
        answered_failures += line["status"] == "failed" and bool(line["text"])
    if twice:
        answers = "request was" if twice == 1 else "requests were"
        yield AuditFinding(
            RESPONSES, "", "twice", f"{twice} {answers} answered more than once; the first answer counts"
        )
    if answered_failures:
        yield AuditFinding(
            RESPONSES,
            "",
            "twice",
            f"{answered_failures} failed {'request has' if answered_failures == 1 else 'requests have'} an answer",
        )


def _items(folder: Folder) -> Iterator[AuditFinding]:
    """Yield items that are listed twice, or are of a task that the manifest does not name."""
    lines, run = folder.tables[ITEMS], folder.documents[MANIFEST]["run"]
    if len({line["item"] for line in lines}) < len(lines):
        yield AuditFinding(ITEMS, "", "items", "an item is listed twice")
    tasks = {line["task"] for line in lines}
    for name in sorted(tasks - run["tasks"].keys()):
        yield AuditFinding(ITEMS, name, "items", "items of this task are listed, but the manifest does not name it")
    stated = folder.about.get("items_sha256")
    if stated is not None and stated != item_sets(lines):
        yield AuditFinding(SUBMISSION, "items_sha256", "hash", "does not match the items in the folder")

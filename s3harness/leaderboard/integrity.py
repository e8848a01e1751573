"""A submission against itself: its hashes, its manifest, its answers, and whether each request was answered once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from s3harness.errors import S3HarnessError
from s3harness.files import digest
from s3harness.leaderboard.findings import Finding
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
from s3harness.leaderboard.replan import backend_class, card_of, own_spec
from s3harness.leaderboard.titles import skeleton
from s3harness.scoring.score_run import told_changes
from s3harness.scoring.score_task import RESAMPLES
from s3harness.specs.models import load_model, model_names
from s3harness.specs.tasks import PROFILES, resolve
from s3harness.types import Reference
from s3harness.version import __version__


def integrity_findings(folder: Folder) -> Iterator[Finding]:
    """Yield what does not fit together in a submission, without any annotation."""
    yield from hash_findings(folder)
    yield from _manifest(folder)
    yield from _model(folder)
    yield from _answered_twice(folder.tables[RESPONSES])
    yield from _items(folder)


def hash_findings(folder: Folder) -> Iterator[Finding]:
    """Yield the files that are not what was packed."""
    present, packed = folder.hashes(), folder.about["files"]
    for name in sorted(present.keys() | packed.keys()):
        if present.get(name) != packed.get(name):
            what = "is not in the folder" if name not in present else "is not what was packed: its SHA-256 differs"
            yield Finding(name, "", "hash", what)
    if answers_sha256(folder.tables[RESPONSES]) != folder.about["answers_sha256"]:
        yield Finding(RESPONSES, "", "hash", "the answers are not those that were packed")


def answer_findings(folder: Folder, references: Sequence[Reference]) -> Iterator[Finding]:
    """Yield answers to requests that nobody made."""
    asked = {request for line in folder.tables[ITEMS] for request in line["requests"]}
    asked |= {request for reference in references for request in reference.requests}
    tasks = {line["task"] for line in folder.tables[ITEMS]}
    foreign = sum(line["task"] in tasks and line["id"] not in asked for line in folder.tables[RESPONSES])
    if foreign:
        yield Finding(RESPONSES, "", "answers", f"{foreign} answers are to requests that no item of the run makes")


def point_findings(folder: Folder) -> Iterator[Finding]:
    """Yield scores that lie outside their own intervals."""
    for score in folder.documents[SCORES]["scores"]:
        interval, value = score["interval"], score["value"]
        ends = (interval["low"], interval["high"]) if interval else (None, None)
        if value is None or None in ends:
            continue
        slack = 1e-9 * max(1.0, abs(value))
        if not ends[0] - slack <= value <= ends[1] + slack:
            where = f"{score['task']} {score['metric']}"
            yield Finding(SCORES, where, "scores", f"{value:.6g} lies outside its interval {ends[0]:.6g}–{ends[1]:.6g}")


def _manifest(folder: Folder) -> Iterator[Finding]:
    """Compare the manifest with everything else that states the same."""
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
    if changes := told_changes(run):
        yield Finding(
            MANIFEST, "", "manifest", f"is no entry of a leaderboard, which has videos as they are: {changes}"
        )
    yield from spec_findings(manifest)
    yield from _scorer(scores)


def _differences(file: str, kind: str, stated: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[Finding]:
    for key in stated:
        if stated[key] != actual[key]:
            yield Finding(file, key, kind, f"says {str(stated[key])[:80]}, but it is {str(actual[key])[:80]}")


def _identities(manifest: Mapping[str, Any], responses: list[Any]) -> Iterator[Finding]:
    """Compare whose answers they are by the manifest with what each answer says."""
    if entries := manifest.get("identities"):
        stated = {number: entry.get("answers", 0) for number, entry in enumerate(entries)}
        last = {line["id"]: line.get("by", 0) for line in responses if line["status"] != "failed"}
        counted = {**dict.fromkeys(stated, 0), **Counter(last.values())}
        if counted != stated:
            what = f"says {list(stated.values())} answers of its identities, but they are {list(counted.values())}"
            yield Finding(MANIFEST, "identities", "manifest", what)


def _counted(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: manifest[key] for key in ("requests", "failed", "media_sha256", "tokens")}


def _facts(responses: list[Any]) -> dict[str, Any]:
    """Return what the journal itself says of what the manifest states."""
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
    for name, task in run["tasks"].items():
        own = own_spec(name)
        if own is None:
            yield Finding(MANIFEST, name, "spec", "is no task of this benchmark")
        elif json.loads(json.dumps(own)) != task["spec"]:
            yield Finding(MANIFEST, name, "spec", "was asked by another spec than this version's; run it again")
        elif resolve(own, protocol=run["protocol"], profile="", model=card).hash != task["sha256"]:
            yield Finding(MANIFEST, name, "spec", "its hash is not that of the spec, protocol and model named")


def _scorer(scores: Mapping[str, Any]) -> Iterator[Finding]:
    version = scores["plugins"].get("s3harness")
    if version != __version__:
        remedy = "score the run with this version and pack it again"
        yield Finding(SCORES, "plugins", "scorer", f"scored by {version}, this is {__version__}; {remedy}")
    if scores["profile"] not in PROFILES:
        yield Finding(SCORES, "profile", "scorer", f"{scores['profile']} is no profile")
    if scores["interval"].get("resamples") != RESAMPLES:
        yield Finding(SCORES, "interval", "scorer", f"intervals of a submission rest on {RESAMPLES} resamples")


def _model(folder: Folder) -> Iterator[Finding]:
    """The description of the model must be the manifest's, and of a known model its card's."""
    run, stated = folder.documents[MANIFEST]["run"], folder.about["model"]
    expected = model_description(run["model"], stated.get("open_weights"))
    if stated["name"] not in model_names():
        # The card of a model that is not known here is the submitter's: what only a card says is theirs to say.
        expected |= {key: stated.get(key) for key in ("title", "parameters_b", "licence")}
    wrong = [key for key in expected if key != "open_weights" and stated.get(key) != expected[key]]
    if wrong:
        what = "the manifest and the model's card" if stated["name"] in model_names() else "the manifest"
        yield Finding(SUBMISSION, "model", "manifest", f"{', '.join(wrong)}: not what {what} say; pack the run again")
    for shown in {stated["name"], stated.get("title") or stated["name"]}:
        known = _known_shapes().get(skeleton(shown))
        if known and stated["name"] != known:
            yield Finding(SUBMISSION, "model", "name", f"{shown!r} is easily mistaken for the known model {known}")
    backend = backend_class(run["backend"])
    if backend is not None and backend.sees_truth != run["sees_truth"]:
        yield Finding(MANIFEST, "sees_truth", "manifest", f"is not what the {run['backend']} backend is known for")
    if backend is not None and backend.is_model and run["model"].get("name") != run["backend"]:
        why = f"the {run['backend']} backend is a model itself and answers for no other"
        yield Finding(MANIFEST, "model", "manifest", why)


@lru_cache
def _known_shapes() -> dict[str, str]:
    """Skeleton of name and title → the name of the known model."""
    shapes: dict[str, str] = {}
    for name in model_names():
        try:
            card = load_model(name)
        except S3HarnessError:
            continue
        shapes |= {skeleton(shown): name for shown in (card.name, card.title or card.name)}
    return shapes


def _answered_twice(responses: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """A request is answered once; only one that failed may be asked again, and a failure holds no answer."""
    by_id: dict[str, bool] = {}
    by_question: dict[tuple[str, int], str] = {}
    twice = answered_failures = 0
    for line in responses:
        other = by_question.setdefault((line["item"], line["clip"]["index"]), line["id"])
        twice += by_id.get(line["id"], False) or other != line["id"]
        by_id[line["id"]] = line["status"] != "failed"
        answered_failures += line["status"] == "failed" and bool(line["text"])
    if twice:
        answers = "request was" if twice == 1 else "requests were"
        yield Finding(RESPONSES, "", "twice", f"{twice} {answers} answered more than once; the first answer counts")
    if answered_failures:
        yield Finding(RESPONSES, "", "twice", f"{answered_failures} failed requests have an answer")


def _items(folder: Folder) -> Iterator[Finding]:
    """No item is listed twice, or is of a task that the manifest does not name."""
    lines, run = folder.tables[ITEMS], folder.documents[MANIFEST]["run"]
    if len({line["item"] for line in lines}) < len(lines):
        yield Finding(ITEMS, "", "items", "an item is listed twice")
    tasks = {line["task"] for line in lines}
    for name in sorted(tasks - run["tasks"].keys()):
        yield Finding(ITEMS, name, "items", "there are items of this task, which the manifest does not name")
    stated = folder.about.get("items_sha256")
    if stated is not None and stated != item_sets(lines):
        yield Finding(SUBMISSION, "items_sha256", "hash", "is not that of the items in the folder")

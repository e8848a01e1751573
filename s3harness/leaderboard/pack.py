"""Packing of a finished run into the folder of a submission, without private content."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from s3harness.dataset.load import load_dataset
from s3harness.dataset.sources import own_words
from s3harness.errors import S3HarnessError, UsageError
from s3harness.files import parse_json, write_json, write_text
from s3harness.guard.identifiers.own_words import OwnWords
from s3harness.guard.identifiers.search import Search
from s3harness.guard.private_words import PrivateWords
from s3harness.guard.review import code_of, confirm, read_reviewed
from s3harness.leaderboard.findings import RefusedError
from s3harness.leaderboard.folder import (
    ITEMS,
    MANIFEST,
    PREDICTIONS,
    RESPONSES,
    SCHEMA,
    SCORES,
    SUBMISSION,
    Folder,
    answers_sha256,
    read_folder,
)
from s3harness.leaderboard.item_sets import item_sets
from s3harness.leaderboard.leaks import REVIEW, find_leaks, likely_fingerprints
from s3harness.leaderboard.titles import one_line
from s3harness.rundir.manifest import read_manifest
from s3harness.scoring.score_run import describe_changes
from s3harness.specs.models import load_model, model_names

OPEN_LICENCES = ("CC0", "CC-BY", "PDDL", "ODC", "ODbL", "MIT", "Apache", "BSD")
"""Licences whose annotations may be passed on, so that anyone can score the submission again."""

_OF_RESPONSE = (
    *("id", "task", "item", "subject", "clip", "media", "status", "text", "error", "prompt_tokens"),
    *("completion_tokens", "choice_probabilities", "attempts", "latency_s", "by"),
    *("parent", "turn", "conversation"),
)
_OF_MANIFEST = (
    *("schema", "run", "status", "requests", "failed", "seconds", "media_sha256", "tokens", "environment"),
    *("identities", "sent", "eyes"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Statements of the submitter; every text in ``allowed`` was reviewed and is harmless.

    ``reviewed`` is the code of the list of likely identifiers that the submitter has reviewed. ``open_weights`` says
    whether the weights are public; ``None`` takes it from the model's card.
    """

    submitter: str = ""
    notes: str = ""
    allowed: Sequence[str] = ()
    with_truth: bool | None = None
    open_weights: bool | None = None
    reviewed: str = ""


def pack(run: Path, out: Path, about: About, data: Path | None = None) -> Folder:
    """Pack a run into ``out``, which must not exist yet, and return the packed submission.

    ``data`` is the run's data set directory, whose private words are searched for; without it their fingerprints in the
    run directory are used. The annotated truth is included if the data set has an open licence, or if
    ``about.with_truth`` says so.

    Raises :class:`RefusedError` with every leak, and then leaves no file behind; :class:`UsageError` if ``run`` is not
    finished and scored.
    """
    if out.exists():
        raise UsageError(f"{out} exists already; choose another --out")
    manifest = _finished(run)
    search = Search(words_of_run(run, data), about.allowed, read_reviewed(run))
    # A data set without a licence is not open.
    licence = str(manifest["run"]["dataset"].get("licence") or "")
    with_truth = licence.startswith(OPEN_LICENCES) if about.with_truth is None else about.with_truth
    out.parent.mkdir(parents=True, exist_ok=True)
    # Packed beside its destination and moved there whole: a refused or interrupted packing leaves nothing behind.
    with tempfile.TemporaryDirectory(prefix=".packing-", dir=out.parent) as temporary:
        folder = _write(run, Path(temporary) / "submission", manifest, about, with_truth, data is not None)
        _check_leaks(run, folder, search, about.reviewed)
        # After the check, and with the search as whoever receives the submission will run it.
        folder = _with_reviewed(folder, Path(temporary) / "submission", replace(search, reviewed=()))
        shutil.move(Path(temporary) / "submission", out)
    return folder


def _finished(run: Path) -> dict[str, Any]:
    manifest = read_manifest(run)
    if manifest.get("status") != "complete":
        raise UsageError(f"{run}: the run is not complete; continue it with s3harness run --resume")
    if changes := describe_changes(manifest["run"]):
        raise UsageError(f"{run} cannot be a leaderboard entry, which must show videos unchanged: {changes}")
    if not (run / SCORES).exists():
        raise UsageError(f"{run}: the run has no {SCORES}; create it with s3harness score {run}")
    return manifest


def words_of_run(run: Path, data: Path | None) -> OwnWords:
    """Return the private words of a run's data set: from the data set itself, or their fingerprints in the run.

    Raises :class:`UsageError` if there is neither.
    """
    if data is not None:
        return own_words(data, load_dataset(data).videos)
    hashed = PrivateWords.read(run)
    if hashed is None:
        raise UsageError(f"{run} holds no fingerprints of its data set's private words; name the data set with --data")
    return hashed


def _check_leaks(run: Path, folder: Folder, search: Search, code: str) -> None:
    """Raise :class:`RefusedError` for identifiers; with its ``code``, a list of likely ones is recorded as reviewed."""
    leaks = find_leaks(folder, search)
    likely = likely_fingerprints(folder, search)
    if code and likely:
        confirm(run, likely, code)
        leaks = [leak for leak in leaks if leak.kind != REVIEW]
    if not leaks:
        return
    remedy = ""
    if likely and not code:
        remedy = f"\nReview these places; if all of them are harmless, confirm them once: --reviewed {code_of(likely)}"
    raise RefusedError(f"{run} cannot be packed", leaks, remedy)


def _with_reviewed(folder: Folder, path: Path, search: Search) -> Folder:
    """Return the submission with the digests of the reviewed texts, so that its receiver need not review them again."""
    reviewed = sorted(likely_fingerprints(folder, search))
    if not reviewed:
        return folder
    about = dict(folder.about)
    write_json(path / SUBMISSION, about | {"leak_check": {**about["leak_check"], "reviewed": reviewed}})
    return read_folder(path)


def _write(run: Path, out: Path, manifest: Mapping[str, Any], about: About, with_truth: bool, has_data: bool) -> Folder:
    out.mkdir()
    # Listed keys only: a field that a later version adds to the journal is not shared unnoticed.
    responses = [{k: line[k] for k in _OF_RESPONSE if k in line} for line in _lines(run / RESPONSES)]
    _write_lines(out / RESPONSES, responses)
    _write_lines(out / ITEMS, (_with(line, with_truth) for line in _lines(run / ITEMS)))
    for path in sorted((run / PREDICTIONS).glob("*.jsonl")):
        _write_lines(out / PREDICTIONS / path.name, (_with(line, with_truth=False) for line in _lines(path)))
    packed = {key: manifest[key] for key in _OF_MANIFEST if key in manifest}
    # "since" is a clock time of the submitter's, which no check needs.
    identities = [{k: v for k, v in entry.items() if k != "since"} for entry in manifest.get("identities", ())]
    write_json(out / MANIFEST, packed | ({"identities": identities} if identities else {}))
    scores = parse_json((run / SCORES).read_text(encoding="utf-8"))
    write_json(out / SCORES, scores)
    submission = {
        "schema": SCHEMA,
        "model": model_description(manifest["run"]["model"], about.open_weights),
        "submitter": one_line(about.submitter),
        "notes": one_line(about.notes),
        "scorer": scores["plugins"],
        "dataset": dict(manifest["run"]["dataset"]),
        "truth": "included" if with_truth else "withheld",
        "leak_check": {"words": "dataset" if has_data else "fingerprints", "allowed": list(about.allowed)},
        "answers_sha256": answers_sha256(responses),
        "items_sha256": item_sets(_lines(out / ITEMS)),
        "files": {},
    }
    write_json(out / SUBMISSION, submission)
    # Twice, since the hashes are those of the files as read_folder finds them.
    write_json(out / SUBMISSION, submission | {"files": read_folder(out).hashes()})
    return read_folder(out)


def model_description(ran: Mapping[str, Any], open_weights: bool | None) -> dict[str, Any]:
    """Return the description of the model that ran, from its card as far as the card applies to its weights.

    A card states whether its own weights are open; for any others the submitter has to.
    """
    card = load_model(ran["name"]) if ran["name"] in model_names() else None
    is_card = card is not None and ran["weights"] == card.weights
    title = card.title if card else ran["name"]
    return {
        "name": ran["name"],
        "title": title if is_card or not card else f"{title}, other weights",
        "weights": ran["weights"],
        "revision": ran["revision"],
        "family": ran["family"],
        "parameters_b": card.parameters_b if card else None,
        "modalities": list(ran["modalities"]),
        "licence": (card.licence or None) if card and is_card else None,
        "open_weights": ran["weights"] is not None if is_card and open_weights is None else open_weights,
    }


def _with(line: Mapping[str, Any], with_truth: bool) -> dict[str, Any]:
    """Return a line, without the annotators' content unless ``with_truth``."""
    return {key: value for key, value in line.items() if with_truth or key not in ("truth", "report")}


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from map(parse_json, file)
    except (OSError, ValueError) as error:
        raise S3HarnessError(f"{path} cannot be read: {error}") from error


def _write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    write_text(path, "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines))

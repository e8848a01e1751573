"""Packing: a finished run into the folder of a submission, and nothing private with it."""

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
from s3harness.guard.own_words import OwnWords
from s3harness.guard.private_words import PrivateWords
from s3harness.guard.review import code_of, confirm, read_reviewed
from s3harness.guard.search import Search
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
from s3harness.scoring.score_run import told_changes
from s3harness.specs.models import load_model, model_names

OPEN_LICENCES = ("CC0", "CC-BY", "PDDL", "ODC", "ODbL", "MIT", "Apache", "BSD")
"""Annotations of data sets under these may be passed on, so that anyone can score the submission again."""

_OF_RESPONSE = (
    *("id", "task", "item", "subject", "clip", "media", "status", "text", "error", "prompt_tokens"),
    *("completion_tokens", "choice_probabilities", "attempts", "latency_s", "by"),
)
_OF_MANIFEST = (
    *("schema", "run", "status", "requests", "failed", "seconds", "media_sha256", "tokens", "environment"),
    *("identities", "sent"),
)


@dataclass(frozen=True, slots=True)
class About:
    """What the submitter says of a submission; every piece of text in ``allowed`` was looked at and is harmless.

    ``reviewed`` is the code of the list of likely identifiers that was looked at. ``open_weights`` says whether anybody
    can have the weights; ``None`` leaves it to the model's card.
    """

    submitter: str = ""
    notes: str = ""
    allowed: Sequence[str] = ()
    with_truth: bool | None = None
    open_weights: bool | None = None
    reviewed: str = ""


def pack(run: Path, out: Path, about: About, data: Path | None = None) -> Folder:
    """Pack a run into ``out``, which must not exist yet, and return what was packed.

    ``data`` is the run's data set directory, whose private words are looked for letter by letter; without it their
    fingerprints in the run directory serve. The annotated truth goes along where the data set's licence is an open
    one, or where ``about.with_truth`` says so.

    Raises :class:`RefusedError` with every leak, and then leaves nothing behind; :class:`UsageError` if ``run`` is no
    finished and scored run.
    """
    if out.exists():
        raise UsageError(f"{out} exists; give another --out")
    manifest = _finished(run)
    search = Search(words_of_run(run, data), about.allowed, read_reviewed(run))
    licence = str(manifest["run"]["dataset"].get("licence") or "")
    with_truth = licence.startswith(OPEN_LICENCES) if about.with_truth is None else about.with_truth
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".packing-", dir=out.parent) as temporary:
        folder = _write(run, Path(temporary) / "submission", manifest, about, with_truth, data is not None)
        _check_leaks(run, folder, search, about.reviewed)
        folder = _with_reviewed(folder, Path(temporary) / "submission", replace(search, reviewed=()))
        shutil.move(Path(temporary) / "submission", out)
    return folder


def _finished(run: Path) -> dict[str, Any]:
    manifest = read_manifest(run)
    if manifest.get("status") != "complete":
        raise UsageError(f"{run}: the run is not complete; go on with s3harness run --resume")
    if told := told_changes(manifest["run"]):
        raise UsageError(f"{run} is no entry of a leaderboard, which has videos shown as they are: {told}")
    if not (run / SCORES).exists():
        raise UsageError(f"{run}: the run has no {SCORES}; s3harness score {run} writes it")
    return manifest


def words_of_run(run: Path, data: Path | None) -> OwnWords:
    """Return the private words of a run's data set: of the data set itself, or their fingerprints in the run.

    Raises :class:`UsageError` where neither is at hand.
    """
    if data is not None:
        return own_words(data, load_dataset(data).videos)
    hashed = PrivateWords.read(run)
    if hashed is None:
        raise UsageError(f"{run} does not know its data set's private words; name the data set with --data")
    return hashed


def _check_leaks(run: Path, folder: Folder, search: Search, code: str) -> None:
    """Refuse what holds identifiers; a list of likely ones is kept as reviewed if its ``code`` is given."""
    leaks = find_leaks(folder, search)
    likely = likely_fingerprints(folder, search)
    if code and likely:
        confirm(run, likely, code)
        leaks = [leak for leak in leaks if leak.kind != REVIEW]
    if not leaks:
        return
    remedy = ""
    if likely and not code:
        remedy = (
            f"\nLook at what is to be reviewed; if all of it is harmless, confirm it once: --reviewed {code_of(likely)}"
        )
    raise RefusedError(f"{run} cannot be packed", leaks, remedy)


def _with_reviewed(folder: Folder, path: Path, search: Search) -> Folder:
    """The submission with the digests of what was reviewed in it, so that who takes it need not ask again."""
    reviewed = sorted(likely_fingerprints(folder, search))
    if not reviewed:
        return folder
    about = dict(folder.about)
    write_json(path / SUBMISSION, about | {"leak_check": {**about["leak_check"], "reviewed": reviewed}})
    return read_folder(path)


def _write(run: Path, out: Path, manifest: Mapping[str, Any], about: About, with_truth: bool, has_data: bool) -> Folder:
    out.mkdir()
    responses = [{k: line[k] for k in _OF_RESPONSE if k in line} for line in _lines(run / RESPONSES)]
    _write_lines(out / RESPONSES, responses)
    _write_lines(out / ITEMS, (_with(line, with_truth) for line in _lines(run / ITEMS)))
    for path in sorted((run / PREDICTIONS).glob("*.jsonl")):
        _write_lines(out / PREDICTIONS / path.name, (_with(line, with_truth=False) for line in _lines(path)))
    packed = {key: manifest[key] for key in _OF_MANIFEST if key in manifest}
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
    write_json(out / SUBMISSION, submission | {"files": read_folder(out).hashes()})
    return read_folder(out)


def model_description(ran: Mapping[str, Any], open_weights: bool | None) -> dict[str, Any]:
    """Return the description of the model that ran: its card's, as far as that goes for other weights than the card's.

    Whether weights are open is known of a card's own weights; of any others the submitter has to say it.
    """
    known = load_model(ran["name"]) if ran["name"] in model_names() else None
    is_card = known is not None and ran["weights"] == known.weights
    title = known.title if known else ran["name"]
    return {
        "name": ran["name"],
        "title": title if is_card or not known else f"{title}, other weights",
        "weights": ran["weights"],
        "revision": ran["revision"],
        "family": ran["family"],
        "parameters_b": known.parameters_b if known else None,
        "modalities": list(ran["modalities"]),
        "licence": (known.licence or None) if known and is_card else None,
        "open_weights": ran["weights"] is not None if is_card and open_weights is None else open_weights,
    }


def _with(line: Mapping[str, Any], with_truth: bool) -> dict[str, Any]:
    """A line without what the annotators wrote, where that is withheld."""
    return {key: value for key, value in line.items() if with_truth or key not in ("truth", "report")}


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from map(parse_json, file)
    except (OSError, ValueError) as error:
        raise S3HarnessError(f"{path} cannot be read: {error}") from error


def _write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    write_text(path, "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines))

"""The rows of the leaderboard: submissions, scores of released predictions, and what a paper published."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from s3harness.errors import S3HarnessError, UsageError
from s3harness.leaderboard.findings import RefusedError, printable
from s3harness.leaderboard.folder import MANIFEST, SCORES, SUBMISSION, Folder, read_document
from s3harness.leaderboard.leaks import find_leaks, search_of
from s3harness.leaderboard.verify import Tier, Verdict
from s3harness.run.manifest import write_json
from s3harness.scoring.run import score_of
from s3harness.specs.models import ModelCard, load_model, model_names
from s3harness.types import Score

VERDICT = ".verdict.json"


@dataclass(frozen=True)
class Entry:
    """One model's row: who it is, how it was asked, and its scores by task and metric.

    ``folder`` is the submission that it comes from; ``tokens`` and ``seconds`` are what all its answers took.
    """

    slug: str
    model: Mapping[str, Any]
    tier: Tier
    protocol: str
    backend: str
    scores: Sequence[Score]
    submitter: str = ""
    notes: str = ""
    dataset: str = ""
    split: str = ""
    sees_truth: bool = False
    tokens: int | None = None
    seconds: float | None = None
    plugins: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def primary(self) -> dict[str, Score]:
        """Task → its primary score."""
        return {score.task: score for score in self.scores if score.primary}


def submitted(folder: Path) -> Iterator[Entry]:
    """The entries of a folder of submissions. A tier above claimed comes from ``<name>.verdict.json`` beside each.

    ``leaderboard verify --record`` writes that file; one about other files than the submission holds counts not. What
    was rejected is no entry.
    """
    refused = rejected(folder)
    for path in sorted(folder.glob(f"*/{SUBMISSION}")):
        if path.parent.name not in refused:
            yield entry_of(path.parent)


def rejected(folder: Path) -> list[str]:
    """The names of those submissions of a folder whose verdict, on these very files, is a rejection."""
    names = (path.parent for path in sorted(folder.glob(f"*/{SUBMISSION}")))
    return [path.name for path in names if _verdict(path).get("accepted") is False]


def entry_of(folder: Path) -> Entry:
    """The entry of one submission.

    Raises :class:`S3HarnessError` if its documents are not what they should be, or hold an identifier.
    """
    try:
        about, manifest, scores = (read_document(folder / n) for n in (SUBMISSION, MANIFEST, SCORES))
    except S3HarnessError as error:
        raise S3HarnessError(f"{folder.name} is no submission to show; verify it first. {error}") from error
    documents = Folder({}, {SUBMISSION: about, MANIFEST: manifest, SCORES: scores}, {})
    if leaks := find_leaks(documents, search_of(documents)):
        raise RefusedError(f"{folder.name} is not shown", leaks)
    run = manifest["run"]
    return Entry(
        folder.resolve().name,
        describe(about["model"]["name"]) | about["model"],
        _tier(folder),
        run["protocol"],
        run["backend"],
        [score_of(row) for row in scores["scores"]],
        about.get("submitter", ""),
        about.get("notes", ""),
        f"{run['dataset']['name']} {run['dataset']['version']}",
        run["split"] or "",
        run["sees_truth"],
        sum(n or 0 for n in manifest["tokens"].values()) or None,
        manifest.get("seconds"),
        run["plugins"],
        folder,
    )


def write_verdict(submission: Path, verdict: Verdict) -> None:
    """Keep what verifying found, bound to the files that it was found of."""
    path = submission.resolve()
    kept = {"accepted": verdict.accepted, "tier": verdict.tier, "sha256": _digest(path)}
    write_json(path.with_name(path.name + VERDICT), kept)


def published_directory() -> Path:
    """The folder of the benchmark's own published tables: in the package, or in a checkout beside it."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "published"
    return inside if inside.is_dir() else package.parent / "leaderboard" / "published"


def released(path: Path) -> Iterator[Entry]:
    """The entries of what ``s3harness score-release --profile strict --all --json`` printed."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        for row in data["models"]:
            name = str(row["model"])
            scores = [score_of(score) for score in row["scores"]]
            model = describe(name, tuple(row["modalities"]))
            tier: Tier = "re-scored"
            yield Entry(_slug(f"released-{name}"), model, tier, "as released", "", scores, dataset="S³ release")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not what score-release --profile strict --json prints: {error!r}") from error


def published(folder: Path) -> list[Mapping[str, Any]]:
    """The tables of papers, copied as they are; :class:`UsageError` naming one that cannot be read."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            assert table["schema"] == "s3harness/published/v1"
            rows = [row | {"about": describe(row["model"])} for row in table["rows"]]
            found.append(table | {"rows": rows, "metrics": list(table["metrics"])})
        except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
            raise UsageError(f"{path} is no table of published scores: {error!r}") from error
    return found


def describe(name: str, modalities: tuple[str, ...] = ("video",)) -> dict[str, Any]:
    """What is known of a model by its card; the name alone if there is none."""
    known = _known(_plain(name))
    card = known or ModelCard(printable(name), title=name)
    return {
        "name": card.name,
        "title": card.title or card.name,
        "weights": card.weights,
        "revision": card.revision,
        "family": card.family,
        "parameters_b": card.parameters_b,
        "modalities": list(card.modalities if card.weights else modalities),
        "licence": card.licence or None,
        "open_weights": card.weights is not None if known else None,
    }


@lru_cache(maxsize=256)
def _known(plain: str) -> ModelCard | None:
    """The card that goes by a name in any of its spellings."""
    cards = {_plain(name): name for name in model_names()}
    return load_model(cards[plain]) if plain in cards else None


def _plain(name: str) -> str:
    plain = name.lower().replace("_", ".").replace("-", ".").removesuffix(".instruct")
    return plain.removesuffix(".7b") if plain.startswith("seizure") else plain


def _tier(folder: Path) -> Tier:
    verdict = _verdict(folder)
    is_known = verdict.get("accepted") is True and verdict.get("tier") in ("re-scored", "reproduced")
    tier: Tier = verdict["tier"] if is_known else "claimed"
    return tier


def _verdict(folder: Path) -> Mapping[str, Any]:
    """What was recorded of a submission; nothing if there is no record, or one of other files than it now has."""
    path = folder.resolve()
    try:
        verdict = json.loads(path.with_name(path.name + VERDICT).read_text(encoding="utf-8"))
        return verdict if isinstance(verdict, dict) and verdict.get("sha256") == _digest(path) else {}
    except (OSError, ValueError):
        return {}


def _digest(folder: Path) -> str:
    """SHA-256 of the files of a submission and their names."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        found.update(f"{content} {path.relative_to(folder).as_posix()}\n".encode())
    return found.hexdigest()


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() or c in ".-" else "-" for c in text.lower())

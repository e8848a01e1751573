"""The rows of the leaderboard: submissions, scores of released predictions, and what a paper published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from s3harness.errors import S3HarnessError, UsageError
from s3harness.files import parse_json
from s3harness.leaderboard.findings import RefusedError, printable
from s3harness.leaderboard.folder import ITEMS, MANIFEST, SCORES, SUBMISSION, Folder, read_document, read_folder
from s3harness.leaderboard.item_sets import item_sets
from s3harness.leaderboard.leaks import find_leaks, search_of
from s3harness.leaderboard.replan import unscored
from s3harness.leaderboard.titles import one_line
from s3harness.leaderboard.verdicts import Tier
from s3harness.report.table import task_title
from s3harness.scoring.score_run import score_of
from s3harness.specs.loading import task_names
from s3harness.specs.models import ModelCard, load_model, model_names
from s3harness.types import Score


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One model's row: who it is, how it was asked, and its scores by task and metric.

    ``item_sets`` name the items that it was asked, by task (:mod:`s3harness.leaderboard.item_sets`); ``partial`` says
    what of the benchmark it was not asked, and is empty of a whole entry. ``scoring`` are profile, Seizure-RQI and
    version of the scorer. ``folder`` is the submission that it comes from; ``tokens`` and ``seconds`` are what all its
    answers took.
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
    fingerprint: str = ""
    split: str = ""
    scoring: tuple[str, ...] = ()
    item_sets: Mapping[str, str] = field(default_factory=dict)
    partial: str = ""
    sees_truth: bool = False
    tokens: int | None = None
    seconds: float | None = None
    plugins: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def primary(self) -> dict[str, Score]:
        """Task → its primary score."""
        return {score.task: score for score in self.scores if score.primary}

    @property
    def tasks(self) -> list[str]:
        """The tasks that it was asked, also those without a score."""
        return sorted({*self.item_sets, *self.primary})


def entry_of(folder: Path, tier: Tier = "claimed") -> Entry:
    """Return the entry of one submission.

    Raises :class:`S3HarnessError` if its documents are not what they should be, or hold an identifier.
    """
    try:
        about, manifest, scores = (read_document(folder / n) for n in (SUBMISSION, MANIFEST, SCORES))
        sets = about.get("items_sha256") or item_sets(read_folder(folder).tables[ITEMS])
    except (S3HarnessError, OSError) as error:
        raise S3HarnessError(f"{folder.name} is no submission to show; verify it first. {error}") from error
    documents = Folder({}, {SUBMISSION: about, MANIFEST: manifest, SCORES: scores}, {})
    if leaks := find_leaks(documents, search_of(documents)):
        raise RefusedError(f"{folder.name} is not shown", leaks)
    run = manifest["run"]
    return Entry(
        slug=folder.resolve().name,
        model=describe(about["model"]["name"]) | about["model"],
        tier=tier,
        protocol=run["protocol"],
        backend=run["backend"],
        scores=[score_of(row) for row in scores["scores"]],
        submitter=about.get("submitter", ""),
        notes=one_line(about.get("notes", "")),
        dataset=f"{run['dataset']['name']} {run['dataset']['version']}",
        fingerprint=about["dataset"]["fingerprint"],
        split=run["split"] or "",
        scoring=(scores["profile"], scores["rqi"] or "", scores["plugins"].get("s3harness", "")),
        item_sets=sets,
        partial=_partial(manifest, sets),
        sees_truth=run["sees_truth"],
        tokens=sum(n or 0 for n in manifest["tokens"].values()) or None,
        seconds=manifest.get("seconds"),
        plugins=run["plugins"],
        folder=folder,
    )


def _partial(manifest: Mapping[str, Any], sets: Mapping[str, str]) -> str:
    """Return what of the benchmark a run leaves out: tasks that it does not name or score, videos beyond its limit."""
    run = manifest["run"]
    left_out = [name for name in task_names() if name not in run["tasks"]]
    left_out = sorted({*left_out, *unscored(manifest, sets)})
    if left_out and len(left_out) > len(sets):
        parts = [f"only {_names(sets)}"]
    else:
        parts = [f"without {_names(left_out)}"] if left_out else []
    if run["limit"] is not None:
        parts.append("the first video" if run["limit"] == 1 else f"the first {run['limit']} videos")
    return ", ".join(parts)


def _names(tasks: Iterable[str]) -> str:
    return ", ".join(task_title(task) for task in sorted(tasks))


def published_directory() -> Path:
    """The folder of the benchmark's own published tables: in the package, or in a checkout beside it."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "published"
    return inside if inside.is_dir() else package.parent / "leaderboard" / "published"


def released(path: Path) -> Iterator[Entry]:
    """The entries of what ``s3harness score-release --profile strict --all --json`` printed."""
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
        for row in data["models"]:
            name = str(row["model"])
            scores = [score_of(score) for score in row["scores"]]
            model = describe(name, tuple(row["modalities"]))
            tier: Tier = "re-scored"
            yield Entry(
                slug=_slug(f"released-{name}"),
                model=model,
                tier=tier,
                protocol="as released",
                backend="",
                scores=scores,
                dataset="S³ release",
                item_sets={score.task: f"{score.n_items} items" for score in scores if score.primary},
                partial=_released_partial(scores),
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not what score-release --profile strict --json prints: {error!r}") from error


def _released_partial(scores: Sequence[Score]) -> str:
    tasks = {score.task for score in scores}
    return "" if tasks >= set(task_names()) else f"only {_names(tasks)}"


def published(folder: Path) -> list[Mapping[str, Any]]:
    """The tables of papers, copied as they are; :class:`UsageError` naming one that cannot be read."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            table = parse_json(path.read_text(encoding="utf-8"))
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


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() or c in ".-" else "-" for c in text.lower())

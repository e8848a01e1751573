"""Entries of the leaderboard: submissions, scores of released predictions, and tables that papers published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from s3harness.analysis.readers import AIDED_READER, READER
from s3harness.errors import S3HarnessError, UsageError
from s3harness.files import parse_json
from s3harness.leaderboard.expected_items import unscored
from s3harness.leaderboard.findings import RefusedError, printable
from s3harness.leaderboard.folder import ITEMS, MANIFEST, SCORES, SUBMISSION, Folder, read_document, read_folder
from s3harness.leaderboard.item_sets import item_sets
from s3harness.leaderboard.leaks import find_leaks, search_of
from s3harness.leaderboard.titles import one_line
from s3harness.leaderboard.verdicts import Tier
from s3harness.report.table import task_title
from s3harness.scoring.score_file import score_of
from s3harness.specs.loading import task_names
from s3harness.specs.models import ModelCard, load_model, model_names
from s3harness.types import Score


@dataclass(frozen=True, kw_only=True)
class LeaderboardEntry:
    """One model's row: its description, its protocol, and its scores by task and metric.

    ``item_sets`` identify its items by task (:mod:`s3harness.leaderboard.item_sets`); ``partial`` names the part of the
    benchmark that it leaves out, and is empty for a whole entry. ``scoring`` holds profile, Seizure-RQI and version
    of the scorer. ``folder`` is the submission behind the entry; ``tokens`` and ``seconds`` are totals of its answers.
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
    def yardstick(self) -> str:
        """The kind of an entry that is no model, and takes no rank from one: it sees the truth, or is a person."""
        family = str(self.model.get("family") or "")
        return "yardstick" if self.sees_truth else family if family in (READER, AIDED_READER) else ""

    @property
    def tasks(self) -> list[str]:
        """Tasks of the entry, including those without a score."""
        return sorted({*self.item_sets, *self.primary})


def entry_of(folder: Path, tier: Tier = "claimed") -> LeaderboardEntry:
    """Return the entry of one submission.

    Raises :class:`S3HarnessError` if its documents are not valid, or hold an identifier.
    """
    try:
        about, manifest, scores = (read_document(folder / n) for n in (SUBMISSION, MANIFEST, SCORES))
        # Submissions of version 1 do not state the digests of their items.
        sets = about.get("items_sha256") or item_sets(read_folder(folder).tables[ITEMS])
    except (S3HarnessError, OSError) as error:
        raise S3HarnessError(
            f"{folder.name} is not a valid submission; run s3harness leaderboard verify. {error}"
        ) from error
    documents = Folder({}, {SUBMISSION: about, MANIFEST: manifest, SCORES: scores}, {})
    # The pages are public: what was packed elsewhere is searched once more before it is shown.
    if leaks := find_leaks(documents, search_of(documents)):
        raise RefusedError(f"{folder.name} is left out of the pages", leaks)
    run = manifest["run"]
    return LeaderboardEntry(
        slug=folder.resolve().name,
        # The submission's own description wins over the card of a model of the same name.
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
    """Return the part of the benchmark that a run leaves out: tasks that it does not score, items not drawn."""
    run = manifest["run"]
    left_out = [name for name in task_names() if name not in run["tasks"]]
    left_out = sorted({*left_out, *unscored(manifest, sets)})
    # The shorter list is the easier one to read.
    if left_out and len(left_out) > len(sets):
        parts = [f"only {_names(sets)}"]
    else:
        parts = [f"without {_names(left_out)}"] if left_out else []
    if run["limit"] is not None:
        parts.append("the first video" if run["limit"] == 1 else f"the first {run['limit']} videos")
    if "sample" in run:
        parts.append(f"a sample of {run['sample']['items']} items")
    return ", ".join(parts)


def _names(tasks: Iterable[str]) -> str:
    return ", ".join(task_title(task) for task in sorted(tasks))


def released(path: Path) -> Iterator[LeaderboardEntry]:
    """Yield the entries in the output of ``s3harness score-release --profile strict --all --json``.

    Raises :class:`UsageError` if the file holds anything else.
    """
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
        for row in data["models"]:
            name = str(row["model"])
            scores = [score_of(score) for score in row["scores"]]
            model = describe(name, tuple(row["modalities"]))
            tier: Tier = "re-scored"
            yield LeaderboardEntry(
                slug=_slug(f"released-{name}"),
                model=model,
                tier=tier,
                protocol="as released",
                backend="",
                scores=scores,
                dataset="S³ release",
                # The release has no item lists; entries of equally many items are taken for the same test fold.
                item_sets={score.task: f"{score.n_items} items" for score in scores if score.primary},
                partial=_released_partial(scores),
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is not the output of score-release --profile strict --all --json: {error!r}"
        ) from error


def _released_partial(scores: Sequence[Score]) -> str:
    tasks = {score.task for score in scores}
    return "" if tasks >= set(task_names()) else f"only {_names(tasks)}"


def published(folder: Path) -> list[Mapping[str, Any]]:
    """Return the tables of papers, as printed.

    Raises :class:`UsageError` with the name of a table that cannot be read.
    """
    tables = []
    for path in sorted(folder.glob("*.json")):
        try:
            table = parse_json(path.read_text(encoding="utf-8"))
            assert table["schema"] == "s3harness/published/v1"
            rows = [row | {"about": describe(row["model"])} for row in table["rows"]]
            tables.append(table | {"rows": rows, "metrics": list(table["metrics"])})
        except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
            raise UsageError(
                f"{path} is not a table of published scores (s3harness/published/v1): {error!r}"
            ) from error
    return tables


def describe(name: str, modalities: tuple[str, ...] = ("video",)) -> dict[str, Any]:
    """Return the description of a model from its card, or the name alone where there is no card."""
    own = _card_of(_plain(name))
    card = own or ModelCard(printable(name), title=name)
    return {
        "name": card.name,
        "title": card.title or card.name,
        "weights": card.weights,
        "revision": card.revision,
        "family": card.family,
        "parameters_b": card.parameters_b,
        "modalities": list(card.modalities if card.weights else modalities),
        "licence": card.licence or None,
        "open_weights": card.weights is not None if own else None,
    }


@lru_cache(maxsize=256)
def _card_of(plain: str) -> ModelCard | None:
    """Return the card of a model in any spelling of its name; its size may be left out where one card alone fits."""
    cards = {_plain(name): name for name in model_names()}
    # Papers and releases name a model of one size without it ("seizure-omni-sft").
    without_size = [name for key, name in cards.items() if _SIZE.sub("", key) == plain]
    names = [cards[plain]] if plain in cards else without_size
    return load_model(names[0]) if len(names) == 1 else None


def _plain(name: str) -> str:
    # The Hub's names end in "-Instruct", which papers leave out.
    return name.lower().replace("_", ".").replace("-", ".").removesuffix(".instruct")


_SIZE = re.compile(r"\.[0-9.]+b$")


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() or c in ".-" else "-" for c in text.lower())

"""Items and requests that a submission should hold, planned again from a data set's annotations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

from s3harness.backends.base import Backend
from s3harness.dataset.load import Dataset, load_dataset
from s3harness.errors import S3HarnessError
from s3harness.plugins.manager import load, manager
from s3harness.run.durations import with_durations
from s3harness.run.item_sample import ItemSample
from s3harness.run.plan import Plan
from s3harness.scoring.score_run import model_of
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.models import ModelCard, load_model, model_names
from s3harness.specs.tasks import resolve
from s3harness.types import Reference


def own_spec(name: str) -> Mapping[str, Any] | None:
    """Return the benchmark's spec of a task as installed here; ``None`` if there is none."""
    return load_task(name).data if name in task_names() else None


def backend_class(name: str) -> type[Backend] | None:
    """Return the class of a backend as installed here; ``None`` if it is not installed or cannot be loaded."""
    try:
        manager().registry.entry("backend", name)
        return cast("type[Backend]", load("backend", name))
    except S3HarnessError:
        return None


def unscored(manifest: Mapping[str, Any], with_items: Collection[str]) -> set[str]:
    """Return the tasks of a manifest that were run only because a scored task uses their answers."""
    used = {(own_spec(name) or {}).get("uses") for name in with_items}
    return {name for name in manifest["run"]["tasks"] if name in used and name not in with_items}


def card_of(manifest: Mapping[str, Any]) -> ModelCard:
    """Return the card of a run's model: the installed one if it describes the same weights, else the manifest's."""
    stated = model_of(manifest)
    if stated.name in model_names():
        card = load_model(stated.name)
        # The manifest does not hold the card's protocols, which change the requests.
        if (card.weights, card.family, card.modalities) == (stated.weights, stated.family, stated.modalities):
            return card
    return stated


def planned_references(manifest: Mapping[str, Any], data: Path) -> dict[str, Reference]:
    """Return item → its reference, for all items of a run of this manifest on a data set."""
    run = manifest["run"]
    dataset = load_dataset(data)
    chosen = with_durations(dataset.split(run["split"]).videos[: run["limit"]])
    card = card_of(manifest)
    specs = {name: own_spec(name) or task["spec"] for name, task in run["tasks"].items()}
    tasks = {n: resolve(spec, protocol=run["protocol"], profile="", model=card) for n, spec in specs.items()}
    # A task that uses another's answers sends no requests of its own.
    with_requests = tuple(task for task in tasks.values() if not task.uses)
    whole = Plan(
        Dataset(dataset.name, dataset.version, dataset.licence, "", chosen), card, tuple(tasks.values()), with_requests
    )
    plan = ItemSample(**run["sample"]).of(whole) if "sample" in run else whole
    return {reference.item: reference for video in plan for reference in video.references}

"""Splitting a data set by patient, stratified by diagnosis."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from s3harness.dataset.load import Dataset, load_dataset
from s3harness.dataset.tables import VIDEOS, write_table
from s3harness.errors import UsageError
from s3harness.types import Video


def split_patients(videos: Iterable[Video], names: Sequence[str], shares: Sequence[float], seed: int) -> dict[str, str]:
    """Return patient → split: all videos of a patient in one split, each kind of patient shared out by itself.

    ``shares`` are proportions of the patients (with ES only, with NES only, with both or neither, each kind dealt out
    by itself in an order that ``seed`` fixes), and need not add up to 1. The same patients and seed give the same
    splits on every machine and with every version.
    """
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for video in videos:
        # By patient: two splits with one patient's videos would leak.
        kinds[video.patient].add(video.diagnosis or "")
    strata: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    # SHA-256 orders the patients at random, but alike on every machine and with every version of Python.
    for patient in sorted(kinds, key=lambda patient: hashlib.sha256(f"{seed}/{patient}".encode()).digest()):
        strata[tuple(sorted(kinds[patient]))].append(patient)
    # Stratum after stratum through one deal: rounding in a small stratum is made up for in the next.
    return _deal([patient for _, patients in sorted(strata.items()) for patient in patients], names, shares)


def split_dataset(directory: Path, names: Sequence[str], shares: Sequence[float], seed: int) -> Dataset:
    """Write the ``split`` column of ``videos.csv`` anew; everything else stays as it is.

    Raises :class:`UsageError` if there are fewer patients than splits.
    """
    dataset = load_dataset_ignoring_splits(directory)
    patients = {video.patient for video in dataset.videos}
    if len(patients) < len(names):
        raise UsageError(f"{len(patients)} patients cannot be split into {len(names)} parts")
    splits = split_patients(dataset.videos, names, shares, seed)
    empty = [name for name in names if name not in splits.values()]
    if empty:
        raise UsageError(
            f"{len(patients)} patients are too few: none is left for {', '.join(empty)}; choose a larger share"
        )
    columns, rows = _rows(directory / "videos.csv")
    write_table(
        directory / "videos.csv", columns, ({**row, "split": splits[row["patient_id"].strip()]} for row in rows)
    )
    return load_dataset(directory)


def load_dataset_ignoring_splits(directory: Path) -> Dataset:
    """Load the data set with its splits ignored: they may be the very thing to be replaced."""
    from s3harness.dataset.load import read_dataset
    from s3harness.errors import DatasetError

    dataset, problems = read_dataset(directory)
    others = [problem for problem in problems if problem.column != "split"]
    # A table with other faults must not be rewritten.
    if others:
        raise DatasetError(f"fix the data set first: {others[0]} (s3harness data validate shows all)")
    return dataset


def _deal(patients: Sequence[str], names: Sequence[str], shares: Sequence[float]) -> dict[str, str]:
    """Deal patients out so that after each one every split is as near to its share as can be."""
    total = sum(shares)
    counts = dict.fromkeys(names, 0)
    want: Mapping[str, float] = {name: share / total for name, share in zip(names, shares, strict=True)}
    dealt = {}
    for number, patient in enumerate(patients, start=1):
        # max takes the first of equals: the order of names decides ties, alike everywhere.
        name = max(names, key=lambda name: want[name] * number - counts[name])
        counts[name] += 1
        dealt[patient] = name
    return dealt


def _rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        columns = [name.strip() for name in reader.fieldnames or VIDEOS]
        rows = [dict(zip(columns, row.values(), strict=False)) for row in reader]
    return [*columns, *(["split"] if "split" not in columns else [])], rows

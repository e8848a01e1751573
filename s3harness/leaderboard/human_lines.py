"""The lines of human readers on a board, beside floor and ceiling: means over people who took the same exam alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from s3harness.analysis.readers import READER
from s3harness.leaderboard.boards import Board
from s3harness.leaderboard.entries import LeaderboardEntry
from s3harness.report.table import number
from s3harness.types import Score


def human_lines(board: Board, task: str, entries: Sequence[LeaderboardEntry]) -> Iterator[tuple[str, str, int]]:
    """Yield name, value with range, and number of items of each group of readers who answered the same items of a task.

    People mostly answer a sample: their line stands on every board of the same data, protocol and scoring, and its name
    says where the items are others than the board's.
    """
    model = board.entries[0]
    groups: dict[str, list[Score]] = {}
    for entry in entries:
        score = entry.primary.get(task)
        if entry.yardstick == READER and score is not None and score.value is not None and _fits(entry, model):
            groups.setdefault(entry.item_sets.get(task, ""), []).append(score)
    for items, scores in groups.items():
        values = [score.value for score in scores if score.value is not None]
        other = "" if items == model.item_sets.get(task) else ", on other items"
        reach = f" ({number(min(values))}–{number(max(values))})" if len(values) > 1 else ""
        yield f"readers, n = {len(values)}{other}", f"{number(fmean(values), scores[0].unit)}{reach}", scores[0].n_items


def _fits(reader: LeaderboardEntry, model: LeaderboardEntry) -> bool:
    """Return whether a reader's scores may stand on a model's board: same data, protocol and scoring."""
    one, other = (
        (entry.dataset, entry.fingerprint, entry.split, entry.protocol, entry.scoring) for entry in (reader, model)
    )
    return one == other

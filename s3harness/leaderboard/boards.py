"""Boards: groups of entries that share a ranking, since they answered the same items and were scored in one way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from s3harness.leaderboard.entries import LeaderboardEntry

SHOWN_DIGITS = 7
"""Hexadecimal digits of a digest in a title."""


@dataclass(frozen=True, slots=True)
class Board:
    """Entries with the same items; ``partial`` says which part of the benchmark they leave out."""

    title: str
    partial: str
    entries: Sequence[LeaderboardEntry]

    @property
    def tasks(self) -> list[str]:
        """Tasks of the board, sorted."""
        return sorted({task for entry in self.entries for task in entry.tasks})


def boards_of(entries: Iterable[LeaderboardEntry]) -> list[Board]:
    """Group entries by data set and its fingerprint, split, protocol, scoring, and the items of each task.

    Boards of whole entries come first; in each of these groups, those with most entries.
    """
    groups: dict[tuple[object, ...], list[LeaderboardEntry]] = {}
    for entry in entries:
        groups.setdefault(_key(entry), []).append(entry)
    # The short title is enough as long as no other board has it.
    titles = Counter(_title(group[0]) for group in groups.values())
    boards = [
        Board(_title(group[0]) if titles[_title(group[0])] == 1 else _full_title(group[0]), group[0].partial, group)
        for group in groups.values()
    ]
    return sorted(boards, key=lambda board: (bool(board.partial), -len(board.entries), board.title))


def data_of(entry: LeaderboardEntry) -> str:
    """Return name, version and split of an entry's data."""
    return entry.dataset + (f", {entry.split}" if entry.split else "")


def _key(entry: LeaderboardEntry) -> tuple[object, ...]:
    items = tuple(sorted(entry.item_sets.items()))
    # Every part of the key changes what a score means; entries that differ in one of them are never ranked together.
    return (entry.dataset, entry.fingerprint, entry.split, entry.protocol, entry.scoring, entry.partial, items)


def _title(entry: LeaderboardEntry) -> str:
    return f"{data_of(entry) or 'Unnamed data'}: {entry.partial}" if entry.partial else data_of(entry) or "Unnamed data"


def _full_title(entry: LeaderboardEntry) -> str:
    """Return a title that distinguishes the boards of one data set: by protocol, scoring and items."""
    from hashlib import sha256

    items = sha256(repr(sorted(entry.item_sets.items())).encode()).hexdigest()[:SHOWN_DIGITS]
    data = f"data {entry.fingerprint[:SHOWN_DIGITS]}" if entry.fingerprint else ""
    # Released predictions have no scoring triple; the empty texts stand in for it.
    profile, rqi, version = (*entry.scoring, "", "", "")[:3]
    scored = f"scored by {version}" if version else ""
    details = (f"protocol {entry.protocol}", profile and f"profile {profile}", rqi, scored, data, f"items {items}")
    return f"{_title(entry)} ({', '.join(filter(None, details))})"

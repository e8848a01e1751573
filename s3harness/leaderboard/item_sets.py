"""Digests of an entry's items: only entries with the same items share a ranking."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any


def item_sets(items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return task → SHA-256 of its items and of their windows, independent of their order."""
    by_task: defaultdict[str, list[tuple[str, Any]]] = defaultdict(list)
    for line in items:
        # JSON may hold 5 for 5.0, which are the same window and must have the same digest.
        by_task[line["task"]].append((line["item"], [float(end) for end in line["window"] or ()]))
    return {task: hashlib.sha256(json.dumps(sorted(lines)).encode()).hexdigest() for task, lines in by_task.items()}

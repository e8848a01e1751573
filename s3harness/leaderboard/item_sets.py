"""Which items an entry was asked: only entries that were asked the same ones share a ranking."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any


def item_sets(items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Task → SHA-256 of its items and of the spans of the videos that were shown for them, in any order."""
    asked: defaultdict[str, list[tuple[str, Any]]] = defaultdict(list)
    for line in items:
        asked[line["task"]].append((line["item"], [float(end) for end in line["window"] or ()]))
    return {task: hashlib.sha256(json.dumps(sorted(lines)).encode()).hexdigest() for task, lines in asked.items()}

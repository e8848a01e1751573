"""Video files that are links out of their data set, and the owner's permission to follow each.

A data set may come from a stranger, and a link in it may lead to any file of this machine. A link that leads out is
followed only to the target that ``private/links.csv`` lists for its video; an import that links writes that file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from s3harness.dataset.tables import Problem, read_table, write_table

LINKS = Path("private") / "links.csv"
COLUMNS = ("video_id", "target")


def allowed_links(directory: Path) -> dict[str, str]:
    """Return video id → the file outside that its link may lead to; empty where nothing is allowed."""
    path = directory / LINKS
    # A private folder of another user reads as no permission, not as an error of the data set.
    if not os.access(path, os.R_OK):
        return {}
    problems: list[Problem] = []
    return {row["video_id"]: row["target"] for row in read_table(path, COLUMNS, COLUMNS, problems)}


def target_outside(directory: Path, file: Path) -> str | None:
    """Return the place that a file's path really leads to, if that is outside the directory; links are followed."""
    # realpath resolves links of every folder on the way, too; the root as well, which may itself be a link.
    root, target = os.path.realpath(directory), os.path.realpath(directory / file)
    return None if Path(target).is_relative_to(root) else target


def allow_links(directory: Path, targets: Mapping[str, str]) -> None:
    """Write that the links of these videos may be followed, each to its target."""
    # Targets are paths of this machine, which other users need not see.
    (directory / LINKS).parent.mkdir(mode=0o700, exist_ok=True)
    rows = ({"video_id": video_id, "target": target} for video_id, target in sorted(targets.items()))
    write_table(directory / LINKS, COLUMNS, rows)


def links_outside(directory: Path) -> dict[str, str]:
    """Return video id → target, of the files of a data set's table that lead out of its directory."""
    rows = read_table(directory / "videos.csv", ("video_id", "file"), ("video_id", "file"), [])
    targets = {row["video_id"]: target_outside(directory, Path(row["file"])) for row in rows if row["file"]}
    return {video_id: target for video_id, target in targets.items() if target is not None}

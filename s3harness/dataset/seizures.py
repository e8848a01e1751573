"""The table of all seizures of each recording, for recordings that hold any number of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from s3harness.dataset.tables import SEIZURES, Problem, read_table

FILE = "seizures.csv"


def read_seizures(
    directory: Path, durations: Mapping[str, float | None], problems: list[Problem]
) -> dict[str, tuple[tuple[float, float], ...]]:
    """Return video id → its seizures, ascending, of a data set's optional table; ``durations`` are those of its videos.

    A row with neither onset nor offset states that a recording has none. Of a video without a row nobody looked for
    all seizures. Seizures of a recording must not overlap.
    """
    path = directory / FILE
    seizures: dict[str, list[tuple[float, float]]] = {}
    own_problems: list[Problem] = []
    for row in read_table(path, SEIZURES, SEIZURES, problems) if path.exists() else []:
        onset, offset = row.seconds("onset_s", own_problems), row.seconds("offset_s", own_problems)
        if row["video_id"] not in durations:
            own_problems.append(row.problem("video_id", f"{row['video_id']!r} is not in videos.csv"))
            continue
        of_video, duration_s = seizures.setdefault(row["video_id"], []), durations[row["video_id"]]
        if not row["onset_s"] and not row["offset_s"]:
            continue
        if onset is None or offset is None or offset <= onset:
            own_problems.append(row.problem("offset_s", "a seizure needs an onset and a later offset"))
        elif duration_s is not None and onset >= duration_s:
            own_problems.append(
                row.problem("onset_s", f"{onset:g} s is outside the video, which lasts {duration_s:g} s")
            )
        elif any(onset < other[1] and other[0] < offset for other in of_video):
            own_problems.append(row.problem("onset_s", "overlaps another seizure of the video"))
        else:
            of_video.append((onset, offset))
    problems += own_problems
    return {video: tuple(sorted(of_video)) for video, of_video in seizures.items()}

"""A new version of a data set, in which labels that readers dispute are corrected."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import s3harness

OTHER = {"yes": "no", "no": "yes"}
FEATURES, ABOUT = "features.csv", "dataset.json"


def write_corrected(data: Path, out: Path, disputed: Sequence[str]) -> dict[str, int]:
    """Copy a data set with the disputed labels of signs turned over; return how many changed and how many did not.

    Only a present or absent sign can be turned over: nobody who calls a time, a side or a report wrong has said what
    would be right. A sign that becomes absent loses its times and side. The version gets the suffix ``-corrected``, and
    the fingerprint differs. Raises :class:`UsageError` if ``out`` exists.
    """
    if out.exists():
        raise s3harness.UsageError(f"{out} exists already; choose another folder for --corrected")
    dataset = s3harness.load_dataset(data)
    signs = {(video.id, name) for video in dataset.videos for name in video.features}
    wanted = {(parts[-2], parts[-1]) for item in disputed if len(parts := item.split("/")) >= 3} & signs
    shutil.copytree(data, out, symlinks=True)
    changed = _turn_over(out / FEATURES, wanted)
    about = json.loads((out / ABOUT).read_text(encoding="utf-8"))
    about["version"] = f"{about.get('version', '1')}-corrected"
    s3harness.write_json(out / ABOUT, about)
    return {"changed": changed, "left": len(disputed) - changed}


def _turn_over(path: Path, wanted: set[tuple[str, str]]) -> int:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        columns, table = list(rows.fieldnames or ()), list(rows)
    changed = 0
    for row in table:
        if (row["video_id"], row["feature"]) in wanted and row["present"] in OTHER:
            row["present"] = OTHER[row["present"]]
            # Times, side and reason belonged to the label that was wrong.
            row |= {name: "" for name in ("start_s", "end_s", "side", "justification") if name in row}
            changed += 1
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    return changed

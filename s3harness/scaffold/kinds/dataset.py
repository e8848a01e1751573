"""An importer: write a data set directory from another format. Put your format where this one reads a CSV file."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import s3harness

COLUMNS = ("patient", "diagnosis", "duration_s", "report")


def newcomer_dataset(source: Path, out: Path, *, licence: str = "not shared") -> None:
    """Import a CSV file with the columns patient, diagnosis (ES, NES or empty), duration_s and report.

    Videos and patients get new ids; the patients' names are kept in ``private/`` alone. Raises
    :class:`s3harness.DatasetError` for a directory that is not empty, and for a file that cannot be read.
    """
    if out.exists() and any(out.iterdir()):
        raise s3harness.DatasetError(f"{out} is not empty; choose another directory")
    rows = _rows(source)
    patients = {name: f"p{n:03d}" for n, name in enumerate(dict.fromkeys(row["patient"] for row in rows), 1)}
    ids = [f"v{n:04d}" for n in range(1, len(rows) + 1)]
    videos = [
        (v, patients[row["patient"]], "", row["diagnosis"], "", row["duration_s"], "", "", "")
        for v, row in zip(ids, rows, strict=True)
    ]
    (out / "private").mkdir(parents=True)
    _write(out / "videos.csv", VIDEOS, videos)
    _write(out / "features.csv", FEATURES, ())
    _write(out / "reports.csv", ("video_id", "report"), [(v, r["report"]) for v, r in zip(ids, rows, strict=True)])
    _write(out / "private" / "patients.csv", ("patient_id", "name"), [(p, name) for name, p in patients.items()])
    about = {"schema": "s3harness/dataset/v1", "name": "newcomer", "version": "1", "licence": licence}
    # Last: dataset.json makes the directory a data set, and an interrupted import must not look like one.
    (out / "dataset.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


VIDEOS = (
    *("video_id", "patient_id", "file", "diagnosis", "split"),
    *("duration_s", "onset_s", "offset_s", "onset_body_part"),
)
FEATURES = ("video_id", "feature", "present", "start_s", "end_s", "side", "justification")


def _rows(source: Path) -> list[dict[str, str]]:
    try:
        # utf-8-sig: spreadsheet programs begin a CSV file with a byte order mark.
        with source.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise s3harness.DatasetError(f"{source.name} cannot be read: {error}") from error
    missing = [name for name in COLUMNS if not rows or name not in rows[0]]
    if missing:
        raise s3harness.DatasetError(f"{source.name}: no column {', '.join(missing)}, or no row; add what is missing")
    return rows


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)

"""Problems of a checkout: everything that is left out of a comparison is named and counted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress

from s3harness.dataset.tables import problem_lines
from s3harness.errors import DatasetError
from s3harness.paper.layout import (
    PREDICTION_FILES,
    Release,
    ReleaseTable,
    file_of,
    prediction_file,
    read_boundaries,
    read_diagnoses,
    read_predictions,
    read_release_table,
    read_structures,
    structures_file,
    video_of_window,
)
from s3harness.paper.windows import WINDOW_FILES, read_window_table

WITHOUT_USE = ("Task6_{model}_all.csv",)
"""Files of the release that nothing is computed from: the windows of reports, which an LLM merged."""


def odd_annotations(release: Release) -> list[str]:
    """Return the rows left out, names given twice and encodings of the annotations, a line each."""
    lines: list[str] = []
    for path in sorted(release.truth.glob("*.csv")):
        # Reading the annotations for scores raises for a table that cannot be read; other tables do not matter.
        with suppress(DatasetError):
            lines += problem_lines(read_release_table(path, keys=("file_name", "segment_video_name")).problems)
    return lines


def unused_files(release: Release, model: str) -> list[str]:
    """Name the files in a model's folder that are not read: unknown names, and older versions of files that are."""
    used = {prediction_file(release, model, kind) for kind in PREDICTION_FILES} | {structures_file(release, model)}
    used |= {file_of(release, model, names) for names in (*WINDOW_FILES.values(), WITHOUT_USE)}
    paths = sorted((release.predictions / model).iterdir())
    # Hidden files and caches, such as .DS_Store and __pycache__, are no predictions.
    names = [path.name + "/" * path.is_dir() for path in paths if path not in used and path.name[0] not in "._"]
    return [f"in its folder, not read: {', '.join(names)}"] if names else []


def odd_tables(release: Release, model: str) -> list[str]:
    """Return the rows left out, names given twice, encodings, and numbers of rows of unknown videos, a line each."""
    annotated = {
        "clip": _annotated(lambda: read_boundaries(release).rows),
        "video": _annotated(lambda: read_diagnoses(release)),
    }
    lines: list[str] = []
    for kind, table in _tables(release, model):
        lines += [*problem_lines(table.problems), *([] if table.rows else [f"{table.file}: no rows under its header"])]
        unit = "clip" if kind == "boundaries" else "video"
        names = annotated[unit]
        # Without annotations every row would be unknown, which tells nothing about the table.
        n_unknown = sum(video_of_window(name) not in names for name in table.rows) if names else 0
        if n_unknown:
            rows = f"1 row is of an unknown {unit}" if n_unknown == 1 else f"{n_unknown} rows are of unknown {unit}s"
            lines.append(f"{table.file}: {rows}, compared with nothing")
    # A table may be read under two kinds (features and rationales), and is described once.
    return [*dict.fromkeys(lines), *unused_files(release, model)]


def _annotated(read: Callable[[], Collection[str]]) -> Collection[str]:
    """Return the names of the annotations; none where they cannot be read, which another check reports."""
    try:
        return read()
    except DatasetError:
        return ()


def _tables(release: Release, model: str) -> Iterator[tuple[str, ReleaseTable]]:
    """Yield (kind, table) for all tables of a model that can be read."""
    readers: list[tuple[str, Callable[[Release, str, str], ReleaseTable | None]]]
    readers = [
        *((kind, read_predictions) for kind in PREDICTION_FILES),
        *((k, read_window_table) for k in WINDOW_FILES),
    ]
    for kind, read in readers:
        with suppress(DatasetError):
            if table := read(release, model, kind):
                yield kind, table
    with suppress(DatasetError):
        if table := read_structures(release, model):
            yield "structures", table

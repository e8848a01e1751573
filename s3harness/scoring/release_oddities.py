"""What is odd about a model's released files: nothing is left out of a comparison without being named and counted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress

from s3harness.dataset.release import (
    PREDICTION_FILES,
    Release,
    ReleaseTable,
    read_boundaries,
    read_diagnoses,
    read_predictions,
    read_structures,
    video_of_window,
)
from s3harness.errors import DatasetError
from s3harness.scoring.release_windows import WINDOW_FILES, read_window_table


def odd_tables(release: Release, model: str) -> list[str]:
    """Rows left out, names given twice, encodings, and how many rows are of no known video."""
    known = {"clip": _known(lambda: read_boundaries(release).rows), "video": _known(lambda: read_diagnoses(release))}
    found: list[str] = []
    for kind, table in _tables(release, model):
        found += [*map(str, table.problems), *([] if table.rows else [f"{table.file}: no rows under its header"])]
        what = "clip" if kind == "boundaries" else "video"
        names = known[what]
        strangers = sum(video_of_window(name) not in names for name in table.rows) if names else 0
        found += [f"{table.file}: {strangers} rows are of no known {what}, compared with nothing"] if strangers else []
    return list(dict.fromkeys(found))


def _known(read: Callable[[], Collection[str]]) -> Collection[str]:
    """The names that the annotations have; none where these cannot be read, which is said elsewhere."""
    try:
        return read()
    except DatasetError:
        return ()


def _tables(release: Release, model: str) -> Iterator[tuple[str, ReleaseTable]]:
    """Kind → table, of all that can be read."""
    readers = [(kind, read_predictions) for kind in PREDICTION_FILES]
    readers += [(kind, read_window_table) for kind in WINDOW_FILES]
    for kind, read in readers:
        with suppress(DatasetError):
            if table := read(release, model, kind):
                yield kind, table
    with suppress(DatasetError):
        if table := read_structures(release, model):
            yield "structures", table

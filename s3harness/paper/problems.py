"""What is odd about a checkout: nothing is left out of a comparison without being named and counted."""

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
    """Rows left out, names given twice and encodings of the annotations that scores are held against."""
    found: list[str] = []
    for path in sorted(release.truth.glob("*.csv")):
        with suppress(DatasetError):
            found += problem_lines(read_release_table(path, keys=("file_name", "segment_video_name")).problems)
    return found


def not_read(release: Release, model: str) -> list[str]:
    """What lies in a model's folder and is not read: under no name of the release, or older than a file that is."""
    used = {prediction_file(release, model, kind) for kind in PREDICTION_FILES} | {structures_file(release, model)}
    used |= {file_of(release, model, names) for names in (*WINDOW_FILES.values(), WITHOUT_USE)}
    there = sorted((release.predictions / model).iterdir())
    names = [path.name + "/" * path.is_dir() for path in there if path not in used and path.name[0] not in "._"]
    return [f"in its folder, not read: {', '.join(names)}"] if names else []


def odd_tables(release: Release, model: str) -> list[str]:
    """Rows left out, names given twice, encodings, and how many rows are of no known video."""
    known = {"clip": _known(lambda: read_boundaries(release).rows), "video": _known(lambda: read_diagnoses(release))}
    found: list[str] = []
    for kind, table in _tables(release, model):
        found += [*problem_lines(table.problems), *([] if table.rows else [f"{table.file}: no rows under its header"])]
        what = "clip" if kind == "boundaries" else "video"
        names = known[what]
        strangers = sum(video_of_window(name) not in names for name in table.rows) if names else 0
        found += [f"{table.file}: {strangers} rows are of no known {what}, compared with nothing"] if strangers else []
    return [*dict.fromkeys(found), *not_read(release, model)]


def _known(read: Callable[[], Collection[str]]) -> Collection[str]:
    """The names that the annotations have; none where these cannot be read, which is said elsewhere."""
    try:
        return read()
    except DatasetError:
        return ()


def _tables(release: Release, model: str) -> Iterator[tuple[str, ReleaseTable]]:
    """Kind → table, of all that can be read."""
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

"""Annotations of a data set or a run, written for another tool by an exporter, as a whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import cast

from s3harness.dataset.load import load_dataset
from s3harness.dataset.recordings import AnnotationSet, annotation_set, unplaced
from s3harness.dataset.sources import search_of
from s3harness.dataset.tables import write_table
from s3harness.errors import S3HarnessError, UsageError
from s3harness.guard.outgoing_check import Consent, OutgoingText, check_outgoing
from s3harness.plugins.manager import blamed, load

COLUMNS = ("video_id", "source", "sign", "present", "start_s", "end_s", "side", "certainty", "note")
RECIPIENT = "whoever gets the export"

Exporter = Callable[..., object]
"""A function ``(annotations: AnnotationSet, out: Path, **options) -> Sequence[str]``: it writes files into the empty
folder ``out`` and returns a line for all that the format has no place for."""


def export_annotations(
    directory: Path, out: Path, form: str, *, options: Mapping[str, object], consent: Consent | None = None
) -> list[str]:
    """Write the annotations of a data set into the new folder ``out`` with the exporter ``form``.

    Returns a line for everything that the format has no place for. Raises :class:`UsageError` for an unknown exporter
    and for identifiers in a text that would go out, :class:`S3HarnessError` if the disk refuses; nothing is left then.
    """
    dataset = load_dataset(directory)
    annotations = annotation_set(dataset)
    check_outgoing(_texts(annotations), search_of(directory, dataset.videos), consent or Consent(), RECIPIENT)
    lost = [f"not exported: {', '.join(left_out)}"] if (left_out := unplaced(dataset)) else []
    return [*lost, *write_annotations(annotations, out, form, options=options)]


def write_annotations(annotations: AnnotationSet, out: Path, form: str, *, options: Mapping[str, object]) -> list[str]:
    """Call the exporter ``form``; return its notes."""
    exporter = cast("Exporter", load("exporter", form))
    if out.exists():
        raise UsageError(f"{out} exists; name another --output")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # Written beside its place and moved there at the end: a folder that is there is whole.
        with tempfile.TemporaryDirectory(prefix=".exporting-", dir=out.parent) as temporary:
            folder = Path(temporary) / "export"
            folder.mkdir()
            with blamed("exporter", form):
                notes = [str(note) for note in cast("list[object]", exporter(annotations, folder, **options) or [])]
            shutil.move(folder, out)
    except OSError as error:
        raise S3HarnessError(f"{out} cannot be written: {error.strerror or error}") from error
    return notes


def export_csv(annotations: AnnotationSet, out: Path) -> list[str]:
    """Write one table, ``annotations.csv``, with a row per statement."""
    rows = (
        {
            "video_id": recording.id,
            "source": source,
            "sign": one.sign,
            "present": one.present,
            "start_s": one.start_s,
            "end_s": one.end_s,
            "side": one.side,
            "certainty": one.certainty,
            "note": one.note,
        }
        for recording in annotations.recordings
        for source, statements in recording.statements.items()
        for one in statements
    )
    write_table(out / "annotations.csv", COLUMNS, rows)
    return []


def _texts(annotations: AnnotationSet) -> Iterator[OutgoingText]:
    yield OutgoingText("", "name", annotations.name)
    for recording in annotations.recordings:
        for statements in recording.statements.values():
            for one in statements:
                yield OutgoingText(recording.id, f"justification of {one.sign}", one.note)

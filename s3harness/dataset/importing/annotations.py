"""Annotations as a foreign format has them, and importers that read such a format and leave the writing to us."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from s3harness.dataset.importing.source_table import SourceTable
from s3harness.dataset.tables import Problem, Row

ABOUT = ("place",)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAnnotation:
    """One annotation of a video, in the words of its source; empty where the source has nothing.

    ``place`` is where it stands, for messages (``"ward.eaf: tier Head, annotation 3"``). ``video`` is the name of the
    video file, ``patient`` whatever tells patients apart. ``sign`` is the source's word for a sign; the words "seizure"
    or "event" give onset and offset of the event itself, and an annotation without a sign is about the video as a
    whole. ``present`` is yes (the default where there is a sign), no or untested. Times are seconds from the start of
    the video. ``side`` is the patient's own: left, right or both. ``certainty`` is certain or uncertain.
    """

    place: str
    video: str
    patient: str = ""
    sign: str = ""
    present: str = ""
    start: float | None = None
    end: float | None = None
    side: str = ""
    certainty: str = ""
    justification: str = ""
    diagnosis: str = ""
    onset: float | None = None
    offset: float | None = None
    onset_body_part: str = ""
    report: str = ""
    split: str = ""


COLUMNS = tuple(field.name for field in fields(SourceAnnotation) if field.name not in ABOUT)


@dataclass(frozen=True, slots=True)
class SourceAnnotations:
    """Annotations of a source, and ``notes``: what the importer could not read or had no place for."""

    annotations: Iterable[SourceAnnotation]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnnotationImporter:
    """An importer that only reads: ``read(source, **options)`` returns the annotations of a file or folder.

    Called as an importer, it writes them as a data set, with the same options as for a table: ``mapping`` (the meaning
    of the source's words; by default its words must be those of the signs, in any language that is known), ``videos``,
    ``link``, ``ids_of``. An error of the source is a :class:`s3harness.UsageError` that names file and place.
    """

    read: Callable[..., SourceAnnotations]

    def __call__(
        self,
        source: Path,
        out: Path,
        *,
        mapping: Path | None = None,
        videos: Path | None = None,
        link: bool = False,
        ids_of: Path | None = None,
        confirmed: str = "",
        **options: object,
    ) -> int:
        """Make the data set directory ``out`` of ``source``; return the number of videos."""
        from s3harness.dataset.importing.write import import_rows

        annotations = self.read(source, **options)
        table = table_of(source.name, annotations.annotations)
        return import_rows(
            table,
            out,
            mapping=mapping,
            videos=videos,
            link=link,
            ids_of=ids_of,
            confirmed=confirmed,
            notes=annotations.notes,
        )


def table_of(name: str, annotations: Iterable[SourceAnnotation]) -> SourceTable:
    """Return annotations as a table with the columns that any of them fills."""
    rows = [Row(one.place, 0, _cells(one)) for one in annotations]
    filled = [column for column in COLUMNS if any(row[column] for row in rows)]
    problems = [] if rows else [Problem(name, None, "", "holds no annotation")]
    return SourceTable(name, filled, rows, problems)


def _cells(one: SourceAnnotation) -> dict[str, str]:
    cells = {column: _text(getattr(one, column)) for column in COLUMNS}
    # A sign that is annotated occurred, unless the source says something else.
    return cells | ({"present": cells["present"] or "yes"} if one.sign else {})


def _text(value: object) -> str:
    # repr of a float is exact.
    return "" if value is None else repr(value) if isinstance(value, float) else str(value).strip()

"""Importing a hospital's own annotations: a table, and a mapping that says what its columns mean.

The table (CSV, TSV or xlsx) has a row per video (each feature its columns), or a row per video and sign. The mapping is
YAML; see ``task_specs/schemas/mapping.schema.json``. Ids are keyed hashes of the table's names (:mod:`.identity`); the
originals stay in ``private/sources.csv``.
"""

from __future__ import annotations

from pathlib import Path

from s3harness.dataset.importing.mapping import mapped_table, read_mapping
from s3harness.dataset.importing.write import import_rows
from s3harness.errors import UsageError


def import_table(
    source: Path,
    out: Path,
    *,
    mapping: Path | None = None,
    videos: Path | None = None,
    encoding: str = "",
    link: bool = False,
    ids_of: Path | None = None,
    confirmed: str = "",
) -> int:
    """Make the data set directory ``out`` from the table ``source``; return the number of videos.

    ``videos`` is the folder of the video files; they are copied, or with ``link`` linked. ``ids_of`` is a data set
    whose secret is used, so that the videos of both have the same ids. ``confirmed`` is the code of a drafted mapping
    that a person has read. Raises :class:`UsageError` for a wrong call or mapping and :class:`DatasetError` listing
    every row that cannot be understood; ``out`` is made whole or not at all.
    """
    if mapping is None:
        raise UsageError(
            f"{source.name}: the meaning of its columns is not known: draft it with s3harness data mapping {source}, "
            "and name the file with --mapping"
        )
    table = mapped_table(source, encoding, read_mapping(mapping, confirmed))
    return import_rows(table, out, mapping=mapping, videos=videos, link=link, ids_of=ids_of, confirmed=confirmed)

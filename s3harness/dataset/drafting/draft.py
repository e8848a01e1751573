"""Draft of a mapping: the roles of the columns of a table, and the meanings of the words in its cells."""

from __future__ import annotations

from collections.abc import Sequence

from s3harness.dataset.drafting.cells import take_rows, take_words
from s3harness.dataset.drafting.columns import columns_of
from s3harness.dataset.drafting.findings import Draft, Status
from s3harness.dataset.drafting.roles import take_patient, take_roles, take_signs, take_video
from s3harness.dataset.drafting.times_and_events import take_events, take_times
from s3harness.dataset.importing.source_table import SourceTable

PRIVATE = ("birth", "age", "sex", "reader", "date", "running")
"""Concepts of columns that are left out without a question."""


def draft_mapping(tables: Sequence[SourceTable]) -> tuple[SourceTable, Draft]:
    """Return the table of a source in which most columns are understood, and the draft of its mapping."""
    drafts = [(table, _drafted(table)) for table in tables]
    # The wrong delimiter leaves one column; another sheet has none of a video.
    return max(drafts, key=lambda one: _rank(*one))


def _rank(table: SourceTable, draft: Draft) -> tuple[bool, int, int]:
    understood = sum(finding.status == "understood" for finding in draft.findings if finding.what == "column")
    return "video" in draft.mapping, understood - len(table.problems), len(table.header)


def _drafted(table: SourceTable) -> Draft:
    draft = Draft(table, columns_of(table.header, table.values))
    take_video(draft)
    if "video" in draft.mapping:
        # What identifies a row first, then its words, then what rows mean together.
        for take in (take_patient, take_signs, take_roles, take_events, take_times, take_words, take_rows, _leave_rest):
            take(draft)
    return draft


def _leave_rest(draft: Draft) -> None:
    for column in draft.free():
        understood = column.concepts & set(PRIVATE) or column.has("comment") or not column.values
        # A bare "No." numbers the rows.
        understood = understood or column.concepts == {"number"}
        status: Status = "understood" if understood else "not understood"
        why = "free text" if column.has("comment") else ""
        draft.note("column", column.name, "left out", status, why)
        draft.ignored.append(column.name)
    if draft.ignored:
        draft.mapping["ignore"] = draft.ignored

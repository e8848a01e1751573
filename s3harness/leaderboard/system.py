"""Reading of a submission as a system, for comparison with runs and other submissions."""

from __future__ import annotations

from pathlib import Path

from s3harness.analysis.systems import ScoredSystem, read_system
from s3harness.errors import UsageError
from s3harness.leaderboard.expected_items import planned_references
from s3harness.leaderboard.findings import RefusedError
from s3harness.leaderboard.folder import ITEMS, MANIFEST, read_folder
from s3harness.leaderboard.integrity import hash_findings, spec_findings
from s3harness.leaderboard.unpack import unpacked
from s3harness.rundir.items import reference_of


def read_submission(path: Path, name: str, *, profile: str, data: Path | None = None) -> ScoredSystem:
    """Return the system of a submission, with the truth of the data set ``data`` or, without one, its own.

    Raises :class:`RefusedError` if files were changed after packing or tasks are not this benchmark's, and
    :class:`UsageError` if the truth is withheld and no data set is given.
    """
    folder = read_folder(path)
    if findings := [*hash_findings(folder), *spec_findings(folder.documents[MANIFEST])]:
        raise RefusedError(f"{path} cannot be compared", findings)
    if data is None and not folder.has_truth:
        raise UsageError(f"{path} withholds the truth of its items: add --data DIR, the data set of its run")
    listed = {line["item"]: line for line in folder.tables[ITEMS]}
    if data is None:
        references = [reference_of(line) for line in listed.values()]
    else:
        planned = planned_references(folder.documents[MANIFEST], data)
        # Of the planned items those that the submission lists, since its run may have scored some of its tasks only.
        references = [reference for item, reference in planned.items() if item in listed]
    with unpacked(folder, references) as run:
        return read_system(run, name, profile=profile)

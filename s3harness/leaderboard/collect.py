"""Collection of a folder's submissions into ranked, claimed and left-out ones: only verified submissions are ranked."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3harness.errors import S3HarnessError
from s3harness.leaderboard.entries import LeaderboardEntry, entry_of
from s3harness.leaderboard.findings import RefusedError, printable
from s3harness.leaderboard.folder import SUBMISSION, read_folder
from s3harness.leaderboard.integrity import integrity_findings, point_findings
from s3harness.leaderboard.replays import SubmittedAnswers, read_answers
from s3harness.leaderboard.verdicts import RANKED, Verdict, signed_verdict
from s3harness.leaderboard.verify import verify

FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
LOOKED_AT = "reviewed by the person who built the pages"


@dataclass
class Collected:
    """Entries to rank, entries to show unranked as their submitters claim them, and submissions left out.

    ``left_out`` maps the name of a folder to the reason.
    """

    ranked: list[LeaderboardEntry] = field(default_factory=list)
    claimed: list[LeaderboardEntry] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def collect(
    submissions: Path,
    data: Path | None = None,
    allowed_signers: Path | None = None,
    reviewed: Collection[str] = (),
) -> Collected:
    """Sort the submissions of a folder by their verdicts.

    A verdict that is signed by a key of ``allowed_signers`` is taken as it is. A submission without one is verified now
    by the annotations in ``data``; without annotations it is only claimed. ``reviewed`` names submissions to rank
    although verifying asks for a review: the caller has reviewed them.
    """
    collected, folders = Collected(), folders_of(submissions)
    records = {path: signed_verdict(path, allowed_signers) if allowed_signers else None for path in folders}
    # Reading all answers takes long, and replays are only looked for where something is verified here.
    among = {path: read_answers(path) for path in folders} if data and None in records.values() else {}
    for path, record in records.items():
        name = printable(path.name)
        try:
            # The name becomes a file name and a link of the pages.
            if FOLDER_NAME.fullmatch(path.name) is None:
                collected.left_out[name] = (
                    "the folder's name may hold only letters, digits, '.', '_' and '-', and at most 80 of them"
                )
            elif record is not None:
                _by_record(collected, path, record)
            elif data is not None:
                _by_verifying(collected, path, data, among, path.name in reviewed)
            else:
                _as_claimed(collected, path)
        # One bad submission must not keep the pages of all others from being built.
        except S3HarnessError as error:
            collected.left_out[name] = _first_line(error)
    return collected


def folders_of(submissions: Path) -> list[Path]:
    """Return the folders of submissions, sorted; symbolic links are left out."""
    folders = (path.parent for path in sorted(submissions.glob(f"*/{SUBMISSION}")))
    # A link could lead out of the folder, to files of the maintainer's.
    return [path for path in folders if not path.is_symlink()]


def answers_among(submissions: Path, besides: Path) -> list[SubmittedAnswers]:
    """Return the answers of all submissions of a folder but one."""
    return [read_answers(path) for path in folders_of(submissions) if path.resolve() != besides.resolve()]


def _by_record(collected: Collected, path: Path, record: Mapping[str, Any]) -> None:
    if record.get("accepted") is not True:
        reasons = [*record.get("findings", ()), *record.get("reviews", ())]
        collected.left_out[path.name] = printable(f"rejected: {reasons[0] if reasons else 'no reason is recorded'}")
    elif record.get("tier") in RANKED:
        collected.ranked.append(entry_of(path, record["tier"]))
    else:
        _as_claimed(collected, path)


def _by_verifying(
    collected: Collected, path: Path, data: Path, among: Mapping[Path, SubmittedAnswers], is_reviewed: bool
) -> None:
    others = [answers for other, answers in among.items() if other != path]
    verdict = verify(path, data, others, LOOKED_AT if is_reviewed else "")
    if verdict.accepted:
        collected.ranked.append(entry_of(path, verdict.tier))
    else:
        collected.left_out[path.name] = _reason(verdict, path.name)


def _reason(verdict: Verdict, name: str) -> str:
    if verdict.findings:
        more = f" (and {len(verdict.findings) - 1} more)" if len(verdict.findings) > 1 else ""
        return f"rejected: {verdict.findings[0]}{more}"
    notes = [*verdict.reviews, *verdict.resemblances]
    more = f" (and {len(notes) - 1} more)" if len(notes) > 1 else ""
    return f"needs a review: {notes[0]}{more}; to rank it after the review: --reviewed {name}"


def _as_claimed(collected: Collected, path: Path) -> None:
    """Add a submission to the claimed ones if its files are consistent with each other."""
    folder = read_folder(path)
    findings = [*integrity_findings(folder), *point_findings(folder)]
    if findings:
        raise RefusedError(f"{path.name} is not consistent", findings)
    collected.claimed.append(entry_of(path))


def _first_line(error: S3HarnessError) -> str:
    # The first line says what is wrong and the second where; the pages have room for both and no more.
    lines = str(error).splitlines()
    return " ".join(line.strip() for line in lines[:2])

"""Verdicts of verifying a submission, and their signed records beside the submission.

A record counts only if a maintainer's key has signed it, and only for exactly these files in a folder of this name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from s3harness.files import parse_json, write_json
from s3harness.leaderboard.findings import AuditFinding
from s3harness.leaderboard.replays import Resemblance
from s3harness.leaderboard.signatures import SUFFIX, is_signed, sign
from s3harness.version import __version__

Tier = Literal["published", "claimed", "re-scored", "reproduced"]
"""Published: copied from a paper, not run again. Claimed: scored by the submitter only. Re-scored: the maintainer got
the same scores from the raw answers and their own annotations. Reproduced: somebody else ran the model and got the
same answers."""

SUFFIX_OF_RECORD = ".verdict.json"
SCHEMA = "s3harness/verdict/v2"
MAX_RECORD_BYTES = 1 << 20
RANKED: tuple[Tier, ...] = ("re-scored", "reproduced")
"""Tiers whose scores somebody else than the submitter has computed: only these are ranked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Outcome of verifying a submission: its tier, the checks done, its problems, and what a maintainer has to review.

    ``findings`` reject a submission. ``reviews`` and ``resemblances`` to other submissions hold it back until a
    maintainer states a reason to accept it (``reviewed``). ``notes`` are facts that readers of its scores need, such as
    that several models answered.
    """

    tier: Tier
    findings: tuple[AuditFinding, ...] = ()
    reviews: tuple[AuditFinding, ...] = ()
    resemblances: tuple[Resemblance, ...] = ()
    reviewed: str = ""
    checked: tuple[str, ...] = ()
    n_responses: int = 0
    n_items: int = 0
    n_scores: int = 0
    notes: tuple[str, ...] = ()

    @property
    def needs_review(self) -> bool:
        """True if a maintainer has to review something and has not stated a reason to accept it."""
        return bool(self.reviews or self.resemblances) and not self.reviewed

    @property
    def accepted(self) -> bool:
        """True if there is no finding, and nothing left to review."""
        return not self.findings and not self.needs_review


def as_reproduced(verdict: Verdict) -> Verdict:
    """Return the verdict with the tier "reproduced", if it is an accepted one of a re-scored submission."""
    return replace(verdict, tier="reproduced") if verdict.accepted and verdict.tier == "re-scored" else verdict


def write_verdict(submission: Path, verdict: Verdict, key: Path | None = None) -> Path:
    """Write the record of a verdict beside the submission, signed if there is a key, and return its path.

    An older signature is removed in any case, since it signs an older record.
    """
    path = record_path(submission)
    # Removed first: if writing fails, no signature is left beside a record that it does not cover.
    path.with_name(path.name + SUFFIX).unlink(missing_ok=True)
    write_json(path, _record(submission, verdict))
    if key is not None:
        sign(path, key)
    return path


def signed_verdict(submission: Path, allowed_signers: Path) -> Mapping[str, Any] | None:
    """Return the signed record of a submission; ``None`` without one, or with one of other files or another name."""
    path = record_path(submission)
    # The size is limited, since whoever may write to the folder of submissions may have put a huge file there.
    if not is_signed(path, allowed_signers) or path.stat().st_size > MAX_RECORD_BYTES:
        return None
    try:
        record = parse_json(path.read_bytes())
    except ValueError:
        return None
    folder = submission.resolve()
    # A signed record that was copied to another submission does not count.
    is_about_it = (
        isinstance(record, dict)
        and record.get("schema") == SCHEMA
        and record.get("submission") == folder.name
        and record.get("sha256") == folder_digest(folder)
    )
    return record if is_about_it else None


def record_path(submission: Path) -> Path:
    """Return the path of the record beside a submission."""
    path = submission.resolve()
    return path.with_name(path.name + SUFFIX_OF_RECORD)


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 of the files of a submission and their names."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            # File by file, so that moving bytes from one file to the next changes the digest.
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{content} {path.relative_to(folder).as_posix()}\n".encode())
    return digest.hexdigest()


def _record(submission: Path, verdict: Verdict) -> dict[str, Any]:
    folder = submission.resolve()
    return {
        "schema": SCHEMA,
        "submission": folder.name,
        "sha256": folder_digest(folder),
        "accepted": verdict.accepted,
        "tier": verdict.tier,
        "s3harness": __version__,
        "findings": [str(finding) for finding in verdict.findings],
        # As text, since people read them and the pages only quote the first.
        "reviews": [str(one) for one in (*verdict.reviews, *verdict.resemblances)],
        "reviewed": verdict.reviewed,
    }

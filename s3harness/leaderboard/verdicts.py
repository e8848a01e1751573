"""Verdicts: what verifying a submission came to, and the signed record of it beside the submission.

A record says nothing unless a maintainer's key has signed it, and then only of these very files in a folder of this
name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from s3harness.files import parse_json, write_json
from s3harness.leaderboard.findings import Finding
from s3harness.leaderboard.replays import Resemblance
from s3harness.leaderboard.signatures import SUFFIX, is_signed, sign
from s3harness.version import __version__

Tier = Literal["published", "claimed", "re-scored", "reproduced"]
"""Published: copied from a paper, not run again. Claimed: scored by the submitter, whose annotations nobody else has
seen. Re-scored: the same scores came out of the raw answers and the maintainer's own annotations. Reproduced: the
answers, too, came out again, in a run by somebody else."""

SUFFIX_OF_RECORD = ".verdict.json"
SCHEMA = "s3harness/verdict/v2"
MAX_RECORD_BYTES = 1 << 20
RANKED: tuple[Tier, ...] = ("re-scored", "reproduced")
"""Tiers of what somebody else than the submitter has scored: only these are ranked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What verifying came to: the tier, what was checked, what speaks against it, and what a maintainer has to look at.

    ``findings`` reject a submission. ``reviews`` and ``resemblances`` to other submissions hold it back until a
    maintainer gives the reason for which it is accepted all the same (``reviewed``). ``notes`` are what a reader of its
    scores has to know: that several models answered, say.
    """

    tier: Tier
    findings: tuple[Finding, ...] = ()
    reviews: tuple[Finding, ...] = ()
    resemblances: tuple[Resemblance, ...] = ()
    reviewed: str = ""
    checked: tuple[str, ...] = ()
    n_responses: int = 0
    n_items: int = 0
    n_scores: int = 0
    notes: tuple[str, ...] = ()

    @property
    def needs_review(self) -> bool:
        """Whether a maintainer has to look at something, and has not said so yet."""
        return bool(self.reviews or self.resemblances) and not self.reviewed

    @property
    def accepted(self) -> bool:
        """Whether nothing speaks against it, and nothing is left to look at."""
        return not self.findings and not self.needs_review


def as_reproduced(verdict: Verdict) -> Verdict:
    """Return the verdict for a submission whose answers came out again in a run by somebody else, if it is accepted."""
    return replace(verdict, tier="reproduced") if verdict.accepted and verdict.tier == "re-scored" else verdict


def write_verdict(submission: Path, verdict: Verdict, key: Path | None = None) -> Path:
    """Write the record of a verdict beside the submission, signed if there is a key, and return its path.

    An older signature is removed in any case.
    """
    path = record_path(submission)
    path.with_name(path.name + SUFFIX).unlink(missing_ok=True)
    write_json(path, _record(submission, verdict))
    if key is not None:
        sign(path, key)
    return path


def signed_verdict(submission: Path, allowed_signers: Path) -> Mapping[str, Any] | None:
    """Return the signed record of a submission; ``None`` without one, or with one of other files or another name."""
    path = record_path(submission)
    if not is_signed(path, allowed_signers) or path.stat().st_size > MAX_RECORD_BYTES:
        return None
    try:
        record = parse_json(path.read_bytes())
    except ValueError:
        return None
    folder = submission.resolve()
    is_about_it = (
        isinstance(record, dict)
        and record.get("schema") == SCHEMA
        and record.get("submission") == folder.name
        and record.get("sha256") == folder_digest(folder)
    )
    return record if is_about_it else None


def record_path(submission: Path) -> Path:
    """The path of the record beside a submission."""
    path = submission.resolve()
    return path.with_name(path.name + SUFFIX_OF_RECORD)


def folder_digest(folder: Path) -> str:
    """SHA-256 of the files of a submission and their names."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
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
        "reviews": [str(one) for one in (*verdict.reviews, *verdict.resemblances)],
        "reviewed": verdict.reviewed,
    }

"""Findings of an audit: one line each, which gives place and kind of a problem and never quotes private text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from s3harness.errors import S3HarnessError

SHOWN = 20
"""Findings that an error message lists."""


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One problem of a submission or a run: its file, the place in the file, its kind, and a message."""

    file: str
    where: str
    kind: str
    message: str

    def __str__(self) -> str:
        # File names and places may be a submitter's own text.
        place = f"{self.file}:{self.where}" if self.where else self.file
        return printable(f"{place}: {self.message}")


class RefusedError(S3HarnessError):
    """Raised for a submission that is refused; ``findings`` are the reasons."""

    def __init__(self, what: str, findings: Sequence[AuditFinding], remedy: str = "") -> None:
        # A submission may have a finding per line of its files; the attribute keeps them all.
        shown = [f"  {finding}" for finding in findings[:SHOWN]]
        more = [f"  … and {len(findings) - SHOWN} more"] if len(findings) > SHOWN else []
        problems = f"{len(findings)} {'problem' if len(findings) == 1 else 'problems'}"
        super().__init__("\n".join([f"{what}: {problems}", *shown, *more]) + remedy)
        self.findings = tuple(findings)


def printable(text: str) -> str:
    """Return the text with every control character replaced: untrusted text must not steer a terminal."""
    return "".join(c if unicodedata.category(c)[0] != "C" else "�" for c in text)

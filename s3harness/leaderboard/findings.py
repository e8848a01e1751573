"""What is found wrong with a submission: one line each, and never the text that should not be there."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from s3harness.errors import S3HarnessError

SHOWN = 20


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One reason to refuse: in which file and where in it, of what kind, and what is wrong."""

    file: str
    where: str
    kind: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.where}" if self.where else self.file
        return printable(f"{place}: {self.message}")


class RefusedError(S3HarnessError):
    """A submission that is refused; ``findings`` say why."""

    def __init__(self, what: str, findings: Sequence[AuditFinding], remedy: str = "") -> None:
        shown = [f"  {finding}" for finding in findings[:SHOWN]]
        more = [f"  … and {len(findings) - SHOWN} more"] if len(findings) > SHOWN else []
        super().__init__("\n".join([f"{what}: {len(findings)} to mend", *shown, *more]) + remedy)
        self.findings = tuple(findings)


def printable(text: str) -> str:
    """The text without control characters, which would let a stranger's text steer a terminal."""
    return "".join(c if unicodedata.category(c)[0] != "C" else "�" for c in text)

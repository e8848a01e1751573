"""One training sample: a clip, a prompt, the answer to learn, and the truth that rewards need."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from s3harness.errors import UsageError
from s3harness.files import parse_json
from s3harness.types import Clip, Reference, Request


@dataclass(frozen=True, slots=True)
class SampleTruth:
    """What a reward needs of a sample: the subject, the clip, and the truth by task (a task may use another's answer).

    It is JSON-able, and travels with a sample as one column.
    """

    subject: str
    clip: Clip
    references: tuple[Reference, ...]

    def reference(self, task: str) -> Reference | None:
        """What a task scores the answer by, if it does."""
        return next((reference for reference in self.references if reference.task == task), None)

    def as_text(self) -> str:
        """The question as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> SampleTruth:
        """The question of a JSON text; :class:`UsageError` if it holds none."""
        try:
            data = parse_json(text)
            clip = Clip(**{**data["clip"], "timestamps": tuple(data["clip"]["timestamps"])})
            return cls(str(data["subject"]), clip, tuple(_reference(row) for row in data["references"]))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"a column 'sample' as train export writes it is expected, not {text[:80]!r}: {error!r}"
            ) from error


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip, one prompt, and the answer to learn. Where it is ``mirrored``, the loader flips the frames."""

    request: Request
    target: str
    references: tuple[Reference, ...]
    mirrored: bool = False

    @property
    def question(self) -> SampleTruth:
        """What rewards are computed from."""
        return SampleTruth(self.request.subject, self.request.clip, self.references)

    @property
    def id(self) -> str:
        """A short hash of the request and of whether it is mirrored."""
        return hashlib.sha256(f"{self.request.id}/{self.mirrored}/{self.target}".encode()).hexdigest()[:20]


def _reference(row: Mapping[str, Any]) -> Reference:
    window = row["window"]
    return Reference(**{**row, "window": tuple(window) if window else None, "requests": tuple(row["requests"])})

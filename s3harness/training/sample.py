"""One training sample: a clip, a prompt, the answer to learn, and the truth that rewards need."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from s3harness.errors import UsageError
from s3harness.files import parse_json
from s3harness.types import Clip, Reference, Request


@dataclass(frozen=True, slots=True)
class SampleTruth:
    """The part of a sample that rewards need: the subject, the clip, and the truth by task.

    One sample may have the truths of several tasks, as a task may use another's answer. It is JSON-able: trainers
    carry it beside the sample as one column.
    """

    subject: str
    clip: Clip
    references: tuple[Reference, ...]

    def reference(self, task: str) -> Reference | None:
        """Return the reference by which a task scores the answer; ``None`` if the task does not score this sample."""
        return next((reference for reference in self.references if reference.task == task), None)

    def as_text(self) -> str:
        """Return the truth as JSON."""
        # Sorted keys: the text is part of exported rows, which must be equal for equal sets.
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> SampleTruth:
        """Parse the result of :meth:`as_text`; :class:`UsageError` for any other text."""
        try:
            data = parse_json(text)
            # JSON has no tuples, and a clip with a list would not be hashable.
            clip = Clip(**{**data["clip"], "timestamps": tuple(data["clip"]["timestamps"])})
            return cls(str(data["subject"]), clip, tuple(_reference(row) for row in data["references"]))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"a column 'sample' as train export writes it is expected, not {text[:80]!r}: {error!r}"
            ) from error


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip, one prompt, and the answer to learn. If ``mirrored``, the loader flips the frames."""

    request: Request
    target: str
    references: tuple[Reference, ...]
    mirrored: bool = False

    @property
    def truth(self) -> SampleTruth:
        """Return the part of the sample from which rewards are computed."""
        return SampleTruth(self.request.subject, self.request.clip, self.references)

    @property
    def question(self) -> SampleTruth:
        """Return :attr:`truth`, by its old name."""
        # Third-party trainers read samples: the old name works for one more release.
        message = "Sample.question is now truth; the old name goes with the next release"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return self.truth

    @property
    def id(self) -> str:
        """Return a short hash of the request, the answer, and whether the sample is mirrored."""
        # A mirrored sample without a side in its prompt has the request id of the original.
        return hashlib.sha256(f"{self.request.id}/{self.mirrored}/{self.target}".encode()).hexdigest()[:20]


def _reference(row: Mapping[str, Any]) -> Reference:
    window = row["window"]
    return Reference(**{**row, "window": tuple(window) if window else None, "requests": tuple(row["requests"])})

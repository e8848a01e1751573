"""One report of a video, from those of its windows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from s3harness.aggregators.aggregate import Aggregate, unique
from s3harness.types import Answer

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def joined_text(answers: Sequence[Answer]) -> Aggregate:
    """The windows' texts joined, each sentence once, in order of first appearance.

    Case and blanks aside, a sentence must be the same to be left out; nothing is rephrased.
    """
    sentences = [s for answer in answers for s in _SENTENCE_END.split(str(answer.value).strip())]
    kept = unique(sentences)
    return Aggregate(" ".join(kept), f"{len(kept)} of {len(sentences)} sentences from {len(answers)} windows")

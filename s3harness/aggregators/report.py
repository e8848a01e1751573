"""The aggregator of reports: one report of a video, from those of its windows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from s3harness.aggregators.aggregate import Aggregate, unique
from s3harness.types import Answer

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def joined_text(answers: Sequence[Answer]) -> Aggregate:
    """Join the windows' texts, each sentence once, in order of first appearance.

    A sentence is left out if it equals an earlier one but for case and blanks; nothing is rephrased.
    """
    sentences = [s for answer in answers for s in _SENTENCE_END.split(str(answer.value).strip())]
    # Windows overlap, so that the same moment is described twice, often in the same words.
    distinct = unique(sentences)
    return Aggregate(" ".join(distinct), f"{len(distinct)} of {len(sentences)} sentences from {len(answers)} windows")

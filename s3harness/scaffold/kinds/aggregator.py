"""An aggregator: from the answers to an item's windows to one value."""

from collections import Counter
from collections.abc import Sequence

import s3harness


def newcomer_aggregator(answers: Sequence[s3harness.Answer]) -> s3harness.Aggregate:
    """The word that most windows give, the first of equals.

    There is always at least one answer, and all of them were read. Raises :class:`s3harness.SpecError` for answers that
    are no words.
    """
    words = [answer.value for answer in answers if isinstance(answer.value, str)]
    if len(words) < len(answers):
        raise s3harness.SpecError("aggregate: newcomer takes answers of one word")
    (word, times), *_ = Counter(words).most_common()
    return s3harness.Aggregate(word, f"{times} of {len(words)} windows")

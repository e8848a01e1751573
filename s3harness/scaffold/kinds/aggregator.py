"""An aggregator: combine the answers to an item's windows into one value."""

from collections import Counter
from collections.abc import Sequence

import s3harness


def newcomer_aggregator(answers: Sequence[s3harness.Answer]) -> s3harness.Aggregate:
    """Return the most common word of the windows, the first of equals.

    There is always at least one answer, and each was parsed. Raises :class:`s3harness.SpecError` for answers that are
    no words.
    """
    words = [answer.value for answer in answers if isinstance(answer.value, str)]
    # An error, not a guess: a task with other answers needs another aggregator.
    if len(words) < len(answers):
        raise s3harness.SpecError("aggregate: newcomer takes answers of one word")
    (word, times), *_ = Counter(words).most_common()
    return s3harness.Aggregate(word, f"{times} of {len(words)} windows")

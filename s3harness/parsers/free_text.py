"""The parser of free text: the reply itself is the answer."""

from __future__ import annotations

from s3harness.parsers.reading import Reading
from s3harness.parsers.refusal import looks_like_refusal
from s3harness.parsers.text import answer_text

MAX_CHARS = 20_000
"""Characters of an answer that are scored. The longest released report has under 4,000."""


def free_text(text: str, max_chars: int = MAX_CHARS) -> Reading:
    """Read the reply as text (``str``), without thinking and fences, at most ``max_chars`` characters of it.

    Clean when nothing but blanks at the ends was removed; unparsable when nothing is left, or for a refusal.
    """
    answer = answer_text(text)
    if not answer.text:
        return Reading.unparsable("empty")
    # Free text has no closed answer to miss: without this a refusal would be scored as a report.
    if looks_like_refusal(answer.text):
        return Reading.unparsable("a refusal")
    if len(answer.text) <= max_chars:
        return Reading.noted(answer.text, answer.notes)
    cut = answer.text[:max_chars].rstrip()
    return Reading.repaired(cut, "; ".join([*answer.notes, f"cut to {max_chars} characters"]))

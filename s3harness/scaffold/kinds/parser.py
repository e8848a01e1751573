"""A parser: read a value from a model's text, and say how (clean, repaired or unparsable)."""

import re

import s3harness

_WORDS = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


def newcomer_parser(text: str) -> s3harness.Reading:
    """Read the last "yes" or "no" of a text: clean if there is nothing else, unparsable if there is none."""
    words = _WORDS.findall(text)
    if not words:
        return s3harness.Reading.unparsable("neither yes nor no")
    value = words[-1].lower()  # the last one: models reason first and conclude at the end
    if text.strip().lower() == value:
        return s3harness.Reading.clean(value)
    return s3harness.Reading.repaired(value, "more text than the one word")

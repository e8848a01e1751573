"""A parser: from what a model wrote to a value, and how it was read."""

import re

import s3harness

_WORDS = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


def newcomer_parser(text: str) -> s3harness.Reading:
    """The last "yes" or "no" of a text: clean if there is nothing else, unparsable if there is none."""
    found = _WORDS.findall(text)
    if not found:
        return s3harness.Reading.unparsable("neither yes nor no")
    value = found[-1].lower()
    if text.strip().lower() == value:
        return s3harness.Reading.clean(value)
    return s3harness.Reading.repaired(value, "more than the one word")

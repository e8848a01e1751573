"""A penalty: a factor on the Seizure-RQI of a report, and the words that cause it."""

import re

import s3harness

PER_PHRASE = 0.9
_PHRASES = re.compile(r"\bas an? (?:AI|language model)\b|\bI(?: am unable to| cannot|'m sorry)\b", re.IGNORECASE)


def newcomer_penalty(context: s3harness.PenaltyContext) -> s3harness.Penalty:
    """Return × 0.9 for each phrase in which the report speaks of its writer instead of the patient."""
    phrases = tuple(_PHRASES.findall(context.text))
    return s3harness.Penalty(PER_PHRASE ** len(phrases), phrases)

"""Mirrors annotations: exchanges every side, in the labels and in the words.

The frames are flipped elsewhere. Body parts, justifications and the report speak of the patient's own sides and are
exchanged alike; a prompt is made anew from the mirrored annotations, so that its report is mirrored as well.
"""

from __future__ import annotations

import re
from dataclasses import replace

from s3harness.types import FeatureLabel, Side, Video

# Also the abbreviations of clinical notes: left upper and lower extremity, "lt".
_OTHER: dict[str, str] = {"left": "right", "lue": "rue", "lle": "rle", "lt": "rt"}
_OTHER |= {right: left for left, right in _OTHER.items()}
_SIDES: dict[Side, Side] = {"left": "right", "right": "left", "both": "both"}
_WORD = re.compile(
    r"(?P<phrase>\ball right\b|\bright (?:away|now|before|after|at|then)\b|\bleft (?:the|alone|behind|in place)\b"
    r"|\b(?:is|was|were) left(?!-| hand| arm| leg| sid)\b)"
    r"|\b(?P<side>left|right)(?=(?:wards?|handed|hand|sided)?\b)|\b(?P<short>[lr](?:ue|le|t))\b",
    re.IGNORECASE,
)
"""A side, or a phrase in which "left" or "right" is none; the phrases come first, so that they are not taken apart."""


def mirrored_video(video: Video) -> Video:
    """Return the annotations of the flipped video; times, signs and diagnosis stay."""
    features = {name: _mirrored_label(label) for name, label in video.features.items()}
    part, report = mirrored_text(video.onset_body_part), mirrored_text(video.report)
    return replace(video, features=features, onset_body_part=part, report=report)


def mirrored_text(text: str) -> str:
    """Exchange left and right in a text, with their capitals; "all right", "left the room" and the like stay."""
    return _WORD.sub(_exchanged, text)


def _mirrored_label(label: FeatureLabel) -> FeatureLabel:
    side = _SIDES[label.side] if label.side else None
    return replace(label, side=side, justification=mirrored_text(label.justification))


def _exchanged(match: re.Match[str]) -> str:
    word = match["side"] or match["short"]
    # A phrase in which the word is no side.
    if word is None:
        return match[0]
    other = _OTHER[word.lower()]
    return other.upper() if word.isupper() else other.capitalize() if word[0].isupper() else other

"""The tasks of the benchmark for a user's own list of signs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from s3harness.specs.features import Vocabulary
from s3harness.specs.subjects import subjects

SIDE_PROMPT = """\
You see a clip of a patient during a recorded event. Left and right mean the patient's own left and right, not yours: \
the left hand of a person who faces the camera is on the right of the picture.
In this clip the patient shows this sign: {{ feature.title }}. {{ feature.definition }}
On which side of the patient's body is it, or to which side does it go?

Answer with the single word "left" or "right".
"""
"""Prompt of Task 3 about a sign that the task's own prompt has no words for."""
ASKED_BY_NAME = ("head_turning", "arm_movement")
"""Signs that the prompt of Task 3 has words for."""
PLACE_OF_ONSET = "onset_body_part"


def for_signs(spec: Mapping[str, Any], words: Vocabulary) -> Mapping[str, Any]:
    """Return a task's spec for a list of signs; the very spec for the benchmark's own.

    What the spec says of signs that the list lacks is left out, and a side is asked for in words that fit any sign.
    """
    item = spec.get("item")
    if not words.is_own or item is None:
        return spec
    adapted = _without_others(spec, frozenset(subjects(item)))
    if item != "laterality" or "prompt" not in spec:
        return adapted
    own = dict(adapted.get("subjects", {}))
    for sign in words.sided:
        if sign not in ASKED_BY_NAME and sign in words.names:
            own[sign] = {"prompt": SIDE_PROMPT, **own.get(sign, {})}
    if "answer" in own.get(PLACE_OF_ONSET, {}):
        place = own[PLACE_OF_ONSET]
        own[PLACE_OF_ONSET] = {**place, "answer": {**place["answer"], "choices": list(words.body_parts)}}
    return {**adapted, "subjects": own}


def _without_others(part: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """Return a part of a spec whose mappings ``subjects``, at any depth, hold known ones alone."""
    out: dict[str, Any] = {}
    for key, value in part.items():
        if key == "subjects" and isinstance(value, Mapping):
            out[key] = {subject: change for subject, change in value.items() if subject in known}
        else:
            out[key] = _without_others(value, known) if isinstance(value, Mapping) else value
    return out

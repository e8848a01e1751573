"""HED-SCORE tags of signs: the tags of a sign from the vocabulary, and the sign of a tag; the schema is shipped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import s3harness

SCHEMA = "score_2.1.0"
"""HED library schema, SCORE with the standard schema 8.4.0; hedtools ships both."""
EPISODE = "Episode"
"""Tag of the whole event, which may be epileptic or not."""
SIDES: Mapping[str, str] = {"left": "Left", "right": "Right", "both": "(Left, Right)"}

_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@cache
def schema() -> Any:
    """Return the schema, from the files that hedtools ships: seconds, once a process."""
    from importlib.resources import files

    from hed.schema import load_schema

    return load_schema(str(files("hed.schema") / "schema_data" / f"HED_{SCHEMA}.xml"))


def sidecar_tags(signs: Iterable[str]) -> dict[str, str]:
    """Return sign → HED tags of its events, of the signs that the vocabulary has tags for.

    A sign's tags are one group with those of the columns side, annotator and repeat: HED refuses the same tags twice at
    one moment, as two annotators of one sign would give.
    """
    tags = {feature.name: feature.hed for feature in s3harness.vocabulary().features}
    tags[s3harness.SEIZURE] = EPISODE
    return {sign: f"({tags[sign]}, {{side}}, {{annotator}}, {{repeat}})" for sign in signs if tags.get(sign)}


def label_tags(sources: Iterable[str]) -> dict[str, str]:
    """Return source → a tag that names it, in the characters that HED allows in a name; each is different."""
    tags: dict[str, str] = {}
    for source in sources:
        name = _NO_NAME.sub("-", source).strip("-") or "source"
        taken = sum(tag.partition("/")[2] == name for tag in tags.values())
        tags[source] = f"Label/{name}-{len(tags)}" if taken else f"Label/{name}"
    return tags


def signs_of_tags() -> dict[str, str]:
    """Return HED tag → sign, of the tags that one sign alone has."""
    signs: dict[str, list[str]] = {}
    for feature in s3harness.vocabulary().features:
        signs.setdefault(normalised(feature.hed), []).append(feature.name)
    return {tag: names[0] for tag, names in signs.items() if tag and len(names) == 1}


def normalised(tags: str) -> str:
    """Return a text of tags such that two ways of writing the same tags compare equal: short forms, in order."""
    parts = (part.strip().rsplit("/", 1)[-1].lower() for part in tags.replace("(", "").replace(")", "").split(","))
    # Sides and templates of other columns are no part of the sign.
    return ",".join(sorted(part for part in parts if part and part not in ("left", "right") and "{" not in part))

"""Word lists of the search, read once from the YAML files beside this module."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from s3harness.guard.identifiers.normalization import fold

_WORDS = re.compile(r"[^\W\d_]{2,}")
FOLDER = Path(__file__).parent


@cache
def table(name: str) -> dict[str, Any]:
    """Return the content of a YAML file of this room."""
    import yaml

    # Builds of PyYAML without libyaml lack the fast loader; both read the same.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content: dict[str, Any] = yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), loader)  # noqa: S506
    return content


@cache
def words(*keys: str) -> tuple[str, ...]:
    """Return the words of a list of ``identifiers.yaml``, by its keys."""
    return tuple(str(_at(*keys)).split())


def alternatives(*keys: str) -> str:
    """Return a list of regular expressions of ``identifiers.yaml`` as one."""
    # The lists are folded over lines for reading; YAML leaves a blank where a line ended behind a bar.
    return re.sub(r"\|\s+", "|", str(_at(*keys)).strip())


def any_of(*keys: str) -> str:
    """Return the words of a list as one regular expression, the longest first."""
    # The first alternative that fits wins: "St" before "Street" would end a name too early.
    return "|".join(sorted(words(*keys), key=len, reverse=True))


@cache
def given_names() -> frozenset[str]:
    """Return the given names of all countries, folded."""
    return frozenset(fold(name) for names in table("given_names").values() for name in str(names).split())


@cache
def ordinary_words() -> frozenset[str]:
    """Return the words that name nobody though they have a capital letter, folded."""
    return eponyms() | frozenset(fold(word) for kind in ("anatomy", "clinical", "sentence") for word in _ordinary(kind))


@cache
def eponyms() -> frozenset[str]:
    """Return the names in names of signs, syndromes and tests, folded."""
    return frozenset(fold(word) for word in _ordinary("eponyms"))


@cache
def sentence_words() -> frozenset[str]:
    """Return the words that sentences begin with, folded."""
    return frozenset(fold(word) for word in _ordinary("sentence"))


@cache
def words_in_small_letters() -> frozenset[str]:
    """Return the names of people that are ordinary words in small letters, folded."""
    return frozenset(map(fold, _ordinary("lower"))) | ordinary_words()


def is_ordinary(name: str, but: frozenset[str] = frozenset()) -> bool:
    """Return whether the first word of a name with a capital letter names nobody; those in ``but`` do."""
    capitals = [word for word in _WORDS.findall(name) if word[0].isupper()]
    word = next((word for word in capitals if word.casefold() not in words("particles")), "")
    folded = fold(word)
    return not word or (folded in ordinary_words() and folded not in but)


def _ordinary(kind: str) -> list[str]:
    return str(table("ordinary_words")[kind]).split()


def _at(*keys: str) -> Any:
    content: Any = table("identifiers")
    for key in keys:
        content = content[key]
    return content

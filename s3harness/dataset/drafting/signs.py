"""Signs and diagnoses of phrases in several languages: by name, by synonym, or by the concepts of their words."""

from __future__ import annotations

from dataclasses import dataclass

from s3harness.dataset.drafting.table_words import best_rule, readings, table_words, tokens, value_key
from s3harness.dataset.importing.mapping import SEIZURE
from s3harness.specs.features import cached_per_vocabulary, vocabulary

SIDES = ("left", "right", "both")
NEUTRAL = frozenset({*SIDES, "filler", "seizure", "clinical", "move"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """Meaning of a word; ``is_certain`` if every part of it is explained and nothing else fits."""

    meaning: str
    side: str = ""
    present: str = ""
    is_certain: bool = True
    others: tuple[str, ...] = ()


@cached_per_vocabulary(maxsize=4096)
def understand_sign(text: str) -> Understanding | None:
    """Return the sign that a phrase names, in any of the known languages; ``None`` if none."""
    words = tuple(tokens(text))
    exact = _by_name().get(" ".join(words))
    if exact is not None:
        return Understanding(meaning=exact)
    known = (*vocabulary().names, *vocabulary().signs, SEIZURE)
    # A list of the user's own may have only some of the signs, and others besides.
    rules = {name: rows for name, rows in table_words().sign_rules.items() if name in known}
    names, left, unknown = best_rule(readings(_joined(words), table_words().signs), rules, NEUTRAL)
    if not names:
        return None
    sides = [side for side in SIDES if side in left]
    present = "no" if "not" in left else ""
    explained = not (left - NEUTRAL) and not unknown
    # A sign that has no side does not get one from a word beside it.
    side = sides[0] if len(sides) == 1 and _has_side(names[0]) else ""
    is_certain = explained and len(names) == 1 and len(sides) < 2
    return Understanding(meaning=names[0], side=side, present=present, is_certain=is_certain, others=tuple(names[1:]))


def understand_diagnosis(text: str) -> Understanding | None:
    """Return ES, NES or unknown for a phrase; ``None`` if it is none of them."""
    if text.strip().upper() in ("ES", "NES"):
        return Understanding(meaning=text.strip().upper())
    rules = table_words().diagnosis_rules
    names, left, unknown = best_rule(readings(tokens(text), table_words().diagnoses), rules, NEUTRAL)
    if not names:
        return None
    # Further words of a diagnosis name its kind: "fokale Epilepsie, bewusst erlebt".
    is_certain = len(names) == 1 and "not" not in left and not (unknown and names[0] == "unknown")
    return Understanding(meaning=names[0], is_certain=is_certain, others=tuple(names[1:]))


def understand_value(text: str, meanings: tuple[str, ...]) -> str | None:
    """Return which of some meanings a cell's word has; ``None`` if it has none of them."""
    keys = {value_key(text), value_key(text).rstrip(".")}
    return next((meaning for meaning in meanings if keys & table_words().values[meaning]), None)


def _joined(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words, two or three of them that are one word of the lexicon joined: "upper limb"."""
    phrases = table_words().signs.phrases
    joined: list[str] = []
    at = 0
    while at < len(words):
        texts = {n: "".join(words[at : at + n]) for n in (3, 2) if at + n <= len(words)}
        length = next((n for n, text in texts.items() if text.startswith(phrases)), 1)
        joined.append("".join(words[at : at + length]))
        at += length
    return tuple(joined)


def _has_side(sign: str) -> bool:
    return sign not in vocabulary().names or vocabulary()[sign].lateralised


@cached_per_vocabulary(maxsize=1)
def _by_name() -> dict[str, str]:
    """Names, titles and synonyms of the signs → name."""
    words = {" ".join(tokens(name)): name for name in vocabulary().signs}
    for feature in vocabulary().features:
        words |= {" ".join(tokens(word)): feature.name for word in (feature.name, feature.title, *feature.synonyms)}
    return words

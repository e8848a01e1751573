"""Postal addresses, places and hospitals."""

from __future__ import annotations

import re
from collections.abc import Iterator

from s3harness.guard.identifiers.numbers import digits_of, is_no_measure
from s3harness.guard.identifiers.pattern import Rule, rule
from s3harness.guard.identifiers.vocabulary import alternatives, is_ordinary

_STREET_NEEDS_NUMBER = frozenset(
    {"place", "passage", "cours", "square", "route", "via", "vial", "largo", "ronda", "accesso"}
)


def places() -> Iterator[Rule]:
    """Yield the rules of addresses and places."""
    # Capital letters of the languages searched for: addresses are told from running text by them.
    up = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĘĚĞİŁŃŇŐŒŚŞŠŢŤŪŮŰŹŻŽ"
    name = rf"[{up}][\w'.-]{{1,30}}"
    joined = r"(?:(?:de|du|des|del|la|las|los|le|les|di|della|dei|d'|l') ?){0,3}"
    before = "|".join(f"{a}|{a[:1].upper()}{a[1:]}" for a in alternatives("streets", "before").split("|"))
    yield rule(
        "place",
        "certain",
        rf"(?<!\w)(?:{before}) {joined}{name}(?: {joined}{name}){{0,4}}(?:,? ?(?:n[.°º]? ?)?\d{{1,4}}\b)?",
        case=True,
        check=_is_street,
    )
    yield rule("place", "certain", rf"(?<!\w)\d{{1,4}}(?: ?(?:bis|ter))?,? (?:{before}) {joined}\w", "digit", case=True)
    # German glues the kind of a street to its name, so that only the number of the house tells it from other nouns.
    german = alternatives("streets", "behind_german")
    yield rule(
        "place",
        "certain",
        rf"(?<!\w)[{up}][\w.-]{{1,40}}(?i:{german}) ?\d{{1,4}}(?:/\d{{1,3}}| ?[a-z]\b)?(?!\w)",
        "digit",
        case=True,
    )
    yield rule(
        "place", "certain", r"(?<!\w)(?:Straße|Strasse|Str\.|Weg|Gasse|Allee|Platz) ?\d{1,4}\b", "digit", case=True
    )
    turkish = alternatives("streets", "behind_turkish")
    yield rule("place", "certain", rf"(?<!\w){name} (?i:{turkish})(?!\w)", case=True)
    english = alternatives("streets", "behind_english")
    # English kinds of streets are ordinary words (Way, Park, Point), so that the number of the house must precede.
    yield rule("place", "certain", rf"(?<!\w)\d{{1,6}}[A-Z]? (?:{name} ){{1,4}}(?:{english})(?!\w)", "digit", case=True)
    yield rule(
        "place",
        "certain",
        r"\b(?:Apt|Suite|Flat|Studio|Unit|Daire|Interno|Puerta)\.? ?(?:no\.? ?)?\d{1,5}[A-Z]?\b",
        "digit",
        case=True,
        check=_is_flat,
    )
    yield rule(
        "place",
        "certain",
        rf"(?<!\w){name}(?: {name}){{0,3}}, [A-Z]{{2}} \d{{5}}(?:-\d{{4}})?(?!\w)",
        "digit",
        case=True,
    )
    yield rule(
        "place",
        "certain",
        r"\b(?:P\.? ?O\.? ?Box|Postfach|Box|Apartado|BP) \d{2,6}\b|\b[AFD]PO [A-Z]{2} \d{5}\b",
        "digit",
        case=True,
    )
    # Polish postcode; a range such as "10-300 Hz" is a measure.
    yield rule("place", "certain", rf"(?<![\w.,-])\d{{2}}-\d{{3}} {name}", "digit", case=True, check=is_no_measure)
    yield rule(
        "place", "likely", rf"(?<![\w.,-])(?:[A-Z]{{1,2}}-)?\d{{5}},? {name}", "digit", case=True, check=is_no_measure
    )
    yield rule("place", "likely", r"(?<![\w-])[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}(?!\w)", "digit", case=True)
    yield rule(
        "place",
        "likely",
        rf"\b(?i:{alternatives('streets', 'homes')}) (?:{joined})(?!January|February|May){name}",
        case=True,
    )
    yield rule(
        "place", "likely", rf"\b(?:{alternatives('institutions', 'before')}) {joined}{name}", case=True, check=_is_named
    )
    yield rule(
        "place",
        "likely",
        rf"(?<!\w)(?:{name} ){{1,3}}(?:{alternatives('institutions', 'behind')})\b",
        case=True,
        check=_is_named,
    )


def _is_flat(match: re.Match[str]) -> bool:
    return not match[0].startswith("Unit") or len(digits_of(match[0])) >= 3


def _is_street(match: re.Match[str]) -> bool:
    """Return whether a match is a street: words that mean more (place, via, largo) need the number of a house."""
    first = match[0].split()[0].casefold()
    return first not in _STREET_NEEDS_NUMBER or match[0][-1].isdigit()


def _is_named(match: re.Match[str]) -> bool:
    # "University Hospital" names no hospital; "Klinikum Großhadern" does.
    ends = match[0].split()
    return not (is_ordinary(ends[0]) and is_ordinary(ends[-1]))

"""Names of people, known by a title, a role, a relative or a label before them, by ``LAST^FIRST`` or a given name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from s3harness.guard.identifiers.kinds import Identifier, Tier
from s3harness.guard.identifiers.normalization import fold
from s3harness.guard.identifiers.pattern import starts_of
from s3harness.guard.identifiers.vocabulary import (
    alternatives,
    any_of,
    eponyms,
    given_names,
    is_ordinary,
    ordinary_words,
    sentence_words,
    words,
)

_CODES = (*range(0x41, 0x250), *range(0x370, 0x530), *range(0x1E00, 0x1F00))
UPPER = "".join(chr(code) for code in _CODES if chr(code).isupper())
"""Latin, Greek and Cyrillic capital letters."""
_LETTER = r"[^\W\d_]"
_PART = rf"(?:[{UPPER}]['-]?)?[{UPPER}]{_LETTER}{{1,30}}(?:['-][{UPPER}]{_LETTER}{{1,30}})?"
_INITIAL = rf"[{UPPER}]\.[ -]?"
_PARTICLES = rf"(?:(?:{any_of('particles')}) ){{0,3}}"
NAME = rf"(?:{_INITIAL}){{0,2}}{_PARTICLES}{_PART}"
# The endings stand for the thousands of nouns that no list has: in German each has a capital letter, like a name.
_NOUN = re.compile(
    r"(?:ung|ungen|heit|keit|schaft|tion|ionen|ität|ismus|ismen|nis|anz|enz|ie|ien|phase|krampf|dauer|bewegung)$"
)
"""Endings of German nouns, which have capital letters, that names of people rarely have."""
_WORD = re.compile(rf"(?<!{_LETTER})[{UPPER}]{_LETTER}{{1,30}}")
_BEFORE_COMMA = re.compile(rf"\b[{UPPER}]\w{{1,30}}(?=, $)")
_BEHIND_COMMA = re.compile(rf",(?: and| or)? [{UPPER}]\w{{1,30}}")
_CAPITALS = re.compile(rf"[{UPPER}]")


def names(text: str, starts: frozenset[str]) -> Iterator[Identifier]:
    """Yield the names of people in a normal form; ``starts`` are its :func:`~.pattern.word_starts`."""
    # All rules need a capital letter; the answers of models often have none.
    if not _CAPITALS.search(text):
        return
    for rule in _rules():
        if rule.starts and rule.starts.isdisjoint(starts):
            continue
        for match in rule.pattern.finditer(text):
            tier = rule.judge(match)
            if tier is not None:
                yield Identifier("name", tier, *match.span("name"))
    yield from _given_names(text)


def _strong(match: re.Match[str]) -> Tier | None:
    """Judge the word after a title: a name, unless it is an ordinary word; an eponym is a name there."""
    return None if is_ordinary(match["name"], but=eponyms()) else "certain"


def _of_role(match: re.Match[str]) -> Tier | None:
    """Judge the word after a role of the ward: a name, unless it is a German noun."""
    return "certain" if _has_given(match["name"]) or not _is_word(match["name"]) else None


def _of_any_role(match: re.Match[str]) -> Tier | None:
    """Judge the word after a role that stands before any noun or sentence: a person is asked about it."""
    if _has_given(match["name"]):
        return "certain"
    return None if _is_word(match["name"]) or _is_in_heading(match) else "likely"


def _of_label(match: re.Match[str]) -> Tier | None:
    """Judge the words after a label: words that go on in small letters are what somebody says, not a name."""
    if _has_given(match["name"]):
        return "certain"
    if match["label"].casefold() in words("labels_of_names_alone"):
        return _strong(match)
    # "Nurse: Raise your arm" is speech, "Nurse: Huber" is a name.
    following = match.string[match.end() :].lstrip()
    goes_on = following[:1].islower() or following[:1] in "?!" if following else False
    return None if goes_on or is_ordinary(match["name"]) else "likely"


def _of_pair(match: re.Match[str]) -> Tier | None:
    """Judge ``Huber, Anna``: certain with a given name after the comma, else likely if neither is an ordinary word."""
    first, second = match["first"], match["second"]
    if fold(second) in given_names() and not is_ordinary(first):
        return "certain"
    is_list = any(neighbour is not None and not _is_word(neighbour[0]) for neighbour in _beside(match))
    return None if _is_word(first) or _is_word(second) or is_list else "likely"


def _beside(match: re.Match[str]) -> Iterator[re.Match[str] | None]:
    """Yield the capitalised words with commas before and after a pair, if any: lists have them, names have none."""
    # At most 40 characters back: the pattern would otherwise be tried from every place before.
    yield _BEFORE_COMMA.search(match.string, max(0, match.start("name") - 40), match.start("name"))
    yield _BEHIND_COMMA.match(match.string, match.end("name"))


@dataclass(frozen=True, slots=True)
class _Rule:
    """A pattern with a group ``name``, and the function that judges a match.

    It is tried only on texts with a word that begins with one of ``starts``, where these are given.
    """

    pattern: re.Pattern[str]
    judge: Callable[[re.Match[str]], Tier | None]
    starts: frozenset[str]

    @classmethod
    def of(cls, pattern: str, judge: Callable[[re.Match[str]], Tier | None], words_before: str = "") -> _Rule:
        return cls(re.compile(pattern), judge, starts_of(words_before))


@cache
def _rules() -> tuple[_Rule, ...]:
    strong, dotted = any_of("titles", "strong"), any_of("titles", "dotted").replace(".", r"\.")
    ward, others, patient = (_either_case(words("titles", kind)) for kind in ("ward", "others", "patient"))
    labels, called = _either_case(words("labels_of_names")), alternatives("called")
    relatives, german = any_of("relatives", "any"), any_of("relatives", "german")
    behind = any_of("titles", "behind")
    degrees = r"(?:(?:med|phil|rer|nat|h\. ?c|habil|univ|vet|dent|jur)\b\.? ){0,3}"
    name = rf"(?P<name>{NAME}(?: {_PART})?)"
    # A look-ahead, so that matches overlap: of "A, B, C" each pair has to be looked at.
    pair = rf"\b(?=(?P<name>(?P<first>{_PARTICLES}{_PART}), (?P<second>{_PART})(?: [{UPPER}]\.)?))"
    return (
        _Rule.of(rf"\b(?:{strong})\b\.? {degrees}{name}", _strong, strong),
        _Rule.of(rf"\b(?:{dotted})\. {name}", _strong, dotted),
        _Rule.of(rf"\b(?:{ward}) {name}", _of_role, ward),
        _Rule.of(rf"\b(?:{others}) {name}", _of_any_role, others),
        _Rule.of(rf"\b(?:(?:{patient})\b,?|[Pp](?:at|t)\.) {name}", _of_any_role, patient),
        _Rule.of(rf"\b(?i:{relatives}),? \(?{name}", _of_role, relatives),
        _Rule.of(rf"\b(?:{german}),? \(?{name}", _of_any_role, german),
        _Rule.of(rf"\b(?P<label>(?i:{called})) {name}", _of_label, called),
        _Rule.of(rf"\b(?P<label>{labels})(?: name| is)? ?[:=] ?{name}", _of_label, labels),
        # PN of DICOM: Last^First.
        _Rule.of(rf"(?P<name>\b[{UPPER}][\w'-]{{1,40}}\^[{UPPER}][\w'-]{{0,40}})", lambda _: "certain"),
        _Rule.of(rf"(?P<name>{_PART}) (?:{behind})\b", _of_role, behind),
        _Rule.of(pair, _of_pair),
        _Rule.of(rf"\b(?:{patient})\b\.? (?P<name>[{UPPER}]\. ?[{UPPER}]\.)", lambda _: "likely", patient),
    )


def _given_names(text: str) -> Iterator[Identifier]:
    """Yield given names with a name beside them (certain), and given names alone or two unknown words (likely).

    Words in a heading, all of which have capital letters, are no likely names.
    """
    for run in _runs(text):
        is_heading = len(run) > 1 and any(_is_word(word[0]) for word in _without_beginning(run))
        place = 0
        while place < len(run):
            pair = run[place : place + 2]
            tier = _tier_of_pair(pair) if len(pair) == 2 else None
            if tier == "certain" or (tier == "likely" and not is_heading):
                yield Identifier("name", tier, pair[0].start(), pair[1].end())
                place += 2
                continue
            if fold(run[place][0]) in given_names():
                yield Identifier("name", "likely", *run[place].span())
            place += 1


def _tier_of_pair(pair: Sequence[re.Match[str]]) -> Tier | None:
    first, second = pair[0][0], pair[1][0]
    if fold(first) in given_names():
        return None if is_ordinary(second) else "certain"
    if fold(second) in given_names():
        return None if _is_word(first) else "certain"
    is_name = _are_capitalised(first, second) and not _is_word(first) and not _is_word(second)
    return "likely" if is_name else None


def _runs(text: str) -> Iterator[list[re.Match[str]]]:
    """Yield runs of words with capital letters that have nothing but a space or a particle between them."""
    run: list[re.Match[str]] = []
    for match in _WORD.finditer(text):
        if run and text[run[-1].end() : match.start()] not in _BETWEEN:
            yield run
            run = []
        run.append(match)
    if run:
        yield run


def _without_beginning(run: Sequence[re.Match[str]]) -> Sequence[re.Match[str]]:
    """Return a run without the words that begin a sentence."""
    # "Then Anna Huber" begins with a word that has its capital letter from the sentence.
    first = next((n for n, word in enumerate(run) if fold(word[0]) not in sentence_words()), len(run))
    return run[first:]


_BETWEEN = {" ", "-", "_", " de ", " von ", " van ", " di ", " del ", " da ", " van der ", " de la ", " el "}


def _are_capitalised(*candidates: str) -> bool:
    return all(len(word) > 2 and word[1:].islower() for word in candidates)


def _is_in_heading(match: re.Match[str]) -> bool:
    """Return whether the role and the word before it both have capital letters."""
    words_before = match.string[: match.start()].split()
    return match[0][0].isupper() and bool(words_before) and words_before[-1][0].isupper()


def _has_given(name: str) -> bool:
    return any(fold(word) in given_names() for word in _WORD.findall(name))


def _is_word(name: str) -> bool:
    """Return whether the first word with a capital letter is an ordinary one, or a German noun by its ending."""
    match = _WORD.search(name)
    return match is None or fold(match[0]) in ordinary_words() or bool(_NOUN.search(match[0]))


def _either_case(roles: Iterable[str]) -> str:
    """Return words as one regular expression, each with a capital letter or without."""
    # Not the flag IGNORECASE: the name that follows needs its capital letter.
    both = (f"{role}|{role[:1].swapcase()}{role[1:]}" for role in sorted(roles, key=len, reverse=True))
    return "|".join(both)

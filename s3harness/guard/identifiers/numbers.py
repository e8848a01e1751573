"""Numbers of people and of devices: records, insurances, telephones, serial numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from s3harness.guard.identifiers.pattern import Rule, rule, starts_of
from s3harness.guard.identifiers.vocabulary import alternatives, words

_UNIT = re.compile(rf" ?(?:{'|'.join(words('units'))})(?!\w)", re.IGNORECASE)
_COUNTED = re.compile(rf"(?<!\w)(?:{'|'.join(words('units'))}):? $", re.IGNORECASE)


def numbers() -> Iterator[Rule]:
    """Yield the rules of numbers with a label, of national forms, of long ones, and of serial numbers."""
    # A code has four characters at least; the check wants three digits in it, so that "MRN unknown" is none.
    code = r"[A-Z0-9][A-Z0-9./-]{3,30}"
    number = alternatives("labels_of_numbers")
    separator = r"(?:\W{0,3}(?:is |no\.? |nr\.? |number |n° |#|: ?|= ?){0,2})"
    yield rule(
        "number",
        "certain",
        rf"(?<!\w)(?:{number}){separator}{code}",
        "digit",
        starts=starts_of(number),
        check=_has_digits,
    )
    yield rule(
        "number", "certain", r"(?<!\w)(?:id|case|chart|acc\w{0,6}|patient|pat)\W{0,3}[a-z]{0,3}\d{4,20}\b", "digit"
    )
    yield rule("number", "certain", r"(?<!\w)(?:no|nr|n°|#)\.? ?\d{4,20}\b", "digit")
    plate = r"(?:licen[cs]e plate|kennzeichen|plate|plaque|matrícula)\W{1,3}[a-z]{1,3}[ -][a-z]{1,2} ?\d{1,4}\b"
    yield rule("number", "certain", rf"\b{plate}", "digit", starts=frozenset(("lic", "ken", "pla", "mat")))
    serial = alternatives("labels_of_serials")
    yield rule(
        "serial",
        "certain",
        rf"(?<!\w)(?:{serial})\.?{separator}{code}",
        "digit",
        starts=starts_of(serial),
        check=_has_digits,
    )
    # In capitals alone: "sn" in small letters begins ordinary words, such as "snoring".
    yield rule("serial", "certain", rf"(?<!\w)SN{separator}{code}", "digit", case=True, check=_has_digits)
    # Social security number of the United States.
    yield rule("number", "certain", r"(?<![\w.])\d{3}-\d{2}-\d{4}(?![\w-])", "digit")
    # Numbers with a check letter, such as the Spanish DNI and NIE.
    yield rule(
        "number",
        "certain",
        r"(?<![\w.])(?:[A-Z]\d{7,9}[A-Z]?|[XYZ]-?\d{7}-?[A-Z]|\d{8}-?[A-Z])(?!\w)",
        "digit",
        case=True,
    )
    # Codice fiscale of Italy.
    yield rule("number", "certain", r"(?<!\w)[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z](?!\w)", "digit", case=True)
    # IBAN.
    yield rule(
        "number", "certain", r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?(?!\w)", "digit", case=True
    )
    yield rule(
        "number", "certain", r"(?<![\w.])[12] ?\d{2} ?[01]\d ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3}(?: ?\d{2})?(?!\w)", "digit"
    )
    # Any number of seven digits: frames, pixels and times of a clip have fewer.
    yield rule("number", "certain", r"(?<![\w.])\d{7,40}(?!\w)", "digit")
    # Capitals and digits without a label may be a serial number, or the name of a drug or a montage: a question.
    yield rule(
        "serial",
        "likely",
        r"(?<![\w.-])(?=[A-Z0-9-]{0,20}[A-Z])(?:[A-Z]{1,6}-?)?(?:[A-Z0-9]{2,8}-){0,3}[A-Z0-9]{6,20}(?![\w-])",
        "digit",
        case=True,
        check=_has_many_digits,
    )


def phones() -> Iterator[Rule]:
    """Yield the rules of telephone numbers."""
    for kind, least in (("sure", 1), ("words", 3)):
        label = alternatives("labels_of_phones", kind)
        behind = rf"[.:]?\W{{0,3}}(?:(?:no|nr|number)\.? ?:? ?)?\+?[\d(][\d ()/.-]{{{least},24}}\d"
        yield rule("number", "certain", rf"\b(?:{label})\b{behind}", "digit", starts=starts_of(label))
    yield rule(
        "number",
        "certain",
        r"(?<![\w.])(?:\+|00)\d(?:[ ()/.-]{0,3}\d){6,16}(?:x\d{1,6})?(?!\w)",
        "digit",
        check=is_no_measure,
    )
    yield rule("number", "certain", r"(?<![\w.])\(\+?\d{2,5}\) ?\d(?:[ /.-]{0,2}\d){3,11}(?:x\d{1,6})?(?!\w)", "digit")
    yield rule(
        "number",
        "certain",
        r"(?<![\w.:])0\d{1,5}[ /-]{1,3}\d(?:[ /.-]?\d){4,11}(?!:?\d|\w)",
        "digit",
        check=is_no_measure,
    )
    yield rule("number", "certain", r"(?<![\w.])\d{3}([-.])\d{3}\1\d{4}(?:x\d{1,6})?(?!\w)", "digit")
    yield rule("number", "certain", r"(?<![\w.:])\d{2,4}(?:[ .-]\d{2,4}){2,5}(?![\w:.]*\d)", "digit", check=_is_grouped)
    # Local numbers of seven digits: no list of measured values has one digit between two groups of three.
    yield rule("number", "certain", r"(?<![\w.:])\d{3} \d \d{3}(?![\w:.]*\d)", "digit", check=_is_no_count)
    yield rule(
        "number",
        "likely",
        r"(?<![\w.:])\d{3}[ -]\d{1,2}[ -]\d{3,4}(?![\w:.]*\d)",
        "digit",
        check=_is_no_count,
    )


def is_no_measure(match: re.Match[str]) -> bool:
    """Return whether no unit stands in or behind a number."""
    last = match[0].rpartition(" ")[2].casefold()
    return not _UNIT.match(match.string, match.end()) and last not in words("units")


def _is_no_count(match: re.Match[str]) -> bool:
    """Return whether a number is no measure and no list of things counted, as in ``frames 120 4 310``."""
    return is_no_measure(match) and not _COUNTED.search(match.string, max(0, match.start() - 20), match.start())


def _is_grouped(match: re.Match[str]) -> bool:
    """Return whether groups of digits make a person's number: nine digits or more, no list of round or growing ones."""
    groups = re.split(r"[ .-]", match[0])
    numbers = [int(group) for group in groups]
    total = sum(map(len, groups))
    is_in_threes = len(groups) == 3 and all(len(group) == 3 for group in groups)
    is_growing = numbers == sorted(numbers) and total < 10
    # One in six telephone numbers of three groups of three grows by chance: there, a word of counting must precede.
    is_list = all(n % 10 == 0 for n in numbers) or (is_growing and not (is_in_threes and _is_no_count(match)))
    has_long = any(len(group) >= 3 for group in groups)
    is_french = match[0].startswith("0") and len(groups) == 5
    return (has_long or is_french) and 9 <= total <= 15 and not is_list and is_no_measure(match)


def _has_digits(match: re.Match[str]) -> bool:
    return len(digits_of(match[0])) >= 3


def _has_many_digits(match: re.Match[str]) -> bool:
    return len(digits_of(match[0])) >= 4 and any(c.isalpha() for c in match[0])


def digits_of(text: str) -> str:
    """Return the digits of a text."""
    return "".join(c for c in text if c.isdigit())

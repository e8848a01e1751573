"""Dates, times of day and ages over 89, in English, German, French, Spanish, Italian, Turkish and Polish."""

from __future__ import annotations

import re
from collections.abc import Iterator

from s3harness.guard.identifiers.pattern import Rule, rule, starts_of
from s3harness.guard.identifiers.vocabulary import any_of, table, words

_CLOCK = frozenset(("uhr", "o", "am", "pm", "a", "p", "hrs", "god", "saa", "all", "ore", "kl"))
_YEARS = frozenset(
    ("yea", "yr", "yrs", "yo", "y", "jah", "jäh", "j", "ans", "año", "ano", "ann", "lat", "let", "yaş", "yas")
)
_MONTH_WORDS = re.compile(r"\b(?:may|mar|jan|set|dec|ago|mag|gen|mars|march|sei|due)\b")
_NUMBERS_OF_DATE = re.compile(r"\d+")


def dates() -> Iterator[Rule]:
    """Yield the rules of dates."""
    month = "|".join(table("identifiers")["months"])
    month = rf"(?:{month})(?!\w)"
    # Glued to digits, as in 12MAR2021, a month has no end of a word.
    glued = rf"(?:{'|'.join(table('identifiers')['months'])})"
    months = starts_of("|".join(table("identifiers")["months"]))
    day, ordinal = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:st|nd|rd|th|er|\.|º|ª|°)?"
    year = r"(?:19|20)\d\d"
    of = r"(?: de| del| di| of)?"
    units = "|".join(words("units"))
    yield rule("date", "certain", rf"(?<!\d){year}[-/._ ](?:0?[1-9]|1[0-2])[-/._ ]{day}(?!\d)", "digit")
    yield rule(
        "date",
        "certain",
        # Either number may be the day, 3/14 or 14/3; the check asks for one order that fits.
        rf"(?<![\d.,]){day} ?([-/._]) ?{day} ?\1 ?{year}(?!\d)|"
        rf"(?<![\d.,:-]){day}([-/.]){day}\2\d\d(?![.:-]?\d)(?! ?(?:{units})\b)",
        "digit",
        check=_is_day_and_month,
    )
    yield rule(
        "date", "certain", rf"(?<!\d){year}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?=\D|$|\d{{4,6}}(?!\d))", "digit"
    )
    yield rule(
        "date",
        "certain",
        rf"(?<!\d){day}[ ./_-]{{0,3}}{glued}[ ./,_'-]{{0,3}}(?:{year}|\d\d)(?![\w:]*\d)",
        "digit",
        starts=months,
        check=_is_month,
    )
    yield rule(
        "date",
        "certain",
        rf"(?<!\d)(?:{year}[ ./_-]{{1,2}}{glued}[ ./_-]{{1,2}}{day}|{glued}[-/]{day}[-/](?:{year}|\d\d))(?!\d)",
        "digit",
        starts=months,
    )
    yield rule(
        "date",
        "certain",
        rf"(?<![\w.,:/]){day}{ordinal}{of} {month}(?:,?{of} {year})?",
        "digit",
        starts=months,
        check=_is_month,
    )
    yield rule(
        "date",
        "certain",
        rf"\b{month} (?:the )?{day}(?:st|nd|rd|th)?(?:,? {year})?(?![\w:.]*\d)",
        "digit",
        starts=months,
        check=_is_month,
    )
    yield rule("date", "certain", rf"\b{month},?{of} (?:{year}|'\d\d)(?!\d)", "digit", starts=months, check=_is_month)
    spelled = "|".join(
        sorted((w for key in table("identifiers")["day_words"] for w in words("day_words", key)), key=len, reverse=True)
    )
    yield rule("date", "certain", rf"\b(?:{spelled})(?: of| de| di)? {month}", starts=months, check=_is_month)
    yield rule(
        "date",
        "certain",
        rf"\b{month} (?:the )?(?:{'|'.join(words('day_words', 'english'))})\b",
        starts=months,
        check=_is_month,
    )
    yield rule("date", "certain", r"(?<![\d./])(?:0?[1-9]|1[0-2])[/-](?:19|20)\d\d(?![\d/-])", "digit")
    yield rule("date", "certain", r"(?<![\d./-])(?:19|20)\d\d[/-](?:0[1-9]|1[0-2])(?![\d/-])", "digit")
    before = any_of("before_dates")
    yield rule(
        "date",
        "certain",
        rf"\b(?:{before}) {day}(?:\. ?(?:0?[1-9]|1[0-2])\.(?!\d)|/(?:0?[1-9]|1[0-2])(?![\d/]))",
        "digit",
        starts=starts_of(before),
    )
    # "12.3." may be a day and a month, or a decimal that ends a sentence: a question, unless a word of dates precedes.
    yield rule(
        "date", "likely", rf"(?<![\d.,]){day}\. ?(?:0?[1-9]|1[0-2])\.(?=,| [a-zäöü])(?! ?(?:{units})\b)", "digit"
    )
    born = "|".join(words("born"))
    yield rule(
        "date",
        "certain",
        rf"(?<!\w)(?:{born})\W{{1,3}}(?:(?:in|on|am|en|le|el|il|im|:|w|r\.) ?){{0,2}}\S{{0,3}}\d[\d./-]{{0,9}}",
        "digit",
        starts=starts_of(born) | {"d"},
    )
    # German records mark a birth with an asterisk.
    yield rule("date", "certain", rf"(?<!\w)\* ?(?:{day}[./-]){{0,2}}(?:19|20)\d\d\b", "*")


def times() -> Iterator[Rule]:
    """Yield the rules of times of day; a time in a clip is written like them, so a person is asked."""
    clock = r"(?:[01]?\d|2[0-3])[:.][0-5]\d(?:[:.][0-5]\d)?"
    words_before = r"(?:godz(?:\.|inie)|saat|alle ore|ore|a las|kl\.)"
    yield rule(
        "time of day",
        "likely",
        rf"(?<![\d:.]){clock} ?(?:uhr|o'clock|[ap]\.?m\b|hrs\b)|\b{words_before} {clock}",
        "digit",
        starts=_CLOCK,
    )
    yield rule(
        "time of day", "likely", r"(?<![\w:.])(?:[01]?\d|2[0-3]) ?(?:h ?[0-5]\d\b|[ap]\.?m\b|uhr\b|o'clock)", "digit"
    )
    # From four o'clock on: an earlier one, such as 00:01:23, is most likely a time within the video.
    yield rule("time of day", "likely", r"(?<![\d:.])(?:0[4-9]|1\d|2[0-3]):[0-5]\d:[0-5]\d(?![\d:])", "digit")
    yield rule("time of day", "certain", r"\d{2}T[0-2]\d:[0-5]\d", "T", case=True)


def ages() -> Iterator[Rule]:
    """Yield the rules of ages over 89 (45 CFR 164.514(b)(2)(i)(C))."""
    age = r"(?:9\d|1[0-2]\d)"
    year_words = r"(?:years?|yrs?\.?|y\.?o\.?|y/o|jahr\w*|jähr\w*|j\.|ans|años|anos|anni|lat|letni\w*|yaş\w*|yas\w*)"
    yield rule("age", "certain", rf"(?<![\d.,:/-]){age} ?-?(?:{year_words}|y\b)(?!\w)", "digit", starts=_YEARS)
    yield rule(
        "age",
        "certain",
        rf"\b(?:aged?|alter|âgée? de|edad|età|wiek\w*|yaş\w*|im alter von)\W{{1,3}}(?:of |von |de |di )?{age}"
        r"(?![.,]?\d| ?%)",
        "digit",
    )
    # "93F" and "93 ♀": age and sex of clinical notes.
    yield rule("age", "certain", rf"(?<![\w.,:/-]){age}(?:[MFWK]\b| ?[♀♂])(?! ?\d)", "digit", case=True)
    french = r"quatre-vingt-(?:dix|onze|douze|treize|quatorze|quinze|seize)"
    tens = rf"(?:ninety|neunzig|noventa|novanta|doksan|dziewięćdziesi\w*|{french})"
    yield rule(
        "age",
        "certain",
        rf"{tens}(?:[ -](?:[a-zà-ÿ]{{1,12}}[ -]){{0,2}})?{year_words}|neunzigjähr\w*|"
        r"\b(?:non|cent)agenari\w*|\bnonagén?air\w*|\bcentenari(?:an|o|a)\b|\bcentenaire\b|\bhundertjährig\w*|"
        r"\bin (?:his|her|their) (?:nineties|90s)|\bin den neunzigern|\bhundred-and-\w{3,6}-year",
    )


def _is_month(match: re.Match[str]) -> bool:
    """Return whether a month that is a word in small letters (may, march, mars, …) stands beside a year or a day."""
    word = _MONTH_WORDS.search(match[0])
    return word is None or bool(re.search(r"(?:19|20)\d\d|\d(?:de |\. ?)?mars\b|\d mars\b|\d de ", match[0]))


def _is_day_and_month(match: re.Match[str]) -> bool:
    first, second = (int(n) for n in _NUMBERS_OF_DATE.findall(match[0])[:2])
    return (first <= 31 and second <= 12) or (first <= 12 and second <= 31)

"""Checks of untrusted names and titles: characters that may be shown, and names that imitate another.

The rules are those of Unicode Technical Standard 39, section 5.2 (restriction level *highly restrictive*), and of UAX
31, table 5 (recommended scripts). A letter's script is the first word of its Unicode name, since the standard library
does not give it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

RECOMMENDED_SCRIPTS = frozenset(
    {
        *("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "HEBREW", "ARABIC", "THAANA", "DEVANAGARI", "BENGALI", "GURMUKHI"),
        *("GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "THAI", "LAO", "TIBETAN"),
        *("MYANMAR", "GEORGIAN", "HANGUL", "ETHIOPIC", "KHMER", "HIRAGANA", "KATAKANA", "BOPOMOFO", "CJK"),
    }
)
WRITTEN_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
"""Scripts that one name may mix (UTS 39, highly restrictive): Japanese, Chinese and Korean beside Latin."""

MAX_MARKS = 2
"""Combining marks on one letter. Vietnamese needs two; higher stacks cover the lines above and below."""

_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and symbols without ink (Unicode's Default_Ignorable_Code_Point, and the blank Braille pattern)."""
_LAST_LATIN = 0x024F
_LATIN_ADDITIONAL = range(0x1E00, 0x1F00)

_LIKE_LATIN = {
    "CYRILLIC": dict(zip("асԁеһіјӏорԛѕԝхуАВСЕНІЈКМОРЅТХУ", "acdehijlopqswxyABCEHIJKMOPSTXY", strict=True)),
    "GREEK": dict(zip("αιονυρΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aiovupABEZHIKMNOPTYX", strict=True)),
    "ARMENIAN": dict(zip("հոսցօՍՕ", "hnugoUO", strict=True)),
}
"""Letters that look like a Latin one (from confusables.txt of UTS 39), by their script."""
_LOOK_ALIKE = {key: value for letters in _LIKE_LATIN.values() for key, value in letters.items()}
# Characters of similar shape within Latin, digits included.
_SAME_SHAPE = str.maketrans({"0": "o", "1": "l", "i": "l", "ı": "l", "|": "l", "5": "s", "ß": "b"})


def name_problem(text: str) -> str:
    """Return the problem of a name or title that has to be one line, or an empty text."""
    if any(c in "\n\r\v\f\u0085\u2028\u2029" for c in text):
        return "has a line break; write it on one line"
    if text != text.strip() or "  " in text:
        return "has blanks at an end or two in a row"
    return prose_problem(text) or _mixture(text) or _disguise(text)


def prose_problem(text: str) -> str:
    """Return the problem of a text of words and lines, or an empty text; each word may have its own script."""
    for character in text:
        if problem := _character_problem(character):
            return f"has {problem} (U+{ord(character):04X}); write it without"
    if _most_marks(text) > MAX_MARKS:
        return f"has a letter with more than {MAX_MARKS} combining marks"
    return next((problem for word in _words(text) if (problem := _mixture(word) or _disguise(word))), "")


def one_line(text: str) -> str:
    """Return the text with every run of blanks and line breaks as one blank."""
    return " ".join(text.split())


def skeleton(text: str) -> str:
    """Return the skeleton of a name (UTS 39, section 4): names with equal skeletons look alike."""
    plain = unicodedata.normalize("NFKD", "".join(_LOOK_ALIKE.get(c, c) for c in text)).casefold()
    letters = "".join(c for c in plain if c.isalnum() or c == "|").translate(_SAME_SHAPE)
    # Pairs of letters that look like one in many typefaces.
    return letters.replace("rn", "m").replace("vv", "w")


def named_texts(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield place and text of each name and title in a ``submission.json`` that pages and exports show."""
    model, dataset = about["model"], about["dataset"]
    yield "submitter", about.get("submitter", "")
    for key in ("name", "title", "weights", "revision", "family", "licence"):
        yield f"model.{key}", model.get(key) or ""
    for key in ("name", "version", "licence"):
        yield f"dataset.{key}", dataset.get(key) or ""


def _character_problem(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return "an invisible character, which can reorder or hide the text around it"
    if category in ("Cc", "Zl", "Zp"):
        return "" if character in "\n" else "a control character"
    if category in ("Co", "Cn", "Cs"):
        return "a character that Unicode does not define"
    # Variation selectors change the look of the character before them, and show nothing themselves.
    is_selector = 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF
    if character in _INVISIBLE or is_selector or (category == "Zs" and character not in " \u00a0"):
        return "a character that looks like a blank"
    # Such as mathematical bold or full-width letters. The micro sign is one of them, and in common use.
    plain = unicodedata.normalize("NFKC", character)
    if character not in (plain, "µ") and any(c.isalpha() for c in plain):
        return "a letter in a special typographic form"
    return _letter_problem(character) if category[0] == "L" and character != "µ" else ""


def _letter_problem(letter: str) -> str:
    script = _script(letter)
    if script not in RECOMMENDED_SCRIPTS | {"KATAKANA-HIRAGANA"}:
        return "a letter of a script that is not in common use, which can look like another letter"
    if script == "LATIN" and ord(letter) > _LAST_LATIN and ord(letter) not in _LATIN_ADDITIONAL:
        return "a phonetic or historical letter, which can look like another letter"
    return ""


def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNNAMED").partition(" ")[0]


def _scripts(text: str) -> set[str]:
    return {_script(c) for c in text if unicodedata.category(c)[0] == "L" and c != "µ"}


def _mixture(text: str) -> str:
    scripts = _scripts(text)
    if len(scripts) < 2 or any(scripts <= together for together in WRITTEN_TOGETHER):
        return ""
    return f"mixes {' and '.join(sorted(s.capitalize() for s in scripts))} letters, which can look alike"


def _disguise(text: str) -> str:
    """Return the problem of a word of another script that consists of look-alikes of Latin letters."""
    for word in _words(text):
        letters = [c for c in word if c.isalpha()]
        # A single letter of another script, such as a Greek alpha, is a name of its own.
        if len(letters) > 1 and all(c in _LOOK_ALIKE for c in letters):
            script = _script(letters[0]).capitalize()
            return f"has a word of {script} letters that all look like Latin ones; write it in Latin letters"
    return ""


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in text).split()


def _most_marks(text: str) -> int:
    most = marks = 0
    for character in unicodedata.normalize("NFD", text):
        marks = marks + 1 if unicodedata.category(character) == "Mn" else 0
        most = max(most, marks)
    return most

"""Language identification of clinical texts, offline; the rules and word lists read only some languages.

English is recognised by its commonest words, without a model. Any other text is given to py3langid (naive Bayes over
byte n-grams, model in its wheel), which is loaded only then.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

ENGLISH = "en"

MAX_CHARACTERS = 2_000
"""Characters from the beginning of a text that are read."""

_CODES = (
    "ar bg bn ca cs da de el en es et eu fa fi fr gl he hi hr hu hy id is it ja ka ko lt lv mk ms nl no nn pl pt ro ru "
    "sk sl sq sr sv sw ta te th tl tr uk ur vi zh"
)
"""ISO 639-1 codes to choose from. With the model's other 80, short texts fall to Extremaduran or Haitian."""

_ENGLISH_TEXT = """
the and with of from then his her he she is are was were has had not for by both while when during which this that
their its at to as but after before followed begins starts patient left right head eye eyes arm arms leg legs hand
hands face mouth body side seizure event movement movements onset turns turn turning shakes shaking jerks jerking
jerk staring stares stare stiffening blinking chewing lip smacking moaning crying screaming unresponsive awake sleep
asleep awakens seen noted bilateral whole upper lower extremity extremities behavioral arrest
"""
_ENGLISH_WORDS = frozenset(_ENGLISH_TEXT.split())
"""Function words and words of seizure reports that other languages do not share."""

_SHARE_OF_ENGLISH = 0.25
_ENGLISH_IS_LIKELY = 0.5
_ENGLISH_IS_UNLIKELY = 0.03
"""English sentences are above 0.14; in clinical sentences of 23 other languages the highest is 0.023."""
_CONFIDENT = 0.35
"""Related languages share a probability (Czech and Slovak); gibberish and abbreviations stay below."""
_FEWEST_WORDS = 3
_FEWEST_FOREIGN_LETTERS = 4

_WORD = re.compile(r"[^\W\d_]+")
_LAST_LATIN = "\u024f"


def language_of(text: str) -> str | None:
    """Return the ISO 639-1 code of the language of ``text``, or ``None`` where it is uncertain.

    Names, abbreviations, single words and gibberish are ``None``: a short note is never taken for a foreign one.
    """
    beginning = text[:MAX_CHARACTERS]
    words = _WORD.findall(beginning.lower())
    english = sum(word in _ENGLISH_WORDS for word in words)
    # Nearly every text is English: the shortcut saves loading the model.
    if english >= 2 and english >= _SHARE_OF_ENGLISH * len(words):
        return ENGLISH
    if not _is_long_enough(words):
        return None
    probabilities = dict(_identifier().rank(beginning))
    likeliest = max(probabilities, key=lambda code: probabilities[code])
    if probabilities[ENGLISH] >= _ENGLISH_IS_LIKELY:
        return ENGLISH
    is_foreign = probabilities[ENGLISH] < _ENGLISH_IS_UNLIKELY and probabilities[likeliest] >= _CONFIDENT
    # Nynorsk and Bokmål are both Norwegian, the only one of the codes that has a name here.
    return "no" if is_foreign and likeliest == "nn" else likeliest if is_foreign else None


def language_name(code: str) -> str:
    """Return the English name of a language by its code, or the code itself where it has no name here."""
    return _NAMES.get(code, code)


def _is_long_enough(words: list[str]) -> bool:
    """Return whether it is a text and not a name: three different words, or some letters of a non-Latin script."""
    foreign_letters = sum(letter > _LAST_LATIN for word in words for letter in word)
    return len(set(words)) >= _FEWEST_WORDS or foreign_letters >= _FEWEST_FOREIGN_LETTERS


@lru_cache(maxsize=1)
def _identifier() -> Any:
    # Imported at first use: few texts need the model, and its import and loading are slow.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_CODES.split())
    return identifier


_NAMES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}

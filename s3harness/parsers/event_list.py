"""The parser of a list of events in order of time, over a vocabulary."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from s3harness.parsers.event_words import LEAD, LONGEST_PIECE, MODIFIERS, NO_SIGNS, NOTHING, PREAMBLE, TIME, TITLE_END
from s3harness.parsers.json_text import embedded_json, strict_json
from s3harness.parsers.reading import Reading
from s3harness.parsers.refusal import looks_like_refusal
from s3harness.parsers.text import AnswerText, answer_text
from s3harness.specs.features import cached_per_vocabulary, vocabulary

MAX_TOKENS = 500
"""Events that are read. No recording holds as many; a model caught in a loop writes more."""

MAX_TOKEN_CHARS = 100
"""Characters of one event that are read."""


def event_list(
    text: str, vocabulary: Sequence[str] | None = None, synonyms: Mapping[str, str] | None = None
) -> Reading:
    """Read a list of events, as tokens in lower case with underscores, in the order of the reply, with repeats.

    Forms: a JSON list, ``{"events": [...]}``, or words separated by commas, semicolons, arrows or lines, numbered or
    not; "none" and the empty JSON list are ``[]``. ``synonyms`` maps other words to names of the ``vocabulary`` (by
    default both are the benchmark's). A piece that holds one name beside words for side, place, time and degree alone
    is that name ("head turning to the left"); of a list whose lines all begin with a name ("1. **Tonic**: …") the
    lines' beginnings are read. Words outside of both stay in the list, for a metric to count as wrong. Clean for a
    plain list of names, repaired otherwise, with a note of the repair; unparsable when empty, a refusal, two different
    JSON lists, or prose without any name.
    """
    answer = answer_text(text)
    if not answer.text:
        return Reading.unparsable("empty")
    if looks_like_refusal(answer.text):
        return Reading.unparsable("a refusal")
    names = _benchmark_names() if vocabulary is None else _Names.of(vocabulary, synonyms or {})
    if NO_SIGNS.fullmatch(PREAMBLE.sub("", answer.text.strip(_EDGES)).strip(_EDGES)):
        return Reading.repaired([], "; ".join([*answer.notes, "a sentence that says there are none"]))
    items = _items(answer, names)
    return items if isinstance(items, Reading) else _tokens(items, names)


@dataclass(frozen=True, slots=True)
class _Items:
    """The pieces of a list before they are looked up, and the notes on how they were separated."""

    words: tuple[str, ...]
    notes: tuple[str, ...]
    is_json: bool


@dataclass(frozen=True, eq=False)
class _Names:
    """A vocabulary and its synonyms (``others``), all normalised, and a pattern that finds any of them."""

    names: frozenset[str]
    others: Mapping[str, str]
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, vocabulary: Iterable[str], synonyms: Mapping[str, str]) -> _Names:
        names = frozenset(normalise(name) for name in vocabulary)
        others = {normalise(word): normalise(name) for word, name in synonyms.items()}
        # "tonic_clonic" before "tonic": a pattern takes the first alternative that fits.
        longest_first = sorted(names | others.keys(), key=lambda word: (-len(word), word))
        return cls(names, others, re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, longest_first))})(?![^\W_])"))

    def find(self, token: str) -> str | None:
        """Return the name that a token stands for, ``None`` where it is no word of the vocabulary."""
        return token if token in self.names else self.others.get(token)

    def within(self, token: str) -> list[str]:
        """Return the names in a token whose other words are of place, side, time and degree alone."""
        hits = [match.group() for match in self.pattern.finditer(token[:LONGEST_PIECE])]
        names = list(dict.fromkeys(name for hit in hits if (name := self.find(hit))))
        rest = [word for word in re.split(r"[\W_]+", self.pattern.sub(" ", token[:LONGEST_PIECE])) if word]
        is_plain = all(word in MODIFIERS or word.isdigit() for word in rest)
        # Two names side by side, as in "tonic head turning", may be one sign that the vocabulary lacks.
        is_joined = len(names) <= 1 or {"and", "with", "then"} & set(rest) or "&" in token or "+" in token
        return names if names and is_plain and is_joined else []


@cached_per_vocabulary(maxsize=1)
def _benchmark_names() -> _Names:
    words = vocabulary()
    titles = {feature.title: feature.name for feature in words.features}
    return _Names.of(words.names, {**titles, **words.synonyms})


_EDGES = " \t\r\n\"'`*_.:;,!?()[]{}<>-–—•"
_SEPARATOR = re.compile(r"[,;，；、\n]|-{1,2}>|=>|[→⇒➔➜⟶>|]")
_NUMBERING = re.compile(r"(?:(?<=\s)|^)(?:\(?[0-9]{1,3}[.)]|[-*•–])\s+")
_NUMBERED_LINE = re.compile(r"[ \t]{0,9}(?:\(?[0-9]{1,3}[.)]|[-*•–])\s+(.{1,500})")
_DENIAL = re.compile(r"(?<![^\W_])(?:no|not|none|never|absent|na|n/a|without)(?![^\W_])", re.IGNORECASE)
_WITHOUT = re.compile(r"\swithout\s", re.IGNORECASE)
_UNSURE = re.compile(r"(?<!\w)(?:cannot|can['’]t|unable|unknown|unclear|uncertain|undetermined)(?!\w)", re.IGNORECASE)
_ITEM_KEYS = ("event", "name", "feature", "symptom", "sign")


def normalise(word: str) -> str:
    """Return a word as a token: lower case, single underscores for blanks, no quotes or points around it."""
    return re.sub(r"[\s_\-/]+", "_", word.strip(_EDGES).casefold())[:MAX_TOKEN_CHARS].strip("_")


def _items(answer: AnswerText, names: _Names) -> _Items | Reading:
    whole = strict_json(answer.text)
    if isinstance(whole, str):
        return _split(AnswerText(whole, (*answer.notes, "JSON string")), names)
    if whole is not None:
        return _from_json(whole, answer.notes, names)
    # Unclosed JSON was cut off: its list lacks events, and a mended end may hold half a word.
    objects = [one.value for one in embedded_json(answer.text, "{") if one.is_closed and _may_hold_events(one.value)]
    lists = [one for one in embedded_json(answer.text, "[") if one.is_closed and _is_list_of_events(one.value, names)]
    if len(objects) == 1:
        return _from_json(objects[0], (*answer.notes, "JSON found in a text or mended"), names)
    if not lists:
        return _split(answer, names)
    if any(one.value != lists[0].value for one in lists):
        return Reading.unparsable("two different lists")
    repair = "JSON mended" if lists[0].is_mended else "text around the JSON removed"
    return _from_json(lists[0].value, (*answer.notes, repair), names)


def _may_hold_events(value: object) -> bool:
    return isinstance(value, dict) and any(isinstance(item, list) for item in value.values())


def _is_list_of_events(value: object, names: _Names) -> bool:
    """Return whether brackets hold events: those of "head_turning [left]" and "tonic [00:12]" do not."""
    words = [_word(item) for item in value] if isinstance(value, list) else []
    return any(word is not None and names.find(normalise(word)) for word in words)


def _from_json(value: object, notes: tuple[str, ...], names: _Names) -> _Items | Reading:
    if isinstance(value, dict):
        # Without "events" the only field is taken; of several there is no saying which is the answer.
        lists = [value["events"]] if "events" in value else _numbered(value) or list(value.values())
        if len(lists) != 1 or not isinstance(lists[0], (list, str)):
            return Reading.unparsable("JSON without a list of events")
        notes = notes if "events" in value else (*notes, "list found under another name")
        value = lists[0]
    if isinstance(value, str):
        return _split(AnswerText(value, notes), names) if value.strip() else Reading.unparsable("empty")
    if not isinstance(value, list):
        return Reading.unparsable("JSON without a list of events")
    words = [_word(item) for item in value]
    if None in words:
        notes = (*notes, "items that are no words left out")
    if any(isinstance(item, dict) for item in value):
        notes = (*notes, "names taken out of objects")
    pieces = tuple(word for word in words if word)
    if value and not pieces:
        return Reading.unparsable("a list without words")
    return _Items(pieces, notes, is_json=True)


def _numbered(value: Mapping[str, object]) -> list[object]:
    """The list of {"1": "tonic", "2": "clonic"} in the order of its numbers; no list for any other object."""
    is_numbered = len(value) > 1 and list(value) == [str(number) for number in range(1, len(value) + 1)]
    return [list(value.values())] if is_numbered and all(isinstance(item, str) for item in value.values()) else []


def _word(item: object) -> str | None:
    if isinstance(item, dict):
        # An object that names two things is no single event.
        named = [item[key] for key in _ITEM_KEYS if isinstance(item.get(key), str)]
        return named[0] if len(named) == 1 else None
    return item if isinstance(item, str) else None


def _split(answer: AnswerText, names: _Names) -> _Items:
    # NFKC: full-width commas and digits of Chinese and Japanese replies become those that the patterns know.
    text, notes = unicodedata.normalize("NFKC", answer.text), answer.notes
    if leads := _line_leads(text, names):
        return _Items(tuple(leads), (*notes, "the beginnings of numbered lines"), is_json=False)
    stripped = _NUMBERING.sub("\n", TIME.sub(" ", text))
    if stripped != answer.text:
        notes = (*notes, "numbers and times removed")
    # Text before a colon introduces the list, unless it is itself a name ("tonic: both arms").
    opening = PREAMBLE.match(stripped)
    if opening and not names.find(normalise(opening.group())):
        stripped, notes = stripped[opening.end() :], (*notes, "words before the list removed")
    words = tuple(word for word in _SEPARATOR.split(stripped) if word.strip(_EDGES))
    return _Items(words, notes, is_json=False)


def _line_leads(text: str, names: _Names) -> list[str]:
    """The names that the numbered lines of a text begin with, if all lines do and at least one goes on to explain."""
    lines = [
        match[1] for line in text.split("\n")[: 2 * MAX_TOKENS] if (match := _NUMBERED_LINE.fullmatch(line.rstrip()))
    ]
    leads = [TITLE_END.split(TIME.sub(" ", line), maxsplit=1)[0] for line in lines]
    is_explained = any(lead.strip(_EDGES) != line.strip(_EDGES) for lead, line in zip(leads, lines, strict=True))
    # "1. Tonic: not seen" begins with a name and denies it.
    is_denied = any(_DENIAL.search(line) for line in lines)
    return leads if lines and is_explained and not is_denied and all(_resolves(lead, names) for lead in leads) else []


def _resolves(word: str, names: _Names) -> bool:
    return any(names.find(token) for token in _resolve(word, names))


def _tokens(items: _Items, names: _Names) -> Reading:
    if _is_nothing(items):
        return Reading.noted([], items.notes)
    if not items.words:
        return Reading.unparsable("empty")
    words = [token for word in items.words[: 2 * MAX_TOKENS] for token in _resolve(word, names)]
    tokens = [names.find(word) or word for word in words if word]
    if not tokens:
        return Reading.unparsable("a list without words")
    n_known = sum(token in names.names for token in tokens)
    # In a JSON list every string is meant as an event, however long.
    if not n_known and not items.is_json and _is_prose(items.words, words):
        return Reading.unparsable("prose, not a list of events")
    notes = [*items.notes]
    if tokens != [normalise(word) for word in items.words]:
        notes.append("synonyms replaced")
    if n_known < len(tokens):
        notes.append(f"{len(tokens) - n_known} outside the vocabulary")
    if len(tokens) > MAX_TOKENS or len(items.words) > 2 * MAX_TOKENS:
        notes.append(f"only the first {MAX_TOKENS} kept")
    return Reading.noted(tokens[:MAX_TOKENS], tuple(notes))


MAX_WORDS_OF_A_TERM = 5
"""Blanks in a piece beyond which it is a sentence and no clinical term."""


def _is_prose(pieces: Sequence[str], words: Sequence[str]) -> bool:
    is_unsure = any(_UNSURE.search(piece[:LONGEST_PIECE]) for piece in pieces[: 2 * MAX_TOKENS])
    return is_unsure or max(word.count("_") for word in words) > MAX_WORDS_OF_A_TERM


def _is_nothing(items: _Items) -> bool:
    return (items.is_json and not items.words) or (len(items.words) == 1 and normalise(items.words[0]) in NOTHING)


def _resolve(word: str, names: _Names) -> list[str]:
    """The tokens of one piece: itself, or the names in "first: name", "name and name" and "name left"."""
    # From the strictest reading to the loosest, so that a name is never split where it stands as a whole.
    token = normalise(word)
    if names.find(token):
        return [token]
    token = normalise(LEAD.sub("", word.strip(_EDGES)))
    if names.find(token):
        return [token]
    word = _WITHOUT.split(word[:LONGEST_PIECE], maxsplit=1)[0]
    # A denied name is no event; a denial around unknown words stays, for the metric to count.
    if _DENIAL.search(word):
        return [] if names.within(normalise(_DENIAL.sub(" ", word))) and ":" not in word else [token]
    sides = [normalise(side) for side in re.split(r":|\s[-–—=]\s", word[:LONGEST_PIECE], maxsplit=1)]
    named = [side for side in sides if names.find(side)]
    if len({names.find(side) for side in named}) == 1:
        return named[:1]
    joined = [normalise(part) for part in re.split(r"\s(?:and then|followed by|and|then|&|\+)\s", word[:LONGEST_PIECE])]
    if len(joined) > 1 and all(names.find(part) for part in joined):
        return joined
    return names.within(re.sub(r"[\s_-]+", "_", word.casefold().strip(_EDGES))) or [token]

"""Events in order of time, over a vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from s3harness.parsers.json_text import embedded_json, strict_json
from s3harness.parsers.reading import Reading
from s3harness.parsers.refusal import looks_like_refusal
from s3harness.parsers.text import AnswerText, answer_text

MAX_TOKENS = 500
"""Events that are kept. No recording holds as many; a model caught in a loop writes more."""

MAX_TOKEN_CHARS = 100


def event_list(
    text: str, vocabulary: Sequence[str] | None = None, synonyms: Mapping[str, str] | None = None
) -> Reading:
    """Read a list of events, as tokens in lower case with underscores, in the order given, repeats kept.

    Forms: a JSON list, ``{"events": [...]}``, or words separated by commas, semicolons, arrows or lines, numbered or
    not; "none" and the empty JSON list are ``[]``. ``synonyms`` maps other words to names of the ``vocabulary`` (by
    default both are the benchmark's); words known to neither are kept, for a metric to count as wrong. Clean when a
    plain list of known names, repaired otherwise, with what was done; unparsable when empty, a refusal, two different
    JSON lists, or prose without any known word.
    """
    answer = answer_text(text)
    if not answer.text:
        return Reading.unparsable("empty")
    if looks_like_refusal(answer.text):
        return Reading.unparsable("a refusal")
    names = _benchmark_names() if vocabulary is None else _Names.of(vocabulary, synonyms or {})
    if _NO_SIGNS.fullmatch(answer.text.strip(_EDGES)):
        return Reading.repaired([], "; ".join([*answer.notes, "a sentence that says there are none"]))
    items = _items(answer, names)
    return items if isinstance(items, Reading) else _tokens(items, names)


@dataclass(frozen=True, slots=True)
class _Items:
    words: tuple[str, ...]
    notes: tuple[str, ...]
    is_json: bool


@dataclass(frozen=True, slots=True)
class _Names:
    names: frozenset[str]
    others: Mapping[str, str]

    @classmethod
    def of(cls, vocabulary: Iterable[str], synonyms: Mapping[str, str]) -> _Names:
        return cls(
            frozenset(normalise(name) for name in vocabulary),
            {normalise(word): normalise(name) for word, name in synonyms.items()},
        )

    def find(self, token: str) -> str | None:
        """The name a token stands for, ``None`` where it is unknown."""
        return token if token in self.names else self.others.get(token)


@lru_cache(maxsize=1)
def _benchmark_names() -> _Names:
    from s3harness.specs.features import vocabulary

    words = vocabulary()
    return _Names.of(words.names, words.synonyms)


_EDGES = " \t\r\n\"'`*_.:;,!?()[]{}<>-–—•"
_SEPARATOR = re.compile(r"[,;，；、\n]|-{1,2}>|=>|[→⇒➔➜⟶>|]")
_NUMBERING = re.compile(r"(?:(?<=\s)|^)(?:\(?[0-9]{1,3}[.)]|[-*•–])\s+")
_TIME = re.compile(r"\([^()]{0,60}\)|\[[^\[\]]{0,60}\]|(?<!\w)(?:at |from )?[0-9]{1,3}:[0-9]{2}(?::[0-9]{2})?(?!\w)")
_LEAD = re.compile(r"^(?:and then|followed by|and|then|first|finally)\s+", re.IGNORECASE)
_NOTHING = frozenset({"none", "nothing", "na", "n_a", "empty"})
_NO_SIGNS = re.compile(
    r"(?:there (?:are|were|is|was) )?no (?:\w+ ){0,4}(?:symptoms?|signs?|events?)(?: (?:are|were|is|was))?"
    r"(?: (?:observed|seen|visible|present|shown|found|detected))?(?: (?:in|during) (?:the|this) \w+)?",
    re.IGNORECASE,
)
_DENIAL = re.compile(r"(?<![^\W_])(?:no|not|none|never|absent|na|n/a)(?![^\W_])", re.IGNORECASE)
_ITEM_KEYS = ("event", "name", "feature", "symptom", "sign")


def normalise(word: str) -> str:
    """A word as a token: lower case, blanks and hyphens to single underscores, no quotes or points at its ends."""
    return re.sub(r"[\s_\-/]+", "_", word.strip(_EDGES).casefold())[:MAX_TOKEN_CHARS].strip("_")


def _items(answer: AnswerText, names: _Names) -> _Items | Reading:
    whole = strict_json(answer.text)
    if isinstance(whole, str):
        return _split(AnswerText(whole, (*answer.notes, "JSON string")))
    if whole is not None:
        return _from_json(whole, answer.notes)
    found = [one for one in embedded_json(answer.text, "[") if one.is_closed and _is_list_of_events(one.value, names)]
    if not found:
        return _split(answer)
    if any(one.value != found[0].value for one in found):
        return Reading.unparsable("two different lists")
    how = "JSON mended" if found[0].is_mended else "text around the JSON removed"
    return _from_json(found[0].value, (*answer.notes, how))


def _is_list_of_events(value: object, names: _Names) -> bool:
    """Whether brackets hold events: "head_turning [left]" and "tonic [00:12]" have brackets too."""
    words = [_word(item) for item in value] if isinstance(value, list) else []
    return any(word is not None and names.find(normalise(word)) for word in words)


def _from_json(value: object, notes: tuple[str, ...]) -> _Items | Reading:
    if isinstance(value, dict):
        lists = [value["events"]] if "events" in value else list(value.values())
        if len(lists) != 1 or not isinstance(lists[0], (list, str)):
            return Reading.unparsable("JSON without a list of events")
        notes = notes if "events" in value else (*notes, "list found under another name")
        value = lists[0]
    if isinstance(value, str):
        return _split(AnswerText(value, notes)) if value.strip() else Reading.unparsable("empty")
    if not isinstance(value, list):
        return Reading.unparsable("JSON without a list of events")
    words = [_word(item) for item in value]
    if None in words:
        notes = (*notes, "items that are no words left out")
    if any(isinstance(item, dict) for item in value):
        notes = (*notes, "names taken out of objects")
    kept = tuple(word for word in words if word)
    if value and not kept:
        return Reading.unparsable("a list without words")
    return _Items(kept, notes, is_json=True)


def _word(item: object) -> str | None:
    if isinstance(item, dict):
        named = [item[key] for key in _ITEM_KEYS if isinstance(item.get(key), str)]
        return named[0] if len(named) == 1 else None
    return item if isinstance(item, str) else None


def _split(answer: AnswerText) -> _Items:
    text, notes = answer.text, answer.notes
    stripped = _NUMBERING.sub("\n", _TIME.sub(" ", text))
    if stripped != text:
        notes = (*notes, "numbers and times removed")
    words = tuple(word for word in _SEPARATOR.split(stripped) if word.strip(_EDGES))
    return _Items(words, notes, is_json=False)


def _tokens(items: _Items, names: _Names) -> Reading:
    if _is_nothing(items):
        return Reading.noted([], items.notes)
    if not items.words:
        return Reading.unparsable("empty")
    words = [token for word in items.words[: 2 * MAX_TOKENS] for token in _resolve(word, names)]
    tokens = [names.find(word) or word for word in words if word]
    if not tokens:
        return Reading.unparsable("a list without words")
    known = sum(token in names.names for token in tokens)
    if not known and not items.is_json and max(word.count("_") for word in words) > MAX_WORDS_OF_A_TERM:
        return Reading.unparsable("prose, not a list of events")
    notes = [*items.notes]
    if tokens != words:
        notes.append("synonyms replaced")
    if known < len(tokens):
        notes.append(f"{len(tokens) - known} outside the vocabulary")
    if len(tokens) > MAX_TOKENS or len(items.words) > 2 * MAX_TOKENS:
        notes.append(f"only the first {MAX_TOKENS} kept")
    return Reading.noted(tokens[:MAX_TOKENS], tuple(notes))


MAX_WORDS_OF_A_TERM = 5


def _is_nothing(items: _Items) -> bool:
    return (items.is_json and not items.words) or (len(items.words) == 1 and normalise(items.words[0]) in _NOTHING)


def _resolve(word: str, names: _Names) -> list[str]:
    """The tokens of one piece: itself, or the known names in "first: name", "name: text" and "name and name"."""
    token = normalise(word)
    if names.find(token):
        return [token]
    token = normalise(_LEAD.sub("", word.strip(_EDGES)))
    if names.find(token):
        return [token]
    sides = [normalise(side) for side in word.split(":", 1)]
    known = [side for side in sides if names.find(side)]
    if len(known) == 1 and not _DENIAL.search(word[:500]):
        return known
    joined = [normalise(part) for part in re.split(r"\s(?:and then|followed by|and|then)\s", word[:500])]
    return joined if len(joined) > 1 and all(names.find(part) for part in joined) else [token]

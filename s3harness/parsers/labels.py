"""Labels of a closed list in a text: at its opening, after "Answer:", at its end, or in prose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from s3harness.parsers.languages import BARE, CLOSED_IN_PROSE, SEARCHED
from s3harness.parsers.text import plain_text

MAX_MENTIONS = 20
"""Mentions whose sentence is read; a text that names its answer more often is repeating itself."""

LONGEST_PROSE = 20_000
"""Characters of a text that is searched for mentions; a longer one is no answer in words."""

MAX_MARKS = 20
"""Answers marked as such that are read."""

LONGEST_MARKED = 200
"""Characters of a marked answer."""

NEGATIONS = (
    "not", "no", "non", "never", "neither", "nor", "cannot", "without", "unable", "rather than", "instead of", "except",
    "nicht", "kein(?:e|en|er)?", "pas", "ne", "nunca", "nem",
    "still", "relaxed", "unaffected", "unchanged", "spared", "at rest",
)  # fmt: skip
"""Words that deny their sentence, or say that nothing happens: "the left arm stays still"."""


@dataclass(frozen=True, slots=True)
class OutrightLabels:
    """The labels that a text gives outright: none, one, or several that contradict each other.

    ``rest`` is the text after an opening label.
    """

    names: frozenset[str]
    rest: str = ""


NO_LABELS = OutrightLabels(frozenset())


@dataclass(frozen=True, slots=True)
class LabelMention:
    """One mention of a label, by its place in the text."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Labels:
    """The labels of a closed list with the words for them.

    ``opening`` matches a label that opens a text, ``anywhere`` one in the middle of a text (``None`` where no word of
    the list may be searched for in prose); the owners are the labels of the patterns' groups. ``ends_at_comma`` where
    "yes, since …" opens with an answer, which "arm, leg" does not. ``spared`` are choices that count as no negation.
    """

    opening: re.Pattern[str]
    opening_owners: tuple[str, ...]
    anywhere: re.Pattern[str] | None
    owners: tuple[str, ...]
    ends_at_comma: bool
    spared: frozenset[str] = frozenset()

    def mentions(self, text: str) -> list[LabelMention]:
        """Return the mentions of labels in a text, none in one that is too long to be an answer in words."""
        if self.anywhere is None or len(text) > LONGEST_PROSE:
            return []
        # Idioms are masked by as many letters, so that every mention keeps its place in the text.
        matches = self.anywhere.finditer(_IDIOM.sub(_masked, text))
        return [LabelMention(self.owners[(match.lastindex or 1) - 1], match.start(), match.end()) for match in matches]

    def opens(self, text: str) -> OutrightLabels:
        """Return the label that a text opens with, and the text after it.

        Two labels where the text after it takes the first back.
        """
        start = _PREFACE.match(text)
        match = self.opening.match(text, start.end() if start else 0)
        if match is None or not (_END_OR_COMMA if self.ends_at_comma else _END).match(text, match.end()):
            return NO_LABELS
        rest = text[match.end() :].lstrip(" \t\n,.;:!?()[]-–—。、")
        names = {self._name(match)} | (self._second(rest) if len(rest) < LONGEST_RETRACTION else set())
        return OutrightLabels(frozenset(names), rest)

    def bare(self, text: str) -> frozenset[str]:
        """Return the label that is all of a text."""
        given = self.opens(text)
        return given.names if len(given.names) == 1 and not given.rest.strip(_EDGES) else frozenset()

    def _second(self, rest: str) -> set[str]:
        """The labels by which the text after an opening label contradicts it."""
        second = self.opening.match(rest)
        names = {self._name(second)} if second and _END_OR_COMMA.match(rest, second.end()) else set()
        # "Left. Wait, actually right": models that think aloud correct themselves in the same reply.
        if correction := _CORRECTION.search(rest):
            after = rest[correction.start() : correction.start() + LONGEST_MARKED]
            words = (self.opening.match(after, word.start()) for word in _WORD.finditer(after))
            names |= {self._name(match) for match in words if match}
        return names

    def _name(self, match: re.Match[str]) -> str:
        return self.opening_owners[(match.lastindex or 1) - 1]


LONGEST_RETRACTION = 2_000
"""Characters after an opening label that are searched for its retraction; a longer text is an explanation."""

_EDGES = " \t\r\n.,;:!?'()[]{}<>|-–—。、，"
_END = re.compile(r"[ \t]*(?:\Z|[.;:!()\n。！；]|[ \t][-–—]|—)|\s(?:because|since|as|weil|car|porque)\s")
_END_OR_COMMA = re.compile(rf"[ \t]*[,、]|{_END.pattern}")
_PREFACE = re.compile(
    r"\W{0,9}(?:(?:i (?:think|believe|would say|guess)|probably|(?:most |very )?likely|clearly|definitely|it is|it's"
    r"|this is|to|on|in|at|towards?|the|an?|patient's|own)\b[ ,:]{0,3}){0,6}",
    re.IGNORECASE,
)
_CORRECTION = re.compile(
    r"(?<!\w)(?:wait|actually|correction|on (?:second|a closer|closer)|scratch that|i mean|or rather)(?!\w)",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?<!\w)\w")
_IDIOM = re.compile(
    r"(?<!\w)(?:(?:has|have|had|having) left|left (?:the|his|her|their) (?:room|bed|frame|picture|clip|scene)"
    r"|all right|right (?:now|away|after|before|there|here|at))(?!\w)",
    re.IGNORECASE,
)
_ANSWER_WORD = (
    "answer|diagnosis|classification|conclusion|verdict|prediction|label|decision|antwort|diagnose|réponse|diagnostic"
    "|respuesta|risposta|resposta|cevap|yanıt|ответ|答案|回答|答え|정답|답"
)
_MARK = re.compile(
    rf"(?<![^\W_])(?:{_ANSWER_WORD})[')\]]{{0,2}}[ \t]{{0,3}}(?:is|ist|est|es|è|は|[:=\n→]|->)[ \t:]{{0,4}}"
    r"|^a[ \t]{0,2}:[ \t]{0,3}|(?<!\w)(?:therefore|thus|hence|so|overall|in conclusion)[ \t]{0,2}[:,][ \t]{0,3}",
    re.IGNORECASE | re.MULTILINE,
)
_SENTENCE_MARKS = (".", "!", "?", ";", "\n", "。")
_NEGATION = re.compile(rf"(?<![^\W_])(?:{'|'.join(NEGATIONS)}|[^\W_]{{1,8}}n['’]t)(?![^\W_])", re.IGNORECASE)
_DENIAL = re.compile(
    r"(?<![^\W_])(?:not|nor|neither|rather than|instead of|nicht|pas|isn['’]t|不是)[ \t]{1,3}"
    r"(?:(?:an?|the|to|on|of|really|ein|eine|une?|le|la)[ \t]{1,3}){0,3}\Z",
    re.IGNORECASE,
)
_LONGEST_DENIAL = 60


@lru_cache(maxsize=64)
def labels_of(choices: tuple[str, ...]) -> Labels:
    """Return the labels of a list of choices, with the words that other languages and clinicians have for them."""
    searched = {name: [_literal(name), *_spellings(SEARCHED, name, choices)] for name in choices}
    bare = {name: _spellings(BARE, name, choices) for name in choices}
    in_prose = {name: words for name, words in searched.items() if name.casefold() not in CLOSED_IN_PROSE}
    is_closed = bool({name.casefold() for name in choices} & CLOSED_IN_PROSE)
    opening = {name: [*searched[name], *bare[name]] for name in choices}
    return labels_from(opening, {} if is_closed else in_prose, is_closed, frozenset(c.casefold() for c in choices))


def labels_from(
    opening: Mapping[str, Sequence[str]],
    anywhere: Mapping[str, Sequence[str]],
    ends_at_comma: bool,
    spared: frozenset[str] = frozenset(),
) -> Labels:
    """Return labels from patterns of the words that open a text with them, and of those that mean them anywhere."""
    opens, opening_owners = _compiled(opening)
    finds, owners = _compiled(anywhere) if anywhere else (None, ())
    return Labels(
        opening=opens,
        opening_owners=opening_owners,
        anywhere=finds,
        owners=owners,
        ends_at_comma=ends_at_comma,
        spared=spared,
    )


def find_outright(text: str, labels: Labels) -> OutrightLabels:
    """Return the labels that a text gives outright: it opens or ends with them, or marks them as its answer."""
    plain = plain_text(text)
    lead = labels.opens(plain)
    last = labels.bare(plain.rpartition("\n")[2]) if "\n" in plain else frozenset()
    marked = [_marked(segment, labels) for segment in marked_segments(plain)]
    # The union: different labels at different places are a contradiction, which the caller refuses.
    return OutrightLabels(frozenset().union(lead.names, last, *marked), lead.rest if lead.names else "")


def marked_segments(plain: str) -> list[str]:
    """Return the texts after "Answer:", "the answer is", "Therefore:" …, each to the end of its line."""
    starts = [match.end() for match, _ in zip(_MARK.finditer(plain), range(MAX_MARKS), strict=False)]
    return [plain[at : at + LONGEST_MARKED].lstrip().partition("\n")[0] for at in starts]


def find_in_prose(text: str, labels: Labels) -> tuple[str | None, str]:
    """Return the one label that occurs in a prose text and is not denied there, or ``None`` with the reason.

    A mention that is denied outright ("not left", "rather than left") is none; any other negation in the sentence of a
    mention makes it unreadable.
    """
    mentions = labels.mentions(text)
    denied = [mention for mention in mentions[:MAX_MENTIONS] if _is_denied(text, mention.start)]
    asserted = [mention for mention in mentions if mention not in denied]
    names = sorted({mention.name for mention in asserted})
    if len(names) > 1:
        return None, f"several of the choices: {', '.join(names)}"
    if not names:
        return None, f"{denied[0].name}, but in a sentence with a negation" if denied else "none of the choices"
    # Masked, so that the denial of one mention does not count as a negation in the sentence of another.
    masked = _without(text, mentions)
    if names[0] in {mention.name for mention in denied} or any(
        is_negated(masked, mention.start, labels.spared) for mention in asserted[:MAX_MENTIONS]
    ):
        return None, f"{names[0]}, but in a sentence with a negation"
    return names[0], ""


def is_negated(text: str, start: int, spared: Iterable[str] = ()) -> bool:
    """Return whether the sentence around position ``start`` holds a negation, ``spared`` words not counted as such."""
    before = max(text.rfind(mark, 0, start) for mark in _SENTENCE_MARKS) + 1
    after = [at for mark in _SENTENCE_MARKS if (at := text.find(mark, start)) >= 0]
    sentence = text[before : min(after, default=len(text))]
    return any(match.group().casefold() not in spared for match in _NEGATION.finditer(sentence))


def _marked(segment: str, labels: Labels) -> frozenset[str]:
    given = labels.opens(segment)
    if given.names or labels.anywhere is None:
        return given.names
    name, _ = find_in_prose(segment, labels)
    return frozenset() if name is None else frozenset({name})


def _is_denied(text: str, start: int) -> bool:
    return _DENIAL.search(text[max(0, start - _LONGEST_DENIAL) : start]) is not None


def _without(text: str, mentions: Sequence[LabelMention]) -> str:
    """The text with its denials and mentions masked; every position stays the same."""
    letters = list(text)
    for mention in mentions[:MAX_MENTIONS]:
        before = text[max(0, mention.start - _LONGEST_DENIAL) : mention.start]
        denial = _DENIAL.search(before)
        begin = mention.start - (len(before) - denial.start()) if denial else mention.start
        letters[begin : mention.end] = "x" * (mention.end - begin)
    return "".join(letters)


def _masked(match: re.Match[str]) -> str:
    return "x" * len(match.group())


def _literal(name: str) -> str:
    return " ".join(map(re.escape, name.split()))


def _spellings(table: Mapping[str, Sequence[str]], name: str, choices: Sequence[str]) -> list[str]:
    """The other words for a choice that are not themselves another choice of the list."""
    other_choices = {choice.casefold() for choice in choices} - {name.casefold()}
    return [word for word in table.get(name.casefold(), ()) if word not in other_choices]


def _compiled(patterns: Mapping[str, Sequence[str]]) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """One pattern of all words, a group each, longer words before shorter ones, and the label of each group."""
    # Longer words first: "left" must not match where "left arm" does.
    words = sorted(((word, name) for name, words in patterns.items() for word in words), key=lambda one: -len(one[0]))
    # The boundary is tried once at each place, not once for each word: a text of one word repeated takes 10 times less.
    # Ideographic scripts have no blanks between words, so that their words need no boundary.
    spaced = [(word, name) for word, name in words if not _IDEOGRAPH.match(word)]
    written = [(word, name) for word, name in words if _IDEOGRAPH.match(word)]
    alternation = rf"(?<![^\W_])(?:{_groups(spaced)})(?![^\W_])" + (f"|{_groups(written)}" if written else "")
    return re.compile(f"(?i:{alternation})"), tuple(name for _, name in [*spaced, *written])


def _groups(words: Iterable[tuple[str, str]]) -> str:
    return "|".join(f"({word.replace(' ', _BLANK)})" for word, _ in words)


_BLANK = r"[\s_-]{1,9}"


_IDEOGRAPH = re.compile("[⺀-鿿가-힯豈-﫿]")

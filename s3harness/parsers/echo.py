"""Detection of replies that repeat the prompt instead of answering it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from s3harness.parsers.json_text import embedded_json
from s3harness.parsers.reading import Reading
from s3harness.parsers.text import answer_text

ECHOES = "echoes the prompt"

LEAST_WORDS = 4
"""Consecutive words that a text must share with the instructions to be taken from them."""

LONG_STRETCH = 8
"""Consecutive words of the filled-in prompt that no reply has by chance."""

LARGE_SHARE = 0.5
"""Share of the instructions' words that makes a reply an echo, unless an answer follows."""

LONGEST_TEXT = 20_000
"""Characters of a reply that are compared."""

_OF_INSTRUCTIONS = frozenset(
    {"you", "your", "answer", "reply", "write", "json", "object", "field", "fields", "sentence", "sentences", "word"}
    | {"words", "judge", "report", "name", "names", "mm", "ss"}
)
"""Words that address the model; none describes a patient."""

_WORD = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"[.!?]\s+|\n+")


@dataclass(frozen=True)
class PromptText:
    """The texts that a reply is compared with, as words in lower case, every number being the same.

    ``instructions`` are the passages that a template has for every video and subject, ``questions`` its questions, and
    ``whole`` the prompt with the names it fills in.
    """

    instructions: tuple[str, ...]
    questions: frozenset[str]
    whole: str

    @classmethod
    def of(cls, instructions: Iterable[str], questions: Iterable[str], whole: Iterable[str]) -> PromptText:
        """Return the words of passages, questions and prompts."""
        passages = dict.fromkeys(words for text in instructions for words in _passages(text))
        return cls(tuple(passages), frozenset(map(words_of, questions)), f" {' | '.join(map(words_of, whole))} ")

    def guarded(self, text: str, read: Callable[[str], Reading], choices: Collection[str]) -> Reading:
        """Read a reply, or say that it echoes the prompt.

        An echo is a reply whose text, or whose free text in JSON, is taken from the instructions or is the question,
        one that is a long stretch of the prompt or repeats at least half of the instructions, with no answer after
        them, and one that cannot be read and stands as it is in the prompt. ``choices`` are answers, which a prompt
        may name as much as it likes.
        """
        reading = read(text)
        answer = answer_text(text).text[:LONGEST_TEXT]
        # First the free text: a valid JSON answer whose reason is copied from the prompt answers nothing.
        if any(self.is_echo(part) for part in _free_texts(answer, choices)):
            return Reading.unparsable(ECHOES)
        # A list of signs in the prompt's order is a long stretch of the prompt by nature.
        is_list = isinstance(reading.value, list)
        repeats = self._repeats_most(answer) or (self._is_stretch(answer) and not is_list)
        if not repeats and reading.status != "unparsable":
            return reading
        after = self._after(answer, read, choices)
        is_echo = repeats or (words_of(answer) and f" {words_of(answer)} " in self.whole)
        return after or (Reading.unparsable(ECHOES) if is_echo else reading)

    def is_echo(self, text: str) -> bool:
        """Return whether all sentences of a text are taken from the instructions or are the question."""
        sentences = [words for part in _SENTENCE_END.split(text) if (words := words_of(part))]
        return bool(sentences) and all(map(self._is_taken, sentences))

    def _is_taken(self, words: str) -> bool:
        """Return whether words are a passage or a question, or a stretch of a passage that tells how to answer.

        "Nobody speaks to the patient" may be in the instructions and is a fair reason all the same.
        """
        if words in self.questions or words in self.instructions:
            return True
        tells_how = words.count(" ") >= LEAST_WORDS - 1 and not _OF_INSTRUCTIONS.isdisjoint(words.split())
        return tells_how and any(f" {words} " in f" {one} " for one in self.instructions)

    def _is_stretch(self, answer: str) -> bool:
        """Return whether a reply is one long stretch of the prompt; a list of signs may look like the prompt's."""
        words = words_of(answer)
        return words.count(" ") >= LONG_STRETCH - 1 and f" {words} " in self.whole

    def _repeats_most(self, answer: str) -> bool:
        """Return whether a reply holds at least :data:`LARGE_SHARE` of the instructions' words in whole passages."""
        words = f" {words_of(answer)} "
        repeated = sum(len(one.split()) for one in self.instructions if f" {one} " in words)
        return repeated > LEAST_WORDS and repeated >= LARGE_SHARE * sum(len(one.split()) for one in self.instructions)

    def _after(self, answer: str, read: Callable[[str], Reading], choices: Collection[str]) -> Reading | None:
        """The reading of what follows the last passage or question that the reply repeats; ``None`` without one."""
        words = list(_WORD.finditer(answer))
        joined = "".join(f" {words_of(word.group())}" for word in words) + " "
        # The last end of a repeated passage: a model may repeat several, and answer after them.
        ends = [at + len(one) for one in (*self.instructions, *self.questions) if (at := joined.rfind(f" {one} ")) >= 0]
        if not ends:
            return None
        last = words[joined.count(" ", 0, max(ends) + 1) - 1].end()
        rest = answer[last:].lstrip("\"'”’)].!?:;\n ")
        reading = read(rest) if rest else None
        if reading is None or reading.status == "unparsable" or any(map(self.is_echo, _free_texts(rest, choices))):
            return None
        note = "; ".join(part for part in ("the prompt before it removed", reading.note) if part)
        return Reading.repaired(reading.value, note)


def words_of(text: str) -> str:
    """Return the words of a text in lower case with single blanks between them, each number as 0."""
    # Each number as 0: prompts differ from each other by times and counts, which would hide an echo.
    return " ".join("0" if word.isdigit() else word for word in _WORD.findall(text.casefold()))


def _passages(text: str) -> Iterator[str]:
    """The passages of a text: each sentence of at least :data:`LEAST_WORDS` words."""
    for part in _SENTENCE_END.split(text):
        words = words_of(part)
        if words.count(" ") >= LEAST_WORDS - 1:
            yield words


def _free_texts(answer: str, choices: Collection[str]) -> Iterator[str]:
    """The free text of a reply: the strings in its JSON that are no choices, or all of it where it has no JSON."""
    named = {words_of(choice) for choice in choices}
    objects = embedded_json(answer, "{") if "{" in answer else []
    values = [value for one in objects if isinstance(one.value, dict) for value in one.value.values()]
    texts = [value for value in values if isinstance(value, str)] if objects else [answer]
    yield from (text for text in texts if words_of(text) not in named)

"""Structured output: answers held to their schema or choices by xgrammar, where it is installed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import s3harness
from s3harness_transformers.installation import installed_version

LIBRARY = "xgrammar"
COMPACT = (",", ":")
"""Separators of JSON without white space: a model that may write any may write nothing else until its answer is cut."""

ALL_ALLOWED = -1
"""A word of the token bitmask with all bits set: its 32 tokens are allowed."""


def grammar_library() -> str:
    """Name and version of the library that holds answers to their form; empty if it is not installed."""
    return f"{LIBRARY} {installed_version(LIBRARY)}" if find_spec(LIBRARY) else ""


class AnswerGrammars:
    """Compiles the grammars of answers; xgrammar's compiler caches them."""

    def __init__(self, tokenizer: Any, vocab_size: int, eos_token_ids: Sequence[int]) -> None:
        import xgrammar

        # The size of the model's output and not the tokenizer's, which is smaller where the output is padded.
        info = xgrammar.TokenizerInfo.from_huggingface(
            tokenizer, vocab_size=vocab_size, stop_token_ids=list(eos_token_ids)
        )
        self._compiler = xgrammar.GrammarCompiler(info, max_threads=1)
        self._vocab_size = vocab_size

    def processor(
        self, requests: Sequence[s3harness.Request], reasoning_end: int | None = None, waits: Sequence[bool] = ()
    ) -> GrammarLogitsProcessor | None:
        """Logits processor that holds the answers of a batch to their forms; ``None`` if all are free text.

        The rows that ``waits`` marks are free until the token ``reasoning_end``.
        """
        grammars = [self._grammar(request) for request in requests]
        if not any(grammars):
            return None
        # Without such a token nobody could tell where the answer begins.
        free = waits if reasoning_end is not None and waits else [False] * len(grammars)
        return GrammarLogitsProcessor(grammars, self._vocab_size, reasoning_end, free)

    def _grammar(self, request: s3harness.Request) -> Any:
        if request.answer_schema is not None:
            schema = json.dumps(request.answer_schema, default=_plain)
            return self._compiler.compile_json_schema(schema, any_whitespace=False, separators=COMPACT)
        if request.choices:
            return self._compiler.compile_grammar("root ::= " + " | ".join(map(json.dumps, request.choices)))
        return None


class GrammarLogitsProcessor:
    """Masks the tokens that each row's grammar forbids; for one call of ``generate``."""

    def __init__(
        self, grammars: Sequence[Any], vocab_size: int, reasoning_end: int | None, waits: Sequence[bool]
    ) -> None:
        import xgrammar

        self._matchers = [xgrammar.GrammarMatcher(grammar) if grammar is not None else None for grammar in grammars]
        self._mask = xgrammar.allocate_token_bitmask(len(grammars), vocab_size)
        self._reasoning_end, self._waits = reasoning_end, list(waits)
        self._has_begun = False

    def __call__(self, tokens: Any, scores: Any) -> Any:
        """Scores, rows × vocabulary, with minus infinity for forbidden tokens."""
        import xgrammar

        for row, matcher in enumerate(self._matchers):
            # A finished row still gets padding, until all rows of the batch are finished.
            if matcher is None or matcher.is_terminated():
                self._mask[row].fill_(ALL_ALLOWED)
                continue
            if self._waits[row]:
                self._waits[row] = not (self._has_begun and int(tokens[row, -1]) == self._reasoning_end)
                if self._waits[row]:
                    self._mask[row].fill_(ALL_ALLOWED)
                else:
                    matcher.fill_next_token_bitmask(self._mask, row)
                continue
            # On the first call the last token is the prompt's.
            if self._has_begun and not matcher.accept_token(int(tokens[row, -1])):
                raise s3harness.S3HarnessError("a token came that the answer's grammar forbids")
            if matcher.is_terminated():
                self._mask[row].fill_(ALL_ALLOWED)
            else:
                matcher.fill_next_token_bitmask(self._mask, row)
        self._has_begun = True
        xgrammar.apply_token_bitmask_inplace(scores, self._mask.to(scores.device))
        return scores


def _plain(value: Any) -> Any:
    """A part of a schema in the types of JSON: a request promises no more than mappings and sequences."""
    return dict(value) if hasattr(value, "items") else list(value)

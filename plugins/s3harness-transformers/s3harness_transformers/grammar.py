"""Holding answers to their schema or choices, by xgrammar where it is installed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import s3harness
from s3harness_transformers.options import installed_version

LIBRARY = "xgrammar"
COMPACT = (",", ":")
"""JSON without white space between its parts: a model that may write any may write nothing else until it is cut."""

FREE = -1
"""The mask of 32 tokens that are all allowed."""


def enforcer() -> str:
    """What holds answers to their form, with its version; empty if nothing does."""
    return f"{LIBRARY} {installed_version(LIBRARY)}" if find_spec(LIBRARY) else ""


class Grammars:
    """The grammars of the answers that requests may have, each made once."""

    def __init__(self, words: Any, size: int, ends: Sequence[int]) -> None:
        import xgrammar

        info = xgrammar.TokenizerInfo.from_huggingface(words, vocab_size=size, stop_token_ids=list(ends))
        self._compiler = xgrammar.GrammarCompiler(info, max_threads=1)
        self._size = size

    def masks(self, requests: Sequence[s3harness.Request]) -> Masks | None:
        """What holds the answers of a batch to their forms; ``None`` if all are free."""
        grammars = [self._grammar(request) for request in requests]
        return Masks(grammars, self._size) if any(grammars) else None

    def _grammar(self, request: s3harness.Request) -> Any:
        if request.answer_schema is not None:
            schema = json.dumps(request.answer_schema, default=_plain)
            return self._compiler.compile_json_schema(schema, any_whitespace=False, separators=COMPACT)
        if request.choices:
            return self._compiler.compile_grammar("root ::= " + " | ".join(map(json.dumps, request.choices)))
        return None


class Masks:
    """A logits processor of one call of ``generate``: takes from each row the tokens that its grammar forbids."""

    def __init__(self, grammars: Sequence[Any], size: int) -> None:
        import xgrammar

        self._matchers = [xgrammar.GrammarMatcher(grammar) if grammar is not None else None for grammar in grammars]
        self._mask = xgrammar.allocate_token_bitmask(len(grammars), size)
        self._begun = False

    def __call__(self, tokens: Any, scores: Any) -> Any:
        """Scores, rows × vocabulary, with minus infinity for what may not come next."""
        import xgrammar

        for row, matcher in enumerate(self._matchers):
            if matcher is None or matcher.is_terminated():
                self._mask[row].fill_(FREE)
                continue
            if self._begun and not matcher.accept_token(int(tokens[row, -1])):
                raise s3harness.S3HarnessError("a token came that the answer's grammar forbids")
            if matcher.is_terminated():
                self._mask[row].fill_(FREE)
            else:
                matcher.fill_next_token_bitmask(self._mask, row)
        self._begun = True
        xgrammar.apply_token_bitmask_inplace(scores, self._mask.to(scores.device))
        return scores


def _plain(value: Any) -> Any:
    return dict(value) if hasattr(value, "items") else list(value)

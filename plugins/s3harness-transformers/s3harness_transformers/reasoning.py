"""Reasoning of thinking models: the token that ends it, and its budget of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import s3harness
from s3harness_transformers.request_encoder import EncodedRequest


class ReasoningMarks:
    """The tokens of a vocabulary that begin and end reasoning; ``None`` where it has none."""

    def __init__(self, tokenizer: Any, marks: s3harness.Thinking) -> None:
        vocabulary = tokenizer.get_vocab()
        self.marks = marks
        self.begin, self.end = vocabulary.get(marks.start), vocabulary.get(marks.end)

    def processor(self, batch: Sequence[EncodedRequest], prompt_length: int) -> ThinkingBudget | None:
        """Logits processor that ends the reasoning of each row at its budget; ``None`` without budgets."""
        budgets = [encoded.request.generation.thinking_tokens or None for encoded in batch]
        if self.end is None or not any(budgets):
            return None
        return ThinkingBudget(budgets, [encoded.is_begun for encoded in batch], self, prompt_length)


class ThinkingBudget:
    """Forces the end of reasoning once a row has spent its budget of tokens on it; for one call of ``generate``."""

    def __init__(
        self, budgets: Sequence[int | None], is_begun: Sequence[bool], marks: ReasoningMarks, prompt_length: int
    ) -> None:
        self._budgets, self._marks, self._prompt_length = budgets, marks, prompt_length
        self._is_thinking = list(is_begun)
        self._is_over = [False] * len(budgets)

    def __call__(self, tokens: Any, scores: Any) -> Any:
        """Scores, rows × vocabulary; of a row over its budget, minus infinity but for the mark of the end."""
        written = tokens.shape[1] - self._prompt_length
        for row, budget in enumerate(self._budgets):
            last = int(tokens[row, -1]) if written else None
            self._is_over[row] |= last == self._marks.end
            self._is_thinking[row] |= last == self._marks.begin
            if budget is not None and written >= budget and self._is_thinking[row] and not self._is_over[row]:
                scores[row] = float("-inf")
                scores[row, self._marks.end] = 0.0
        return scores

"""Which tokens a model might have written instead, for the probabilities of closed answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import s3harness

MOST = 20
"""So many of the likeliest tokens are told at each place."""


class Record:
    """A logits processor of one call of ``generate`` that changes nothing: it keeps the likeliest tokens of each step.

    It comes after what forbids tokens, so that the probabilities are shares of what the model may say.
    """

    def __init__(self) -> None:
        self._steps: list[tuple[Any, Any]] = []
        self._written: list[Any] = []
        self._last: Any = None

    def __call__(self, tokens: Any, scores: Any) -> Any:
        """Scores, rows × vocabulary, as they came."""
        if self._last is not None:
            self._written.append(self._last.gather(1, tokens[:, -1:]).cpu())
        self._last = scores.float().log_softmax(-1)
        found = self._last.topk(min(MOST, scores.shape[-1]))
        self._steps.append((found.indices.cpu(), found.values.cpu()))
        return scores

    def rows(self, row: int, tokens: Sequence[int]) -> list[dict[int, float]]:
        """For each token written in a row: log probabilities of the likeliest ones and, but for the last, of itself."""
        told = []
        for step, ((ids, values), token) in enumerate(zip(self._steps, tokens, strict=False)):
            likely = dict(zip(ids[row].tolist(), values[row].tolist(), strict=True))
            if step < len(self._written):
                likely[token] = float(self._written[step][row, 0])
            told.append(likely)
        return told


def tokens_of(words: Any, said: Sequence[int], told: Sequence[Mapping[int, float]]) -> list[s3harness.Token]:
    """The tokens of an answer as text; of tokens that read the same, the likelier one counts."""
    found = []
    for token, likely in zip(said, told, strict=False):
        texts: dict[str, float] = {}
        for other, value in likely.items():
            text = words.decode([other])
            texts[text] = max(texts.get(text, float("-inf")), value)
        found.append(s3harness.Token(words.decode([token]), texts))
    return found

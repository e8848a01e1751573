"""Log probabilities of the likeliest tokens at each step, for the probabilities of closed answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import s3harness

TOP_K = 20
"""The number of likeliest tokens that are recorded at each step."""


class LogprobsRecorder:
    """A logits processor that changes nothing and records the likeliest tokens of each step of one ``generate``.

    It has to come after processors that forbid tokens, so that probabilities are shares of what the model may write.
    """

    def __init__(self) -> None:
        self._top: list[tuple[Any, Any]] = []
        self._of_written: list[Any] = []
        self._last: Any = None

    def __call__(self, tokens: Any, scores: Any) -> Any:
        """Scores, rows × vocabulary, unchanged."""
        # Only now is it known which token was written at the last step.
        if self._last is not None:
            self._of_written.append(self._last.gather(1, tokens[:, -1:]).cpu())
        self._last = scores.float().log_softmax(-1)
        top = self._last.topk(min(TOP_K, scores.shape[-1]))
        self._top.append((top.indices.cpu(), top.values.cpu()))
        return scores

    def row(self, row: int, tokens: Sequence[int]) -> list[dict[int, float]]:
        """For each token of a row, token id → log probability of the likeliest tokens and of the written one.

        The last written token is left out unless it is among the likeliest: no call comes after it.
        """
        steps = []
        for step, ((ids, values), token) in enumerate(zip(self._top, tokens, strict=False)):
            likely = dict(zip(ids[row].tolist(), values[row].tolist(), strict=True))
            if step < len(self._of_written):
                likely[token] = float(self._of_written[step][row, 0])
            steps.append(likely)
        return steps


def decode_tokens(
    tokenizer: Any, answer: Sequence[int], logprobs: Sequence[Mapping[int, float]]
) -> list[s3harness.Token]:
    """The tokens of an answer as text, with their alternatives; of tokens that read the same, the likelier counts."""
    tokens = []
    for token, likely in zip(answer, logprobs, strict=False):
        alternatives: dict[str, float] = {}
        for other, value in likely.items():
            text = tokenizer.decode([other])
            alternatives[text] = max(alternatives.get(text, float("-inf")), value)
        tokens.append(s3harness.Token(tokenizer.decode([token]), alternatives))
    return tokens

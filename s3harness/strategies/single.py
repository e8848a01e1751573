"""The strategy of one question."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import ClassVar

from s3harness.strategies.contract import Ask, Look, Strategy, StrategyItem, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Single(Strategy):
    """Send each planned request as it is: one question about each clip, and the reply is the answer."""

    asks_as_planned: ClassVar[bool] = True

    async def answer(self, item: StrategyItem, ask: Ask, look: Look) -> AsyncIterator[Turn]:
        """Yield the reply to the planned request."""
        yield await ask()

"""A strategy: ask again in both halves of the clip, and take the answer that the model repeats."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import s3harness


@dataclass(frozen=True, slots=True, kw_only=True)
class NewcomerStrategy(s3harness.Strategy):
    """Ask about the clip, and then about its halves; the halves decide where both agree against the whole."""

    turns: int = 3

    async def answer(
        self, item: s3harness.StrategyItem, ask: s3harness.Ask, look: s3harness.Look
    ) -> AsyncIterator[s3harness.Turn]:
        """Yield the turns; the last one is the answer."""
        whole = await ask()
        # Yielded at once: it is the answer if the budget ends the conversation.
        yield whole
        middle = (item.start_s + item.end_s) / 2
        first = await ask(clip=await look(item.start_s, middle))
        second = await ask(clip=await look(middle, item.end_s))
        # A sign may be in either half, and a time counts from another start: only a repeated word decides.
        if isinstance(whole.value, str) and first.value == second.value not in (None, whole.value, "no"):
            yield item.compose(first.value, {"agreement": 2 / 3})
        else:
            yield whole

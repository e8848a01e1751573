"""Controls of strategies: the same budget, spent without what a strategy is supposed to gain by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from s3harness.options import number, whole
from s3harness.strategies.contract import Ask, Look, Need, Strategy, StrategyItem, Turn
from s3harness.strategies.vote import share
from s3harness.strategies.zoom import Zoom, centred, is_at_edge
from s3harness.types import Clip

AGAIN = "Go over your answer once more, without a new look at the clip, and reply in the same form as before."


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomLook(Strategy):
    """Look as often, as closely and at as many frames as ``zoom`` does, at random places of the window.

    What ``zoom`` gains over this control it owes to where it looked, and not to further frames and attempts. The
    options are those of ``zoom``; places are drawn from a hash of ``seed`` and the item.
    """

    turns: Annotated[int, whole(1)] = 6
    shrink: Annotated[float, number(0.05, 0.9)] = 0.4
    until_s: Annotated[float, number(0.05)] = 1.0
    max_fps: Annotated[float, number(0.1)] = 12.0
    seed: Annotated[int, whole(0)] = 0

    async def answer(self, item: StrategyItem, ask: Ask, look: Look) -> AsyncIterator[Turn]:
        """Yield the turns; as in ``zoom`` the last one that names a time is the answer."""
        answer = await ask()
        yield answer
        zoom, length_s = Zoom(max_fps=self.max_fps), item.end_s - item.start_s
        width, n = length_s * self.shrink, 0
        while answer.time_s is not None and width >= self.until_s:
            n += 1
            place = item.start_s + length_s * share(f"{self.seed}\0{item.request.item}\0{n}")
            clip = await look(*centred(place, width, item), fps=zoom.rate(item, width))
            narrow = await ask(clip=clip)
            if narrow.time_s is None:
                return
            # As in zoom, an answer at the edge of a clip does not count.
            answer, width = answer if is_at_edge(narrow, item) else narrow, width * self.shrink
            yield answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Again(Strategy):
    """Ask for the answer again, ``k`` times in all, without showing anything new; the last reply is the answer.

    The control of conversations: what a strategy gains over this it owes to its looks, and not to second thoughts.
    """

    turns: Annotated[int, whole(1)] = 99
    k: Annotated[int, whole(1, 99)] = 3

    needs: ClassVar[frozenset[Need]] = frozenset({"history"})

    async def answer(self, item: StrategyItem, ask: Ask, look: Look) -> AsyncIterator[Turn]:
        """Yield each reply; one that cannot be read leaves the answer as it was."""
        turn = await ask()
        yield turn
        for _ in range(1, self.k):
            again = await ask(f"{AGAIN}\n\n{item.request.prompt}", clip=text_only(item), after=turn)
            if again.value is None:
                return
            # The clip of the first turn: times count from its start.
            turn = again
            yield turn


def text_only(item: StrategyItem) -> Clip:
    """Return the planned clip without its media."""
    return replace(item.request.clip, timestamps=(), audio=False)

"""The strategy of a coarse look and then narrower ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from s3harness.options import number, whole
from s3harness.strategies.contract import Ask, Look, Need, Strategy, StrategyItem, Turn
from s3harness.types import Clip

EDGE = 0.1
"""An answer in this share of a narrow clip at either end, where the clip was cut, may lie outside of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zoom(Strategy):
    """Look again around the time that was answered, in a narrower clip at a higher frame rate, until it is precise.

    The first turn is the planned one. Each further clip is ``shrink`` times as long as the one before, centred on the
    last answer, and has as many frames, up to ``max_fps`` a second. An answer at the edge of a narrow clip disagrees
    with the one before: it does not count, and the next clip is wider again. The conversation ends when the clip is
    shorter than ``until_s``, or with the budget. With ``conversation`` earlier clips and replies stay in the context.
    Items that are no time, and answers that cannot be read, end with the first turn.
    """

    turns: Annotated[int, whole(1)] = 6
    shrink: Annotated[float, number(0.05, 0.9)] = 0.4
    until_s: Annotated[float, number(0.05)] = 1.0
    max_fps: Annotated[float, number(0.1)] = 12.0
    conversation: bool = False

    def required(self) -> frozenset[Need]:
        """Return ``history`` where the conversation goes on."""
        return frozenset({"history"}) if self.conversation else frozenset()

    async def answer(self, item: StrategyItem, ask: Ask, look: Look) -> AsyncIterator[Turn]:
        """Yield the turns, each about a narrower clip than the one before, unless it disagreed."""
        answer = last = await ask()
        yield answer
        length_s = item.end_s - item.start_s
        width = length_s * self.shrink
        while last.time_s is not None and self.until_s <= width < length_s:
            clip = await look(*centred(last.time_s, width, item), fps=self.rate(item, width))
            last = await ask(clip=clip, after=last if self.conversation else None)
            # A narrower clip that gives no time leaves the answer as it was.
            if last.time_s is None:
                return
            if is_at_edge(last, item):
                width /= self.shrink
            else:
                answer, width = last, width * self.shrink
            yield answer

    def rate(self, item: StrategyItem, width_s: float) -> float:
        """Return the frames per second at which a clip has as many frames as the planned one."""
        return min(self.max_fps, max(len(item.request.clip.timestamps), 1) / width_s)


def centred(time_s: float, width_s: float, item: StrategyItem) -> tuple[float, float]:
    """Return start and end of a clip around a time, moved to lie within the planned window."""
    start_s = max(item.start_s, min(time_s - width_s / 2, item.end_s - width_s))
    return start_s, min(start_s + width_s, item.end_s)


def is_at_edge(turn: Turn, item: StrategyItem) -> bool:
    """Return whether an answer lies at an end of its clip that is not an end of the planned window, or beyond it."""
    clip: Clip = turn.clip
    margin = EDGE * (clip.end_s - clip.start_s)
    time_s = turn.time_s or 0.0
    early = time_s < clip.start_s + margin and clip.start_s > item.start_s
    late = time_s > clip.end_s - margin and clip.end_s < item.end_s
    return early or late

"""The strategy of several independent answers to one item."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Any, Literal

from s3harness.options import number, whole
from s3harness.strategies.contract import TIMES, Ask, Look, Strategy, StrategyItem, Turn

AT_VIDEO_END_S = 0.5
"""The longest cut at the beginning and at the end of the video, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote(Strategy):
    """Ask ``k`` times and take the median of times, or the most frequent of other answers.

    ``by`` ``windows`` asks about windows of which each end is cut by a random part of up to ``jitter_s`` seconds;
    ``samples`` asks about the planned clip with ``temperature`` and another seed each time. The dispersion is in the
    journal: the interquartile range of times, or the share of the most frequent answer; shares of closed answers are
    their probabilities. Answers that cannot be read do not vote; the item is lost if none can.
    """

    turns: Annotated[int, whole(1)] = 99
    k: Annotated[int, whole(1, 99)] = 5
    by: Literal["windows", "samples"] = "windows"
    jitter_s: Annotated[float, number(0)] = 4.0
    temperature: Annotated[float, number(0)] = 0.7
    seed: Annotated[int, whole(0)] = 0

    async def answer(self, item: StrategyItem, ask: Ask, look: Look) -> AsyncIterator[Turn]:
        """Yield the answer that the turns, which are asked at once, come to."""
        if self.by == "samples":
            questions = [ask(seed=self.seed + n, temperature=self.temperature) for n in range(self.k)]
        else:
            # One after the other: the store decodes one clip of a video at a time anyway.
            clips = [item.request.clip] + [await look(*self.window(item, n), fps=_rate(item)) for n in range(1, self.k)]
            questions = [ask(clip=clip) for clip in clips]
        turns = await _all(questions)
        yield decided(item, turns)

    def window(self, item: StrategyItem, n: int) -> tuple[float, float]:
        """Return start and end of the ``n``-th window, drawn from a hash of seed and item."""
        most = min(self.jitter_s, (item.end_s - item.start_s) / 4)
        # A planned window keeps a margin around its moment, but not where the video itself begins or ends.
        early = most if item.start_s > 0 else min(most, AT_VIDEO_END_S)
        late = most if item.video_s is None or item.end_s < item.video_s else min(most, AT_VIDEO_END_S)
        return (
            item.start_s + early * share(f"{self.seed}\0{item.request.item}\0{n}\0start"),
            item.end_s - late * share(f"{self.seed}\0{item.request.item}\0{n}\0end"),
        )


def decided(item: StrategyItem, turns: Sequence[Turn]) -> Turn:
    """Return the answer that several turns come to; the first turn if none of them can be read."""
    read = [turn for turn in turns if turn.value is not None]
    if not read:
        return turns[0]
    votes = {"votes": len(read), "asked": len(turns)}
    if item.kind == TIMES and (times := sorted(time for turn in read if (time := turn.time_s) is not None)):
        quarter = len(times) // 4
        spread = times[-1 - quarter] - times[quarter]
        return item.compose(median(times), votes | {"spread_s": round(spread, 3)})
    # The first of equally frequent answers wins: the planned clip is asked first.
    words = Counter(json.dumps(turn.value, sort_keys=True) for turn in read)
    most, n = words.most_common(1)[0]
    winner = next(turn for turn in read if json.dumps(turn.value, sort_keys=True) == most)
    details = votes | {"agreement": round(n / len(read), 4)}
    return item.compose(winner.value, details, _shares(item, read))


def share(name: str) -> float:
    """Return a number in 0–1 that depends on ``name`` alone."""
    # A hash instead of a random generator: a resumed run looks at the same places.
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") / 2**48


def _shares(item: StrategyItem, read: Sequence[Turn]) -> dict[str, float] | None:
    """Return the share of each closed answer; ``None`` for open ones."""
    words = [turn.value["answer"] if isinstance(turn.value, dict) else turn.value for turn in read]
    if item.kind not in ("feature", "laterality", "diagnosis") or not all(isinstance(word, str) for word in words):
        return None
    return {str(word): n / len(words) for word, n in Counter(words).items()}


def _rate(item: StrategyItem) -> float:
    return max(len(item.request.clip.timestamps), 1) / (item.end_s - item.start_s)


async def _all(questions: Sequence[Coroutine[Any, Any, Turn]]) -> list[Turn]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(turn) for turn in questions]
    return [task.result() for task in tasks]

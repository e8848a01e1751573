"""The strategy in which the model itself says where to look, by calling a tool."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

from s3harness.options import number, whole
from s3harness.strategies.contract import Ask, BudgetSpent, Look, Need, Strategy, StrategyItem, Turn
from s3harness.types import Clip, ToolCall

NAME = "look"
LOOK: Mapping[str, object] = {
    "type": "function",
    "function": {
        "name": NAME,
        "description": "Show a part of the clip again, at another frame rate, or a part of the picture in more detail.",
        "parameters": {
            "type": "object",
            "required": ["start_s", "end_s"],
            "additionalProperties": False,
            "properties": {
                "start_s": {"type": "number", "description": "Start, in seconds from the start of the clip."},
                "end_s": {"type": "number", "description": "End, in seconds from the start of the clip."},
                "fps": {"type": "number", "description": "Frames per second."},
                "crop": {
                    "type": "array",
                    "items": {"type": "number"},
                    "minItems": 4,
                    "maxItems": 4,
                    "description": "Left, top, right and bottom of a part of the picture, as shares from 0 to 1.",
                },
            },
        },
    },
}
"""The tool as OpenAI's protocol declares it."""

OFFER = (
    "Before you answer, you can call the function look to see a part of the clip again, at a higher frame rate or in "
    "more detail. All times, in calls and in your answer, count from the start of the clip above."
)
LAST = "You can look no more. Give your answer now, in the form that was asked for, and nothing else."


class MalformedCall(Exception):
    """A call of the tool that cannot be carried out; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools(Strategy):
    """Let the model call ``look`` until it answers; the backend must support tool calling.

    A call that is malformed is answered by the reason; the item fails, with that reason, when there are more than
    ``malformed`` of them. A model that does not stop calling is asked for its answer, without the tool, in the last
    turn of its budget; the item is lost if it calls even then. One look shows at most ``look_frames`` frames.
    """

    turns: Annotated[int, whole(2)] = 8
    malformed: Annotated[int, whole(0)] = 2
    look_frames: Annotated[int, whole(1)] = 32
    max_fps: Annotated[float, number(0.1)] = 12.0

    needs: ClassVar[frozenset[Need]] = frozenset({"history", "tools"})

    async def answer(self, item: StrategyItem, ask: Ask, look: Look) -> AsyncIterator[Turn]:
        """Yield the answer of the model, when it has looked as often as it wants."""
        turn, errors = await ask(f"{item.request.prompt}\n\n{OFFER}", tools=[LOOK]), 0
        while turn.tool_calls:
            results, clip, problem = await self._carried_out(item, turn.tool_calls, look)
            errors += bool(problem)
            if errors > self.malformed:
                yield item.fail(turn, f"turn {turn.request.turn}: malformed call of a tool: {problem}")
                return
            is_last = turn.request.turn >= self.turns - 1
            words = _described(clip, item) if clip else ""
            words = f"{words} {LAST}".strip() if is_last else words
            shown = clip or replace(item.request.clip, timestamps=(), audio=False)
            try:
                following = await ask(words, clip=shown, after=turn, results=results, tools=[] if is_last else [LOOK])
            except BudgetSpent as spent:
                yield item.cut(turn, f"the model was still calling {NAME} when the budget of {spent} was spent")
                return
            if is_last and following.tool_calls:
                yield item.cut(following, f"the model was still calling {NAME} after {self.turns} turns")
                return
            turn = following
        # Times of the answer count from the planned clip, wherever the model looked last.
        yield replace(turn, request=replace(turn.request, clip=item.request.clip))

    async def _carried_out(
        self, item: StrategyItem, calls: Sequence[ToolCall], look: Look
    ) -> tuple[list[str], Clip | None, str]:
        """Return the results of the calls of one reply, the clip of the first that is well formed, and a problem."""
        results, clip, problem = list[str](), None, ""
        for call in calls:
            if clip is not None:
                results.append("One look at a time: call the function again.")
                continue
            try:
                start_s, end_s, fps, crop = self._arguments(item, call)
                clip = await look(start_s, end_s, fps=fps, crop=crop)
                results.append("The frames follow.")
            except MalformedCall as malformed:
                problem = str(malformed)
                results.append(f"Error: {problem}.")
        return results, clip, problem

    def _arguments(
        self, item: StrategyItem, call: ToolCall
    ) -> tuple[float, float, float, tuple[float, float, float, float] | None]:
        """Return start and end in seconds of the video, frame rate and crop; raise :class:`MalformedCall`."""
        if call.name != NAME:
            raise MalformedCall(f"there is no function {call.name[:40]!r}, only {NAME}")
        try:
            given: Any = json.loads(call.arguments)
        except ValueError:
            raise MalformedCall("the arguments are no JSON") from None
        if not isinstance(given, dict):
            raise MalformedCall("the arguments are no JSON object")
        if unknown := sorted(given.keys() - {"start_s", "end_s", "fps", "crop"}):
            raise MalformedCall(f"there is no argument {unknown[0][:40]!r}")
        start, end = (_number(given, name) for name in ("start_s", "end_s"))
        length_s = item.end_s - item.start_s
        if not 0 <= start < end or start >= length_s:
            raise MalformedCall(f"start_s and end_s must be in order and within the {length_s:g} s of the clip")
        end = min(end, length_s)
        fps = _number(given, "fps") if given.get("fps") is not None else self.look_frames / (end - start)
        if not fps > 0:
            raise MalformedCall("fps must be above 0")
        fps = min(fps, self.max_fps, self.look_frames / (end - start))
        return item.start_s + start, item.start_s + end, fps, _crop(given.get("crop"))


def _number(given: Mapping[str, Any], name: str) -> float:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MalformedCall(f"{name} must be a number")
    return float(value)


def _crop(value: object) -> tuple[float, float, float, float] | None:
    if value is None:
        return None
    row = value if isinstance(value, list) else []
    if len(row) != 4 or not all(isinstance(x, int | float) and not isinstance(x, bool) for x in row):
        raise MalformedCall("crop must be four numbers from 0 to 1")
    left, top, right, bottom = (float(x) for x in row)
    # A part of less than a hundredth of the picture would be decoded at a hundred times its size.
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1 and (right - left) * (bottom - top) >= 0.01):
        raise MalformedCall("crop must be left, top, right and bottom of a part of the picture, from 0 to 1")
    return left, top, right, bottom


def _described(clip: Clip, item: StrategyItem) -> str:
    start_s, end_s = clip.start_s - item.start_s, clip.end_s - item.start_s
    part = " of the part of the picture that you chose" if clip.crop else ""
    return (
        f"These are {len(clip.timestamps)} frames{part} from {start_s:.1f} s to {end_s:.1f} s of the clip; times "
        f"beside them count from {start_s:.1f} s. Call {NAME} again, or give your answer."
    )

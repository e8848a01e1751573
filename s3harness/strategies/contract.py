"""The contract of a strategy: which questions about which clips are put to the model before an item is answered.

A strategy sees the planned request of an item and the replies to its own turns, and nothing else: neither truth nor
file. It is asynchronous, so that the turns of many items interleave, and a function of its replies alone, so that a
run that was killed goes on in the middle of a conversation::

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Twice(s3harness.Strategy):
        async def answer(self, item, ask, look):
            yield await ask()
            yield await ask(clip=await look(item.start_s, (item.start_s + item.end_s) / 2))
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, ClassVar, Literal, Protocol

from s3harness.backends.answer_text import write_answer
from s3harness.options import number, whole
from s3harness.parsers.reading import Reading
from s3harness.types import Clip, Exchange, Request, Response, ToolCall

TIMES = "boundary"
"""The kind of item whose answer is a time in seconds from the start of the clip."""

Need = Literal["history", "tools"]


class BudgetSpent(Exception):
    """Another turn would exceed the budget of the strategy; the last turn that it yielded is then the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A request and its reply, or an answer that a strategy composed of several.

    ``value`` is the reply as the task's parser reads it, ``None`` if it has none; ``details`` describe a composed
    answer in the journal.
    """

    request: Request
    response: Response
    value: object = None
    details: Mapping[str, object] | None = None

    @property
    def clip(self) -> Clip:
        """The clip that the turn was about."""
        return self.request.clip

    @property
    def time_s(self) -> float | None:
        """The time that the reply names, in seconds from the start of the video; ``None`` for any other reply."""
        is_time = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        return self.clip.start_s + float(str(self.value)) if is_time else None

    @property
    def tool_calls(self) -> Sequence[ToolCall]:
        """The tools that the model called in its reply."""
        return self.response.tool_calls

    def exchange(self, results: Sequence[str] = ()) -> Exchange:
        """Return the turn as a part of a history, with the ``results`` of its tool calls."""
        return Exchange(
            prompt=self.request.prompt,
            clip=self.clip,
            text=self.response.text,
            tool_calls=self.response.tool_calls,
            results=tuple(results),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyItem:
    """The item that a strategy answers, as its planned request asks it.

    ``read`` reads a text as the task's parser does; ``prompt`` returns the task's prompt about a clip.
    ``video_s`` is the length of the video in seconds, where it is known.
    """

    request: Request
    read: Callable[[str], Reading]
    prompt: Callable[[Clip], str]
    video_s: float | None = None

    @property
    def kind(self) -> str:
        """The kind of item that the task declares."""
        return self.request.item_kind

    @property
    def start_s(self) -> float:
        """Start of the planned window, in seconds from the start of the video."""
        return self.request.clip.start_s

    @property
    def end_s(self) -> float:
        """End of the planned window, in seconds from the start of the video."""
        return self.request.clip.end_s

    def compose(
        self,
        value: object,
        details: Mapping[str, object] | None = None,
        probabilities: Mapping[str, float] | None = None,
    ) -> Turn:
        """Return an answer of the strategy's own, in the form that the planned request asks for.

        A time is in seconds from the start of the video. ``probabilities`` are shares of the closed answers, in 0–1.
        """
        is_time = self.kind == TIMES and isinstance(value, int | float)
        text = write_answer(self.request, float(str(value)) - self.start_s if is_time else _answer_of(value))
        if isinstance(value, Mapping) and value.keys() >= {"answer", "justification"}:
            text = write_answer(self.request, value["answer"], str(value["justification"]))
        response = Response(self.request.id, text, choice_probabilities=probabilities)
        return Turn(request=self.request, response=response, value=self.read(text).value, details=details or {})

    def fail(self, turn: Turn, error: str) -> Turn:
        """Return the failure of the whole conversation at a turn."""
        return replace(turn, response=Response(self.request.id, status="failed", error=error), value=None)

    def cut(self, turn: Turn, error: str) -> Turn:
        """Return the end of a conversation whose model gave no answer until its last turn, for the reason given."""
        return replace(turn, response=Response(self.request.id, status="cut", error=error), value=None)


class Ask(Protocol):
    """Puts a request to the backend, and journals it; a turn that is journalled already is not sent again."""

    async def __call__(
        self,
        prompt: str | None = None,
        *,
        clip: Clip | None = None,
        after: Turn | None = None,
        results: Sequence[str] = (),
        tools: Sequence[Mapping[str, object]] = (),
        seed: int | None = None,
        temperature: float | None = None,
    ) -> Turn:
        """Return the turn.

        Without a ``clip`` it is about the planned one, without a ``prompt`` the task's own about that clip is used.
        With ``after`` the conversation of that turn goes on: its clips and replies stand before, unchanged, and
        ``results`` answer its tool calls. ``seed`` and ``temperature`` replace those of the task.

        Raises :class:`BudgetSpent` instead of exceeding the budget. A failed reply ends the conversation: it is the
        failure of the item, and asked again when the run is resumed.
        """


class Look(Protocol):
    """Returns a clip of the item's video, decoded if no planned clip has its frames."""

    async def __call__(
        self,
        start_s: float,
        end_s: float,
        *,
        fps: float | None = None,
        max_pixels: int | None = None,
        crop: tuple[float, float, float, float] | None = None,
    ) -> Clip:
        """Return the clip from ``start_s`` to ``end_s``, in seconds of the video, cut at the planned window.

        ``fps`` is that of the planned clip by default; frame times lie on a grid of 1/``fps`` from 0, so that clips
        share frames. ``max_pixels`` is for the part that ``crop`` shows (left, top, right, bottom in 0–1).
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """The way in which an item is answered. A subclass is a dataclass of its options, and overrides :meth:`answer`.

    The budget of each item is ``turns`` at most, and ``frames`` shown, ``tokens`` (prompts and replies) and
    ``seconds`` of waiting for replies; 0 is no limit. ``needs`` names what the backend must be able to do:
    ``history`` to continue a conversation, ``tools`` to let the model call functions. A strategy that
    ``asks_as_planned`` sends the planned requests themselves, without a conversation.
    """

    turns: Annotated[int, whole(1)] = 8
    frames: Annotated[int, whole(0)] = 0
    tokens: Annotated[int, whole(0)] = 0
    seconds: Annotated[float, number(0)] = 0.0

    needs: ClassVar[frozenset[Need]] = frozenset()
    asks_as_planned: ClassVar[bool] = False

    def required(self) -> frozenset[Need]:
        """Return what the backend must be able to do with these options."""
        return self.needs

    def settings(self) -> dict[str, object]:
        """Return all options with their values, for the manifest."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def answer(self, item: StrategyItem, ask: Ask, look: Look) -> AsyncIterator[Turn]:
        """Yield the turns of a conversation; the last one is the answer to the item.

        Each turn that is yielded is the best answer so far, which counts where the budget ends the conversation.
        """
        raise TypeError(f"{type(self).__name__} does not override answer()")


def _answer_of(value: object) -> object:
    return value["answer"] if isinstance(value, Mapping) and "answer" in value else value

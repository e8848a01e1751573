"""Carries out a strategy for one item: asks its turns, decodes the clips it looks at, keeps its budget, and resumes.

Each turn is a request with an id of its own, a hash of all that determines its reply; a turn that is journalled is not
sent again, so that a run that was killed goes on where it was. The answer is journalled last, under the id of the
planned request.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import cast

from s3harness.parsers.reader import Reader
from s3harness.run.requests import REPORT_WITHHELD
from s3harness.specs.prompts import prompt_about
from s3harness.specs.tasks import TaskSpec
from s3harness.strategies.contract import TIMES, BudgetSpent, Strategy, StrategyItem, Turn
from s3harness.types import Clip, Request, Response, Video

Send = Callable[[Request], Awaitable[tuple[Response, str]]]
"""Sends a request to the backend; returns its response and the key of the media of its clip."""
OnTurn = Callable[[Request, Response, str], None]
Prepare = Callable[[Clip], Awaitable[None]]
"""Decodes what a clip needs and nothing that is there already."""


@dataclass(frozen=True, kw_only=True)
class StrategyPlan:
    """The strategy of a run and the tasks that it asks; it can be pickled. ``hears`` is the model card's."""

    strategy: Strategy
    tasks: Mapping[str, TaskSpec]
    hears: bool

    def item(self, request: Request, video: Video) -> StrategyItem:
        """Return the item that a planned request asks."""
        spec = self.tasks[request.task].for_subject(request.subject)
        read = Reader.of(spec, request.subject)
        prompt = partial(self.prompt, request, report=video.report)
        return StrategyItem(request=request, read=read, prompt=prompt, video_s=video.duration_s)

    def prompt(self, request: Request, clip: Clip, *, report: str) -> str:
        """Return the prompt of a request's task about another clip."""
        template, item = self.tasks[request.task].for_subject(request.subject).prompt, request.item_kind
        subject, hears = request.subject, self.hears
        return prompt_about(template, item=item, subject=subject, hears=hears, clip=clip, report=report)


class _TurnFailed(Exception):
    """A turn got no reply; the conversation ends with it."""

    def __init__(self, number: int, error: str) -> None:
        super().__init__(f"turn {number}: {error}")


@dataclass
class _Spent:
    """The cost of the turns of a conversation, those of an earlier session included."""

    turns: int = 0
    frames: int = 0
    tokens: int = 0
    seconds: float = 0.0

    def add(self, request: Request, response: Response) -> None:
        self.frames += len(request.clip.timestamps)
        self.tokens += (response.prompt_tokens or 0) + (response.completion_tokens or 0)
        self.seconds += response.latency_s or 0.0

    def check(self, budget: Strategy, clip: Clip) -> None:
        """Raise :class:`BudgetSpent` if a turn about a clip would exceed the budget, or it is spent."""
        if self.turns >= budget.turns:
            raise BudgetSpent("turns")
        if budget.frames and self.frames + len(clip.timestamps) > budget.frames:
            raise BudgetSpent("frames")
        # The cost of a turn in tokens and seconds is known when it is over: the last one may exceed them.
        if budget.tokens and self.tokens >= budget.tokens:
            raise BudgetSpent("tokens")
        if budget.seconds and self.seconds >= budget.seconds:
            raise BudgetSpent("seconds")

    def as_json(self) -> dict[str, object]:
        return {"turns": self.turns, "frames": self.frames, "tokens": self.tokens}


@dataclass(kw_only=True)
class Conversation:
    """One item under way. ``answered`` maps the ids of turns of an earlier session to their replies and media."""

    plan: StrategyPlan
    item: StrategyItem
    video: Video
    send: Send
    prepare: Prepare
    on_turn: OnTurn
    answered: Mapping[str, tuple[Response, str]] = field(default_factory=dict)
    looked: set[Clip] = field(default_factory=set)
    _spent: _Spent = field(default_factory=_Spent)
    _ids: Counter[str] = field(default_factory=Counter)
    _media: dict[str, str] = field(default_factory=dict)

    async def run(self) -> tuple[Request, Response, str]:
        """Carry out the strategy; return the planned request, its answer, and the key of the media it is about."""
        answer, reason = await self._best_turn()
        details = dict(answer.details or {}) if answer else {}
        details = self._spent.as_json() | details | ({"ended": reason} if reason else {})
        if answer is None:
            failure = Response(self.item.request.id, status="failed", error=reason, conversation=details)
            return self.item.request, failure, ""
        reply, planned = answer.response, self.item.request
        response = Response(
            planned.id,
            self._text(answer),
            status=reply.status,
            error=reply.error,
            choice_probabilities=reply.choice_probabilities,
            conversation=details,
        )
        return planned, response, self._media.get(answer.request.id, "")

    def _text(self, answer: Turn) -> str:
        """Return the text of an answer to the planned request, from whose clip a time counts."""
        if answer.time_s is None or answer.clip.start_s == self.item.start_s or self.item.kind != TIMES:
            return answer.response.text
        return self.item.compose(answer.time_s).response.text

    async def _best_turn(self) -> tuple[Turn | None, str]:
        """Return the last turn that the strategy yielded, and why it ended before its time, if it did."""
        best: Turn | None = None
        turns = cast("AsyncGenerator[Turn]", self.plan.strategy.answer(self.item, self._ask, self._look))
        try:
            async with aclosing(turns):
                async for turn in turns:
                    best = turn
        # A plugin's fault is the failure of its item, as a backend's is.
        except Exception as error:
            return _ended(best, error)
        return best, "" if best else "the strategy yielded no turn"

    async def _ask(
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
        planned, clip = self.item.request, clip or self.item.request.clip
        self._spent.check(self.plan.strategy, clip)
        # Counted before the reply, so that turns that are asked at once keep the budget together.
        self._spent.turns += 1
        number = self._spent.turns
        generation = planned.generation
        if seed is not None:
            generation = replace(generation, seed=seed)
        if temperature is not None:
            generation = replace(generation, temperature=temperature, decoding="task")
        prompt = self.item.prompt(clip) if prompt is None else prompt
        request = replace(
            planned,
            clip=clip,
            prompt=prompt,
            public_prompt=self._public_prompt(prompt),
            generation=generation,
            parent=planned.id,
            turn=number,
            continues="history" in self.plan.strategy.required(),
            history=(*after.request.history, after.exchange(results)) if after else (),
            tools=tuple(tools),
        )
        request = replace(request, id=self._turn_id(request))
        return await self._turn(request)

    async def _turn(self, request: Request) -> Turn:
        if request.id in self.answered:
            response, media = self.answered[request.id]
        else:
            response, media = await self.send(request)
            self.on_turn(request, response, media)
        self._media[request.id] = media
        self._spent.add(request, response)
        if response.status == "failed":
            raise _TurnFailed(request.turn, response.error)
        value = self.item.read(response.text).value if response.status == "ok" else None
        return Turn(request=request, response=response, value=value)

    async def _look(
        self,
        start_s: float,
        end_s: float,
        *,
        fps: float | None = None,
        max_pixels: int | None = None,
        crop: tuple[float, float, float, float] | None = None,
    ) -> Clip:
        clip = look_at(self.item.request.clip, start_s, end_s, fps=fps, max_pixels=max_pixels, crop=crop)
        if clip not in self.looked:
            await self.prepare(clip)
            self.looked.add(clip)
        return clip

    def _public_prompt(self, prompt: str) -> str:
        """Return a prompt with the written report withheld; empty where it holds none."""
        report = self.video.report
        return prompt.replace(report, REPORT_WITHHELD) if report and report in prompt else ""

    def _turn_id(self, request: Request) -> str:
        """Return a short hash of all that determines a reply; equal turns of one conversation are numbered."""
        content = json.dumps(asdict(replace(request, id="", turn=0, public_prompt="")), sort_keys=True)
        self._ids[content] += 1
        return hashlib.sha256(f"{self._ids[content]}\0{content}".encode()).hexdigest()[:20]


def _ended(best: Turn | None, error: Exception) -> tuple[Turn | None, str]:
    """Return the answer that remains after an error, and the reason to record."""
    # Turns that a strategy asks at once, in a task group, raise together.
    causes = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
    if failed := next((cause for cause in causes if isinstance(cause, _TurnFailed)), None):
        return None, str(failed)
    if all(isinstance(cause, BudgetSpent) for cause in causes):
        return best, f"the budget of {causes[0]} is spent"
    return None, f"the strategy failed: {type(causes[0]).__name__}: {causes[0]}"


def look_at(
    planned: Clip,
    start_s: float,
    end_s: float,
    *,
    fps: float | None = None,
    max_pixels: int | None = None,
    crop: tuple[float, float, float, float] | None = None,
) -> Clip:
    """Return a part of a planned clip with other frames; frame times lie on a grid of 1/``fps`` from 0.

    Raises ``ValueError`` for a part that is empty or lies outside of the planned clip, and for a crop that is no part
    of a frame.
    """
    # On whole milliseconds, in which answers are written.
    start_s, end_s = max(round(start_s, 3), planned.start_s), min(round(end_s, 3), planned.end_s)
    if not end_s - start_s > 0:
        raise ValueError(f"{start_s:g} s to {end_s:g} s is no part of the clip")
    if crop is not None and not (0 <= crop[0] < crop[2] <= 1 and 0 <= crop[1] < crop[3] <= 1):
        raise ValueError(f"{crop} is no part of a frame")
    rate = fps or max(len(planned.timestamps), 1) / (planned.end_s - planned.start_s)
    # Rounded before ceil: 0.3 · 10 comes out a hair above 3.
    first, last = math.ceil(round(start_s * rate, 6)), math.ceil(round(end_s * rate, 6))
    times = tuple(round(n / rate, 6) for n in range(first, last)) or (round((start_s + end_s) / 2, 6),)
    is_text_only = not planned.timestamps
    return replace(
        planned,
        start_s=start_s,
        end_s=end_s,
        timestamps=() if is_text_only else times,
        max_pixels=max_pixels or planned.max_pixels,
        crop=crop,
    )

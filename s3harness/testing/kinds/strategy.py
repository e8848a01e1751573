"""Promises of a strategy."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any

from s3harness.backends.base import Truth
from s3harness.backends.floors_and_oracle import perfect_answer
from s3harness.errors import S3HarnessError
from s3harness.options import read_options
from s3harness.run.conversation import Conversation, StrategyPlan
from s3harness.specs.models import ModelCard
from s3harness.strategies.contract import Strategy
from s3harness.testing.golden import golden_plan, golden_requests, golden_truth
from s3harness.testing.trial import Bench
from s3harness.types import Clip, Request, Response

PROMISES: Mapping[str, str] = {
    "form": "it is a subclass of s3harness.Strategy, a dataclass whose options all have defaults",
    "answers": "it answers an item of every kind, whatever the replies",
    "perfect": "a model that is always right stays right",
    "budget": "it gives an answer after a single turn where the budget allows no more",
    "resumes": "with some replies known it asks the others as before",
}

Replies = Mapping[str, tuple[Response, str]]


def try_it(bench: Bench) -> None:
    """Try a strategy on the golden items, with a model that is always right and with ones that say nothing useful."""
    is_one = (
        isinstance(bench.thing, type) and issubclass(bench.thing, Strategy) and dataclasses.is_dataclass(bench.thing)
    )
    if not bench.must("form", is_one, f"it is {bench.thing!r:.80}"):
        return
    strategy: Any = None
    with bench.trying("form"):
        strategy = read_options(bench.thing, f"the strategy {bench.name}", dict(bench.settings.options))
    if strategy is None:
        return
    card = ModelCard("golden", modalities=("video", "audio"))
    plan = golden_plan(card)
    truth = golden_truth(plan)
    for request in golden_requests(plan):
        trial = _Trial(StrategyPlan(strategy=strategy, tasks={t.name: t for t in plan.requested}, hears=True), truth)
        with bench.trying("answers", request.item):
            _try_item(bench, trial, request)


def _try_item(bench: Bench, trial: _Trial, request: Request) -> None:
    right = trial.answer(request)
    bench.must("perfect", trial.is_right(request, right), f"{request.item}: {right.text or right.error!r}")
    for text in ("", "I cannot tell.", "\x00"):
        response = trial.answer(request, text)
        bench.must("answers", response.status != "failed", f"{request.item}, reply {text!r}: {response.error}")
    trial.answer(request)
    first = dict(trial.replies)
    bench.must("same again", trial.answer(request).text == right.text, f"{request.item}: another answer")
    bench.must("same again", trial.replies.keys() == first.keys(), f"{request.item}: other turns the second time")
    known = dict(list(first.items())[: len(first) // 2])
    resumed = trial.answer(request, known=known)
    is_same = resumed.text == right.text and trial.replies.keys() == first.keys() - known.keys()
    bench.must("resumes", is_same, f"{request.item}: with {len(known)} of {len(first)} replies it asks others")
    single = dataclasses.replace(trial.plan, strategy=dataclasses.replace(trial.plan.strategy, turns=1))
    one = _Trial(single, trial.truth).answer(request)
    # A strategy may need several replies before it has an answer, and then says that the budget was too small.
    bench.must("budget", one.status != "failed" or "budget" in one.error, f"{request.item}: {one.error}")


class _Trial:
    """A strategy with a model in this process; ``replies`` are those to the turns of the last conversation."""

    def __init__(self, plan: StrategyPlan, truth: Truth) -> None:
        self.plan, self.truth = plan, truth
        self.replies: dict[str, tuple[Response, str]] = {}

    def answer(self, request: Request, text: str | None = None, known: Replies | None = None) -> Response:
        """Carry out a conversation in which every reply is right, or is ``text``."""
        self.replies = {}

        async def send(turn: Request) -> tuple[Response, str]:
            self.replies[turn.id] = Response(turn.id, self._right(turn) if text is None else text), ""
            return self.replies[turn.id]

        async def prepare(clip: Clip) -> None:
            return None

        conversation = Conversation(
            plan=self.plan,
            item=self.plan.item(request, self.truth.videos[request.clip.video_id]),
            video=self.truth.videos[request.clip.video_id],
            send=send,
            prepare=prepare,
            on_turn=lambda *turn: None,
            answered=known or {},
        )
        _, response, _ = asyncio.run(conversation.run())
        return response

    def is_right(self, request: Request, response: Response) -> bool:
        """Tell whether an answer says what the truth says of the clip that it is about."""
        item = self.plan.item(request, self.truth.videos[request.clip.video_id])
        right = item.read(self._right(request)).value
        value = item.read(response.text).value
        if isinstance(right, float) and isinstance(value, int | float):
            # Answers are written in milliseconds.
            return abs(right - value) < 0.002
        return bool(value == right)

    def _right(self, request: Request) -> str:
        try:
            return perfect_answer(self.truth.kinds[request.task], request, self.truth.of(request.clip))
        except KeyError as error:
            raise S3HarnessError(f"no truth of {request.item}") from error

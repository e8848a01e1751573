"""Room in a model's context: the planned requests with media and answers against its length, before an engine loads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3harness.errors import UsageError
from s3harness.run.media_tokens import MediaTokens, media_tokens
from s3harness.run.plan import Plan
from s3harness.specs.models import ModelCard
from s3harness.types import Request, Video

CHARACTERS_PER_TOKEN = 4
"""A rule of thumb for English text, where no tokenizer is at hand."""

TEMPLATE_TOKENS = 24
"""Tokens that a chat template writes around a question: roles, markers, and a short system prompt of its own."""

TextCounter = Callable[[str], int]
SourceSize = Callable[[Video], tuple[int, int] | None]
"""Returns width and height of a video in pixels, ``None`` if unknown."""


@dataclass(kw_only=True)
class TaskRoom:
    """Requests of a task against the context.

    ``longest`` is the number of tokens of the longest request, answer included, ``longest_s`` the length of its clip in
    seconds, ``longest_frames`` its number of frames, each of ``tokens_per_frame``. ``surely_over`` counts those whose
    media and answer alone are too many, by exact counts.
    """

    requests: int = 0
    over: int = 0
    surely_over: int = 0
    longest: int = 0
    longest_s: float = 0.0
    longest_frames: int = 0
    tokens_per_frame: float = 0.0


@dataclass(kw_only=True)
class ContextCheck:
    """The check of a plan: the context's ``limit`` in tokens, ``None`` if unknown, and the room of each task."""

    limit: int | None
    tokenizer: str
    tasks: dict[str, TaskRoom] = field(default_factory=dict)

    @property
    def longest(self) -> int:
        """Tokens of the longest request, answer included."""
        return max((room.longest for room in self.tasks.values()), default=0)

    def add(self, request: Request, media: MediaTokens, text: int) -> None:
        """Count a request."""
        room = self.tasks.setdefault(request.task, TaskRoom())
        answer = request.generation.token_limit
        total = media.total + text + answer
        room.requests += 1
        if total > room.longest:
            room.longest, room.longest_frames = total, len(request.clip.timestamps)
            room.longest_s = request.clip.end_s - request.clip.start_s
            room.tokens_per_frame = (media.frames + media.text) / max(room.longest_frames, 1)
        if self.limit is not None and total > self.limit:
            room.over += 1
            room.surely_over += media.is_exact and media.frames + media.sound + answer > self.limit

    def warnings(self) -> dict[str, str]:
        """Return task → a warning with its remedy, for tasks with requests that are too long."""
        return {task: self._warning(room) for task, room in self.tasks.items() if room.over}

    def facts(self) -> dict[str, object]:
        """Return what the manifest records: the limit, and the requests over it by task; empty if all fit."""
        over = {task: room.over for task, room in self.tasks.items() if room.over}
        return {"context": {"limit": self.limit, "over": over, "text_tokens": self.tokenizer}} if over else {}

    def refuse_hopeless(self) -> None:
        """Raise :class:`UsageError` if no request of a task can fit, whatever its text."""
        hopeless = {task: room for task, room in self.tasks.items() if room.surely_over == room.requests}
        for task, room in hopeless.items():
            raise UsageError(f"{task}: {self._warning(room)}; or leave the task out (--tasks)")

    def _warning(self, room: TaskRoom) -> str:
        assert self.limit is not None
        longest = f"{room.longest:,} ({room.longest_frames} frames of {room.longest_s:.0f} s)"
        return (
            f"{room.over} of {room.requests} requests are longer than the context of {self.limit:,} tokens; the "
            f"longest has {longest}; {remedy(room, self.limit)}"
        )


def remedy(room: TaskRoom, limit: int) -> str:
    """Return what makes the longest request of a task fit."""
    higher = "raise the context as far as the model allows (-o max_model_len=N, or where a server is started)"
    rest = room.longest - room.longest_frames * room.tokens_per_frame
    # Two frames fewer, as the last temporal patch may be filled up.
    frames = int((limit - rest) / room.tokens_per_frame) - 2 if room.tokens_per_frame else 0
    if frames < 1:
        return f"its text, sound and answer alone are too long: {higher}, or lower --generation max_tokens=N"
    return f"show less (--sampling max_frames={frames}, --sampling fps=N, --sampling max_pixels=N) or {higher}"


def check_context(plan: Plan, limit: int | None, source: SourceSize = lambda video: None) -> ContextCheck:
    """Walk a plan and compare its requests with the context.

    ``source`` returns (width, height) of a video; it is asked only for videos of which a clip may be too long.
    """
    model = plan.model
    count, tokenizer = text_counter(model)
    check = ContextCheck(limit=limit, tokenizer=tokenizer)
    for video in plan:
        for step in video.steps:
            media = media_tokens(model, step.clip)
            answer = max((request.generation.token_limit for request in step.requests), default=0)
            # The size of a video is in its file: it is opened only where that can decide.
            if limit is not None and media.total + answer > limit / 2 and not media.is_exact:
                media = media_tokens(model, step.clip, source(video.video))
            for request in step.requests:
                check.add(request, media, count(request.system + request.prompt) + TEMPLATE_TOKENS)
    return check


def context_limit(model: ModelCard, backend: str, options: Mapping[str, Any]) -> int | None:
    """Return the tokens of prompt and answer that fit: the user's ``max_model_len``, else the card's, if known."""
    values = (options.get("max_model_len"), model.engines.get(backend, {}).get("max_model_len"), model.context_length)
    return next((value for value in values if isinstance(value, int) and not isinstance(value, bool)), None)


def text_counter(model: ModelCard) -> tuple[TextCounter, str]:
    """Return a counter of the tokens of a text, and its name: the weights' own tokenizer, or a rule of thumb."""
    path = Path(str(model.weights)) / "tokenizer.json"
    if model.weights and path.is_file():
        try:
            from tokenizers import Tokenizer
        except ImportError:
            pass
        else:
            tokenizer = Tokenizer.from_file(str(path))
            return (lambda text: len(tokenizer.encode(text).ids)), "the model's own tokenizer"
    return (lambda text: len(text) // CHARACTERS_PER_TOKEN), f"an estimate, {CHARACTERS_PER_TOKEN} characters a token"

"""The check of a model's eyes and ears before a run's first request: its answers have to depend on the clip.

A closed question of the plan is put to the loaded engine as planned, twice, then with grey frames, with silence, and as
text alone. An answer that no grey frame and no silence changes was given without looking and without listening: an
engine that drops the media of a request answers all the same, and nothing else shows it.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Literal

import numpy as np

from s3harness.backends.choice_probabilities import closed_answer
from s3harness.errors import ContextOverflow, MediaError, UsageError
from s3harness.transforms.builtin import blank, silence
from s3harness.transforms.contract import Transforms
from s3harness.types import Clip, Generation, Modality, Request, Response, Video

if TYPE_CHECKING:
    from s3harness.run.plan import VideoPlan
    from s3harness.transforms.transformed_store import TransformingStore

N_CASES = 3
"""Clips that are tried before a model is called blind or deaf."""
N_VIDEOS = 12
"""Videos among which clips are looked for."""
MAX_TOKENS = 64
"""Tokens of an answer here: enough for a choice, and for the beginning of a free text."""
MIN_SHIFT = 1e-3
"""The least change of a log probability, in nats, that counts."""
NOISE_FACTOR = 3.0
"""A change counts if it is so many times that between two answers to the same request."""
CLEAR_SHIFT = 0.05
"""A change, in nats, beyond what batching and half precision do to a prompt that holds nothing of a clip."""
MIN_PROBABILITY = 1e-9
"""Probabilities below count as this one, so that an answer that an engine does not list has a logarithm."""
AUDIBLE = 1e-4
"""The peak of samples (of 1) below which a clip is silent already."""

CLOSED = "Is a person visible in this clip? Answer yes or no."
OPEN = "Describe in one or two sentences what is seen and heard in this clip."

Status = Literal["yes", "no", "not checked"]
Ask = Callable[[Request], Awaitable[Response]]
Prepare = Callable[[Video, Sequence[Clip]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CheckCase:
    """A clip of the plan, and a closed question about it."""

    video: Video
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaCheck:
    """The cases of a check, the ``modalities`` that the model claims, and the engines (hashes) that have passed."""

    model: str
    modalities: tuple[Modality, ...]
    cases: tuple[CheckCase, ...]
    passed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaEvidence:
    """The evidence for one modality.

    ``measured`` is ``probabilities`` or ``texts``. ``shift`` is the largest change of the log probability of an answer
    (in nats), ``change`` that of a probability (0–1), ``noise`` the ``shift`` between two answers to one request;
    ``None`` where the engine gives no probabilities. ``clips`` is the number of clips that were tried.
    """

    status: Status
    measured: str = ""
    change: float | None = None
    shift: float | None = None
    noise: float | None = None
    clips: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaCheckResult:
    """The result: the engine's hash, the evidence by modality, and prompt tokens with a clip and of its text alone."""

    engine: str
    video: MediaEvidence
    audio: MediaEvidence
    tokens_with_clip: int | None = None
    tokens_of_text: int | None = None
    error: str = ""
    inputs_sha256: str = ""

    @property
    def failed(self) -> list[Modality]:
        """The modalities that were checked and change nothing."""
        senses: tuple[tuple[Modality, MediaEvidence], ...] = (("video", self.video), ("audio", self.audio))
        return [modality for modality, evidence in senses if evidence.status == "no"]

    def as_json(self) -> dict[str, object]:
        """Return the entry of the manifest."""
        evidence = {"video": self.video, "audio": self.audio}
        parts = {k: {n: v for n, v in asdict(e).items() if v not in (None, "", 0)} for k, e in evidence.items()}
        tokens = {"with_clip": self.tokens_with_clip, "text_alone": self.tokens_of_text}
        inputs = {"inputs_sha256": self.inputs_sha256} if self.inputs_sha256 else {}
        return {"engine": self.engine, **parts, "prompt_tokens": tokens, **inputs}


def plan_check(plans: Iterator[VideoPlan], model: str, modalities: tuple[Modality, ...]) -> MediaCheck | None:
    """Choose the clips and questions of a check; ``None`` for a model of text alone, or without a clip to show.

    Of each video the clip with the fewest frames is taken, as it is the cheapest; with sound if the model hears.
    """
    cases = [case for plan in islice(plans, N_VIDEOS) if (case := _case(plan, modalities)) is not None]
    # One case of each video: clips of one video are more alike than those of several.
    return MediaCheck(model=model, modalities=modalities, cases=tuple(cases)) if cases and modalities else None


async def check_media(
    check: MediaCheck,
    engine: str,
    store: TransformingStore,
    ask: Ask,
    prepare: Prepare,
    hash_inputs: Callable[[Request], Awaitable[str]],
) -> MediaCheckResult:
    """Put the questions of a check and return the evidence, with the hash of the inputs of its first question."""
    checker = _Checker(check, store, ask, prepare, hash_inputs)
    await checker.run()
    return checker.result(engine)


def require_media(check: MediaCheck, result: MediaCheckResult) -> None:
    """Raise :class:`UsageError` where a model is blind or deaf, saying what was measured and what to do."""
    if not result.failed:
        return
    senses = {"video": ("frames", "grey frames"), "audio": ("sound", "silence")}
    gets = " and ".join(senses[modality][0] for modality in result.failed)
    reasons = "; ".join(getattr(result, modality).reason for modality in result.failed)
    card = "modalities: [" + ", ".join(m for m in check.modalities if m not in result.failed) + "]"
    remedies = [
        "a model that takes images and no video needs clip_form: images in its card"
        if "video" in result.failed
        else "",
        f"a model that takes none of it needs {card} in its card",
        "to run it all the same: --allow-blind REASON",
    ]
    raise UsageError(f"{check.model} does not use the {gets} of a clip: {reasons}; {'; '.join(filter(None, remedies))}")


@dataclass(frozen=True, slots=True)
class _Replies:
    """Replies to one question about a clip: as planned, again, grey, silent (where asked), and as text alone."""

    planned: Response
    again: Response
    altered: dict[Modality, Response]
    text: Response | None


class _Checker:
    """Puts the questions, clip by clip, until each modality has changed an answer."""

    def __init__(
        self,
        check: MediaCheck,
        store: TransformingStore,
        ask: Ask,
        prepare: Prepare,
        hash_inputs: Callable[[Request], Awaitable[str]],
    ) -> None:
        self._check, self._store, self._ask, self._prepare = check, store, ask, prepare
        self._hash_inputs, self._inputs_sha256 = hash_inputs, ""
        self._left: list[Modality] = list(check.modalities)
        self._evidence: dict[Modality, MediaEvidence] = {}
        self._clips: dict[Modality, set[str]] = {modality: set() for modality in check.modalities}
        self._unsteady: set[Modality] = set()
        self._tokens: tuple[int | None, int | None] = (None, None)
        self._error = self._media_error = ""
        self._n_asked = self._n_failed = 0

    async def run(self) -> None:
        """Try the cases with the planned question, then one with an open question."""
        for case in self._check.cases:
            if not self._left or max(self._n_failed, *map(len, self._clips.values())) >= N_CASES:
                break
            await self._try(case)
        # A model may be sure of a closed answer whatever it is shown, but not describe grey as it does a person.
        open_cases = [CheckCase(case.video, _open(case.request)) for case in self._check.cases[:1]]
        for case in open_cases if self._left and any(self._clips.values()) else []:
            await self._try(case)

    def result(self, engine: str) -> MediaCheckResult:
        """Return the evidence."""
        missing = {modality: self._absence(modality) for modality in self._left}
        unclaimed = MediaEvidence(status="not checked", reason="not a modality of the model")
        evidence = {"video": unclaimed, "audio": unclaimed} | self._evidence | missing
        with_clip, of_text = self._tokens
        return MediaCheckResult(
            engine=engine,
            video=evidence["video"],
            audio=evidence["audio"],
            tokens_with_clip=with_clip,
            tokens_of_text=of_text,
            error=self._error,
            inputs_sha256=self._inputs_sha256,
        )

    async def _try(self, case: CheckCase) -> None:
        try:
            shown = await self._variants(case)
            replies = await self._replies(case, shown)
        except MediaError as error:
            self._media_error = str(error)
            return
        finally:
            for video in self._variant_videos(case):
                self._store.release(video.id)
        if replies is None:
            return
        if self._tokens[0] is None:
            self._tokens = (replies.planned.prompt_tokens, replies.text.prompt_tokens if replies.text else None)
        for modality, reply in replies.altered.items():
            self._clips[modality].add(case.video.id)
            self._judge(modality, replies, reply)

    def _variant_videos(self, case: CheckCase) -> list[Video]:
        steps = ((), (("blank", blank),), (("silence", silence),))
        return [self._store.variant(case.video, Transforms(step)) for step in steps]

    async def _variants(self, case: CheckCase) -> dict[str, Clip]:
        """Prepare the clip as recorded, grey and silent; without those that do not differ from it."""
        clip, shown = case.request.clip, {}
        for name, video in zip(("planned", "video", "audio"), self._variant_videos(case), strict=True):
            shown[name] = replace(clip, video_id=video.id)
            await self._prepare(video, [shown[name]])
        planned, store = shown["planned"], self._store
        store.key(planned)  # raises for a clip that cannot be shown
        if "video" not in self._left or not clip.timestamps or _is_grey(store, planned):
            del shown["video"]
        if "audio" not in self._left or not store.has_audio(planned) or _is_silent(store, planned):
            del shown["audio"]
        return shown

    async def _replies(self, case: CheckCase, shown: dict[str, Clip]) -> _Replies | None:
        """Ask about each variant; ``None`` where there is no variant, or the engine fails with a clip."""
        if len(shown) < 2:
            return None
        text_only = replace(case.request.clip, timestamps=(), audio=False)
        text = await self._put(case.request, text_only) if self._tokens[1] is None else None
        planned = await self._put(case.request, shown["planned"])
        if planned.status == "failed":
            # A clip that is too long says nothing about eyes; what fails without a clip too says nothing about clips.
            if planned.error.startswith(ContextOverflow.__name__):
                self._media_error = planned.error
            elif text is not None and text.status != "failed":
                self._error = planned.error
            self._n_failed += 1
            return None
        if not self._inputs_sha256:
            self._inputs_sha256 = await self._hash_inputs(replace(case.request, clip=shown["planned"]))
        again = await self._put(case.request, shown["planned"])
        wanted: tuple[Modality, ...] = ("video", "audio")
        altered = {name: await self._put(case.request, shown[name]) for name in wanted if name in shown}
        usable = {name: reply for name, reply in altered.items() if reply.status != "failed"}
        return _Replies(planned, again if again.status != "failed" else planned, usable, text)

    async def _put(self, request: Request, clip: Clip) -> Response:
        """Ask one question about one clip, greedily and with a short answer."""
        planned = request.generation
        self._n_asked += 1
        greedy = Generation(temperature=0.0, max_tokens=min(planned.max_tokens, MAX_TOKENS), seed=planned.seed)
        short = replace(request, id=f"media-check-{self._n_asked}", clip=clip, generation=greedy)
        response = await self._ask(short)
        # A model that thinks first has not begun its answer within so few tokens.
        if response.status == "cut" and not response.text and not response.choice_probabilities:
            response = await self._ask(replace(short, generation=replace(greedy, max_tokens=planned.max_tokens)))
        return response

    def _judge(self, modality: Modality, replies: _Replies, reply: Response) -> None:
        """Note what an altered clip changed; a modality that changed something is not asked about any more."""
        if modality not in self._left:
            return
        noise = _shift(replies.planned, replies.again)
        shift, change = _shift(replies.planned, reply), _change(replies.planned, reply)
        is_steady = replies.planned.text == replies.again.text
        # Without a token of a clip in the prompt, rounding alone may move an answer a little.
        least = CLEAR_SHIFT if self._has_no_tokens() else MIN_SHIFT
        moved = shift is not None and shift > max(least, NOISE_FACTOR * (noise or 0.0))
        is_other_text = is_steady and reply.text != replies.planned.text
        if not is_steady and shift is None:
            self._unsteady.add(modality)
        before = self._evidence.get(modality, MediaEvidence(status="no"))
        evidence = MediaEvidence(
            status="yes" if moved or is_other_text else "no",
            measured="probabilities" if shift is not None and (moved or not is_other_text) else "texts",
            change=_larger(change, before.change),
            shift=_larger(shift, before.shift),
            noise=_larger(noise, before.noise),
            clips=len(self._clips[modality]),
        )
        self._evidence[modality] = evidence
        if evidence.status == "yes":
            self._left.remove(modality)

    def _absence(self, modality: Modality) -> MediaEvidence:
        """Return the evidence for a modality that changed no answer."""
        evidence, clips = self._evidence.get(modality, MediaEvidence(status="no")), len(self._clips[modality])
        altered = {"video": "grey frames", "audio": "silence"}[modality]
        if not clips and self._error:
            return replace(evidence, reason=f"the engine fails with a clip and answers without one: {self._error}")
        if not clips:
            what = {"video": "clip that can be shown", "audio": "clip with sound"}[modality]
            reason = self._media_error or f"the videos that were tried hold no {what}"
            return MediaEvidence(status="not checked", reason=reason)
        if modality in self._unsteady and not self._has_no_tokens():
            return replace(evidence, status="not checked", reason="the engine answers one request in different ways")
        n = "1 clip" if clips == 1 else f"{clips} clips"
        reason = f"its answers to {n} do not change with {altered}{self._described_shift(evidence)}"
        if modality == "video" and self._has_no_tokens():
            with_clip, of_text = self._tokens
            reason += f", and its prompt is of {with_clip} tokens with a clip and of {of_text} without"
        return replace(evidence, reason=reason)

    def _has_no_tokens(self) -> bool:
        """Tell whether a clip is known to add no token to the prompt."""
        with_clip, of_text = self._tokens
        return with_clip is not None and of_text is not None and with_clip <= of_text

    def _described_shift(self, evidence: MediaEvidence) -> str:
        return "" if evidence.shift is None else f" (log probabilities move by {evidence.shift:.1g})"


def _case(plan: VideoPlan, modalities: tuple[Modality, ...]) -> CheckCase | None:
    """Return the cheapest case of a video, ``None`` if it has no clip with media of the model's."""
    steps = [step for step in plan.steps if _shows(step.clip, modalities) and step.requests]
    if not steps:
        return None
    hears = "audio" in modalities

    def cost(clip: Clip, is_closed: bool) -> tuple[bool, bool, int]:
        return hears and not clip.audio, not is_closed, len(clip.timestamps)

    requests = [request for step in steps for request in step.requests]
    first = min(requests, key=lambda request: cost(request.clip, closed_answer(request) is not None))
    return CheckCase(plan.video, _closed(first))


def _shows(clip: Clip, modalities: tuple[Modality, ...]) -> bool:
    return ("video" in modalities and bool(clip.timestamps)) or ("audio" in modalities and clip.audio)


def _closed(request: Request) -> Request:
    """Return the question of a request, held to its choice alone, or another one where it has no closed answer."""
    closed = closed_answer(request)
    if closed is None:
        return replace(request, prompt=CLOSED, public_prompt="", answer_schema=None, choices=("yes", "no"))
    if not closed.field:
        return request
    # A reason that comes before the choice would take more tokens than are given here.
    properties = {closed.field: {"enum": list(closed.choices)}}
    schema = {"type": "object", "properties": properties, "required": [closed.field], "additionalProperties": False}
    return replace(request, answer_schema=schema)


def _open(request: Request) -> Request:
    return replace(request, prompt=OPEN, public_prompt="", answer_schema=None, choices=())


def _is_grey(store: TransformingStore, clip: Clip) -> bool:
    frames = store.frames(clip)
    return bool((blank(frames).pixels == frames.pixels).all())


def _is_silent(store: TransformingStore, clip: Clip) -> bool:
    samples = store.audio(clip)
    return not len(samples) or float(np.abs(samples).max()) < AUDIBLE


def _shift(one: Response, other: Response) -> float | None:
    """Return the largest change of a log probability, in nats; ``None`` without probabilities."""
    return max((abs(math.log(p / q)) for p, q in _probabilities(one, other)), default=None)


def _change(one: Response, other: Response) -> float | None:
    return max((abs(p - q) for p, q in _probabilities(one, other)), default=None)


def _probabilities(one: Response, other: Response) -> list[tuple[float, float]]:
    first, second = one.choice_probabilities or {}, other.choice_probabilities or {}
    pairs = [(first[choice], second[choice]) for choice in first if choice in second]
    return [(max(p, MIN_PROBABILITY), max(q, MIN_PROBABILITY)) for p, q in pairs]


def _larger(one: float | None, other: float | None) -> float | None:
    return max((value for value in (one, other) if value is not None), default=None)

"""The seven nouns of an evaluation, in the order the data takes through it.

``Video`` → ``Clip`` → ``Request`` → ``Response`` → ``Answer`` → ``Prediction`` → ``Score``, and beside them
``Reference``, the annotators' truth of the item that a ``Prediction`` answers. All are frozen: a stage makes new
objects and never changes its input. This module imports nothing of the package.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import Literal

Diagnosis = Literal["ES", "NES"]
# "untested" is a label of its own: an item that no annotator could judge is not scored.
Presence = Literal["yes", "no", "untested"]
Side = Literal["left", "right", "both"]
Certainty = Literal["certain", "uncertain"]
Modality = Literal["video", "audio"]


@dataclass(frozen=True, slots=True)
class FeatureLabel:
    """The annotation of one ictal sign in one video.

    ``start_s`` and ``end_s`` are seconds from the start of the video, ``None`` where no time was noted. ``side`` is
    the patient's own side, never the camera's. ``untested`` means that no annotator could tell, which is not "no".
    ``certainty`` is how sure the annotator was, ``None`` where nothing was noted; no score depends on it.
    """

    present: Presence
    start_s: float | None = None
    end_s: float | None = None
    side: Side | None = None
    justification: str = ""
    certainty: Certainty | None = None


@dataclass(frozen=True, slots=True)
class Video:
    """One recorded event of one patient, with its annotations.

    ``id`` is opaque. ``patient`` and ``path`` are private: they stay in the process that reads the data set and
    reach no request, journal, log or report, so neither is shown by ``repr``. ``language`` is the
    ISO 639-1 code of the report's language, empty where the data set states none.

    ``seizures`` are all seizures of a recording as (onset, offset) in seconds from its start, ascending; ``None`` where
    nobody looked for all of them. ``clock_s`` is the time of day at which the recording begins, in seconds from
    midnight (0–86400), ``None`` where it is unknown; a date is never kept.
    """

    id: str
    # repr=False: a traceback or a log line that prints a Video must not print who it shows.
    patient: str = field(repr=False)
    path: Path | None = field(default=None, repr=False)
    duration_s: float | None = None
    _: KW_ONLY
    diagnosis: Diagnosis | None = None
    split: str = ""
    onset_s: float | None = None
    offset_s: float | None = None
    onset_body_part: str = ""
    features: Mapping[str, FeatureLabel] = field(default_factory=dict)
    report: str = ""
    language: str = ""
    seizures: tuple[tuple[float, float], ...] | None = None
    clock_s: float | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """The part of a video that a model sees and hears.

    ``timestamps`` are the requested frame times in seconds from the start of the video, ascending. The frames that were
    decoded, and their times, come from the media store (:meth:`s3harness.media.MediaStore.frames`). A clip without
    timestamps and sound has no media: its requests are text alone. ``crop`` is the part of each frame that is shown
    (left, top, right, bottom, as shares of width and height in 0–1); ``None`` is the whole frame.
    """

    video_id: str
    start_s: float
    end_s: float
    timestamps: tuple[float, ...]
    max_pixels: int
    _: KW_ONLY
    audio: bool = False
    index: int = 0
    crop: tuple[float, float, float, float] | None = None

    @property
    def is_text_only(self) -> bool:
        """Return whether the clip has no media, neither frames nor sound."""
        return not self.timestamps and not self.audio


@dataclass(frozen=True, slots=True)
class Generation:
    """The settings by which an answer is generated.

    ``temperature`` (0 is greedy), ``top_p``, ``top_k`` and ``repetition_penalty`` are off where they are ``None``,
    unless ``decoding`` is ``model``: they are then those of the checkpoint's own ``generation_config``.

    With ``thinking`` the model reasons before it answers: ``thinking_tokens`` may be spent on that, and ``max_tokens``
    on the answer. ``chat_template_kwargs`` are variables of the chat template, among them the one that turns reasoning
    on or off.
    """

    temperature: float | None = 0.0
    max_tokens: int = 512
    seed: int | None = None
    top_p: float | None = None
    _: KW_ONLY
    top_k: int | None = None
    repetition_penalty: float | None = None
    decoding: Literal["task", "model"] = "task"
    thinking: bool = False
    thinking_tokens: int = 0
    # Mappings have no hash.
    chat_template_kwargs: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def token_limit(self) -> int:
        """The most tokens of a reply, reasoning and answer together."""
        return self.max_tokens + self.thinking_tokens

    def completed(self, of_model: Mapping[str, object]) -> Generation:
        """Return the settings of which none is left to the checkpoint, whose ``generation_config`` is ``of_model``.

        A configuration that does not say ``do_sample`` and names no temperature is greedy, as in transformers.
        """
        if self.decoding == "task":
            return replace(self, temperature=self.temperature or 0.0)
        own = {name: of_model.get(name) for name in ("temperature", "top_p", "top_k", "repetition_penalty")}
        if not of_model.get("do_sample", own["temperature"] is not None):
            own["temperature"] = 0.0
        elif own["temperature"] is None:
            own["temperature"] = 1.0
        # 0 and 1 switch these off in a configuration.
        own["top_k"] = own["top_k"] or None
        named = {name: getattr(self, name) for name in own if getattr(self, name) is not None}
        return replace(self, decoding="task", **{**own, **named})


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool in a model's reply. ``arguments`` is the text that the model wrote, which may be malformed."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An earlier turn of a conversation: prompt and clip as they were sent, and the reply.

    ``results`` are the texts that answer the ``tool_calls`` of the reply, one each and in their order.
    """

    prompt: str
    clip: Clip
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    results: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question about one clip: the whole input of a backend.

    ``subject`` is the feature, boundary or side that the question is about. ``answer_schema`` is the JSON Schema of the
    answer for engines with structured output, ``choices`` the closed list of answers where there is one. The
    ``video_id`` of the clip is opaque; nothing private is reachable from here.

    ``item_kind`` is the kind of item that the task's spec declares (``feature``, ``boundary``, ``diagnosis`` …): code
    that treats kinds of questions differently goes by it, never by the name of the task. ``public_prompt`` is the
    prompt with the written report of the video withheld, empty where the prompt has none. Neither determines the
    answer, and neither is in the hash that is the ``id``.

    A turn of a conversation has the ``parent``, which is the id of the planned request that the conversation answers,
    the number of the ``turn`` from 1, the ``history`` of the turns that it continues, and the ``tools`` that the model
    may call, as JSON Schemas of functions. Where the strategy ``continues`` conversations, further turns may show
    further clips after this one. An engine holds no reply to the ``answer_schema`` that may be a call instead. With a
    ``history`` that ends in calls, the prompt may be empty: the model then gets the results and the clip alone. The id
    of a turn is a hash of all that and its parent.
    """

    id: str
    task: str
    item: str
    subject: str
    clip: Clip
    prompt: str
    system: str = ""
    answer_schema: Mapping[str, object] | None = None
    choices: tuple[str, ...] = ()
    # One shared default is safe, since it is frozen.
    generation: Generation = Generation()
    # Not part of the id, see NOT_HASHED.
    item_kind: str = ""
    public_prompt: str = ""
    parent: str = ""
    turn: int = 0
    continues: bool = False
    history: tuple[Exchange, ...] = ()
    tools: tuple[Mapping[str, object], ...] = ()


# A field that determines no answer stays out of the hash, so that ids recorded before it existed stay the same. A
# planned request has none of the fields of a turn.
NOT_HASHED = frozenset({"id", "item_kind", "public_prompt", "parent", "turn", "continues", "history", "tools"})
"""The fields of a request that are no part of the hash that is the id of a planned one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The media and settings that a backend sent for a request beside its prompt, as far as the backend reports them.

    ``media`` is the form of the frames (``frames``, ``jpeg_sequence``, ``mp4``, ``video``), empty where none were
    sent. ``times_s`` are the times of the frames that were sent, in seconds from the start of the video and in the
    order sent; ``None`` where the engine takes frames from a file as it sees fit. ``size`` is (width, height) in
    pixels, ``sound_s`` the seconds of audio that were sent. ``settings`` are all other settings of the call, as JSON
    values: sampling, limits, form of the answer.
    """

    media: str = ""
    times_s: tuple[float, ...] | None = ()
    size: tuple[int, int] | None = None
    sound_s: float = 0.0
    settings: Mapping[str, object] = field(default_factory=dict)


ResponseStatus = Literal["ok", "failed", "refused", "cut"]


@dataclass(frozen=True, slots=True)
class Response:
    """The raw reply to a request. Journalled once and never changed.

    A backend returns ``ok``, ``refused`` (the engine declined) or ``cut`` (it stopped at the token limit); it raises
    errors, and the runner writes ``failed`` with the ``error``. ``choice_probabilities`` are the engine's probabilities
    of the closed answers, where it gives them (in 0–1). ``reasoning`` is what a thinking model wrote before its
    answer, of which ``text`` holds nothing.

    ``sent`` records the media and settings sent; ``None`` where the backend does not report them. ``identity`` is the
    identity of the engine that this reply itself states (``answered_as``, ``system_fingerprint``), beside
    :meth:`Backend.identity` for the whole run.

    ``tool_calls`` are those of a reply to a request with tools. ``conversation`` describes the conversation of which
    a strategy made this response: turns, frames, tokens and seconds spent, and why it ended; ``None`` for a reply.
    """

    request_id: str
    text: str = ""
    _: KW_ONLY
    status: ResponseStatus = "ok"
    error: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    choice_probabilities: Mapping[str, float] | None = None
    attempts: int = 1
    latency_s: float | None = None
    sent: Sent | None = None
    identity: Mapping[str, object] | None = None
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    conversation: Mapping[str, object] | None = None


AnswerStatus = Literal["clean", "repaired", "unparsable", "failed", "refused", "cut"]

# Refused, cut and failed replies have no value even where some text of theirs could be parsed.
READ: frozenset[AnswerStatus] = frozenset({"clean", "repaired"})


@dataclass(frozen=True, slots=True)
class Answer:
    """One response as a parser read it.

    ``value`` is ``None`` unless ``status`` is clean or repaired; ``note`` says what was repaired, or why nothing could
    be read.
    """

    request_id: str
    value: object = None
    _: KW_ONLY
    status: AnswerStatus = "clean"
    note: str = ""
    clip: Clip | None = None
    probability: float | None = None

    @property
    def is_read(self) -> bool:
        """Return whether a value was read."""
        return self.status in READ


PredictionStatus = Literal["answered", "partial", "missing", "unparsable", "failed", "refused", "cut"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """A model's answer to one item, its windows put together.

    ``partial`` means that some windows gave no readable answer and the rest were aggregated. Every other status but
    ``answered`` leaves ``value`` ``None``, and a metric counts it as wrong.
    """

    item: str
    value: object = None
    status: PredictionStatus = "answered"
    note: str = ""
    probability: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The truth of one item.

    ``subject`` is the feature, boundary or side that the item is about; ``cluster`` numbers the patient, so that
    intervals can resample patients without naming one; ``window`` is the span of the video that was sent, in seconds,
    for trivial answerers that guess from it; ``requests`` are the ids of the requests of the item. ``report`` is the
    expert's report where the prompt holds it, for the answerer that reads nothing else.
    """

    item: str
    task: str
    video_id: str
    subject: str
    cluster: int
    truth: object
    window: tuple[float, float] | None = None
    requests: tuple[str, ...] = ()
    report: str = ""


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval, ``level`` in 0–1."""

    low: float
    high: float
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class FloorTest:
    """The paired comparison of a score with its floor on the same items, patient by patient.

    ``difference`` is score minus floor, turned so that more is better; ``p_value`` is two-sided and uncorrected,
    ``p_adjusted`` corrected over the primary metrics of the tasks scored together. ``None`` where no test is possible.
    """

    difference: float
    interval: Interval | None
    p_value: float | None
    p_adjusted: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One metric of one task: a number that never stands alone.

    ``floor`` is the best score of any trivial answerer on the same items and ``floor_name`` that answerer;
    ``ceiling`` is what the truth scores against itself. ``coverage`` is the share of items with a readable answer and
    ``lost`` counts the others by reason; an item without an answer is scored as wrong, also where none has one.
    ``value`` is ``None`` where the metric is undefined on these items. ``interval_note`` says why there is no interval,
    ``floor_test`` compares with the floor, and ``informed`` is what ``informed_name``, a simulated reader of stated
    sensitivity and specificity, would score. ``warning`` says what makes the items unfit for this score, as one class
    alone does.
    """

    task: str
    metric: str
    value: float | None
    interval: Interval | None
    floor: float | None
    floor_name: str
    ceiling: float | None
    n_items: int
    n_patients: int
    coverage: float
    lost: Mapping[str, int]
    higher_is_better: bool = True
    primary: bool = False
    unit: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)
    interval_note: str = ""
    floor_test: FloorTest | None = None
    informed: float | None = None
    informed_name: str = ""
    warning: str = ""

    @property
    def skill(self) -> float | None:
        """(value − floor) / (ceiling − floor): 0 at the floor, 1 at the ceiling; ``None`` where undefined.

        A signed error counts by its distance from 0 on either side. The ceiling may be the best score to be expected
        and no maximum, as for free text: a score above such a ceiling has a skill of 1, and a ceiling below the floor
        leaves the skill undefined.
        """
        # An undefined score is no score of 0.
        return None if self.value is None else self.skill_at(self.value)

    def skill_at(self, value: float) -> float | None:
        """Return the skill that another value of the same metric on the same items has: an end of an interval, say."""
        if self.floor is None or self.ceiling is None:
            return None
        # Without a gap to measure in, rounding would decide the skill.
        if math.isclose(self.ceiling, self.floor, rel_tol=1e-9, abs_tol=1e-12):
            return None
        if self.higher_is_better and self.ceiling < self.floor:
            return None
        # 1 at most, or a lucky score above an expected ceiling would raise a mean of skills.
        if self.higher_is_better and value > self.ceiling:
            return 1.0
        # abs: a bias of −2 s is as far from the ceiling 0 as one of +2 s.
        return 1 - abs((value - self.ceiling) / (self.floor - self.ceiling))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """A run as observers see it; ``directory`` is where its files are."""

    directory: Path
    backend: str
    model: str
    tasks: tuple[str, ...]
    protocol: str
    n_requests: int

"""The contract of a backend."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, Self

from s3harness.errors import S3HarnessError, UsageError
from s3harness.types import Clip, Modality, Reference, Request, Response, Video

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from s3harness.backends.model_inputs import ModelInputs, RecipeInputs, SourceClip
    from s3harness.media import MediaStore
    from s3harness.specs.models import ModelCard


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of an engine, which the runner keeps to.

    ``in_flight`` requests are under way at once, each for at most ``timeout_s`` seconds and ``attempts`` tries.
    """

    in_flight: int = 8
    timeout_s: float = 600.0
    attempts: int = 4

    def __post_init__(self) -> None:
        # Written so that a timeout of NaN is refused, too.
        if self.in_flight < 1 or self.attempts < 1 or not self.timeout_s > 0:
            raise UsageError(f"{self}: in_flight and attempts must be at least 1, and timeout_s above 0")


class ChangesTruth(Protocol):
    """Something that changes the truth of a clip: a transform or a probe."""

    def truth(self, video: Video, clip: Clip) -> Video | None:
        """Return the annotations of the clip as it is shown and asked about; ``None`` where they are unknown."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth for an answerer that ``sees_truth``: videos by id, references by item, and each task's kind of item.

    ``changes`` are the transforms by name, and the probe, through which the run shows its clips and asks.
    """

    videos: Mapping[str, Video] = field(repr=False)
    references: Mapping[str, Reference] = field(repr=False)
    kinds: Mapping[str, str]
    changes: tuple[tuple[str, ChangesTruth], ...] = field(default=(), repr=False)

    def of(self, clip: Clip) -> Video:
        """Return the annotations of a clip's video, changed as the run changes what the clip shows.

        Raises :class:`S3HarnessError` where they are unknown.
        """
        video = self.videos[clip.video_id]
        for name, change in self.changes:
            changed = change.truth(video, clip)
            if changed is None:
                raise S3HarnessError(f"the truth of a clip after {name!r} is unknown")
            video = changed
        return video

    def of_kind(self, kind: str) -> Sequence[Reference]:
        """Return all references of one kind of item."""
        return [r for r in self.references.values() if self.kinds.get(r.task) == kind]


class Backend:
    """The engine that answers requests. A plugin overrides :meth:`generate`, and whatever else it needs.

    ``remote`` is true if media would leave this host, and ``hosts`` are the others to which they would go
    (:func:`s3harness.remote_hosts` finds them from addresses); a remote backend runs only when the user has named all
    of its hosts. ``modalities`` are those of a backend that needs no model card; a backend that ``is_model`` takes no
    card. A backend that ``sees_truth`` is a yardstick, not a model, and its runs say so. For a backend without
    ``uses_media`` no video is decoded.

    ``model_source`` is where the model comes from: ``weights`` for an engine that loads those which the card names,
    ``server`` for the client of a server, to which any name may be given, ``card`` for a backend that takes a card and
    neither.

    A backend that ``takes_history`` continues a conversation (:attr:`Request.history`), or answers each request by its
    own prompt and clip alone, so that what was said before changes nothing; one that ``takes_tools`` offers
    :attr:`Request.tools` to the model and returns its calls. A strategy that needs either runs on no other backend.

    Requests come in the order of the plan, the requests of a clip together. With ``prime_each_clip`` the first request
    of a clip is sent alone, and the others once it is answered: for engines that cache the processed clip. Requests of
    other clips are sent meanwhile, so that as many as ``limits`` allow are under way at any time.

    Constructing a backend must be cheap, because it also happens where no engine is needed; the engine is loaded on
    entering.
    """

    remote: bool = False
    hosts: tuple[str, ...] = ()
    modalities: tuple[Modality, ...] | None = None
    is_model: bool = False
    model_source: Literal["card", "weights", "server"] = "card"
    sees_truth: bool = False
    uses_media: bool = True
    prime_each_clip: bool = False
    takes_history: bool = False
    takes_tools: bool = False
    limits: Limits = Limits()

    context_length: int | None = None
    """Tokens of prompt and answer that the loaded engine takes together, where it tells; set on entering."""

    transport_options: frozenset[str] = frozenset()
    """Options about where and how fast requests are sent, not about their content: a run can be resumed with others."""

    report_status: Callable[[str], None] = staticmethod(lambda phase: None)
    """Show what the engine does before it answers ("loading weights"), at once, with the time since the start. Set by
    the runner; may be called from any thread."""

    add_note: Callable[[str], None] = staticmethod(lambda message: None)
    """Add a message for the end of the run ("the prefix cache is off"). Set by the runner."""

    log_send: Callable[[str, int, str], None] = staticmethod(lambda host, n_bytes, request_id="": None)
    """Enter a request into the audit log of the run before it goes to a server: host, bytes of the body, request id.
    Set by the runner; may be called from any thread. If it raises, the request must not be sent."""

    def __init_subclass__(cls, **arguments: object) -> None:
        super().__init_subclass__(**arguments)
        for old, new in _RENAMED.items():
            # vars and not hasattr: only names that this class defines itself, or its subclasses would warn again.
            if old in vars(cls):
                _warn_renamed(cls, old, new)
                setattr(cls, new, vars(cls)[old])

    # Hidden from type checkers, for which every misspelled attribute would exist otherwise.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            # Only for names that were not found: the old names of this contract, which are kept for one release.
            if name not in _RENAMED:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            _warn_renamed(type(self), name, _RENAMED[name])
            return getattr(self, _RENAMED[name])

    @classmethod
    def missing_requirements(cls) -> Sequence[str]:
        """Return what the engine needs and this machine lacks, each with its remedy. Must not import the engine."""
        return ()

    def __init__(self, model: ModelCard, options: Mapping[str, object], media: MediaStore) -> None:
        self.model = model
        self.options = options
        self.media = media

    def prefetch(self, clip: Clip) -> None:
        """Prepare a clip in a worker thread before its first request, while earlier clips are answered.

        Slow work that all requests of the clip share belongs here: after ``self.media.jpegs(clip)`` the pictures are
        at hand when :meth:`generate` asks for them. An exception is no failure, as :meth:`generate` meets it again.
        Not called for clips that are text only.
        """

    def set_truth(self, truth: Truth) -> None:
        """Take the truth, before the first request; called only on a backend that ``sees_truth``."""

    def facts(self) -> Mapping[str, object]:
        """Return facts about the loaded engine for the manifest, such as its version. JSON-able."""
        return {}

    def identity(self) -> Mapping[str, object]:
        """Return the identity of the loaded engine, which goes into the manifest and must be the same on resuming.

        The model as it is served, its weights and revision, the engine and its version, as far as they are known:
        JSON-able, the same each time for the same engine, and nothing about where or how fast it runs. A model may be
        named by its path, of which a hash is written. The runner adds the backend and the version of its package.
        Whatever differs from reply to reply goes into ``Response.identity``.
        """
        return {}

    async def __aenter__(self) -> Self:
        """Load the engine."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the engine."""

    async def generate(self, request: Request) -> Response:
        """Answer one request, or raise.

        A request whose ``clip.is_text_only`` is answered from its prompt alone. Work of more than a few milliseconds
        (``self.media.jpegs``, ``self.media.mp4``) belongs in :meth:`prefetch` or ``await asyncio.to_thread(…)``,
        because all requests share one event loop.

        ``Response.sent`` is what was really sent (:class:`s3harness.Sent`): form, frame times, settings. The report
        shows it; without it, the report shows what was planned, and says so.

        :class:`s3harness.RetryableError`, ``TimeoutError`` and ``ConnectionError`` are tried again; any other exception
        is journalled as the failure of the request.
        """
        raise TypeError(f"{type(self).__name__} does not override generate()")

    async def model_inputs(self, request: Request) -> ModelInputs:
        """Return the tokens and arrays that the model gets for a request; optional, called on a loaded engine.

        ``s3harness models verify`` compares them with those of the model's own processor, and a hash of the first goes
        into the manifest.
        """
        raise NotImplementedError(f"{type(self).__name__} does not override model_inputs()")

    async def official_inputs(self, request: Request, source: SourceClip) -> ModelInputs:
        """Return the inputs that the model's own processor makes of a request and of a clip's source; optional.

        Nothing of :meth:`model_inputs` may be used for it but the text of the prompt.
        """
        raise NotImplementedError(f"{type(self).__name__} does not override official_inputs()")

    async def recipe_inputs(self, request: Request, path: Path) -> RecipeInputs | None:
        """Return the inputs that the recipe of the model's authors makes of a video's file; optional.

        ``None`` where there is no recipe for the model, or its package is not installed.
        """
        raise NotImplementedError(f"{type(self).__name__} does not override recipe_inputs()")

    @classmethod
    def can(cls, method: str) -> bool:
        """Return true if an optional method, such as ``model_inputs``, is overridden."""
        return getattr(cls, method) is not getattr(Backend, method)


_RENAMED = {
    "say": "report_status",
    "note": "add_note",
    "sent": "log_send",
    "see": "set_truth",
    "lacks": "missing_requirements",
    "make_ready": "prefetch",
    "incidental": "transport_options",
    "warms_by_clip": "prime_each_clip",
}
"""Old name of the contract → the name that replaces it; an old one is kept for one release."""


def _warn_renamed(backend: type, old: str, new: str) -> None:
    message = f"{backend.__name__}.{old} is now {new}; the old name goes with the next release"
    warnings.warn(message, DeprecationWarning, stacklevel=3)

"""The contract of a backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

from s3harness.errors import S3HarnessError, UsageError
from s3harness.types import Clip, Modality, Reference, Request, Response, Video

if TYPE_CHECKING:
    from types import TracebackType

    from s3harness.media import MediaStore
    from s3harness.specs.models import ModelCard


@dataclass(frozen=True, slots=True)
class Limits:
    """What an engine can take; the runner keeps to it.

    ``in_flight`` requests are under way at once, each for at most ``timeout_s`` seconds and ``attempts`` tries.
    """

    in_flight: int = 8
    timeout_s: float = 600.0
    attempts: int = 4

    def __post_init__(self) -> None:
        if self.in_flight < 1 or self.attempts < 1 or not self.timeout_s > 0:
            raise UsageError(f"{self}: in_flight and attempts must be at least 1, and timeout_s above 0")


class ChangesTruth(Protocol):
    """What may make another truth of a clip: a transform, a probe."""

    def truth(self, video: Video, clip: Clip) -> Video | None:
        """The annotations of the clip as it is shown and asked about; ``None`` where nobody knows them."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What an answerer that ``sees_truth`` is shown: videos by id, references by item, and each task's kind of item.

    ``changes`` are the transforms by name, and the probe, through which the run shows its clips and asks.
    """

    videos: Mapping[str, Video] = field(repr=False)
    references: Mapping[str, Reference] = field(repr=False)
    kinds: Mapping[str, str]
    changes: tuple[tuple[str, ChangesTruth], ...] = field(default=(), repr=False)

    def of(self, clip: Clip) -> Video:
        """The annotations of a clip's video, as they are of what the clip shows.

        Raises :class:`S3HarnessError` where nobody knows them.
        """
        video = self.videos[clip.video_id]
        for name, change in self.changes:
            changed = change.truth(video, clip)
            if changed is None:
                raise S3HarnessError(f"the truth of a clip after {name!r} is unknown")
            video = changed
        return video

    def of_kind(self, kind: str) -> Sequence[Reference]:
        """All references of one kind of item."""
        return [r for r in self.references.values() if self.kinds.get(r.task) == kind]


class Backend:
    """Answers requests. A plugin overrides :meth:`generate`, and what else it needs.

    ``remote`` says whether media would leave this host, ``hosts`` to which others they would go
    (:func:`s3harness.remote_hosts` tells it of addresses); a remote backend runs only when all of its hosts are named
    by the user. ``modalities`` are those of a backend that needs no model card; one that ``is_model`` takes none.
    A backend that ``sees_truth`` is a yardstick and no model: its runs say so. One that ``uses_media`` not is
    never waited for to decode.

    Requests come in the order of the plan, the requests of a clip together. Where ``warms_by_clip``, the first request
    of a clip is asked alone, and its others once that is answered: for engines that keep what they have made of a
    clip. Other clips are asked meanwhile, so that as many requests as ``limits`` allow are under way at any time.

    Making a backend must be cheap, and is done where no engine is wanted too; the engine is loaded on entering.
    """

    remote: bool = False
    hosts: tuple[str, ...] = ()
    modalities: tuple[Modality, ...] | None = None
    is_model: bool = False
    sees_truth: bool = False
    uses_media: bool = True
    warms_by_clip: bool = False
    limits: Limits = Limits()

    incidental: frozenset[str] = frozenset()
    """Options that say where and how fast is asked, and not what: with others a run can still be gone on with."""

    say: Callable[[str], None] = staticmethod(lambda phase: None)
    """Call it with what the engine is doing while nothing is answered ("loading weights"): it is shown at once, with
    the time since the start. Any thread may. The runner puts its own function here."""

    note: Callable[[str], None] = staticmethod(lambda message: None)
    """Call it with what a user should know when the run has ended ("the cache of prefixes is off")."""

    sent: Callable[[str, int, str], None] = staticmethod(lambda host, n_bytes, request_id="": None)
    """Call it before each request that goes to a server, with the host, the bytes of the body and the request's id: it
    goes into the audit log of the run. Any thread may. What it raises means that the request must not go."""

    @classmethod
    def lacks(cls) -> Sequence[str]:
        """What this machine lacks to run the engine, each with its remedy; none if all is there. Imports no engine."""
        return ()

    def __init__(self, model: ModelCard, options: Mapping[str, object], media: MediaStore) -> None:
        self.model = model
        self.options = options
        self.media = media

    def make_ready(self, clip: Clip) -> None:
        """Called in a worker thread before a clip's first request, while the clips before it are asked.

        Here is the time for what takes some and is the same for all requests of the clip: ``self.media.jpegs(clip)``,
        say, is then at hand when :meth:`generate` asks for it. What it raises fails nothing: :meth:`generate` meets it
        again. Not called for clips that are text only.
        """

    def see(self, truth: Truth) -> None:
        """Called before the first request, on a backend that ``sees_truth`` alone."""

    def facts(self) -> Mapping[str, object]:
        """What the engine turned out to be, for the manifest: its version, how it was shown the clips. JSON-able."""
        return {}

    def identity(self) -> Mapping[str, object]:
        """Return who answers, once the engine is loaded, for the manifest and for every resumed run to agree with.

        The model as it is served, its weights and revision, the engine and its version, as far as they are known:
        JSON-able, the same each time for the same engine, and nothing that says where or how fast it runs. A model that
        goes by a path may be named by it: what is written down is a hash. The runner adds the backend and the version
        of its package. What differs from reply to reply goes into ``Response.identity``.
        """
        return {}

    async def __aenter__(self) -> Self:
        """Load the engine."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the engine."""

    async def generate(self, request: Request) -> Response:
        """Answer one request, or raise.

        A request whose ``clip.is_text_only`` is to be answered from its prompt alone. Whatever takes more than a few
        milliseconds (``self.media.jpegs``, ``self.media.mp4``) belongs in :meth:`make_ready` or
        ``await asyncio.to_thread(…)``: all requests share one event loop.

        ``Response.sent`` says what was really sent (:class:`s3harness.Sent`): form, frame times, settings. The report
        shows it; of a backend that leaves it out, the report shows what was to be shown, and says so.

        :class:`s3harness.RetryableError`, ``TimeoutError`` and ``ConnectionError`` are tried again, everything else is
        journalled as the failure that it is.
        """
        raise TypeError(f"{type(self).__name__} does not override generate()")

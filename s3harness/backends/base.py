"""The contract of a backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from s3harness.errors import UsageError
from s3harness.types import Modality, Reference, Request, Response, Video

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


@dataclass(frozen=True, slots=True)
class Truth:
    """What an answerer that ``sees_truth`` is shown: videos by id, references by item, and each task's kind of item."""

    videos: Mapping[str, Video] = field(repr=False)
    references: Mapping[str, Reference] = field(repr=False)
    kinds: Mapping[str, str]

    def of_kind(self, kind: str) -> Sequence[Reference]:
        """All references of one kind of item."""
        return [r for r in self.references.values() if self.kinds.get(r.task) == kind]


class Backend:
    """Answers requests. A plugin overrides :meth:`generate`, and what else it needs.

    ``remote`` says whether media would leave this host, ``host`` which one they would go to; a remote backend runs
    only when its host is named by the user. ``modalities`` are those of a backend that needs no model card; one that
    ``is_model`` itself takes none.
    A backend that ``sees_truth`` is a yardstick and no model: its runs say so. One that ``uses_media`` not is
    never waited for to decode.
    """

    remote: bool = False
    host: str = ""
    modalities: tuple[Modality, ...] | None = None
    is_model: bool = False
    sees_truth: bool = False
    uses_media: bool = True
    limits: Limits = Limits()

    def __init__(self, model: ModelCard, options: Mapping[str, object], media: MediaStore) -> None:
        self.model = model
        self.options = options
        self.media = media

    def see(self, truth: Truth) -> None:
        """Called before the first request, on a backend that ``sees_truth`` alone."""

    async def __aenter__(self) -> Self:
        """Load the engine."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the engine."""

    async def generate(self, request: Request) -> Response:
        """Answer one request, or raise.

        :class:`s3harness.RetryableError`, ``TimeoutError`` and ``ConnectionError`` are tried again, everything else is
        journalled as the failure that it is.
        """
        raise TypeError(f"{type(self).__name__} does not override generate()")

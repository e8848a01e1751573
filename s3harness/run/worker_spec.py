"""The settings that an engine and its media store are made from, in this process or in any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from s3harness.backends.base import Backend, Truth
from s3harness.errors import S3HarnessError, UsageError
from s3harness.guard.hosts import unnamed_hosts
from s3harness.guard.telemetry import switch_off
from s3harness.media.options import MediaOptions
from s3harness.specs.models import ModelCard

if TYPE_CHECKING:
    from s3harness.run.conversation import StrategyPlan
    from s3harness.run.worker import Worker
    from s3harness.transforms.transformed_store import TransformingStore
    from s3harness.types import Video


@dataclass(frozen=True, kw_only=True)
class WorkerSpec:
    """Settings of an engine and its media store. They can be pickled, and do not depend on the machine.

    ``name`` is the backend's; ``cache_dir`` and ``cache_bytes`` of ``None`` are the defaults of the machine that makes
    the store; ``truth`` is for a backend that sees it; ``sends`` names what would leave this machine with a remote one.
    ``transforms`` are names of transforms of the clips; ``audio_donors`` maps a video's id to the video whose audio its
    clips get instead of their own. ``strategy`` is ``None`` where each planned request is sent as it is.
    """

    name: str
    backend: type[Backend]
    model: ModelCard
    options: Mapping[str, object]
    cache_dir: Path | None
    cache_bytes: int | None
    media: MediaOptions
    allow_remote: Sequence[str] = ()
    truth: Truth | None = field(default=None, repr=False)
    sends: str = "video"
    transforms: tuple[str, ...] = ()
    audio_donors: Mapping[str, Video] = field(default_factory=dict, repr=False)
    strategy: StrategyPlan | None = None

    def worker(self) -> Worker:
        """Make a worker with an engine of its own, not loaded yet.

        Raises :class:`S3HarnessError` if the backend cannot be made, and :class:`UsageError` if it would send video to
        a host that the user has not named.
        """
        from s3harness.run.worker import Worker

        # Before the backend imports its libraries, some of which report their use as they load.
        switch_off()
        store = media_store(self.cache_dir, self.cache_bytes, self.media, self.transforms, self.audio_donors)
        backend = self._make_backend(store)
        self._refuse_unnamed_host(backend)
        if self.truth is not None:
            backend.set_truth(self.truth)
        return Worker(backend, store, self.media, self.allow_remote, self.strategy)

    def _make_backend(self, store: TransformingStore) -> Backend:
        try:
            return self.backend(self.model, self.options, store)
        except S3HarnessError:
            raise
        # Anything else is a fault of the plugin, which is to be named.
        except Exception as error:
            raise S3HarnessError(
                f"the {self.name} backend cannot be constructed: {type(error).__name__}: {error}"
            ) from error

    def _refuse_unnamed_host(self, backend: Backend) -> None:
        # A remote backend that names no host could send anywhere: it is refused as well.
        unnamed = unnamed_hosts(backend.hosts, self.allow_remote)
        if unnamed or (backend.remote and not backend.hosts):
            options = " ".join(f"--allow-remote {host}" for host in unnamed or ("HOST",))
            where = ", ".join(unnamed) or "a host it does not name"
            raise UsageError(
                f"the {self.name} backend would send {self.sends} to {where}; "
                f"nothing leaves this machine unless you allow it: {options}"
            )


def media_store(
    cache_dir: Path | None = None,
    cache_bytes: int | None = None,
    options: MediaOptions | None = None,
    transforms: Sequence[str] = (),
    audio_donors: Mapping[str, Video] | None = None,
) -> TransformingStore:
    """Make a media store; ``None`` stands for the user's own cache, and its usual size.

    ``transforms`` are names of transforms of its clips; ``audio_donors`` maps a video's id to the video whose audio its
    clips get instead of their own.
    """
    from s3harness.media import DEFAULT_BUDGET_BYTES, default_cache_dir
    from s3harness.transforms.contract import load_transforms
    from s3harness.transforms.transformed_store import TransformingStore

    folder = cache_dir or default_cache_dir()
    budget = DEFAULT_BUDGET_BYTES if cache_bytes is None else cache_bytes
    return TransformingStore(folder, budget, options, load_transforms(transforms), audio_donors)

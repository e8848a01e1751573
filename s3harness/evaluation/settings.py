"""The settings of a run, as a user gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from s3harness.guard.outgoing_check import Consent
from s3harness.guard.review import folder_of_dataset
from s3harness.media.options import MediaOptions
from s3harness.run.item_sample import ItemSample


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """The settings of one run.

    No ``tasks`` means all of them; ``cache_dir`` ``None`` means the user's own cache. ``transforms`` names the
    transforms of what is shown, in order; the transforms of ``probe`` come after them. ``allow_mixed`` is the reason
    for which another model or version may go on with the run, empty if it may not; ``allow_blind`` is the reason not to
    check that the model uses frames and sound. ``strategy`` names how items are answered. ``allow_identifiers`` is the
    reason to let identifiers through to the model, ``reviewed`` the code of a list of likely ones that was looked at.
    ``sample`` draws some of the items of the videos that ``split`` and ``limit`` leave.
    """

    backend: str
    data: Path
    out: Path
    model: str | None = None
    weights: Path | None = None
    tasks: Sequence[str] = ()
    split: str | None = None
    protocol: str = "strict"
    profile: str = "strict"
    limit: int | None = None
    sample: ItemSample | None = None
    resume: bool = False
    options: Mapping[str, object] = field(default_factory=dict)
    allow_remote: Sequence[str] = ()
    executor: str = "local"
    executor_options: Mapping[str, object] = field(default_factory=dict)
    cache_dir: Path | None = None
    cache_bytes: int | None = None
    media: MediaOptions = field(default_factory=MediaOptions)
    sampling: Mapping[str, object] = field(default_factory=dict)
    generation: Mapping[str, object] = field(default_factory=dict)
    transforms: Sequence[str] = ()
    probe: str = ""
    strategy: str = "single"
    strategy_options: Mapping[str, object] = field(default_factory=dict)
    allow_mixed: str = ""
    allow_blind: str = ""
    allow_identifiers: str = ""
    reviewed: str = ""

    @property
    def consent(self) -> Consent:
        """The user's consent to identifiers in what would be sent."""
        return Consent(self.allow_identifiers, self.reviewed, folder_of_dataset(self.data))

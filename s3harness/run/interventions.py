"""What a run changes of what is shown and asked: its transforms, and its probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from s3harness.backends.base import ChangesTruth
from s3harness.errors import UsageError
from s3harness.probes.probe import Probe, load_probe
from s3harness.specs.sampling import without_sound
from s3harness.specs.tasks import TaskSpec
from s3harness.transforms.contract import Transforms, load_transforms
from s3harness.types import Video


@dataclass(frozen=True)
class Interventions:
    """The transforms that clips are shown through, the probe's among them, and the probe if there is one."""

    transforms: Transforms = field(default_factory=Transforms)
    name: str = ""
    probe: Probe | None = None

    def reword(self, tasks: Mapping[str, TaskSpec]) -> dict[str, TaskSpec]:
        """The tasks as they are asked, without those in which the probe has nothing to ask.

        Raises :class:`UsageError` if none is left.
        """
        found = {name: self.probe.reword(spec) if self.probe else spec for name, spec in tasks.items()}
        left = {name: spec for name, spec in found.items() if spec is not None}
        left = {name: spec for name, spec in left.items() if not spec.uses or spec.uses in left}
        if not left:
            raise UsageError(f"probe {self.name!r} does not apply to {', '.join(tasks)}; choose other --tasks")
        return without_sound(left) if self.transforms.muting else left

    @property
    def truth_changes(self) -> tuple[tuple[str, ChangesTruth], ...]:
        """What changes the truth of a clip, in order."""
        return (*self.transforms.steps, *([(self.name, self.probe)] if self.probe else []))

    def audio_donors(self, videos: Sequence[Video]) -> dict[str, Video]:
        """Video → whose sound it has: the next video of another patient, or of the same one if there is no other."""
        if not self.transforms.borrows_audio:
            return {}
        with_file = [video for video in videos if video.path is not None]
        if len(with_file) < 2:
            raise UsageError("swapping audio needs at least two videos with a file; raise --limit")
        places = {video.id: place for place, video in enumerate(with_file)}
        return {video.id: _audio_donor(video, with_file, places.get(video.id, 0)) for video in videos}


def load_interventions(transforms: Sequence[str], probe: str) -> Interventions:
    """The changes of these transforms and this probe, none if it is empty; :class:`UsageError` for unknown names."""
    if not probe:
        return Interventions(load_transforms(transforms))
    found = load_probe(probe)
    return Interventions(load_transforms([*transforms, *found.transforms]), probe, found)


def _audio_donor(video: Video, videos: Sequence[Video], place: int) -> Video:
    """The first after a place that is another patient's; the first that is another video if there is none."""
    after = (videos[(place + step) % len(videos)] for step in range(1, len(videos) + 1))
    others = (other for other in after if other.id != video.id)
    first = next(others)
    return first if first.patient != video.patient else next((o for o in others if o.patient != video.patient), first)

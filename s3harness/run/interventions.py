"""The interventions of a run: transforms of the media, and a probe that rewords the tasks."""

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
    """The transforms of clips, the probe's among them, and the probe with its ``name``, if there is one."""

    transforms: Transforms = field(default_factory=Transforms)
    name: str = ""
    probe: Probe | None = None

    def reword(self, tasks: Mapping[str, TaskSpec]) -> dict[str, TaskSpec]:
        """Return the tasks as the probe words them, without those that it does not apply to.

        Raises :class:`UsageError` if none is left.
        """
        reworded = {name: self.probe.reword(spec) if self.probe else spec for name, spec in tasks.items()}
        left = {name: spec for name, spec in reworded.items() if spec is not None}
        # A task that is scored on the answers of another goes with it.
        left = {name: spec for name, spec in left.items() if not spec.uses or spec.uses in left}
        if not left:
            raise UsageError(f"probe {self.name!r} does not apply to {', '.join(tasks)}; choose other --tasks")
        return without_sound(left) if self.transforms.muting else left

    @property
    def truth_changes(self) -> tuple[tuple[str, ChangesTruth], ...]:
        """The transforms and the probe with their names, in the order in which they change the truth of a clip."""
        return (*self.transforms.steps, *([(self.name, self.probe)] if self.probe else []))

    def audio_donors(self, videos: Sequence[Video]) -> dict[str, Video]:
        """Map each video's id to the video whose audio it gets: the next of another patient, or of the same if alone.

        Empty if no transform borrows audio; :class:`UsageError` for fewer than two videos with a file.
        """
        if not self.transforms.borrows_audio:
            return {}
        with_file = [video for video in videos if video.path is not None]
        if len(with_file) < 2:
            raise UsageError("swapping audio needs at least two videos with a file; raise --limit")
        places = {video.id: place for place, video in enumerate(with_file)}
        return {video.id: _audio_donor(video, with_file, places.get(video.id, 0)) for video in videos}


def load_interventions(transforms: Sequence[str], probe: str) -> Interventions:
    """Load transforms and a probe (none if empty) by name; :class:`UsageError` for unknown names."""
    if not probe:
        return Interventions(load_transforms(transforms))
    loaded = load_probe(probe)
    return Interventions(load_transforms([*transforms, *loaded.transforms]), probe, loaded)


def _audio_donor(video: Video, videos: Sequence[Video], place: int) -> Video:
    """Return the first video after ``place`` of another patient; the first other video if there is none."""
    # In the order of the data set, not at random: the same run has the same donors.
    after = (videos[(place + step) % len(videos)] for step in range(1, len(videos) + 1))
    others = (other for other in after if other.id != video.id)
    first = next(others)
    return first if first.patient != video.patient else next((o for o in others if o.patient != video.patient), first)

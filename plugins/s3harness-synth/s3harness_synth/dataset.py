"""Make a whole data set of synthetic seizures."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import as_completed
from contextlib import closing
from pathlib import Path

from s3harness import UsageError
from s3harness_synth.cohort import sample_cohort
from s3harness_synth.partial import partial_directory
from s3harness_synth.prior import load_prior
from s3harness_synth.processes import processes, submit_all
from s3harness_synth.production import Format, Take, Wishes, film, plan_take
from s3harness_synth.tables import video_file, write_card, write_tables

Progress = Callable[[int, int], None]

SHORTEST_VIDEO_S = 2.0


def synthesize(  # noqa: PLR0913 - each is a choice of the caller
    out: Path,
    *,
    videos: int,
    seed: int,
    resolution: tuple[int, int] = (640, 360),
    fps: int = 25,
    audio: bool = True,
    duration_s: float | None = None,
    prior: str = "s3",
    balance_nuisance: bool = False,
    mirrored: bool = False,
    progress: Progress | None = None,
    workers: int = 1,
) -> None:
    """Write a data set directory of ``videos`` synthetic seizure videos with exact truth to ``out``.

    The same ``seed`` gives the same tables, byte for byte, and the same frames, whatever ``workers`` (processes) is.
    ``resolution`` is (width, height) in even pixels; ``duration_s`` of ``None`` draws each length from the prior (see
    :mod:`~s3harness_synth.prior`), from 20 s on. ``balance_nuisance`` draws length, light, room, clothes,
    company and bit rate anew for each video, whatever the diagnosis. ``mirrored`` makes the mirror image
    of the data set: every picture is flipped, every side swapped. ``progress`` is called with (videos done, videos in
    all). Nothing is at ``out`` until all is done.

    Raises:
        UsageError: ``out`` exists and is not an empty directory, a number is out of range, or there is no such prior.
        S3HarnessError: one of the processes was killed.

    """
    check_numbers(videos, resolution, fps, duration_s, workers)
    check_free(out)
    wishes = Wishes(load_prior(prior), duration_s, balance_nuisance, mirrored)
    with partial_directory(out) as partial:
        (partial / "videos").mkdir()
        form = Format(resolution, fps, audio)
        takes = plan_takes(videos, seed, wishes)
        # Closed at once when the caller is stopped: no process may go on rendering into a directory that is removed.
        with closing(_film_all(takes, partial, form, workers)) as filmed:
            for done, _ in enumerate(filmed, start=1):
                if progress is not None:
                    progress(done, len(takes))
        # dataset.json comes last: a directory without it is no data set.
        write_tables(partial, takes, form)
        write_card(partial, f"synthetic-{videos}-videos-seed-{seed}{_suffix(wishes)}")


def plan_takes(videos: int, seed: int, wishes: Wishes | None = None) -> tuple[Take, ...]:
    """Return the scripts, settings and reports of a data set, unrendered; ``wishes`` default to the ``s3`` prior."""
    wishes = wishes or Wishes(load_prior("s3"))
    takes: list[Take] = []
    for member in sample_cohort(videos, seed, wishes.prior):
        for _ in range(member.videos):
            takes.append(plan_take(len(takes) + 1, member.patient, member.split, seed, wishes))
    return tuple(takes)


def _suffix(wishes: Wishes) -> str:
    """End of the data set's name, for choices other than the default ones."""
    parts = {
        f"-{wishes.prior.name}": wishes.prior.name != "s3",
        "-balanced": wishes.balanced,
        "-mirrored": wishes.mirrored,
    }
    return "".join(part for part, holds in parts.items() if holds)


def _film_all(takes: Sequence[Take], folder: Path, form: Format, workers: int) -> Generator[None]:
    """Render every video; yield once for each that is finished."""
    if workers == 1:
        for take in takes:
            film(take, folder / video_file(take), form)
            yield
        return
    with processes(workers) as pool:
        for job in as_completed(submit_all(pool, film, [(take, folder / video_file(take), form) for take in takes])):
            job.result()  # raises here what was raised in the process
            yield


def check_free(out: Path) -> None:
    """Raise :class:`~s3harness.UsageError` if there is anything at ``out`` but an empty directory."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} exists and is not an empty directory; name another directory or remove it first")


def check_numbers(videos: int, resolution: tuple[int, int], fps: int, duration_s: float | None, workers: int) -> None:
    """Raise :class:`~s3harness.UsageError` for a number out of range; ``duration_s`` is that of every video."""
    width, height = resolution
    if videos < 1 or fps < 1 or workers < 1:
        raise UsageError(f"videos={videos}, fps={fps} and workers={workers} must each be 1 or more")
    # yuv420p stores colour at half the resolution, which an odd size has not.
    if min(width, height) < 32 or width % 2 or height % 2:
        raise UsageError(f"resolution {width}x{height} must be even and at least 32 in both directions")
    if duration_s is not None and duration_s < SHORTEST_VIDEO_S:
        raise UsageError(f"duration {duration_s:g} s is too short for a seizure; give {SHORTEST_VIDEO_S:g} s or more")

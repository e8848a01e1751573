"""Make a data set of recordings of hours: each scene is rendered once and its packets are copied wherever it recurs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import closing
from fractions import Fraction
from pathlib import Path

from s3harness_synth.cohort import sample_cohort
from s3harness_synth.daily_life import Episode, RecordingPlan, plan_recording
from s3harness_synth.dataset import check_free, check_numbers
from s3harness_synth.partial import partial_directory
from s3harness_synth.prior import load_prior
from s3harness_synth.processes import processes, submit_all
from s3harness_synth.production import Format, Take, film
from s3harness_synth.tables import write_card, write_csv

Progress = Callable[[int, int], None]
_CONTAINER_OPTIONS = {"fflags": "+bitexact"}


def synthesize_recordings(  # noqa: PLR0913 - each is a choice of the caller
    out: Path,
    *,
    hours: float,
    videos: int,
    seed: int,
    resolution: tuple[int, int] = (640, 360),
    fps: int = 25,
    seizures_per_day: float = 4.0,
    prior: str = "s3",
    progress: Progress | None = None,
    workers: int = 1,
) -> None:
    """Write a data set of ``videos`` recordings of ``hours`` hours, with a table of all their seizures, to ``out``.

    The number of seizures of each is Poisson with the mean that ``seizures_per_day`` gives, so that some have none. The
    recordings are silent, and each is of one patient. ``progress`` is called with (recordings done, recordings in all).

    Raises:
        UsageError: as :func:`~s3harness_synth.dataset.synthesize`.
        S3HarnessError: one of the processes was killed.

    """
    check_numbers(videos, resolution, fps, hours * 3600.0, workers)
    check_free(out)
    recordings = plan_recordings(videos, seed, hours=hours, seizures_per_day=seizures_per_day, prior=prior)
    form = Format(resolution, fps, audio=False)
    with partial_directory(out) as partial:
        (partial / "videos").mkdir()
        with closing(_film_all(recordings, partial, form, workers)) as filmed:
            for done, _ in enumerate(filmed, start=1):
                if progress is not None:
                    progress(done, len(recordings))
        _write_tables(partial, recordings, form)
        write_card(partial, f"synthetic-{videos}-recordings-{hours:g}-hours-seed-{seed}")


def plan_recordings(
    videos: int, seed: int, *, hours: float, seizures_per_day: float = 4.0, prior: str = "s3"
) -> list[RecordingPlan]:
    """Return the recordings of a data set, unrendered."""
    # Three videos a patient elsewhere; here as many patients as recordings, the first videos' worth of a larger cohort.
    members = sample_cohort(3 * videos, seed, load_prior(prior))[:videos]
    return [
        plan_recording(
            number,
            member.patient,
            member.split,
            seed=seed,
            hours=hours,
            seizures_per_day=seizures_per_day,
            prior=load_prior(prior),
        )
        for number, member in enumerate(members, start=1)
    ]


def _film_all(recordings: Sequence[RecordingPlan], folder: Path, form: Format, workers: int) -> Generator[None]:
    jobs = [(recording, folder / _file(recording), form) for recording in recordings]
    if workers == 1:
        for job in jobs:
            film_recording(*job)
            yield
        return
    with processes(workers) as pool:
        for done in as_completed(submit_all(pool, film_recording, jobs)):
            done.result()
            yield


def film_recording(recording: RecordingPlan, path: Path, form: Format) -> None:
    """Render the scenes of a recording and write them in their order into one mp4 file, in the memory of the scenes."""
    import av

    films: dict[int, list[tuple[bytes, bool]]] = {}
    left, frame, time_base = round(recording.duration_s * form.fps), 0, Fraction(1, form.fps)
    scene = path.with_name(f"{path.stem}.scene.mp4")
    try:
        _film(recording.episodes[recording.scenes[0][1]], recording, scene, form)
        with av.open(str(scene)) as like, av.open(str(path), "w", options=_CONTAINER_OPTIONS) as container:
            # One encoder with one set of options made all films: the headers of one of them are those of all.
            stream = container.add_stream_from_template(like.streams.video[0])
            for _, index in recording.scenes:
                if index not in films:
                    _film(recording.episodes[index], recording, scene, form)
                    films[index] = list(_packets(scene))
                for data, is_keyframe in films[index][:left]:
                    packet = av.Packet(data)
                    packet.pts = packet.dts = frame
                    packet.duration, packet.time_base = 1, time_base
                    packet.is_keyframe, packet.stream = is_keyframe, stream
                    container.mux(packet)
                    frame += 1
                left = max(0, left - len(films[index]))
    finally:
        scene.unlink(missing_ok=True)


def _film(episode: Episode, recording: RecordingPlan, path: Path, form: Format) -> None:
    take = Take(
        video_id=recording.video_id,
        patient=recording.patient,
        split=recording.split,
        script=episode.script,
        setting=episode.setting,
        report="",
        seed=episode.seed,
    )
    film(take, path, form)


def _packets(path: Path) -> Iterator[tuple[bytes, bool]]:
    """The pictures of a film as they are stored, each with whether it is a keyframe."""
    import av

    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            # The last packet of a file is an empty one.
            if packet.size:
                yield bytes(packet), packet.is_keyframe


def _file(recording: RecordingPlan) -> str:
    return f"videos/{recording.video_id}.mp4"


def _write_tables(folder: Path, recordings: Sequence[RecordingPlan], form: Format) -> None:
    """Write the tables; those of signs and reports hold their header alone, as nobody annotated them."""
    columns = ("video_id", "patient_id", "file", "diagnosis", "split", "duration_s", "start_clock")
    more = ("fps", "width", "height", "audio")
    rows: list[Sequence[object]] = [
        (
            *(one.video_id, one.patient.id, _file(one), one.patient.diagnosis, one.split),
            *(f"{one.duration_s:.2f}", _clock(one.start_clock_s), form.fps, *form.resolution, "no"),
        )
        for one in recordings
    ]
    write_csv(folder / "videos.csv", (*columns, *more), rows)
    seizures: list[Sequence[object]] = []
    for one in recordings:
        seizures += [(one.video_id, f"{a:.2f}", f"{b:.2f}") for a, b in one.seizures] or [(one.video_id, "", "")]
    write_csv(folder / "seizures.csv", ("video_id", "onset_s", "offset_s"), seizures)
    write_csv(
        folder / "features.csv", ("video_id", "feature", "present", "start_s", "end_s", "side", "justification"), ()
    )
    write_csv(folder / "reports.csv", ("video_id", "report"), ())


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"

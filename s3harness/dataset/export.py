"""A data set directory as a Hugging Face data set: tables, videos under their opaque ids, and a card.

Whatever goes into it is searched for identifiers before anything is written. Patients get numbers, in the order of the
table, so that neither their names nor their ids of the source go along; videos lose their containers' metadata.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3harness.dataset.export_card import COLUMNS, SIGN, SIGNS, TEXT, card
from s3harness.dataset.load import Dataset, load_dataset
from s3harness.dataset.sources import search_of
from s3harness.errors import DatasetError, MediaError, S3HarnessError, UsageError
from s3harness.guard.outgoing_check import Consent, OutgoingText, check_outgoing
from s3harness.types import FeatureLabel, Video

if TYPE_CHECKING:
    import datasets

FORMATS = ("parquet", "hub")
UNASSIGNED = "unassigned"
"""The split of videos that the data set has in none; Hugging Face has no table outside a split."""
KEPT_CONTAINERS = (".mp4", ".mov", ".mkv", ".avi")
"""Containers that both PyAV 16 writes and Hugging Face's video folders read; others become Matroska."""
RECIPIENT = "whoever gets the export"
NO_LIBRARY = "data export needs the package datasets: pip install 's3harness[datasets]'"

_SPLIT_NAME = re.compile(r"\w+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Exported:
    """Numbers of what was written."""

    videos: int
    files: int
    splits: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Places in the exported folder, and the column of the videos: as it is written, and as it is loaded."""

    table: Callable[[str], Path]
    file: Callable[[str, str], Path]
    written: str
    loaded: str


_TABLES = _Layout(
    table=lambda split: Path("data") / f"{split}.parquet",
    file=lambda _, name: Path("videos") / name,
    written="file",
    loaded="file",
)
_NO_VIDEOS = replace(_TABLES, written="", loaded="")
_VIDEO_FOLDER = _Layout(
    table=lambda split: Path("data") / split / "metadata.parquet",
    file=lambda split, name: Path("data") / split / name,
    # Hugging Face's video folders load the file that this column names as the column "video".
    written="file_name",
    loaded="video",
)


def export_dataset(
    directory: Path, out: Path, *, form: str, with_videos: bool = True, consent: Consent | None = None
) -> Exported:
    """Write a data set directory as a Hugging Face data set into ``out``, which must not exist yet.

    ``form`` is ``parquet`` (a table a split, whose column ``file`` names the videos in ``videos/``) or ``hub`` (a
    folder that can be uploaded as it is, with a column ``video`` that Hugging Face plays). Raises :class:`UsageError`
    without the package ``datasets``, for a split that Hugging Face has no name for, and for identifiers in a text that
    would go out; :class:`DatasetError` for a video file that is missing or cannot be copied; :class:`S3HarnessError` if
    the disk refuses. Nothing is left then.
    """
    _require_library()
    # Before the data set is read, which takes long for a large one.
    if out.exists():
        raise UsageError(f"{out} exists; name another --output")
    dataset = load_dataset(directory)
    splits = _splits(dataset)
    chosen = consent or Consent()
    search = search_of(directory, dataset.videos)
    let_through = check_outgoing(_texts(dataset, splits), search, chosen, RECIPIENT)
    # The reason goes out with the card, and no reason lets it through.
    check_outgoing([OutgoingText("", "--allow-identifiers", chosen.reason)], search, Consent(), RECIPIENT)
    # Missing files are reported before anything is written.
    files = _files(dataset) if with_videos else {}
    layout = _NO_VIDEOS if not with_videos else _VIDEO_FOLDER if form == "hub" else _TABLES
    if layout is _VIDEO_FOLDER:
        _check_every_split_has_a_file(splits, files)
    numbers = {name: len(videos) for name, videos in splits.items()}
    text = card(dataset, numbers, {name: layout.table(name) for name in splits}, layout.loaded)
    try:
        _write_whole(out, splits, files, layout, text + _let_through(let_through))
    except OSError as error:
        raise S3HarnessError(f"{out} cannot be written: {error.strerror or error}") from error
    return Exported(len(dataset.videos), len(files), numbers)


def _require_library() -> None:
    import importlib.util

    # Asked before the data set is read, and without an import that takes seconds.
    if importlib.util.find_spec("datasets") is None:
        raise UsageError(NO_LIBRARY)


def _splits(dataset: Dataset) -> dict[str, list[Video]]:
    """Return split → its videos, in the order of the table."""
    splits: dict[str, list[Video]] = {}
    for video in dataset.videos:
        splits.setdefault(video.split or UNASSIGNED, []).append(video)
    for name in splits:
        # "all" is how Hugging Face calls the splits together.
        if not _SPLIT_NAME.fullmatch(name) or name == "all":
            message = f"Hugging Face takes no split named {name!r}; use letters, digits and _, and not the word all"
            raise UsageError(f"{message}: change the column split of videos.csv")
    if not splits:
        raise DatasetError("the data set has no videos, so there is nothing to export")
    return splits


def _texts(dataset: Dataset, splits: Iterable[str]) -> Iterator[OutgoingText]:
    """Yield every text of the export that somebody wrote."""
    about = (("name", dataset.name), ("version", dataset.version), ("licence", dataset.licence))
    for field, text in (*about, *(("split", name) for name in splits)):
        yield OutgoingText("", field, text)
    for video in dataset.videos:
        yield OutgoingText(video.id, "report", video.report)
        for name, label in video.features.items():
            yield OutgoingText(video.id, f"justification of {name}", label.justification)


def _files(dataset: Dataset) -> dict[str, tuple[Path, str]]:
    """Return video id → its file and the name that the file gets; :class:`DatasetError` for one that is missing."""
    files = {video.id: video.path for video in dataset.videos if video.path is not None}
    for video_id, path in files.items():
        if not path.is_file():
            raise DatasetError(f"the file of video {video_id} is missing; put it there, or export with --no-video")
    return {video_id: (path, video_id + _container(path)) for video_id, path in files.items()}


def _container(path: Path) -> str:
    # Matroska takes the streams of nearly every container without encoding them anew.
    ending = path.suffix.lower()
    return ending if ending in KEPT_CONTAINERS else ".mkv"


def _check_every_split_has_a_file(splits: Mapping[str, Sequence[Video]], files: Mapping[str, object]) -> None:
    for name, videos in splits.items():
        if not any(video.id in files for video in videos):
            # datasets 5.2 takes a split without a video file for a table, and then refuses the others.
            raise UsageError(
                f"no video of split {name} has a file, which --format hub needs; use --format parquet or --no-video"
            )


def _write_whole(
    out: Path,
    splits: Mapping[str, Sequence[Video]],
    files: Mapping[str, tuple[Path, str]],
    layout: _Layout,
    text: str,
) -> None:
    """Write the folder as a whole or not at all; ``text`` is its card."""
    out.parent.mkdir(parents=True, exist_ok=True)
    # Written beside its place and moved there at the end: a folder that is there is whole.
    with tempfile.TemporaryDirectory(prefix=".exporting-", dir=out.parent) as temporary:
        folder = Path(temporary) / "export"
        _write(folder, splits, files, layout)
        (folder / "README.md").write_text(text, encoding="utf-8")
        shutil.move(folder, out)


def _write(
    folder: Path, splits: Mapping[str, Sequence[Video]], files: Mapping[str, tuple[Path, str]], layout: _Layout
) -> None:
    """Write the table of each split, and the videos."""
    import pyarrow
    import pyarrow.parquet

    # The schema carries the types for Hugging Face; Dataset.to_parquet writes the same, with a progress bar.
    schema = _features(layout.written).arrow_schema
    numbers: dict[str, int] = {}
    for split, videos in splits.items():
        table = folder / layout.table(split)
        table.parent.mkdir(parents=True, exist_ok=True)
        rows = []
        for video in videos:
            # A number in order of appearance: the id of the source may be a hospital's own.
            row = _row(video, numbers.setdefault(video.patient, len(numbers) + 1))
            if video.id in files:
                path, name = files[video.id]
                place = layout.file(split, name)
                _copy(video.id, path, folder / place)
                # Video folders name a file from the place of their table, other tables from the top.
                row[layout.written] = name if layout is _VIDEO_FOLDER else place.as_posix()
            rows.append(row)
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), table)


def _copy(video_id: str, source: Path, target: Path) -> None:
    from s3harness.media.remux import copy_without_metadata

    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        copy_without_metadata(source, target)
    except MediaError as error:
        raise DatasetError(f"{video_id}: {error}; convert it to MP4, or export with --no-video") from error


def _features(file: str) -> datasets.Features:
    """Return the columns of a table with their types; ``file`` is the column that names the video's file, if any."""
    from datasets import Features, Value

    sign = {name: Value(kind) for name, kind in SIGN.items()}
    own = {name: [sign] if kind == SIGNS else Value(kind) for name, (kind, _) in COLUMNS.items()}
    return Features({**({file: Value(TEXT)} if file else {}), **own})


def _row(video: Video, patient: int) -> dict[str, Any]:
    """Return a video as a row, what is empty as null."""
    return {
        "video_id": video.id,
        "patient": f"p{patient:04}",
        "duration_s": video.duration_s,
        "diagnosis": video.diagnosis,
        "onset_s": video.onset_s,
        "offset_s": video.offset_s,
        "onset_body_part": video.onset_body_part or None,
        "features": [_sign(name, label) for name, label in video.features.items()],
        "report": video.report or None,
    }


def _sign(name: str, label: FeatureLabel) -> dict[str, Any]:
    return {
        "feature": name,
        "present": label.present,
        "start_s": label.start_s,
        "end_s": label.end_s,
        "side": label.side,
        "justification": label.justification or None,
    }


def _let_through(consent: Mapping[str, object]) -> str:
    """Return what the card says of identifiers that the owner let through; nothing where there were none."""
    if not consent:
        return ""
    kinds = consent["kinds"]
    # For mypy: the consent is JSON data.
    assert isinstance(kinds, Mapping)
    counts = ", ".join(f"{kind}: {number}" for kind, number in kinds.items())
    # On one line, lest a reason begins a heading of the card.
    reason = " ".join(str(consent["reason"]).split())
    return f"\n## Identifiers\n\nThe owner let identifiers through ({counts}). Reason: {reason}\n"

"""Events that are a part of a file, and events that are spread over several files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from s3harness.dataset.importing.rows import Imported, joined_labels
from s3harness.dataset.importing.video_files import VideoFolder, duration_of
from s3harness.errors import DatasetError, MediaError, UsageError

OTHER_CONTAINER = ".mkv"
"""Ending of a cut or joined file whose own container cannot be written."""
TIMES = ("start_s", "end_s")


def restore_names(imported: Imported, videos: VideoFolder) -> None:
    """Give videos whose names lost letters in an encoding the names of their files, which other tables have."""
    for name in list(imported.videos):
        video = imported.videos[name]
        file = videos.restored(video["file"])
        if file == video["file"]:
            continue
        new = file + name.removeprefix(video["file"])
        imported.notes.append(f"{name}: letters are lost in the table's encoding; taken for {new}")
        imported.videos[new] = imported.videos.pop(name) | {"file": file}
        for sign in [sign for n, sign in imported.features if n == name]:
            imported.features[new, sign] = imported.features.pop((name, sign))


def join_parts(imported: Imported, mapping: Mapping[str, Any], videos: VideoFolder | None) -> None:
    """Make one video of the files of each event that the mapping tells the ``part`` of; times follow each other."""
    if "part" not in mapping:
        return
    if "event" not in mapping or videos is None:
        raise UsageError("the parts of an event are joined by the mapping's event column and with --videos")
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name, video in imported.videos.items():
        groups[video["patient"], video["event"]].append(name)
    for names in groups.values():
        if len(names) > 1:
            _join_group(
                imported, sorted(names, key=lambda name: _natural(imported.videos[name].get("part", ""))), videos
            )


def add_spans(imported: Imported, mapping: Mapping[str, Any]) -> None:
    """Note for each event of a file with several the seconds that it is cut from: up to ``cut_s`` around it."""
    margin = mapping.get("cut_s")
    files: defaultdict[str, list[str]] = defaultdict(list)
    for name, video in imported.videos.items():
        files[video["file"]].append(name)
    for names in files.values() if margin is not None else ():
        times = {name: _extent(imported, name) for name in names}
        timed = sorted((span, name) for name, span in times.items() if span is not None)
        if len(names) > 1 and len(timed) < len(names):
            imported.notes.append(f"{names[0]}: not cut, because one of its events has no time")
        elif len(names) > 1:
            for number, ((start, end), name) in enumerate(timed):
                before = timed[number - 1][0][1] if number else 0.0
                after = timed[number + 1][0][0] if number + 1 < len(timed) else float("inf")
                span = max(before, start - float(margin or 0)), min(after, end + float(margin or 0))
                imported.videos[name]["span"] = span


def write_part(imported: Imported, name: str, source: Path, target: Path) -> Path:
    """Cut the event of a video out of its file, and move its times; return the file that was written."""
    from s3harness.media.splice import cut

    written, begin = _written(target, lambda path: cut(source, path, *imported.videos[name]["span"]), name)
    shift(imported, name, -begin)
    return written


def write_joined(sources: Iterable[Path], target: Path, name: str) -> Path:
    """Join the files of an event; return the file that was written."""
    from s3harness.media.splice import join

    return _written(target, lambda path: join(list(sources), path), name)[0]


def shift(imported: Imported, name: str, seconds: float) -> None:
    """Move all times of a video."""
    for values in (imported.videos[name], *(label for (n, _), label in imported.features.items() if n == name)):
        for key in (*TIMES, "onset_s", "offset_s"):
            if values.get(key) is not None:
                values[key] = round(values[key] + seconds, 3)


def _written(target: Path, write: Any, name: str) -> tuple[Path, Any]:
    try:
        return target, write(target)
    except MediaError:
        other = target.with_suffix(OTHER_CONTAINER)
        try:
            return other, write(other)
        except MediaError as error:
            raise DatasetError(f"{name}: {error}") from error


def _join_group(imported: Imported, names: list[str], videos: VideoFolder) -> None:
    """Replace the files of an event by one video, whose times count from the first of them."""
    begin, whole = 0.0, " + ".join(names)
    event: dict[str, Any] = {"files": [imported.videos[name]["file"] for name in names]}
    is_same = {key: len({imported.videos[n].get(key) for n in names}) == 1 for key in ("onset_s", "offset_s")}
    for name in names:
        onset_and_offset = {key: imported.videos[name].get(key) for key, same in is_same.items() if same}
        shift(imported, name, begin)
        # One time in all rows of an event is the event's, from its first file on.
        video = {k: v for k, v in (imported.videos.pop(name) | onset_and_offset).items() if v is not None}
        for key, value in video.items():
            if event.setdefault(key, value) != value and key not in ("file", "part", "onset_s", "offset_s"):
                raise DatasetError(f"{whole}: {key} {value!r} differs from {event[key]!r} of an earlier file")
            if key == "offset_s":
                event[key] = max(event[key], value)
        for sign in [sign for n, sign in imported.features if n == name]:
            label = imported.features.pop((name, sign))
            known = imported.features.get((whole, sign))
            imported.features[whole, sign] = joined_labels(known, label) if known else label
        file = videos.file_of(video["file"])
        length = duration_of(file) if file is not None else None
        if length is None:
            raise DatasetError(f"{whole}: {video['file']} is missing or cannot be read, so its event cannot be joined")
        begin += length
    imported.videos[whole] = event


def _extent(imported: Imported, name: str) -> tuple[float, float] | None:
    """Return the first and the last time of an event, ``None`` if it has none."""
    video = imported.videos[name]
    labels = [label for (n, _), label in imported.features.items() if n == name]
    times = [video.get("onset_s"), video.get("offset_s"), *(label[key] for label in labels for key in TIMES)]
    known = [time for time in times if time is not None]
    return (min(known), max(known)) if known else None


def _natural(text: str) -> list[tuple[int, str]]:
    """Return a sort key under which part 10 comes after part 9."""
    return [(int(piece), "") if piece.isdigit() else (0, piece) for piece in re.findall(r"\d+|\D+", str(text))]

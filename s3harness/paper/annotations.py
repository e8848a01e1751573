"""Annotations of the release as videos, repaired where they are inconsistent, and a count of every repair.

The readers of :mod:`s3harness.paper.layout` return cells as written; this module interprets them. Every decision about
an irregular cell is counted in :class:`Quirks`, so that an import can report its repairs.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from s3harness.dataset.load import SAMPLE_SPLIT
from s3harness.dataset.references import BOUNDARIES, events
from s3harness.dataset.tables import Problem
from s3harness.errors import DatasetError
from s3harness.paper.layout import (
    Release,
    ReleaseTable,
    clock_seconds,
    patient_of,
    read_boundaries,
    read_diagnoses,
    read_folds,
    read_laterality,
    read_release_table,
    read_reports,
    read_sequences,
)
from s3harness.specs.features import vocabulary
from s3harness.types import Diagnosis, FeatureLabel, Presence, Side, Video

SAMPLE = "Sample"
"""The release's word for the videos that are neither ES nor NES and in no fold."""
CLIP_S = 60.0
"""Length of the clips of Task 4, in seconds."""
CENTRE_S = 30.0
"""Second of a clip at which most moments lie, since the clips were cut around them."""
BODY_PARTS: Mapping[str, str] = {"amrs": "arms", "leg": "legs"}
"""Misspelt body part → its name in the vocabulary."""
CLIP_SUBJECTS: Mapping[str, str] = {"start": BOUNDARIES[0], "end": BOUNDARIES[1]}
"""The release's words for the boundaries of the seizure."""

# Only 0 hours: with another first field the third one is a spreadsheet's 00 (see clock_seconds).
_HOURS = re.compile(r"0:(\d{2}):(\d{2})")
# Patient, two more fields and the diagnosis; other names are counted, as their patient may be wrong.
_USUAL_NAME = re.compile(r"[A-Z]\d{4}@[^@]+@[^@]+@(?:nes|sz|multiple_sz)\w*_\d+\.mp4")


@dataclass(frozen=True, slots=True)
class ClipTarget:
    """A moment of Task 4, ``target_s`` seconds into a clip of 60 s whose place in its video is not released."""

    clip: str
    video: str
    subject: str
    target_s: float


@dataclass
class Quirks:
    """Number of irregularities of the annotations by kind, each kind naming what was done about it."""

    counts: Counter[str] = field(default_factory=Counter)
    tables: list[Problem] = field(default_factory=list)

    def note(self, kind: str, number: int = 1) -> None:
        """Count an irregularity; ``number`` may be a boolean."""
        # A Counter would keep a kind with count 0, and the import report would list it.
        if number:
            self.counts[kind] += number


@dataclass(frozen=True, slots=True)
class Annotations:
    """All annotations of a release: its own name of a video → the video, the clips of Task 4, and the repairs."""

    videos: Mapping[str, Video]
    clips: tuple[ClipTarget, ...]
    quirks: Quirks

    @property
    def labelled(self) -> dict[str, Video]:
        """Return the videos that are ES or NES."""
        return {name: video for name, video in self.videos.items() if video.diagnosis is not None}

    def clips_by_video(self) -> dict[str, list[ClipTarget]]:
        """Return the release's name of a video → its clips of Task 4."""
        clips = defaultdict(list)
        for clip in self.clips:
            clips[clip.video].append(clip)
        return dict(clips)


def read_annotations(release: Release) -> Annotations:
    """Read every video of the diagnosis table with all its annotations.

    Ids are numbered in the order of a hash of the release's names, so that they reveal nothing and are the same for
    everyone who reads the same release. Raises :class:`DatasetError` for a table that cannot be read.
    """
    quirks = Quirks()
    # The diagnosis table lists the videos: the other tables miss some, and have some without a diagnosis.
    diagnoses = read_diagnoses(release)
    ids, patients = assign_ids("v", diagnoses), assign_ids("p", {patient_of(name) for name in diagnoses})
    labels, reports = _labels(release, quirks), read_reports(release)
    # _sides also adds to the labels, so it comes after them and before the videos.
    parts, folds = _sides(release, labels, quirks), _splits(release, diagnoses, quirks)
    videos = {
        name: Video(
            id=ids[name],
            patient=patients[patient_of(name)],
            diagnosis=cast("Diagnosis", word) if word in ("ES", "NES") else None,
            split=folds[name],
            onset_body_part=parts.get(name, ""),
            features=labels.get(name, {}),
            report=reports.get(name, ""),
        )
        for name, word in diagnoses.items()
    }
    _note_videos(videos, labels, reports, quirks)
    _note_sequences(release, videos, quirks)
    return Annotations(videos, tuple(_clips(release, videos, quirks)), quirks)


def assign_ids(letter: str, names: Iterable[str]) -> dict[str, str]:
    """Return name → ``v0001`` and so on, numbered in the order of the names' SHA-256."""
    # Alphabetical order would reveal the order of the names, which contain dates and the diagnosis.
    shuffled = sorted(set(names), key=lambda name: hashlib.sha256(name.encode()).digest())
    return {name: f"{letter}{number:04d}" for number, name in enumerate(shuffled, start=1)}


def _labels(release: Release, quirks: Quirks) -> dict[str, dict[str, FeatureLabel]]:
    """Read video → feature → label from the table of Tasks 1 and 2."""
    table = read_release_table(release.truth / "task12_annotation.csv")
    quirks.tables += table.problems
    # Without labels there is nothing to score; reasons and times may be missing.
    lacking = [name for name in vocabulary().names if name not in table.columns]
    if lacking:
        raise DatasetError(f"{table.file}: no column {', '.join(lacking)}")
    reasons = (f"justification_for_{name}" for name in vocabulary().names)
    times = (f"{edge}_time_for_{name}" for name in vocabulary().names if name != SLEEP for edge in ("start", "end"))
    absent = [column for column in (*reasons, *times) if column not in table.columns]
    quirks.tables += [Problem(table.file, 1, column, "no such column; left empty") for column in absent]
    return {
        video: {name: _label(name, cells, quirks) for name in vocabulary().names} for video, cells in table.rows.items()
    }


def _label(name: str, cells: Mapping[str, str], quirks: Quirks) -> FeatureLabel:
    word = cells[name].lower()
    # The vocabulary is lower case: another case is a slip, not another answer.
    quirks.note("labels in another case; read as yes or no", word in ("yes", "no") and cells[name] != word)
    quirks.note(f"{name} without a label; untested", word == "")
    quirks.note(f"{name} neither yes nor no; untested", word not in ("yes", "no", ""))
    present: Presence = "yes" if word == "yes" else "no" if word == "no" else "untested"
    start, end = (_seconds(cells.get(f"{edge}_time_for_{name}", ""), quirks) for edge in ("start", "end"))
    timed = _ordered(FeatureLabel(present, start, end, None, cells.get(f"justification_for_{name}", "")), quirks)
    quirks.note("times of signs that are absent or untested; kept", present != "yes" and start is not None)
    quirks.note("signs that are there, without a time", present == "yes" and start is None and name != SLEEP)
    return timed


SLEEP = "occur_during_sleep"
"""The one feature without times: sleep is a state, not an event."""


def _seconds(text: str, quirks: Quirks) -> float | None:
    """Return an annotated time in seconds; ``0:MM:SS`` has hours, while a third field is otherwise always 00."""
    # No time is annotated; this is no irregularity.
    if text in ("", "N/A"):
        return None
    seconds, hours = clock_seconds(text), _HOURS.fullmatch(text)
    if seconds is not None:
        quirks.note("times with a third field of 00; read as minutes and seconds", text.count(":") == 2)
        return seconds
    if hours:
        quirks.note("times of 0 hours, minutes and seconds; read as such")
        return 60.0 * int(hours[1]) + int(hours[2])
    quirks.note("times that cannot be read; left out")
    return None


def _ordered(label: FeatureLabel, quirks: Quirks) -> FeatureLabel:
    """Return the label without an end that is before its start."""
    if label.start_s is None or label.end_s is None or label.end_s >= label.start_s:
        return label
    # The start is kept: the order of events is made of starts.
    quirks.note("ends before the start; the end left out")
    return replace(label, end_s=None)


def _sides(release: Release, labels: dict[str, dict[str, FeatureLabel]], quirks: Quirks) -> dict[str, str]:
    """Add the sides of Task 3 to the labels, and return video → body part of the onset."""
    # Blanks are removed here and kept by the paper profile, whose published numbers depend on them.
    table = read_laterality(release)
    quirks.tables += table.problems
    quirks.note("sides with blanks around them; taken off", _padded(release))
    for video, cells in table.rows.items():
        signs = labels.setdefault(video, {})
        signs["head_turning"] = _turning(signs.get("head_turning", FeatureLabel("untested")), cells, quirks)
        signs["arm_movement"] = _arm(cells, quirks)
    return {video: part for video, cells in table.rows.items() if (part := _body_part(cells, quirks))}


def _turning(label: FeatureLabel, cells: Mapping[str, str], quirks: Quirks) -> FeatureLabel:
    """Return head turning with its side; presence and times stay those of Task 1 where both tables have them."""
    side = _side(cells["left_right_head_turning"])
    start = _seconds(cells.get("start_time_for_head_turning", ""), quirks)
    end = _seconds(cells.get("end_time_for_head_turning", ""), quirks)
    # Task 3 asks for the side of these turnings too, so the side stays with an absent sign.
    quirks.note("head turnings with a side that Task 1 does not see; side kept, absent", bool(side) and _absent(label))
    quirks.note("head turnings without a side", side is None and label.present == "yes")
    differ = side is not None and not _absent(label) and (start, end) != (label.start_s, label.end_s)
    quirks.note("head turnings with other times in Task 3; those of Task 1 kept", differ)
    times = (start, end) if label.start_s is None else (label.start_s, label.end_s)
    return _ordered(replace(label, side=side, start_s=times[0], end_s=times[1]), quirks)


def _arm(cells: Mapping[str, str], quirks: Quirks) -> FeatureLabel:
    word = cells["left_right_arm_movement"].lower()
    side = _side(word)
    # Task 1 has no such sign: the side alone tells that an arm moved.
    quirks.note("arm movements without a word; untested", word == "")
    start, end = (_seconds(cells.get(name, ""), quirks) for name in ("arm_movement_start_time", ARM_END))
    present: Presence = "yes" if side else "no" if word in ("n/a", "na") else "untested"
    return _ordered(FeatureLabel(present, start, end, side), quirks)


ARM_END = "arm_moverment_end_time"
"""The column's name as the release spells it."""


def _body_part(cells: Mapping[str, str], quirks: Quirks) -> str:
    word = cells["body_region_onset"].lower()
    part = BODY_PARTS.get(word, word)
    quirks.note("body parts with a slip of the pen; mended", part != word)
    if part in vocabulary().body_parts:
        return part
    # "n/a" is a decision of the annotators; any other word is one that the vocabulary lacks.
    quirks.note("onsets without a body part" if word in ("", "n/a") else "unknown body parts; left out")
    return ""


def _absent(label: FeatureLabel) -> bool:
    return label.present != "yes"


def _side(word: str) -> Side | None:
    return cast("Side", word.lower()) if word.lower() in ("left", "right") else None


def _padded(release: Release) -> int:
    """Count the sides of Task 3 with blanks around them."""
    # Read again, as the table's readers return cells without these blanks.
    text = (release.truth / "task3_spatial_annotation.csv").read_text(encoding="utf-8-sig", errors="replace")
    columns = ("left_right_head_turning", "left_right_arm_movement", "body_region_onset")
    # A row that is too short has None for its last cells.
    rows = csv.DictReader(text.splitlines())
    return sum((row.get(c) or "") != (row.get(c) or "").strip() for row in rows for c in columns)


def _splits(release: Release, diagnoses: Mapping[str, str], quirks: Quirks) -> dict[str, str]:
    """Return video → its fold, ``sample``, or ""."""
    table = read_folds(release)
    quirks.tables += table.problems
    folds = table.column("fold")
    of_videos = {name: fold for name, fold in folds.items() if name in diagnoses}
    quirks.note("videos of the folds that have no diagnosis; left out", len(folds) - len(of_videos))
    # A split of their own: patients of Sample videos may have labelled videos in a fold.
    splits = {
        name: SAMPLE_SPLIT if word == SAMPLE else f"fold{of_videos[name]}" if name in of_videos else ""
        for name, word in diagnoses.items()
    }
    quirks.note("labelled videos in no fold", sum(not split for split in splits.values()))
    return splits


def _note_videos(
    videos: Mapping[str, Video], labels: Mapping[str, object], reports: Mapping[str, str], quirks: Quirks
) -> None:
    """Count the irregularities of the list of videos as a whole."""
    # A report that two videos share may describe only one of them.
    texts = Counter(video.report for video in videos.values() if video.report)
    quirks.note("Sample videos; without diagnosis, in a split of their own", _in_split(videos, SAMPLE_SPLIT))
    quirks.note("videos with a name of another form", sum(not _USUAL_NAME.fullmatch(name) for name in videos))
    quirks.note("videos whose report another video has too", sum(n for n in texts.values() if n > 1))
    quirks.note("videos without signs", sum(name not in labels for name in videos))
    quirks.note("videos without a report", sum(not reports.get(name) for name in videos))
    undiagnosed = [name for table in (labels, reports) for name in table if name not in videos]
    quirks.note("annotations of videos without a diagnosis; left out", len(undiagnosed))


def _in_split(videos: Mapping[str, Video], split: str) -> int:
    return sum(video.split == split for video in videos.values())


def _note_sequences(release: Release, videos: Mapping[str, Video], quirks: Quirks) -> None:
    """Count the videos whose released sequence differs from their signs in order of time."""
    # The sequence was derived from the times, so the times are the source where they differ.
    released = read_sequences(release, heard=True)
    for name, video in videos.items():
        own = [sign for sign, _ in events(video, vocabulary().names)]
        listed = [word.strip() for word in released.get(name, "").split(",") if word.strip()]
        quirks.note("sequences that are not the signs in order of time; the signs kept", own != listed)


def _clips(release: Release, videos: Mapping[str, Video], quirks: Quirks) -> Iterable[ClipTarget]:
    """Yield the moments of Task 4, in seconds from the start of their clips; the place of a clip is not released."""
    table: ReleaseTable = read_boundaries(release)
    quirks.tables += table.problems
    for clip, cells in table.rows.items():
        word, target = cells["feature"], cells["target_time"]
        # A clip is named by its video and its sign; the release has no table of the two.
        video = f"{clip.removesuffix('.mp4').removesuffix(f'_{word}')}.mp4"
        subject = CLIP_SUBJECTS.get(word, word)
        if video not in videos or not target.isdigit() or subject not in (*BOUNDARIES, *vocabulary().names):
            quirks.note("clips of Task 4 that belong to no video or have no time; left out")
            continue
        quirks.note("moments in the middle of their clip", float(target) == CENTRE_S)
        # An onset within a clip is no onset within the video, so the video's own fields stay empty.
        quirks.note("moments of the seizure known within a clip only; no onset_s, no offset_s", word in CLIP_SUBJECTS)
        yield ClipTarget(clip, video, subject, float(target))

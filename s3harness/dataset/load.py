"""Reading a data set directory into videos, with every problem named at its file, row and column."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from s3harness.dataset.links import allowed_links, target_outside
from s3harness.dataset.seizures import FILE as SEIZURE_LIST
from s3harness.dataset.seizures import read_seizures
from s3harness.dataset.tables import CERTAINTY, CLOCK, FEATURES, REPORTS, VIDEOS, Problem, Row, read_table
from s3harness.errors import DatasetError, UsageError, suggest
from s3harness.files import parse_json
from s3harness.specs.features import FILE as FEATURE_LIST
from s3harness.specs.features import (
    Vocabulary,
    chosen_vocabulary,
    read_vocabulary,
    use_vocabulary,
    vocabulary,
)
from s3harness.types import Certainty, Diagnosis, FeatureLabel, Presence, Side, Video

SCHEMA = "s3harness/dataset/v1"
SHOWN_PROBLEMS = 20
SAMPLE_SPLIT = "sample"
"""Split of example videos, of patients of any split: without a diagnosis, neither trained on nor scored."""
MAX_NAME = 500
"""Characters of the name, version and licence of a data set."""
BORDER_S = 1.0
"""Annotators note whole seconds: a time may lie this far beyond the end of the video."""

# The second form needs a letter, lest twelve digits of a hospital's number pass for an id of ours.
_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)
_OPAQUE = re.compile(r"v\d{1,5}|v(?=\d*[a-f])[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set: its videos, and the fingerprint of all that scores depend on (SHA-256 of its tables)."""

    name: str
    version: str
    licence: str
    fingerprint: str
    videos: tuple[Video, ...]

    def split(self, name: str | None) -> Dataset:
        """Return the data set with the videos of one split, all for ``None``; raise :class:`UsageError` if none is."""
        if name is None:
            return self
        chosen = tuple(video for video in self.videos if video.split == name)
        if not chosen:
            known = sorted({video.split for video in self.videos if video.split})
            raise UsageError(f"the data set has no videos of split {name!r}{suggest(name, known)}")
        return replace(self, videos=chosen)


def load_dataset(directory: Path) -> Dataset:
    """Read a data set directory, or raise :class:`DatasetError` listing what is wrong with its tables.

    Missing and damaged video files are no error here: each is a failure of its own video when that is decoded.
    """
    dataset, problems = read_dataset(directory)
    if problems:
        shown = "\n  ".join(str(problem) for problem in problems[:SHOWN_PROBLEMS])
        more = f"\n  … and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise DatasetError(f"the data set has {count}; fix the tables and try again:\n  {shown}{more}")
    return dataset


def read_dataset(directory: Path) -> tuple[Dataset, list[Problem]]:
    """Read what can be read of a data set directory; return it with all problems of its tables."""
    if not (directory / "dataset.json").is_file():
        remedy = "name one, or make one with s3harness data synth"
        raise DatasetError(f"{directory} is not a data set directory: it has no dataset.json; {remedy}")
    # First, since the tables are read by the list of signs.
    use_vocabulary(signs_of(directory))
    problems: list[Problem] = []
    about = _about(directory / "dataset.json", problems)
    rows = list(read_table(directory / "videos.csv", VIDEOS, ("video_id", "patient_id"), problems))
    labels = _labels(read_table(directory / "features.csv", FEATURES, FEATURES[:3], problems), rows, problems)
    reports = _reports(directory, rows, problems)
    seizures = read_seizures(directory, {row["video_id"]: _duration(row) for row in rows}, problems)
    links = allowed_links(directory)
    videos = [
        replace(
            _video(directory, row, labels, reports, links, problems),
            language=about["language"],
            seizures=seizures.get(row["video_id"]),
        )
        for row in _unique(rows, problems)
    ]
    return Dataset(
        about["name"], about["version"], about["licence"], _fingerprint(directory, about["language"]), tuple(videos)
    ), problems


def signs_of(directory: Path) -> Vocabulary:
    """Return the list of signs of a data set: its own ``features.yaml``, else the chosen one or the benchmark's."""
    path = directory / FEATURE_LIST
    return read_vocabulary(path) if path.is_file() else chosen_vocabulary()


def opaque_id(video_id: str) -> str:
    """Return the id of a video outside its data set.

    Ids such as ``v0001`` are opaque and stay, as do those that this function made. Any other id is hashed: written by
    hand, it may contain a name, a date or a file name.
    """
    if _OPAQUE.fullmatch(video_id):
        return video_id
    return f"v{hashlib.sha256(video_id.encode()).hexdigest()[:12]}"


def private_words(videos: Iterable[Video]) -> set[str]:
    """Return the words that may not leave the process: patients, file names and paths of these videos."""
    words = set()
    for video in videos:
        words.add(video.patient)
        if video.path is not None:
            words |= {str(video.path), str(video.path.parent), video.path.name, video.path.stem}
            # A link's target has a name of its own, often the hospital's.
            words |= {video.path.resolve().name, str(video.path.resolve())}
    # Words of every data set, which would be found in any text.
    return {word for word in words if word and word not in {".", "/", "videos"}} - {video.id for video in videos}


def _about(path: Path, problems: list[Problem]) -> dict[str, str]:
    data: object = None
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        # Noted like any other problem, so that the tables are checked in the same pass.
        problems.append(Problem(path.name, None, "", f"not valid JSON: {error}"))
    about = data if isinstance(data, dict) else {}
    if data is not None and about.get("schema") != SCHEMA:
        problems.append(Problem(path.name, None, "schema", f"{about.get('schema')!r} is not {SCHEMA!r}"))
    words = {key: str(about.get(key, "")) for key in ("name", "version", "licence", "language")}
    if words["language"] and not _LANGUAGE.fullmatch(words["language"]):
        problems.append(Problem(path.name, None, "language", f"{words['language']!r} is no code like de, fr, es"))
    for key, word in words.items():
        if len(word) > MAX_NAME:
            problems.append(
                Problem(path.name, None, key, f"has {len(word)} characters; at most {MAX_NAME} are allowed")
            )
    # Cut, since the data set is used further in spite of its problems, for the others to be found.
    return {key: word[:MAX_NAME] for key, word in words.items()}


def _unique(rows: Iterable[Row], problems: list[Problem]) -> list[Row]:
    seen: dict[str, Row] = {}
    splits: dict[str, tuple[str, int]] = {}
    for row in rows:
        if not row["video_id"] or not row["patient_id"]:
            problems.append(row.problem("video_id" if not row["video_id"] else "patient_id", "is empty"))
        elif row["video_id"] in seen:
            problems.append(row.problem("video_id", f"duplicate of row {seen[row['video_id']].number}"))
        else:
            seen[row["video_id"]] = row
            mine = (row["split"], row.number)
            # Samples are scored nowhere, so that they leak nothing between splits.
            split, number = mine if row["split"] == SAMPLE_SPLIT else splits.setdefault(row["patient_id"], mine)
            if split != row["split"]:
                message = f"the patient is in split {split!r} at row {number}; all videos of one belong in one split"
                problems.append(row.problem("split", message))
    return list(seen.values())


def _labels(rows: Iterable[Row], videos: Iterable[Row], problems: list[Problem]) -> dict[str, dict[str, FeatureLabel]]:
    durations = {video["video_id"]: _duration(video) for video in videos}
    known = {name: name for name in (*vocabulary().names, *vocabulary().signs)}
    labels: dict[str, dict[str, FeatureLabel]] = {}
    texts: dict[str, str] = {}
    own_problems: list[Problem] = []
    for row in rows:
        video, feature = row["video_id"], row["feature"]
        if video not in durations:
            own_problems.append(row.problem("video_id", f"{video!r} is not in videos.csv"))
        # The order of the branches matters: the first reason is the one that explains the others.
        elif feature not in known:
            own_problems.append(row.problem("feature", f"unknown feature {feature!r}{suggest(feature, list(known))}"))
        elif feature in labels.setdefault(video, {}):
            own_problems.append(row.problem("feature", f"duplicate: {feature!r} of {video!r} is given twice"))
        else:
            labels[video][known[feature]] = _label(row, durations[video], texts, own_problems)
    problems += own_problems
    return labels


def _label(row: Row, duration_s: float | None, texts: dict[str, str], problems: list[Problem]) -> FeatureLabel:
    """Return a row's label."""
    # Justifications repeat in thousands of rows: ``texts`` keeps one string object of each.
    present = row.one_of("present", ("yes", "no", "untested"), problems)
    if not row["present"]:
        # An empty cell could mean no or untested, which score differently.
        problems.append(row.problem("present", "is empty; write yes, no or untested"))
    start, end = _span(row, "start_s", "end_s", duration_s, problems)
    side = row.one_of("side", ("left", "right", "both"), problems)
    text = texts.setdefault(row["justification"], row["justification"])
    # Read leniently: an older data set may have a column of this name with words of its own.
    certainty = row[CERTAINTY] if row[CERTAINTY] in ("certain", "uncertain") else None
    return FeatureLabel(
        cast("Presence", present or "untested"),
        start,
        end,
        cast("Side | None", side or None),
        text,
        cast("Certainty | None", certainty),
    )


def _span(
    row: Row, first: str, last: str, duration_s: float | None, problems: list[Problem]
) -> tuple[float | None, float | None]:
    start, end = row.seconds(first, problems), row.seconds(last, problems)
    if start is not None and end is not None and end < start:
        problems.append(row.problem(last, f"the offset {end:g} s is before the onset {start:g} s"))
    for column, value in ((first, start), (last, end)):
        if value is not None and duration_s is not None and value > duration_s + BORDER_S:
            text = f"{value:g} s is outside the video, which lasts {duration_s:g} s; times count from its start"
            problems.append(row.problem(column, text))
    return start, end


def _reports(directory: Path, videos: Iterable[Row], problems: list[Problem]) -> dict[str, str]:
    known = {video["video_id"] for video in videos}
    path = directory / "reports.csv"
    reports: dict[str, str] = {}
    own_problems: list[Problem] = []
    for row in read_table(path, REPORTS, REPORTS, problems) if path.exists() else []:
        if row["video_id"] not in known:
            own_problems.append(row.problem("video_id", f"{row['video_id']!r} is not in videos.csv"))
        elif row["video_id"] in reports:
            own_problems.append(row.problem("video_id", f"duplicate: {row['video_id']!r} has two reports"))
        else:
            reports[row["video_id"]] = row["report"]
    problems += own_problems
    return reports


def _video(
    directory: Path,
    row: Row,
    labels: Mapping[str, Mapping[str, FeatureLabel]],
    reports: Mapping[str, str],
    links: Mapping[str, str],
    problems: list[Problem],
) -> Video:
    diagnosis = row.one_of("diagnosis", ("ES", "NES"), problems)
    duration = row.seconds("duration_s", problems)
    onset, offset = _span(row, "onset_s", "offset_s", duration, problems)
    return Video(
        id=opaque_id(row["video_id"]),
        patient=row["patient_id"],
        path=_confined(directory, row, links, problems),
        # A duration of 0 means unknown.
        duration_s=duration or None,
        diagnosis=cast("Diagnosis | None", diagnosis or None),
        split=row["split"],
        onset_s=onset,
        offset_s=offset,
        onset_body_part=row.one_of("onset_body_part", vocabulary().body_parts, problems),
        features=labels.get(row["video_id"], {}),
        report=reports.get(row["video_id"], ""),
        clock_s=row.clock(CLOCK, problems),
    )


def _confined(directory: Path, row: Row, allowed: Mapping[str, str], problems: list[Problem]) -> Path | None:
    """Return the path of the video's file: inside the directory, or where the owner allowed a link to lead."""
    if not row["file"]:
        return None
    named = Path(row["file"])
    # A data set may come from a stranger, and its videos are sent to models.
    if named.is_absolute() or ".." in named.parts:
        problems.append(row.problem("file", "must be a path inside the data set directory"))
        return None
    target = target_outside(directory, named)
    if target is not None and target != allowed.get(row["video_id"]):
        remedy = f"copy the file into the data set, or allow it: s3harness data allow-links {directory}"
        problems.append(row.problem("file", f"is a link that leads out of the data set; {remedy}"))
        return None
    return directory / named


def _duration(row: Row) -> float | None:
    return row.seconds("duration_s", []) or None


def _fingerprint(directory: Path, language: str) -> str:
    digest = hashlib.sha256()
    # dataset.json is left out: a corrected licence or name changes no score.
    for name in ("videos.csv", "features.csv", "reports.csv"):
        digest.update(_sha256(directory / name))
    # All only where they are given, so that older fingerprints stay.
    digest.update(language.encode())
    if (directory / FEATURE_LIST).is_file():
        digest.update(_sha256(directory / FEATURE_LIST))
    if (directory / SEIZURE_LIST).is_file():
        digest.update(_sha256(directory / SEIZURE_LIST))
    return digest.hexdigest()


def _sha256(path: Path) -> bytes:
    if not path.is_file():
        # A missing table counts as an empty file; reports are optional.
        return hashlib.sha256().digest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()

"""The released predictions as answers: every cell read by the parser of its task, as a reply would be.

Tasks 1 and 5 are read window by window where the windows are released, since the authors' merging hides failures; the
texts of Tasks 2 and 6 are the merged ones, which an LLM made of the windows. What belongs to no item is counted with
the numbers of its rows, never dropped silently. Nothing here names a video.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from s3harness.dataset.references import SIDES, truths
from s3harness.dataset.tables import Problem
from s3harness.errors import DatasetError
from s3harness.paper.annotations import CLIP_S, CLIP_SUBJECTS, Annotations
from s3harness.paper.layout import Part, Release, ReleaseTable, read_predictions, video_of_window
from s3harness.paper.metrics.released import DIAGNOSIS, LATERALITY
from s3harness.paper.windows import first_window_number, read_window_table, window_number
from s3harness.rundir.journal import JournalEntry
from s3harness.scoring.answers import read_answer
from s3harness.specs.features import vocabulary
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Answer, Clip, Modality, Reference, Response, Video

FAILED = frozenset({"fail", "failed", "error", "videonotexist"})
"""What the authors' programs write where they gave up."""
GAVE_UP = "the release says that no answer was got"


@dataclass(frozen=True, slots=True)
class Said:
    """One released cell: its file and row, the item and window it answers, the reply, and a text that goes with it."""

    file: str
    row: int
    key: Key
    window: int
    reply: str
    failed: bool = False
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Stray:
    """Predictions of a file that belong to no item, by the ``rows`` they are in, the first of the table being 1."""

    file: str
    reason: str
    rows: tuple[int, ...]


@dataclass
class Source:
    """The answers to one kind of item: item → window → answer, and what was odd about the files they come from."""

    answers: dict[Key, dict[int, Answer]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    strays: list[Stray] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def opened(self, table: ReleaseTable | None, kind: str, columns: Collection[str] = ()) -> ReleaseTable | None:
        """Note a table, or that it is not there, or lacks columns, in which case there is none."""
        if table is None:
            self.missing.append(f"no file of {kind.replace('_', ' ')}")
            return None
        self.files.append(table.file)
        self.problems += table.problems
        lacking = [name for name in columns if name not in table.columns]
        self.missing += [f"{table.file}: no column {name}" for name in lacking]
        return None if lacking else table


@dataclass(frozen=True, slots=True)
class ReleasedModel:
    """A model of the release, with the annotations that its predictions are held against."""

    release: Release
    annotations: Annotations
    name: str

    def modalities(self) -> tuple[Modality, ...]:
        """What it takes, by the signs it was asked about; sight alone where no file tells."""
        asked = {column for columns in self._asked() for column in columns}
        kinds = {feature.modality for feature in vocabulary().features if feature.name in asked}
        return tuple(kind for kind in MODALITIES if kind in kinds) or ("video",)

    def source(self, item: str, spec: TaskSpec, expected: Collection[Key]) -> Source:
        """The answers to a kind of item; ``spec`` is the task whose parser reads them, ``expected`` are its items."""
        source, read = Source(), _Reader(spec)
        strays: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        for said in self._said(item, source):
            if said.key in expected:
                source.answers.setdefault(said.key, {})[said.window] = read.answer(said)
            else:
                strays[said.file, self._reason(said.key)].add(said.row)
        source.strays = [Stray(file, reason, tuple(sorted(rows))) for (file, reason), rows in strays.items()]
        return source

    def _said(self, item: str, source: Source) -> Iterator[Said]:
        """The cells that answer a kind of item; a table that cannot be read is noted, and gives none."""
        try:
            yield from _READERS[item](self, source)
        except DatasetError as error:
            source.missing.append(str(error))

    def _asked(self) -> Iterator[tuple[str, ...]]:
        """The columns of the tables of signs that can be read."""
        for read, kind in (
            (read_window_table, "features"),
            *((read_predictions, k) for k in ("features", "rationales")),
        ):
            with suppress(DatasetError):
                table = read(self.release, self.name, kind)
                yield table.columns if table else ()

    def _reason(self, key: Key) -> str:
        """Why a prediction belongs to no item."""
        video = self.annotations.videos.get(key[0])
        if video is None:
            return "of no known video"
        return "of Sample videos" if video.diagnosis is None else "of videos or signs that are not among the items"


MODALITIES: tuple[Modality, ...] = ("video", "audio")


class _Reader:
    """Reads cells by the parser of a task; equal cells of a subject are read once."""

    def __init__(self, spec: TaskSpec) -> None:
        self._spec = spec
        self._specs: dict[str, TaskSpec] = {}
        self._known: dict[tuple[str, str, bool], Answer] = {}

    def answer(self, said: Said) -> Answer:
        """The answer of one cell."""
        key = (said.key[1], said.reply, said.failed)
        if key not in self._known:
            self._known[key] = self._read(said)
        answer, value = self._known[key], self._known[key].value
        if said.text is not None and isinstance(value, Mapping):
            value = {**value, "justification": said.text}
        return replace(answer, value=value, clip=Clip("", 0.0, 0.0, (), 0, index=said.window))

    def _read(self, said: Said) -> Answer:
        subject = said.key[1]
        spec = self._specs.setdefault(subject, self._spec.for_subject(subject))
        response = Response(
            "", said.reply, status="failed" if said.failed else "ok", error=GAVE_UP if said.failed else ""
        )
        entry = JournalEntry(
            id="", task=spec.name, item="", subject=subject, clip=Clip("", 0.0, 0.0, (), 0), media="", response=response
        )
        return read_answer(entry, spec)


def _features(model: ReleasedModel, source: Source) -> Iterator[Said]:
    """Yes or no by window, or by video where there are no windows."""
    windows = read_window_table(model.release, model.name, "features")
    table = windows or read_predictions(model.release, model.name, "features")
    yield from _signs(source.opened(table, "features"), source)


def _rationales(model: ReleasedModel, source: Source) -> Iterator[Said]:
    """Yes or no and the merged reason; a model without merged reasons has them beside its features."""
    merged = read_predictions(model.release, model.name, "rationales")
    table = merged or read_predictions(model.release, model.name, "features")
    yield from _signs(source.opened(table, "rationales"), source, "justification_for_{}")


def _signs(table: ReleaseTable | None, source: Source, reason: str = "") -> Iterator[Said]:
    if table is None:
        return
    asked = [name for name in vocabulary().names if name in table.columns]
    lacking = [reason.format(name) for name in asked if reason and reason.format(name) not in table.columns]
    source.missing += [f"{table.file}: no column {name}" for name in lacking]
    first = first_window_number(table)
    for row, (name, cells) in enumerate(table.rows.items(), start=1):
        video, window = video_of_window(name), window_number(name) - first
        for sign in asked:
            reply = json.dumps({"answer": cells[sign], "justification": ""})
            text = cells.get(reason.format(sign), "") if reason else None
            yield Said(table.file, row, (video, sign), window, reply, _gave_up(cells[sign]), text)


def _laterality(model: ReleasedModel, source: Source) -> Iterator[Said]:
    for subject, (_, column) in LATERALITY.items():
        table = source.opened(read_predictions(model.release, model.name, subject), subject, [column])
        if table is None:
            continue
        for row, (name, cells) in enumerate(table.rows.items(), start=1):
            reply = cells[column]
            yield Said(table.file, row, (video_of_window(name), subject), 0, reply, reply.upper() == "N/A")


def _boundaries(model: ReleasedModel, source: Source) -> Iterator[Said]:
    table = source.opened(
        read_predictions(model.release, model.name, "boundaries"), "boundaries", ["feature", "timestamp"]
    )
    if table is None:
        return
    videos = {clip.clip: clip.video for clip in model.annotations.clips}
    for row, (clip, cells) in enumerate(table.rows.items(), start=1):
        word = cells["feature"]
        video = videos.get(clip) or f"{clip.removesuffix('.mp4').removesuffix(f'_{word}')}.mp4"
        key = (video, CLIP_SUBJECTS.get(word, word))
        yield Said(table.file, row, key, 0, cells["timestamp"], _gave_up(cells["timestamp"]))


def _sequence(model: ReleasedModel, source: Source) -> Iterator[Said]:
    windows = read_window_table(model.release, model.name, "sequence")
    column = "event_sequence" if windows else "feature_list"
    yield from _texts(windows or read_predictions(model.release, model.name, "sequence"), source, "sequence", column)


def _report(model: ReleasedModel, source: Source) -> Iterator[Said]:
    yield from _texts(read_predictions(model.release, model.name, "report"), source, "report", "report")


def _texts(table: ReleaseTable | None, source: Source, subject: str, column: str) -> Iterator[Said]:
    table = source.opened(table, subject, [column])
    if table is None:
        return
    first = first_window_number(table)
    for row, (name, cells) in enumerate(table.rows.items(), start=1):
        key, window = (video_of_window(name), subject), window_number(name) - first
        yield Said(table.file, row, key, window, cells[column], _gave_up(cells[column]))


def _diagnosis(model: ReleasedModel, source: Source) -> Iterator[Said]:
    table = source.opened(read_predictions(model.release, model.name, "diagnosis"), "diagnosis")
    if table is None:
        return
    given = {subject: column for subject, column in DIAGNOSIS.items() if column in table.columns}
    source.missing += [f"{table.file}: no column {c}" for s, c in DIAGNOSIS.items() if s not in given]
    for row, (name, cells) in enumerate(table.rows.items(), start=1):
        for subject, column in given.items():
            yield Said(table.file, row, (name, subject), 0, cells[column], _gave_up(cells[column]))


def _gave_up(cell: str) -> bool:
    return cell.strip().casefold() in FAILED


_READERS: Mapping[str, Callable[[ReleasedModel, Source], Iterator[Said]]] = {
    "feature": _features,
    "rationale": _rationales,
    "laterality": _laterality,
    "boundary": _boundaries,
    "sequence": _sequence,
    "report": _report,
    "diagnosis": _diagnosis,
}
"""Kind of item → what reads its cells."""


TEST_FOLD = "fold0"
"""The fold of the published test tables."""

WITH_REPORT = "video_and_report"
"""The question of Task 7 that shows the expert's report."""
SEEN: tuple[Modality, ...] = ("video",)

Key = tuple[str, str]
"""The release's name of a video, and the subject asked about."""


def chosen_videos(annotations: Annotations, part: Part) -> dict[str, Video]:
    """The labelled videos of the test fold, or all labelled videos."""
    labelled = annotations.labelled
    return {n: video for n, video in labelled.items() if part == "full" or video.split == TEST_FOLD}


def training_videos(annotations: Annotations, part: Part) -> dict[str, Video]:
    """The labelled videos of all folds but the test fold; none where all videos are scored."""
    folds = {n: video for n, video in annotations.labelled.items() if video.split.startswith("fold")}
    return {n: video for n, video in folds.items() if part == "test" and video.split != TEST_FOLD}


def release_items(
    annotations: Annotations, part: Part, task: str, item: str, modalities: Collection[Modality]
) -> dict[Key, Reference]:
    """The items of a task, of a kind of item, for a model that takes these modalities, in the order of the videos."""
    return _items(annotations, chosen_videos(annotations, part), task, item, modalities)


def training_items(
    annotations: Annotations, part: Part, task: str, item: str, modalities: Collection[Modality]
) -> list[Reference] | None:
    """The same items of the training folds, which floors are fitted on; ``None`` where no fold is left for that."""
    videos = training_videos(annotations, part)
    return list(_items(annotations, videos, task, item, modalities).values()) or None


def _items(
    annotations: Annotations, videos: Mapping[str, Video], task: str, item: str, modalities: Collection[Modality]
) -> dict[Key, Reference]:
    return {
        (name, subject): Reference(
            item=f"{video.id}/{subject}",
            task=task,
            video_id=video.id,
            subject=subject,
            cluster=int(video.patient[1:]),
            truth=truth,
            window=(0.0, CLIP_S) if item == "boundary" else None,
            report=video.report if subject == WITH_REPORT else "",
        )
        for name, video in videos.items()
        for subject, truth in _truths(item, annotations, name, modalities)
    }


def _truths(
    item: str, annotations: Annotations, name: str, modalities: Collection[Modality]
) -> Iterable[tuple[str, object]]:
    video = annotations.videos[name]
    if item == "sequence" and "video" in modalities:
        return truths(video, item, SEEN)
    if item == "laterality" and "video" in modalities:
        return _sides(video)
    if item == "boundary" and "video" in modalities:
        return [(clip.subject, clip.target_s) for clip in annotations.clips_by_video().get(name, ())]
    return truths(video, item, modalities)


def _sides(video: Video) -> Iterator[tuple[str, object]]:
    """Sides as Task 3 asks for them, also of head turnings that Task 1 does not see."""
    for subject in ("head_turning", "arm_movement"):
        if subject in video.features and video.features[subject].side in SIDES:
            yield subject, video.features[subject].side
    if video.onset_body_part:
        yield "onset_body_part", video.onset_body_part

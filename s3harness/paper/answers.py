"""Released predictions as answers: every cell is parsed by the parser of its task, as a model's reply would be.

Tasks 1 and 5 are read window by window where the windows are released, since the authors' merging hides failures; the
texts of Tasks 2 and 6 are the merged ones, which an LLM wrote from the windows. Predictions that belong to no item are
counted with the numbers of their rows, never dropped silently. No output of this module names a video.
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
from s3harness.rundir.journal_line import JournalEntry
from s3harness.scoring.answers import read_answer
from s3harness.specs.features import vocabulary
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Answer, Clip, Modality, Reference, Response, Video

FAILED = frozenset({"fail", "failed", "error", "videonotexist"})
"""Words of the authors' programs for an answer that they did not get."""
GAVE_UP = "the release records that there is no answer"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleasedCell:
    """One released cell: its file and row, the item and window that it answers, the reply, and its merged reason."""

    file: str
    row: int
    key: Key
    window: int
    reply: str
    failed: bool = False
    text: str | None = None


@dataclass(frozen=True, slots=True)
class UnmatchedRows:
    """Rows of a file whose predictions belong to no item; row 1 is the first below the header."""

    file: str
    reason: str
    rows: tuple[int, ...]


@dataclass
class ReleasedAnswers:
    """Answers to one kind of item, item → window → answer, with the problems of the files that they come from."""

    answers: dict[Key, dict[int, Answer]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unmatched: list[UnmatchedRows] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def register(self, table: ReleaseTable | None, kind: str, columns: Collection[str] = ()) -> ReleaseTable | None:
        """Record a table with its problems, and return it; note and return ``None`` if it or a column is missing."""
        if table is None:
            self.missing.append(f"no file of {kind.replace('_', ' ')}")
            return None
        self.files.append(table.file)
        # Before the columns are checked: the problems of a table may be why it lacks one.
        self.problems += table.problems
        lacking = [name for name in columns if name not in table.columns]
        self.missing += [f"{table.file}: no column {name}" for name in lacking]
        return None if lacking else table


@dataclass(frozen=True, slots=True)
class ReleasedModel:
    """A model of the release, with the annotations that its predictions are scored against."""

    release: Release
    annotations: Annotations
    name: str

    def modalities(self) -> tuple[Modality, ...]:
        """Return the model's modalities, derived from the signs in its tables; video alone where no table tells."""
        # The release does not state which models were given sound: a column of a heard sign tells.
        columns = {column for table_columns in self._columns() for column in table_columns}
        kinds = {feature.modality for feature in vocabulary().features if feature.name in columns}
        return tuple(kind for kind in MODALITIES if kind in kinds) or ("video",)

    def answers(self, item: str, spec: TaskSpec, expected: Collection[Key]) -> ReleasedAnswers:
        """Return the answers to a kind of item; the parser of ``spec`` reads them, ``expected`` are the items."""
        answers, reader = ReleasedAnswers(), _CellReader(spec)
        unmatched: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        for cell in self._cells(item, answers):
            if cell.key in expected:
                answers.answers.setdefault(cell.key, {})[cell.window] = reader.answer(cell)
            else:
                # A set: a row of Task 1 holds a cell per sign, and counts once.
                unmatched[cell.file, self._unmatched_reason(cell.key)].add(cell.row)
        answers.unmatched = [
            UnmatchedRows(file, reason, tuple(sorted(rows))) for (file, reason), rows in unmatched.items()
        ]
        return answers

    def _cells(self, item: str, answers: ReleasedAnswers) -> Iterator[ReleasedCell]:
        """Yield the cells that answer a kind of item; a table that cannot be read is noted, and has no cells."""
        try:
            yield from _READERS[item](self, answers)
        except DatasetError as error:
            # One unreadable file must not stop the scoring of the other tasks and models.
            answers.missing.append(str(error))

    def _columns(self) -> Iterator[tuple[str, ...]]:
        """Yield the columns of each table of signs that can be read."""
        for read, kind in (
            (read_window_table, "features"),
            *((read_predictions, k) for k in ("features", "rationales")),
        ):
            # The problem is reported when the table's answers are read.
            with suppress(DatasetError):
                table = read(self.release, self.name, kind)
                yield table.columns if table else ()

    def _unmatched_reason(self, key: Key) -> str:
        """Return the reason for which a prediction belongs to no item, without the name of the video."""
        video = self.annotations.videos.get(key[0])
        if video is None:
            return "of no known video"
        return "of Sample videos" if video.diagnosis is None else "of videos or signs that are not among the items"


MODALITIES: tuple[Modality, ...] = ("video", "audio")


class _CellReader:
    """Parses cells with the parser of a task; equal cells of a subject are parsed once."""

    def __init__(self, spec: TaskSpec) -> None:
        self._spec = spec
        self._specs: dict[str, TaskSpec] = {}
        # Cells of Task 1 repeat: thousands of windows × 20 signs, and only a few different replies.
        self._cache: dict[tuple[str, str, bool], Answer] = {}

    def answer(self, cell: ReleasedCell) -> Answer:
        """Return the answer of one cell."""
        key = (cell.key[1], cell.reply, cell.failed)
        if key not in self._cache:
            self._cache[key] = self._parse(cell)
        answer, value = self._cache[key], self._cache[key].value
        # The reason is added after the cache, as no two reasons are alike.
        if cell.text is not None and isinstance(value, Mapping):
            value = {**value, "justification": cell.text}
        return replace(answer, value=value, clip=Clip("", 0.0, 0.0, (), 0, index=cell.window))

    def _parse(self, cell: ReleasedCell) -> Answer:
        subject = cell.key[1]
        spec = self._specs.setdefault(subject, self._spec.for_subject(subject))
        response = Response(
            "", cell.reply, status="failed" if cell.failed else "ok", error=GAVE_UP if cell.failed else ""
        )
        # The same function as for a run's journal, so that a released reply is read exactly as ours.
        entry = JournalEntry(
            id="", task=spec.name, item="", subject=subject, clip=Clip("", 0.0, 0.0, (), 0), media="", response=response
        )
        return read_answer(entry, spec)


def _features(model: ReleasedModel, answers: ReleasedAnswers) -> Iterator[ReleasedCell]:
    """Yield yes or no by window, or by video where there are no windows."""
    windows = read_window_table(model.release, model.name, "features")
    # The merged file turns a failed window into "no", so it comes second.
    table = windows or read_predictions(model.release, model.name, "features")
    yield from _signs(answers.register(table, "features"), answers)


def _rationales(model: ReleasedModel, answers: ReleasedAnswers) -> Iterator[ReleasedCell]:
    """Yield yes or no with the merged reason."""
    merged = read_predictions(model.release, model.name, "rationales")
    # A model without a file of merged reasons has the reasons beside its features.
    table = merged or read_predictions(model.release, model.name, "features")
    yield from _signs(answers.register(table, "rationales"), answers, "justification_for_{}")


def _signs(table: ReleaseTable | None, answers: ReleasedAnswers, reason: str = "") -> Iterator[ReleasedCell]:
    if table is None:
        return
    signs = [name for name in vocabulary().names if name in table.columns]
    lacking = [reason.format(name) for name in signs if reason and reason.format(name) not in table.columns]
    answers.missing += [f"{table.file}: no column {name}" for name in lacking]
    # Windows of 30 s are numbered from 0 and those of 60 s from 1; answers are numbered from 0.
    first = first_window_number(table)
    for row, (name, cells) in enumerate(table.rows.items(), start=1):
        video, window = video_of_window(name), window_number(name) - first
        for sign in signs:
            # The release has the parsed answer; the task's parser expects the JSON that was asked for.
            reply = json.dumps({"answer": cells[sign], "justification": ""})
            text = cells.get(reason.format(sign), "") if reason else None
            yield ReleasedCell(
                file=table.file,
                row=row,
                key=(video, sign),
                window=window,
                reply=reply,
                failed=_is_failure(cells[sign]),
                text=text,
            )


def _laterality(model: ReleasedModel, answers: ReleasedAnswers) -> Iterator[ReleasedCell]:
    for subject, (_, column) in LATERALITY.items():
        table = answers.register(read_predictions(model.release, model.name, subject), subject, [column])
        if table is None:
            continue
        for row, (name, cells) in enumerate(table.rows.items(), start=1):
            reply = cells[column]
            # Task 3 asks only about videos that have a side or body part, so "N/A" is no answer.
            failed = reply.upper() == "N/A"
            key = (video_of_window(name), subject)
            yield ReleasedCell(file=table.file, row=row, key=key, window=0, reply=reply, failed=failed)


def _boundaries(model: ReleasedModel, answers: ReleasedAnswers) -> Iterator[ReleasedCell]:
    table = answers.register(
        read_predictions(model.release, model.name, "boundaries"), "boundaries", ["feature", "timestamp"]
    )
    if table is None:
        return
    videos = {clip.clip: clip.video for clip in model.annotations.clips}
    for row, (clip, cells) in enumerate(table.rows.items(), start=1):
        word, reply = cells["feature"], cells["timestamp"]
        # A clip that is not annotated still names its video, so that the row can be counted by its reason.
        video = videos.get(clip) or f"{clip.removesuffix('.mp4').removesuffix(f'_{word}')}.mp4"
        key = (video, CLIP_SUBJECTS.get(word, word))
        yield ReleasedCell(file=table.file, row=row, key=key, window=0, reply=reply, failed=_is_failure(reply))


def _sequence(model: ReleasedModel, answers: ReleasedAnswers) -> Iterator[ReleasedCell]:
    windows = read_window_table(model.release, model.name, "sequence")
    # The file of windows and the merged file call the same column differently.
    column = "event_sequence" if windows else "feature_list"
    table = windows or read_predictions(model.release, model.name, "sequence")
    yield from _texts(table, answers, "sequence", column)


def _report(model: ReleasedModel, answers: ReleasedAnswers) -> Iterator[ReleasedCell]:
    yield from _texts(read_predictions(model.release, model.name, "report"), answers, "report", "report")


def _texts(table: ReleaseTable | None, answers: ReleasedAnswers, subject: str, column: str) -> Iterator[ReleasedCell]:
    table = answers.register(table, subject, [column])
    if table is None:
        return
    first = first_window_number(table)
    for row, (name, cells) in enumerate(table.rows.items(), start=1):
        key, window, reply = (video_of_window(name), subject), window_number(name) - first, cells[column]
        yield ReleasedCell(file=table.file, row=row, key=key, window=window, reply=reply, failed=_is_failure(reply))


def _diagnosis(model: ReleasedModel, answers: ReleasedAnswers) -> Iterator[ReleasedCell]:
    table = answers.register(read_predictions(model.release, model.name, "diagnosis"), "diagnosis")
    if table is None:
        return
    # A model that was asked one of the two questions is scored on this one.
    columns = {subject: column for subject, column in DIAGNOSIS.items() if column in table.columns}
    answers.missing += [f"{table.file}: no column {c}" for s, c in DIAGNOSIS.items() if s not in columns]
    for row, (name, cells) in enumerate(table.rows.items(), start=1):
        for subject, column in columns.items():
            reply = cells[column]
            key = (name, subject)
            yield ReleasedCell(file=table.file, row=row, key=key, window=0, reply=reply, failed=_is_failure(reply))


def _is_failure(cell: str) -> bool:
    return cell.strip().casefold() in FAILED


_READERS: Mapping[str, Callable[[ReleasedModel, ReleasedAnswers], Iterator[ReleasedCell]]] = {
    "feature": _features,
    "rationale": _rationales,
    "laterality": _laterality,
    "boundary": _boundaries,
    "sequence": _sequence,
    "report": _report,
    "diagnosis": _diagnosis,
}
"""Kind of item → reader of its cells."""


TEST_FOLD = "fold0"
"""The fold of the published test tables."""

WITH_REPORT = "video_and_report"
"""The question of Task 7 whose prompt includes the expert's report."""
VIDEO_ONLY: tuple[Modality, ...] = ("video",)

Key = tuple[str, str]
"""The release's name of a video, and the subject of the question."""


def chosen_videos(annotations: Annotations, part: Part) -> dict[str, Video]:
    """Return the labelled videos of the test fold, or all labelled videos."""
    labelled = annotations.labelled
    return {n: video for n, video in labelled.items() if part == "full" or video.split == TEST_FOLD}


def training_videos(annotations: Annotations, part: Part) -> dict[str, Video]:
    """Return the labelled videos of all folds but the test fold; none where all videos are scored."""
    # A floor fitted on the videos that it is scored on would know their truth.
    folds = {n: video for n, video in annotations.labelled.items() if video.split.startswith("fold")}
    return {n: video for n, video in folds.items() if part == "test" and video.split != TEST_FOLD}


def release_items(
    annotations: Annotations, part: Part, task: str, item: str, modalities: Collection[Modality]
) -> dict[Key, Reference]:
    """Return the items of a task for a model that takes these modalities, in the order of the videos."""
    return _items(annotations, chosen_videos(annotations, part), task, item, modalities)


def training_items(
    annotations: Annotations, part: Part, task: str, item: str, modalities: Collection[Modality]
) -> list[Reference] | None:
    """Return the items of the training folds, which floors are fitted on; ``None`` where no fold is left."""
    videos = training_videos(annotations, part)
    return list(_items(annotations, videos, task, item, modalities).values()) or None


def _items(
    annotations: Annotations, videos: Mapping[str, Video], task: str, item: str, modalities: Collection[Modality]
) -> dict[Key, Reference]:
    return {
        (name, subject): Reference(
            # Opaque ids: the names of the release contain a date and the diagnosis.
            item=f"{video.id}/{subject}",
            task=task,
            video_id=video.id,
            subject=subject,
            cluster=int(video.patient[1:]),
            truth=truth,
            # Times of Task 4 are seconds of a clip, so the clip limits the error of an answer.
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
    # One truth for every model with video, whether or not it hears, so that their scores can be compared.
    if item == "sequence" and "video" in modalities:
        return truths(video, item, VIDEO_ONLY)
    if item == "laterality" and "video" in modalities:
        return _sides(video)
    if item == "boundary" and "video" in modalities:
        return [(clip.subject, clip.target_s) for clip in annotations.clips_by_video().get(name, ())]
    return truths(video, item, modalities)


def _sides(video: Video) -> Iterator[tuple[str, object]]:
    """Yield the truths of Task 3, also for head turnings that Task 1 calls absent."""
    for subject in ("head_turning", "arm_movement"):
        if subject in video.features and video.features[subject].side in SIDES:
            yield subject, video.features[subject].side
    if video.onset_body_part:
        yield "onset_body_part", video.onset_body_part

"""The released answers to single windows, and whether our aggregators make the released merged files of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from s3harness.aggregators.order import overlap_merge
from s3harness.aggregators.presence import any_yes_rationale
from s3harness.paper.layout import (
    Release,
    ReleaseTable,
    file_of,
    read_predictions,
    read_release_table,
    video_of_window,
)
from s3harness.specs.features import vocabulary
from s3harness.types import Answer, Clip

WINDOW_FILES: Mapping[str, tuple[str, ...]] = {
    "features": ("Task1_{model}_all.csv", "Task12_{model}_all.csv"),
    "sequence": ("Task5_{model}_all.csv",),
}
"""Kind of prediction → names that the file of its windows may have, the newer first."""
JOINER = " || "
"""What the release puts between the reasons of different windows."""
EMPTY = "nan"
"""What the release makes of an empty cell among others; alone, it is empty again."""
SLEEP = "occur_during_sleep"

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Compared:
    """One released value and what comes out when it is made again; ``place`` names no video.

    ``reason`` is set where the release itself shows that the value is of something else than was released.
    """

    file: str
    model: str
    place: str
    released: str
    remade: str
    matches: bool
    reason: str = ""


def read_window_table(release: Release, model: str, kind: str) -> ReleaseTable | None:
    """The answers to the windows of a kind of prediction; ``None`` where the model has no such file."""
    path = file_of(release, model, WINDOW_FILES[kind])
    return read_release_table(path) if path else None


def windows_by_video(table: ReleaseTable) -> dict[str, list[Cells]]:
    """Video → the rows of its windows in their order."""
    windows = defaultdict(list)
    for name, cells in sorted(table.rows.items(), key=lambda row: window_number(row[0])):
        windows[video_of_window(name)].append(cells)
    return dict(windows)


def first_window_number(table: ReleaseTable) -> int:
    """The number that the first windows of a table have: 0 for windows of 30 s, 1 for those of 60 s."""
    return min(map(window_number, table.rows), default=0)


def window_number(name: str) -> int:
    """The number of a window within its video, 0 for a whole video."""
    match = re.search(r"_segment_(\d+)(?=\.\w+$|$)", name)
    return int(match[1]) if match else 0


def split_tokens(text: str) -> list[str]:
    """A window's list as the authors cut it before merging: at commas or, where there is none, at blanks.

    Full stops stay, so that "head_turning." ends no list that "head_turning" begins.
    """
    bare = text.strip().removeprefix("[").removesuffix("]").replace("，", ",")
    words = bare.split(",") if "," in bare else bare.split()
    return [word for word in (word.strip().strip("'\"") for word in words) if word]


def answers_of(values: Sequence[object]) -> list[Answer]:
    """Values of windows, in order, as answers that could be read."""
    return [
        Answer(str(number), value, clip=Clip("", 0.0, 0.0, (), 0, index=number)) for number, value in enumerate(values)
    ]


def merged_features(release: Release, model: str) -> Iterator[Compared]:
    """Every label and reason of the merged file that has windows, beside what the aggregator makes of them.

    They are merged as the authors did, defects included: a window that is neither "yes" nor "no" is "no" for the label,
    but its reason ("fail", or "nan" for an empty one) joins those of the windows that say yes unless one says no.
    """
    merged, table = read_predictions(release, model, "features"), read_window_table(release, model, "features")
    if merged is None or table is None:
        return
    windows = windows_by_video(table)
    for number, (video, cells) in enumerate(merged.rows.items(), start=1):
        for name in vocabulary().names if video in windows else ():
            if name in cells and all(name in window for window in windows[video]):
                yield from _merged_feature(merged.file, model, f"row {number}, {name}", name, cells, windows[video])


def _merged_feature(
    file: str, model: str, place: str, name: str, cells: Cells, windows: Sequence[Cells]
) -> Iterator[Compared]:
    """The label, and the reason, of one sign in one video."""
    answers = answers_of(_as_merged([window[name].lower() for window in windows], name, windows))
    merged = any_yes_rationale(answers, joiner=JOINER, all_na="no", first_text=name == SLEEP).value
    made = cast("Mapping[str, str]", merged)
    yield _compared(file, model, place, cells[name].lower(), made["present"])
    if (reason := f"justification_for_{name}") in cells:
        yield _compared(file, model, f"{place}, reason", cells[reason], "" if made["text"] == EMPTY else made["text"])


def _as_merged(said: Sequence[str], name: str, windows: Sequence[Cells]) -> list[dict[str, str]]:
    """Answers and reasons of the windows as the authors' merging takes them."""
    otherwise = "yes" if "yes" in said and "no" not in said else "no"
    return [
        {
            "answer": word if word in ("yes", "no") else otherwise,
            "justification": window.get(f"justification_for_{name}") or EMPTY,
        }
        for word, window in zip(said, windows, strict=True)
    ]


def merged_sequences(release: Release, model: str) -> Iterator[Compared]:
    """Every sequence of the merged file that has windows, beside what the aggregator makes of them."""
    merged, table = read_predictions(release, model, "sequence"), read_window_table(release, model, "sequence")
    if merged is None or table is None:
        return
    lists = {name: split_tokens(text) for name, text in table.column("event_sequence").items()}
    windows = defaultdict(list)
    for name in sorted(lists, key=window_number):
        windows[video_of_window(name)].append(lists[name])
    for number, (video, text) in enumerate(merged.column("feature_list").items(), start=1):
        if video in windows:
            tokens = cast("list[str]", overlap_merge(answers_of(windows[video])).value)
            released = split_tokens(text)
            yield _compared(merged.file, model, f"row {number}", ", ".join(released), ", ".join(tokens))


def _compared(file: str, model: str, place: str, released: str, remade: str) -> Compared:
    return Compared(file, model, place, released, remade, released == remade)

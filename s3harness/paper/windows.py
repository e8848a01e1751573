"""Released answers to single windows, and the merged files recomputed from them by our aggregators."""

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
"""Separator between the reasons of different windows in the release."""
EMPTY = "nan"
"""An empty reason among others in the merged files, as pandas prints it; the only reason stays empty."""
SLEEP = "occur_during_sleep"

Cells = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class CellComparison:
    """One released value and the recomputed one (``remade``); ``place`` names no video.

    ``reason`` is set where the release itself shows that the value was computed from other predictions.
    """

    file: str
    model: str
    place: str
    released: str
    remade: str
    matches: bool
    reason: str = ""


def read_window_table(release: Release, model: str, kind: str) -> ReleaseTable | None:
    """Read the answers to the windows of a kind of prediction; ``None`` where the model has no such file."""
    path = file_of(release, model, WINDOW_FILES[kind])
    return read_release_table(path) if path else None


def windows_by_video(table: ReleaseTable) -> dict[str, list[Cells]]:
    """Return video → the rows of its windows in their order."""
    windows = defaultdict(list)
    # By number: in the files window 10 may come before window 2.
    for name, cells in sorted(table.rows.items(), key=lambda row: window_number(row[0])):
        windows[video_of_window(name)].append(cells)
    return dict(windows)


def first_window_number(table: ReleaseTable) -> int:
    """Return the number of the first windows of a table: 0 for windows of 30 s, 1 for those of 60 s."""
    return min(map(window_number, table.rows), default=0)


def window_number(name: str) -> int:
    """Return the number of a window within its video, 0 for a whole video."""
    match = re.search(r"_segment_(\d+)(?=\.\w+$|$)", name)
    return int(match[1]) if match else 0


def split_tokens(text: str) -> list[str]:
    """Split a window's list as the authors do before merging: at commas or, where there is none, at blanks.

    Full stops stay, so that "head_turning." ends no list that "head_turning" begins.
    """
    # Some models answer with a Python list, and some with full-width commas.
    bare = text.strip().removeprefix("[").removesuffix("]").replace("，", ",")
    words = bare.split(",") if "," in bare else bare.split()
    return [word for word in (word.strip().strip("'\"") for word in words) if word]


def answers_of(values: Sequence[object]) -> list[Answer]:
    """Wrap the values of windows, in their order, as answers that could be read."""
    return [
        Answer(str(number), value, clip=Clip("", 0.0, 0.0, (), 0, index=number)) for number, value in enumerate(values)
    ]


def merged_features(release: Release, model: str) -> Iterator[CellComparison]:
    """Compare every label and reason of the merged file that has windows with the aggregate of the windows.

    They are merged as the authors did, defects included: a window that is neither "yes" nor "no" is "no" for the label,
    but its reason ("fail", or "nan" for an empty one) joins those of the windows that say yes unless one says no.
    """
    merged, table = read_predictions(release, model, "features"), read_window_table(release, model, "features")
    if merged is None or table is None:
        return
    windows = windows_by_video(table)
    for number, (video, cells) in enumerate(merged.rows.items(), start=1):
        # Videos and signs without released windows cannot be recomputed.
        for name in vocabulary().names if video in windows else ():
            if name in cells and all(name in window for window in windows[video]):
                yield from _merged_feature(merged.file, model, f"row {number}, {name}", name, cells, windows[video])


def _merged_feature(
    file: str, model: str, place: str, name: str, cells: Cells, windows: Sequence[Cells]
) -> Iterator[CellComparison]:
    """Compare the label, and the reason, of one sign in one video."""
    answers = answers_of(_as_merged([window[name].lower() for window in windows], name, windows))
    # The authors' merging keeps only the first reason for sleep, and calls a sign absent if no window could tell.
    merged = any_yes_rationale(answers, joiner=JOINER, all_na="no", first_text=name == SLEEP).value
    recomputed = cast("Mapping[str, str]", merged)
    yield _compare(file, model, place, cells[name].lower(), recomputed["present"])
    if (reason := f"justification_for_{name}") in cells:
        text = "" if recomputed["text"] == EMPTY else recomputed["text"]
        yield _compare(file, model, f"{place}, reason", cells[reason], text)


def _as_merged(words: Sequence[str], name: str, windows: Sequence[Cells]) -> list[dict[str, str]]:
    """Return answers and reasons of the windows as the authors' merging reads them."""
    # A window without a readable answer counts as "yes" only to have its reason joined with those of "yes" windows.
    otherwise = "yes" if "yes" in words and "no" not in words else "no"
    return [
        {
            "answer": word if word in ("yes", "no") else otherwise,
            "justification": window.get(f"justification_for_{name}") or EMPTY,
        }
        for word, window in zip(words, windows, strict=True)
    ]


def merged_sequences(release: Release, model: str) -> Iterator[CellComparison]:
    """Compare every sequence of the merged file that has windows with the aggregate of the windows."""
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
            # Both as token lists: the blanks and quotes of a cell are no part of the merging.
            released = split_tokens(text)
            yield _compare(merged.file, model, f"row {number}", ", ".join(released), ", ".join(tokens))


def _compare(file: str, model: str, place: str, released: str, remade: str) -> CellComparison:
    return CellComparison(
        file=file, model=model, place=place, released=released, remade=remade, matches=released == remade
    )

"""Times of day, dates, and events that share a file or have several."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from s3harness.dataset.drafting.columns import MOSTLY, Column
from s3harness.dataset.drafting.findings import CUT, Draft, Status
from s3harness.dataset.importing.rows import file_name
from s3harness.dataset.importing.times import DAY_S, clock_of_minutes, moment, seconds

CUT_S = 60
"""Seconds that are kept before and after an event that is cut out of a longer recording."""
LONGEST_EVENT_S = 6 * 3600.0
"""Times of day this long after the recording's start, at most, are taken for times of day."""
HOUR_S = 3600.0
"""Times beyond this may be of the day, or of a recording of a whole night."""


def take_events(draft: Draft) -> None:
    """Find the column that tells the events of a file apart, or brings the files of one event together."""
    mapping, video = draft.mapping, draft.mapping["video"]
    candidates = [
        c for c in draft.free() if c.has("seizure") and (c.has("number") or not c.has_times or len(c.words) == 1)
    ]
    candidates += [c for c in draft.free() if c not in candidates and (c.has("running") or c.concepts == {"number"})]
    for column in candidates:
        of_file, of_event = defaultdict(set), defaultdict(set)
        for row in draft.table.rows:
            of_file[file_name(row[video])].add(row[column.name])
            of_event[row[mapping["patient"]] if "patient" in mapping else "", row[column.name]].add(row[video])
        several = any(len(events) > 1 for events in of_file.values())
        is_of_rows = len(column.values) == len(draft.table.rows) and not column.has("seizure")
        # A running number of the rows tells no events apart.
        if several and is_of_rows and len(of_file) < len(draft.table.rows):
            continue
        shared = any(len(files) > 1 for files in of_event.values())
        if shared and "camera" not in mapping:
            draft.take("part", lambda c: c.has("part"), why="the files of an event are joined in this order")
        if several or (shared and {"camera", "part"} & mapping.keys()):
            draft.role("event", column, "a file holds several events" if several else "")
            if several:
                _take_cut(draft)
            return
    _take_onsets(draft)


def _take_onsets(draft: Draft) -> None:
    """Take the onset for what tells events apart, where a file has several and no column numbers them."""
    mapping = draft.mapping
    onset = mapping.get("onset")
    onsets: defaultdict[str, set[str]] = defaultdict(set)
    for row in draft.table.rows if onset else ():
        onsets[row[mapping["video"]]].add(row[str(onset)])
    if any(len(of_video - {""}) > 1 for of_video in onsets.values()):
        mapping["event"] = onset
        why = "a file has several onsets: each is an event of its own"
        draft.note("column", str(onset), "event", "confirm", why)
        _take_cut(draft)


def _take_cut(draft: Draft) -> None:
    """Propose to cut events that share a file out of it: a model would see the signs of the others."""
    draft.mapping["cut_s"] = CUT_S
    why = f"each with up to {CUT_S} s around it; write no cut_s to show a model the whole file for each event"
    draft.note("rows", CUT, "are cut out", "confirm", why)


def take_times(draft: Draft) -> None:
    """Decide whether times are of the day, by the start of the recording, and in which order dates stand."""
    mapping = draft.mapping
    names = [mapping.get("onset"), mapping.get("offset")]
    names += [mapping.get("sign", {}).get(role) for role in ("start", "end")]
    names += [columns.get(role) for columns in mapping.get("features", {}).values() for role in ("start", "end")]
    timed = [column for column in draft.columns if column.name in names]
    start = mapping.get("recording_start")
    if start is not None and not draft.column(start).of_clocks:
        _take_minutes(draft, start, timed)
        return
    if not any(column.of_clocks for column in timed):
        draft.forget("recording_start", "no other column has times of day")
        return
    if start is None:
        if any(_is_late(value) for column in timed for value in column.values):
            why = "they look like times of day, and no column has the start of the recording"
            draft.note("times", ", ".join(c.name for c in timed), "seconds from the start", "confirm", why)
        return
    elapsed = [*_elapsed(draft, start, [column.name for column in timed])]
    fitting = sum(0 <= one <= LONGEST_EVENT_S for one in elapsed) / max(1, len(elapsed))
    # A recording of a whole night has late times in either reading; short ones are only read from its start.
    if fitting < 0.9 and not any(_is_late(value, HOUR_S) for column in timed for value in column.values):
        draft.forget("recording_start", "times in other columns are none of the day")
        return
    status: Status = "understood" if fitting == 1 else "confirm"
    why = "" if fitting == 1 else "some are hours after the start; write no recording_start if they count from it"
    meaning = f"H:MM:SS is a time of day, counted from {start}; plain numbers are seconds of the video"
    draft.note("times", ", ".join(c.name for c in timed), meaning, status, why)
    if any(column.of_dates for column in (*timed, *(c for c in draft.columns if c.name == start))):
        draft.take("date", lambda c: c.has("date") and not c.has("birth") and c.of_dates >= MOSTLY)
        _take_date_order(draft, [*timed, *(c for c in draft.columns if c.name in (start, mapping.get("date")))])


def _take_minutes(draft: Draft, start: str, timed: Sequence[Column]) -> None:
    """Decide whether HH:MM is a time of day, where the start of the recording has no seconds."""
    pairs = [
        (clock_of_minutes(row[start]), clock_of_minutes(row[column.name]))
        for row in draft.table.rows
        for column in timed
    ]
    elapsed = [(clock - begin) % DAY_S for begin, clock in pairs if begin is not None and clock is not None]
    if elapsed and sum(one <= LONGEST_EVENT_S for one in elapsed) >= 0.9 * len(elapsed):
        meaning = f"HH:MM is a time of day, counted from {start}"
        names = ", ".join(column.name for column in timed)
        draft.note("times", names, meaning, "confirm", "to the minute alone: too coarse for tasks of time")
    else:
        draft.forget("recording_start", "times in other columns are none of the day")


def _take_date_order(draft: Draft, columns: Sequence[Column]) -> None:
    orders = Counter(order for column in columns for value in column.values for order in _orders(value))
    total = sum(bool(_orders(value)) for column in columns for value in column.values)
    fitting = [order for order in ("dmy", "mdy", "ymd") if total and orders[order] == total]
    order = fitting[0] if fitting else "dmy"
    draft.mapping["date_order"] = order
    status: Status = "understood" if len(fitting) == 1 else "confirm"
    draft.note("dates", "", order, status, "" if len(fitting) == 1 else "the dates fit several orders")


def _elapsed(draft: Draft, start: str, names: Iterable[str]) -> Iterator[float]:
    for row in draft.table.rows:
        begin = moment(row[start])[1]
        for name in names:
            clock = moment(row[name])[1]
            if begin is not None and clock is not None:
                yield (clock - begin) % DAY_S


def _is_late(value: str, limit_s: float = LONGEST_EVENT_S) -> bool:
    try:
        return (seconds(value) or 0) > limit_s
    except ValueError:
        return True


def _orders(value: str) -> list[str]:
    year_first = re.match(r"\s*\d{4}\b", value) is not None
    orders = ("ymd",) if year_first else ("dmy", "mdy")
    return [order for order in orders if moment(value, order)[0] is not None]

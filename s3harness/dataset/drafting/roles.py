"""Roles of columns: the video, the patient, signs and their times, sides and certainty, the diagnosis."""

from __future__ import annotations

from collections import defaultdict
from functools import partial

from s3harness.dataset.drafting.columns import MOSTLY, Column, doubt
from s3harness.dataset.drafting.findings import Draft
from s3harness.dataset.drafting.signs import understand_value
from s3harness.dataset.importing.mapping import IGNORE
from s3harness.dataset.importing.times import clock_of_minutes
from s3harness.specs.features import vocabulary


def take_video(draft: Draft) -> None:
    """Find the column of the video files, by its cells or else by its header."""
    named = [c for c in draft.columns if c.has("video") or c.has("file") or c.has("recording")]
    plain = [c for c in named if not c.concepts & {"begin", "end", "date", "time", "duration", "camera"}]
    best = max(draft.columns, key=lambda c: (c.of_files, c in plain), default=None)
    if best is not None and best.of_files >= MOSTLY:
        draft.role("video", best)
    elif plain:
        # Names without an ending are looked for among the files all the same.
        column = max(plain, key=lambda c: len(c.values))
        draft.role("video", column, "its values are not names of video files")


def take_patient(draft: Draft) -> None:
    """Find the column that tells patients apart: a code before a name."""
    free = [c for c in draft.free() if not c.concepts & {"birth", "age", "sex", "date", "reader", "video", "file"}]
    coded = [c for c in free if c.has("patient", "number")]
    named = [c for c in free if c.has("patient") or c.has("record")] or [c for c in free if c.has("name")]
    for column in (*coded[:1], *named[:1]):
        many = len([c for c in free if c.has("name") or c.has("patient")]) > 1 and not coded
        draft.role("patient", column, "other columns name patients, too" if many else "")
        return
    draft.note("rows", "patient", "every file", "confirm", "no column tells patients apart")


def take_signs(draft: Draft) -> None:
    """Find the column whose cells name signs, or the columns whose headers do."""
    free = [c for c in draft.free() if not c.concepts & {"diagnosis", "report", "comment", "patient", "reason"}]
    lists = [c for c in free if c.of_signs >= 0.5 and len(c.values) > 1 and c.of_presence < MOSTLY]
    named = [c for c in lists if c.has("sign")]
    if lists:
        column = max(named or lists, key=lambda c: c.of_signs)
        draft.role("sign.column", column, "" if named else "its header says nothing, its cells name signs")
        return
    features: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for column in free:
        understood = column.sign
        if understood is None or understood.meaning in ("seizure", IGNORE):
            continue
        role = _role_of_sign(column)
        if role and role in features[understood.meaning]:
            draft.note("column", column.name, "", "not understood", f"a second column of {understood.meaning}")
        elif role:
            features[understood.meaning][role] = column.name
            why = doubt(understood)
            draft.noted(column, f"features.{understood.meaning}.{role}", why)
    for name, roles in features.items():
        _add_presence(draft, name, roles)
    complete = {name: roles for name, roles in features.items() if "present" in roles}
    for name in features.keys() - complete.keys():
        draft.release(f"features.{name}.")
    if complete:
        order = [*vocabulary().names, *vocabulary().signs]
        draft.mapping["features"] = {name: complete[name] for name in order if name in complete}


def _add_presence(draft: Draft, name: str, roles: dict[str, str]) -> None:
    """Take the presence of a sign from its time or side, where no column says yes or no."""
    other = next((roles[role] for role in ("start", "side", "end") if role in roles), None)
    if "present" not in roles and other is not None:
        roles["present"] = other
        draft.note("column", other, f"features.{name}.present", "confirm", "a time or a side means that it occurred")


def _role_of_sign(column: Column) -> str:
    roles = {"begin": "start", "end": "end", "side": "side", "duration": "duration", "certain": "certainty"}
    roles |= {"reason": "justification", "comment": "justification"}
    named = [role for concept, role in roles.items() if concept in column.beside_sign]
    # A word of the header may be a preposition: its cells must have the form, too.
    role = next((role for role in named if _fits(role, column)), "")
    return role or (
        "present" if column.of_presence + column.of_sides + column.of_times >= 0.5 or not column.values else ""
    )


def _fits(role: str, column: Column) -> bool:
    shares = {"start": column.of_times, "end": column.of_times, "duration": column.of_times}
    shares |= {"side": column.of_sides, "certainty": column.of_certainty}
    # 0 and 1 are times, too, and so are words for no and yes.
    is_presence = role in ("start", "end") and column.of_presence >= MOSTLY
    return not column.values or (shares.get(role, 1.0) >= 0.5 and not is_presence)


def take_roles(draft: Draft) -> None:
    """Find the columns of the diagnosis, of times, of the report, and of what a row says of its sign."""
    has_list = "sign" in draft.mapping
    draft.take("diagnosis.column", lambda c: c.has("diagnosis") and c.of_diagnoses > 0.3, lambda c: c.of_diagnoses)
    if "diagnosis" not in draft.mapping:
        draft.take("diagnosis.column", _is_diagnosis_by_values, lambda c: c.of_diagnoses, "by its cells alone")
    draft.take(
        "onset",
        lambda c: (c.has("seizure", "begin") or c.has("clinical", "begin")) and c.has_times and not c.has("eeg"),
        _times,
    )
    draft.take(
        "offset",
        lambda c: (c.has("seizure", "end") or c.has("clinical", "end")) and c.has_times and not c.has("eeg"),
        _times,
    )
    draft.take("recording_start", _is_recording_start, lambda c: c.of_clocks)
    draft.take("camera.column", lambda c: c.has("camera"))
    draft.take("report", lambda c: c.has("report") and not c.has("diagnosis"), lambda c: sum(map(len, c.values[:50])))
    draft.take("split", lambda c: c.has("group") and len(c.values) <= 10)
    for concept, of_sign, of_event in (("begin", "start", "onset"), ("end", "end", "offset")):
        # The event's time is the same in all rows of a video, a sign's is not.
        of_events = [c.name for c in draft.free() if not has_list or draft.is_of_video(c)]
        draft.take(of_event, partial(_is_time_of, concept, of_events), _times)
        if has_list:
            draft.take(f"sign.{of_sign}", partial(_is_time_of, concept, None), _times)
    if has_list:
        draft.take("sign.duration", lambda c: c.has("duration") and not c.has("seizure") and c.has_times)
        draft.take("sign.side", lambda c: c.has("side") and c.of_sides >= 0.5, lambda c: c.of_sides)
        draft.take("sign.certainty", lambda c: c.has("certain") and c.of_certainty >= MOSTLY)
        draft.take("sign.present", lambda c: c.has("present") and c.of_presence >= 0.5, lambda c: c.of_presence)
        draft.take("sign.justification", lambda c: c.has("reason"))
        draft.take("sign.side", _is_side_by_values, lambda c: c.of_sides, "by its cells alone")


def _is_time_of(concept: str, among: list[str] | None, column: Column) -> bool:
    if among is not None and column.name not in among:
        return False
    return column.has(concept) and not column.concepts & {"recording", "eeg"} and column.has_times


def _times(column: Column) -> float:
    return column.of_times


def _is_recording_start(column: Column) -> bool:
    of_recording = column.has("recording", "begin") or column.has("recording", "time") or column.has("video", "begin")
    is_clock = column.of_clocks >= MOSTLY or column.share(clock_of_minutes) >= MOSTLY
    return of_recording and not column.has("seizure", "begin", "end") and is_clock


def _is_diagnosis_by_values(column: Column) -> bool:
    return len(column.values) in range(2, 10) and column.of_diagnoses == 1 and column.of_files == 0


def _is_side_by_values(column: Column) -> bool:
    return column.of_sides == 1 and any(understand_value(value, ("left", "right")) for value in column.values)

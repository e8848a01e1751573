"""Meanings of the words in cells, and of rows that belong together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from s3harness.dataset.drafting.columns import PRESENCE, SIDES, Column, doubt, is_time
from s3harness.dataset.drafting.findings import Draft, Status
from s3harness.dataset.drafting.signs import understand_diagnosis, understand_sign, understand_value
from s3harness.dataset.drafting.table_words import table_words
from s3harness.dataset.importing.mapping import IGNORE


def take_words(draft: Draft) -> None:
    """Give a meaning to every word for a diagnosis, a sign, a presence, a side or a certainty."""
    mapping = draft.mapping
    if "diagnosis" in mapping:
        column = draft.column(mapping["diagnosis"]["column"])
        mapping["diagnosis"]["values"] = {v: _diagnosis(draft, v, column) for v in column.values}
    if "sign" in mapping:
        values = draft.column(mapping["sign"]["column"]).values
        mapping["sign"]["vocabulary"] = {value: _sign(draft, value) for value in values}
    of_signs = [mapping.get("sign", {}), *mapping.get("features", {}).values()]
    words: dict[str, list[str]] = {}
    for role, meanings, otherwise in (
        ("present", PRESENCE, "untested"),
        ("side", SIDES, "no_side"),
        ("certainty", ("certain", "uncertain"), "uncertain"),
    ):
        names = {columns[role] for columns in of_signs if role in columns}
        for value in dict.fromkeys(v for c in draft.columns if c.name in names for v in c.values):
            for word, meaning in _words(draft, role, value, meanings, otherwise):
                if word not in words.setdefault(meaning, []):
                    words[meaning].append(word)
    if words:
        mapping["words"] = words


def _diagnosis(draft: Draft, value: str, column: Column) -> str:
    understood = understand_diagnosis(value)
    if understood is None:
        draft.note(column.name, value, "unknown", "not understood", "no word for a diagnosis")
        return "unknown"
    status: Status = "understood" if understood.is_certain else "confirm"
    draft.note(column.name, value, understood.meaning, status, doubt(understood))
    return understood.meaning


def _sign(draft: Draft, value: str) -> str | dict[str, str]:
    column = draft.mapping["sign"]["column"]
    understood = understand_sign(value)
    if understood is None:
        draft.note(column, value, IGNORE, "not understood", "no sign of this name: left out")
        return IGNORE
    status: Status = "understood" if understood.is_certain else "confirm"
    shown = " ".join(filter(None, (understood.meaning, understood.side, understood.present)))
    draft.note(column, value, shown, status, doubt(understood))
    further = {"side": understood.side, "present": understood.present}
    further = {key: word for key, word in further.items() if word}
    return {"sign": understood.meaning, **further} if further else understood.meaning


def _words(draft: Draft, role: str, value: str, meanings: tuple[str, ...], otherwise: str) -> list[tuple[str, str]]:
    """Return the words of a cell in small letters with their meanings: one, or those of its parts."""
    meaning = understand_value(value, meanings)
    if meaning is not None:
        draft.note(role, value, meaning.replace("_", " "), "understood")
        return [(value.lower(), meaning)]
    # A cell may give a time, or a side and a word: what it says is read from its parts.
    parts = [part.strip("()[]") for part in re.split(r"[\s,;/]+", value) if part.strip("()[]")]
    read = [(part.lower(), understand_value(part, (*PRESENCE, *SIDES))) for part in parts if not is_time(part)]
    if role == "present" and all(meaning for _, meaning in read):
        if read:
            draft.note(role, value, " ".join(str(meaning) for _, meaning in read), "confirm", "read by its parts")
        return [(word, meaning) for word, meaning in read if meaning]
    draft.note(role, value, otherwise.replace("_", " "), "not understood", "no word that is known here")
    return [(value.lower(), otherwise)]


def take_rows(draft: Draft) -> None:
    """Note empty cells that repeat the one above, unlisted signs, and several rows of a sign."""
    mapping = draft.mapping
    _take_fill_down(draft)
    if "sign" not in mapping:
        _take_marks(draft)
        return
    words = mapping["sign"]["vocabulary"]
    present = draft.column(mapping["sign"]["present"]) if "present" in mapping["sign"] else None
    if present is None or not any(understand_value(value, ("no",)) for value in present.values):
        mapping["unlisted"] = "no"
        mapping["unlisted_untested"] = [s for s in table_words().unlisted_untested if s in _meanings(words)]
        why = "the table lists only what occurred; write unknown if nobody looked for the other signs"
        draft.note("rows", "a sign that a video has no row of", "no", "confirm", why)
    event = mapping.get("event")
    counts = Counter(
        (
            row[mapping["video"]],
            row[event] if event else "",
            _meaning(words.get(row[mapping["sign"]["column"]], "")),
        )
        for row in draft.table.rows
    )
    if any(number > 1 and sign not in ("", IGNORE) for (_, _, sign), number in counts.items()):
        mapping["repeats"] = "join"
        why = "the interval then goes from the first onset to the last end"
        draft.note("rows", "several rows of a sign in a video", "one sign", "confirm", why)


def _take_marks(draft: Draft) -> None:
    """Note that empty cells are absent signs, in a table with a column per sign that has no word for no."""
    columns = [draft.column(roles["present"]) for roles in draft.mapping.get("features", {}).values()]
    has_no = any(understand_value(value, ("no", "untested")) for column in columns for value in column.values)
    if columns and not has_no:
        draft.mapping["unlisted"] = "no"
        draft.mapping["unlisted_untested"] = [
            s for s in table_words().unlisted_untested if s in draft.mapping["features"]
        ]
        why = "the table marks only what occurred; write unknown if nobody looked for the other signs"
        draft.note("rows", "an empty cell of a sign", "no", "confirm", why)


def _take_fill_down(draft: Draft) -> None:
    mapping = draft.mapping
    video = mapping["video"]
    blank = [row for row in draft.table.rows if not row[video]]
    if blank and draft.table.rows[0][video]:
        names = [
            mapping[key]
            for key in ("video", "patient", "onset", "offset", "recording_start", "event")
            if key in mapping
        ]
        names += [mapping["diagnosis"]["column"]] if "diagnosis" in mapping else []
        mapping["fill_down"] = [n for n in dict.fromkeys(names) if all(not row[n] for row in blank)]
        why = f"{len(blank)} rows without a video"
        draft.note("rows", "empty cells", "repeat the cell above", "confirm", why)


def _meaning(meaning: str | Mapping[str, str]) -> str:
    return meaning if isinstance(meaning, str) else meaning["sign"]


def _meanings(words: Mapping[str, str | Mapping[str, str]]) -> set[str]:
    return {_meaning(meaning) for meaning in words.values()}

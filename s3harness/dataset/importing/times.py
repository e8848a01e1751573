"""Times as annotators write them: seconds, MM:SS, times of day of a recorder, dates, decimal commas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

DAY_S = 86_400.0
BEFORE_START_S = 1_800.0
"""A time of day this little before the recording's start is an error, and no event of 23.5 hours later."""
DATE_ORDERS = ("dmy", "mdy", "ymd")

_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2}):(\d{2}(?:[.,]\d+)?)\s*([ap]\.?m\.?)?", re.ASCII | re.IGNORECASE)
_HALF_DAY = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:[.,]\d+)?))?\s*([ap]\.?m\.?)", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"(\d{1,4})[./\-\s]+(\d{1,2})[./\-\s]+(\d{1,4})\.?", re.ASCII)
_HOURS = re.compile(
    r"(\d{1,2})\s*h\s*(\d{2})\s*(?:m|min|mn|')?\s*(\d{2}(?:[.,]\d+)?)\s*(?:s|sec|''|\")?", re.ASCII | re.IGNORECASE
)
_MINUTES = re.compile(r"(\d{1,2})\s*[:h]\s*(\d{2})", re.ASCII | re.IGNORECASE)
_UNITS = re.compile(
    r"(?:(\d+)\s*(?:h|hrs?|std|stunden?|heures?|horas?)\.?\s*)?"
    r"(?:(\d+)\s*(?:m|min|mins|minuten?|minutes?|minutos?|minuti|')\.?\s*)?"
    r"(?:(\d+(?:[.,]\d+)?)\s*(?:s|sec|secs|sek|seg|seconds?|sekunden?|secondes?|segundos?|secondi|''|\")?\.?)?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class RecordingStart:
    """Start of a recording by the clock: seconds after midnight, and the day where the table has one.

    ``in_minutes`` says that times of day have no seconds: 14:05 is five past two, and not a time of the recording.
    """

    seconds: float
    day: date | None = None
    in_minutes: bool = False


def seconds(text: str) -> float | None:
    """Parse ``37``, ``37.5`` (or ``37,5``), ``MM:SS``, ``H:MM:SS``, ``1 min 20 s`` into seconds; ``None`` if empty.

    Raises :class:`ValueError` for anything else.
    """
    if not text:
        return None
    # Decimal commas come with semicolon-separated tables.
    parts = text.replace(",", ".").split(":")
    if len(parts) <= 3 and all(map(_NUMBER.fullmatch, parts)) and "." not in "".join(parts[:-1]):
        first, *rest = map(float, parts)
        if any(part >= 60 for part in rest):
            raise ValueError(f"{text!r} is not a time: minutes and seconds after a colon go up to 59")
        return sum(60.0**n * part for n, part in enumerate(reversed([first, *rest])))
    units = _UNITS.fullmatch(text)
    if units is None or not any(units.groups()):
        raise ValueError(f"{text!r} is not a time: write seconds, MM:SS or H:MM:SS")
    hours, minutes, rest_s = (float((part or "0").replace(",", ".")) for part in units.groups())
    return hours * 3600 + minutes * 60 + rest_s


def seconds_in_recording(text: str, start: RecordingStart | None, date_order: str = "dmy") -> float | None:
    """Return the seconds from the start of the recording of a cell that may hold a time of day, ``None`` if empty.

    Numbers and ``MM:SS`` count from the start as they are. Raises :class:`ValueError` as :func:`seconds` does, and for
    a time of day before the start.
    """
    day, clock = moment(text, date_order)
    if start is not None and start.in_minutes and clock is None:
        clock = clock_of_minutes(text)
    if start is None or clock is None:
        return seconds(text)
    if day is not None and start.day is not None:
        elapsed = (day - start.day) / timedelta(seconds=1) + clock - start.seconds
    else:
        # Recordings run over midnight.
        elapsed = (clock - start.seconds) % DAY_S
        elapsed = elapsed - DAY_S if elapsed > DAY_S - BEFORE_START_S else elapsed
    if elapsed < 0:
        raise ValueError(f"{text!r} is before the start of the recording")
    # The clock has milliseconds at most; subtraction of floats leaves more digits.
    return round(elapsed, 3)


def moment(text: str, date_order: str = "dmy") -> tuple[date | None, float | None]:
    """Return the day and the seconds after midnight in a text; ``None`` for what it does not hold."""
    plain = re.sub(r"\s*(?:uhr|h)\s*$", "", text.strip(), flags=re.IGNORECASE).replace("T", " ")
    matched = _DATE.match(plain)
    day = _day(matched, date_order) if matched else None
    rest = plain[matched.end() :].strip(" ,;-") if matched and day else plain
    return day, _clock(rest)


def clock_of_minutes(text: str) -> float | None:
    """Return the seconds after midnight of a time of day without seconds, 14:05 or 14h05; ``None`` if it is none."""
    matched = _MINUTES.fullmatch(re.sub(r"\s*uhr\s*$", "", text.strip(), flags=re.IGNORECASE))
    if matched is None or int(matched[1]) > 23 or int(matched[2]) > 59:
        return None
    return int(matched[1]) * 3600.0 + int(matched[2]) * 60


def _clock(text: str) -> float | None:
    text = _HOURS.sub(r"\1:\2:\3", text)
    matched = _HALF_DAY.fullmatch(text) or _TIME_OF_DAY.fullmatch(text)
    if matched is None:
        return None
    hours, minutes, rest, half = matched.groups()
    hour = int(hours) % 12 + 12 * half.lower().startswith("p") if half else int(hours)
    if hour > 23 or int(minutes) > 59:
        return None
    return hour * 3600.0 + int(minutes) * 60 + float((rest or "0").replace(",", "."))


def _day(matched: re.Match[str], order: str) -> date | None:
    parts = [int(part) for part in matched.groups()]
    # A number of four digits is the year, whatever the order says.
    order = "ymd" if len(matched[1]) == 4 else order if order != "ymd" or len(matched[3]) < 4 else "dmy"
    values = dict(zip(order, parts, strict=True))
    year = values["y"] + 2000 if values["y"] < 100 else values["y"]
    try:
        return date(year, values["m"], values["d"])
    except ValueError:
        return None

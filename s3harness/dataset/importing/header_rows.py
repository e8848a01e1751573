"""Headers of two rows: the upper one names groups of columns, such as signs, the lower one the columns of a group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def header_rows(rows: Sequence[Sequence[str]], header: int) -> tuple[int, list[str]]:
    """Return the index of a table's last header row and the names of its columns.

    ``rows`` are the first rows of a table, ``header`` is the index of the one that looks like its header. The name of a
    group stands above the first of its columns: ``tonic | | `` above ``yes/no | from | to`` gives ``tonic yes/no``,
    ``tonic from``, ``tonic to``. They are taken only where the names of the lower row would be ambiguous without them.
    """
    for lower in (header + 1, header):
        if 0 < lower < len(rows) and (names := _joined(rows[lower - 1], rows[lower])):
            return lower, names
    return header, list(rows[header]) if header < len(rows) else []


def _joined(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Return the names of two header rows; empty if they are none."""
    repeated = {name for name, n in Counter(lower).items() if name and n > 1}
    upper = [*upper, *[""] * (len(lower) - len(upper))]
    # A cell that is merged over both rows has the same text in both.
    groups = [name if name != below else "" for name, below in zip(upper, lower, strict=False)]
    starts = [n for n, name in enumerate(groups) if name and lower[n]]
    # Without an empty cell behind the name of a group, the lower row is one of data; so it is where a name stands above
    # a single column whose text is no other column's, as "file" does above "a.mp4".
    is_group = any(name in repeated and not above for name, above in zip(lower, upper, strict=False))
    is_data = any(n + 1 < len(upper) and upper[n + 1] and lower[n] not in repeated for n in starts)
    if not is_group or not starts or is_data:
        return []
    names = [name or above for name, above in zip(lower, upper, strict=False)]
    for start, end in zip(starts, [*starts[1:], len(lower)], strict=True):
        # Behind the last group there may be columns that belong to none.
        last = max((n for n in range(start, end) if lower[n] in repeated), default=start)
        for n in range(start, end if end < len(lower) else last + 1):
            names[n] = f"{groups[start]} {lower[n]}".strip()
    written = [name for name in names if name]
    return names if len(set(written)) == len(written) else []

"""A draft of a mapping under construction: its entries, and a line for each decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from s3harness.dataset.drafting.columns import Column
from s3harness.dataset.importing.mapping import IGNORE
from s3harness.dataset.importing.source_table import SourceTable

CUT = "events that share a file"
"""Place of the finding about the cutting of files."""
Status = Literal["understood", "confirm", "not understood"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing of the table and its meaning in the draft: ``what`` is its place, ``why`` the reason of a doubt."""

    what: str
    word: str
    meaning: str
    status: Status
    why: str = ""


@dataclass
class Draft:
    """A mapping of a table under construction, and a line for each decision; ``taken`` is column → role."""

    table: SourceTable
    columns: list[Column]
    mapping: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)

    def note(self, what: str, word: str, meaning: str, status: Status, why: str = "") -> None:
        """Note the meaning of one thing of the table."""
        self.findings.append(Finding(what, word, meaning, status, why))

    def free(self) -> list[Column]:
        """Return the columns without a role."""
        return [column for column in self.columns if column.name not in self.taken]

    def column(self, name: str) -> Column:
        """Return the column of a name."""
        return next(column for column in self.columns if column.name == name)

    def has_role(self, role: str) -> bool:
        """Return whether a role, such as ``sign.start``, is taken."""
        place, _, key = role.partition(".")
        return place in self.mapping and (not key or key in self.mapping[place])

    def is_of_video(self, column: Column) -> bool:
        """Return whether a column has one value in all rows of each video, of which some have several rows."""
        values: defaultdict[str, list[str]] = defaultdict(list)
        for row in self.table.rows:
            values[row[self.mapping["video"]]].append(row[column.name])
        several = [of_video for of_video in values.values() if len(of_video) > 1]
        return bool(several) and all(len({value for value in of_video if value}) <= 1 for of_video in several)

    def role(self, role: str, column: Column, why: str = "") -> None:
        """Give a role to a column; with a reason of doubt, it is to be confirmed."""
        place, _, key = role.partition(".")
        if key:
            self.mapping.setdefault(place, {})[key] = column.name
        else:
            self.mapping[place] = column.name
        self.noted(column, role.removesuffix(".column"), why)

    def noted(self, column: Column, role: str, why: str) -> None:
        """Note that a column has a role."""
        self.taken[column.name] = role
        self.note("column", column.name, role, "confirm" if why else "understood", why)

    def release(self, roles: str) -> None:
        """Free the columns whose roles begin so, which lead to nothing."""
        for name in [name for name, role in self.taken.items() if role.startswith(roles)]:
            self.taken.pop(name)
            self.findings = [one for one in self.findings if one.word != name or one.what != "column"]

    def forget(self, role: str, why: str) -> None:
        """Take a role back, as other columns do not fit it."""
        name = self.mapping.pop(role, None)
        if name is not None:
            self.taken.pop(name)
            self.findings = [one for one in self.findings if one.word != name or one.what != "column"]
            self.note("column", name, "left out", "understood", why)
            self.ignored.append(name)
            self.taken[name] = IGNORE

    def take(
        self,
        role: str,
        is_fit: Callable[[Column], bool],
        rank: Callable[[Column], float] = lambda _: 0.0,
        why: str = "",
    ) -> None:
        """Give a role to the fitting column of the highest rank; two that fit alike are to be confirmed."""
        if self.has_role(role):
            return
        fitting = [column for column in self.free() if is_fit(column)]
        if not fitting:
            return
        best = max(fitting, key=rank)
        others = [c.name for c in fitting if c is not best and rank(c) == rank(best)]
        self.role(role, best, why or (f"so might {', '.join(others)}" if others else ""))

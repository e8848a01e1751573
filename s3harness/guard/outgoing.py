"""The gate that every text passes before a model, a judge or a trainer is given it.

Certain identifiers refuse the call; likely ones do until somebody has looked at them once. Both may be let through with
a reason, which is kept with what comes of the call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from s3harness.errors import UsageError
from s3harness.guard.identifiers import KINDS, Identifier
from s3harness.guard.review import code_of, confirm
from s3harness.guard.search import Search, fingerprint, masked

SHOWN = 30
TIERS = {"certain": "refused", "likely": "please review"}


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """A text that would go out: of which video, if of one, and which field of it."""

    video: str
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class OutgoingIdentifier:
    """An identifier in a text that would go out; ``shown`` is it, masked, with what stands around it."""

    video: str
    field: str
    kind: str
    tier: str
    shown: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What the user says of identifiers: a ``reason`` to let them through, or the code of a list that was ``reviewed``.

    ``folder`` is where confirmations are kept.
    """

    reason: str = ""
    reviewed: str = ""
    folder: Path | None = None


class IdentifiersError(UsageError):
    """Texts with identifiers would go out; ``found`` are they, and nothing was sent."""

    def __init__(self, found: Sequence[OutgoingIdentifier], to_whom: str) -> None:
        self.found = tuple(found)
        certain = sum(one.tier == "certain" for one in found)
        count = f"{len(found)} identifier{'s' if len(found) != 1 else ''}"
        remedy = _remedy(found, certain)
        super().__init__("\n".join([f"{count} would reach {to_whom}, so nothing is sent:", *_table(found), *remedy]))


def identifiers_going_out(texts: Iterable[OutgoingText], search: Search) -> list[OutgoingIdentifier]:
    """Return the identifiers in texts, each once a video and field."""
    found: dict[OutgoingIdentifier, None] = {}
    for text in texts:
        identifiers = search(text.text)
        for one in identifiers:
            found.setdefault(_outgoing(text, one, identifiers))
    return list(found)


def check_outgoing(
    texts: Iterable[OutgoingText], search: Search, consent: Consent, to_whom: str = "the model"
) -> dict[str, object]:
    """Refuse texts with identifiers, or return what was let through: the reason and how many of each kind.

    Empty where there was nothing to let through. Raises :class:`IdentifiersError`.
    """
    found = identifiers_going_out(texts, search)
    likely = {one.fingerprint for one in found if one.tier == "likely"}
    if consent.reviewed and likely:
        if consent.folder is not None:
            confirm(consent.folder, likely, consent.reviewed)
        found = [one for one in found if one.tier == "certain"]
    if not found:
        return {}
    if not consent.reason.strip():
        raise IdentifiersError(found, to_whom)
    return {"reason": consent.reason.strip(), "kinds": dict(sorted(Counter(one.kind for one in found).items()))}


def _outgoing(text: OutgoingText, one: Identifier, others: Sequence[Identifier]) -> OutgoingIdentifier:
    shown = masked(text.text, one, others)
    return OutgoingIdentifier(text.video, text.field, one.kind, one.tier, shown, fingerprint(text.text, one))


def _table(found: Sequence[OutgoingIdentifier]) -> list[str]:
    ordered = sorted(found, key=lambda one: one.tier != "certain")
    rows = [("video", "field", "", "kind", "text")]
    rows += [(o.video or "–", o.field, TIERS[o.tier], KINDS[o.kind], o.shown) for o in ordered[:SHOWN]]
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    lines = [
        "  " + "  ".join(f"{cell:<{w}}" for cell, w in zip(row[:4], widths, strict=True)) + f"  {row[4]}"
        for row in rows
    ]
    return [*lines, f"  … and {len(found) - SHOWN} more"] if len(found) > SHOWN else lines


def _remedy(found: Sequence[OutgoingIdentifier], certain: int) -> list[str]:
    lines = []
    if certain:
        lines.append(
            "Remove them from the data set's tables (s3harness data validate lists the rows), or allow them with "
            "--allow-identifiers REASON, which is recorded in the manifest."
        )
    likely = [one.fingerprint for one in found if one.tier == "likely"]
    if likely:
        what = "the list to review" if certain else "this list"
        lines.append(f"Look at {what}; if all of it is harmless, confirm it once: --reviewed {code_of(likely)}")
    return lines

"""The check that every text passes before it is given to a model, a judge or a trainer, or exported.

Certain identifiers refuse the call; likely ones do until somebody has looked at them once. Both may be let through with
a reason, which is kept with what comes of the call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from s3harness.errors import UsageError
from s3harness.guard.identifiers.kinds import KINDS, Identifier
from s3harness.guard.identifiers.search import Search, fingerprint, masked
from s3harness.guard.review import code_of, confirm

MAX_ROWS = 100
"""Identifiers that an error lists; the rest is counted."""
TIERS = {"certain": "refused", "likely": "please review"}


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """A text that would go out, with its video (empty for a text of no video) and field."""

    video: str
    field: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingIdentifier:
    """An identifier in a text that would go out; ``shown`` is the masked identifier with the text around it."""

    video: str
    field: str
    kind: str
    tier: str
    shown: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Consent:
    """Consent of the user: a ``reason`` to let identifiers through, or the code of a list that was ``reviewed``.

    ``folder`` is the folder of the confirmations.
    """

    reason: str = ""
    reviewed: str = ""
    folder: Path | None = None


class IdentifiersError(UsageError):
    """Raised where texts with ``identifiers`` would go out; nothing was sent."""

    def __init__(self, identifiers: Sequence[OutgoingIdentifier], to_whom: str) -> None:
        self.identifiers = tuple(identifiers)
        count = f"{len(identifiers)} identifier{'s' if len(identifiers) != 1 else ''}"
        heading = f"{count} would reach {to_whom}, so nothing is sent:"
        super().__init__("\n".join([heading, *_table(identifiers), *_remedies(identifiers)]))


def identifiers_going_out(texts: Iterable[OutgoingText], search: Search) -> list[OutgoingIdentifier]:
    """Return the identifiers in texts, each once a video and field."""
    # A dict keeps the order of the texts; a report is in the prompt of many items, and is named once.
    outgoing: dict[OutgoingIdentifier, None] = {}
    for text in texts:
        identifiers = search(text.text)
        for one in identifiers:
            outgoing.setdefault(_outgoing(text, one, identifiers))
    return list(outgoing)


def check_outgoing(
    texts: Iterable[OutgoingText], search: Search, consent: Consent, to_whom: str = "the model"
) -> dict[str, object]:
    """Refuse texts with identifiers, or return the reason to let them through and the number of each kind.

    The result is empty where there was nothing to let through. Raises :class:`IdentifiersError`.
    """
    identifiers = identifiers_going_out(texts, search)
    likely = {one.fingerprint for one in identifiers if one.tier == "likely"}
    if consent.reviewed and likely:
        if consent.folder is not None:
            confirm(consent.folder, likely, consent.reviewed)
        # A review is of likely ones; certain ones still need a reason.
        identifiers = [one for one in identifiers if one.tier == "certain"]
    if not identifiers:
        return {}
    if not consent.reason.strip():
        raise IdentifiersError(identifiers, to_whom)
    # Kinds and numbers alone: the result is written into manifests, which may be shared.
    kinds = dict(sorted(Counter(one.kind for one in identifiers).items()))
    return {"reason": consent.reason.strip(), "kinds": kinds}


def _outgoing(text: OutgoingText, one: Identifier, others: Sequence[Identifier]) -> OutgoingIdentifier:
    return OutgoingIdentifier(
        video=text.video,
        field=text.field,
        kind=one.kind,
        tier=one.tier,
        shown=masked(text.text, one, others),
        fingerprint=fingerprint(text.text, one),
    )


def _table(identifiers: Sequence[OutgoingIdentifier]) -> list[str]:
    ordered = sorted(identifiers, key=lambda one: one.tier != "certain")
    rows = [("video", "field", "", "kind", "text")]
    rows += [(o.video or "–", o.field, TIERS[o.tier], KINDS[o.kind], o.shown) for o in ordered[:MAX_ROWS]]
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    lines = [
        "  " + "  ".join(f"{cell:<{w}}" for cell, w in zip(row[:4], widths, strict=True)) + f"  {row[4]}"
        for row in rows
    ]
    rest = len(identifiers) - MAX_ROWS
    return [*lines, f"  … and {rest} more"] if rest > 0 else lines


def _remedies(identifiers: Sequence[OutgoingIdentifier]) -> list[str]:
    lines = []
    has_certain = any(one.tier == "certain" for one in identifiers)
    if has_certain:
        lines.append(
            "Remove them from the data set's tables (s3harness data validate lists the rows, s3harness data deidentify "
            "replaces them), or allow them with --allow-identifiers REASON, which is recorded in the manifest."
        )
    likely = [one.fingerprint for one in identifiers if one.tier == "likely"]
    if likely:
        rows = "the rows to review" if has_certain else "this list"
        lines.append(f"Look at {rows}; if all of it is harmless, confirm it once: --reviewed {code_of(likely)}")
    return lines

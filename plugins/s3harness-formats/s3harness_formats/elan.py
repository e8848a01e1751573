"""ELAN ``.eaf`` files, one a recording, by pympi.

Each source has a tier of its own, whose annotations are signs of a controlled vocabulary. ELAN allows no overlaps
within a tier, so that signs at the same time go to further tiers, ``truth 2`` and so on; the participant is always the
source. Side, certainty and note are in tiers that depend on it. Statements without a time are in the header, as
properties of the file.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import s3harness
from s3harness_formats.labels import (
    LabelMeanings,
    ReadStatements,
    apply_details,
    details,
    is_timed,
    lanes,
    not_to_the_millisecond,
    parse_details,
    span,
    statement_text,
)

WITHOUT_TIME = "without time: "
"""Beginning of the key of a property that holds a statement without a time; the source follows."""
CHILDREN = ("side", "certainty", "note", "times")
SIGNS, OF_SIDE = "signs", "sides"
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Control characters, which XML has no way to write."""
_ZERO_DATE = "1970-01-01T00:00:00+00:00"


def export_elan(annotations: s3harness.AnnotationSet, out: Path) -> list[str]:
    """Write ``ID.eaf`` for each recording."""
    from pympi.Elan import Eaf

    for recording in annotations.recordings:
        eaf = Eaf(author="s3harness")
        # The moment of the export is nobody's business, and the same annotations give the same file.
        eaf.adocument["DATE"] = _ZERO_DATE
        _declare(eaf, annotations)
        if recording.file:
            # Without a place on this machine: ELAN looks beside the file, and asks where it is.
            eaf.add_linked_file(recording.file, relpath=recording.file, mimetype="video/mp4")
        for source, statements in recording.statements.items():
            _write_source(eaf, source, statements)
        eaf.remove_tier("default")
        eaf.to_file(str(out / f"{recording.id}.eaf"))
    return not_to_the_millisecond(annotations)


def read_elan(path: Path, labels: LabelMeanings) -> ReadStatements:
    """Read one file. An annotation names its sign by its value, or its tier does; raises :class:`DatasetError`."""
    from pympi.Elan import Eaf

    try:
        eaf = Eaf(str(path), suppress_version_warning=True)
    # pympi 1.71 turns a parse error into a plain Exception, and trips over foreign XML in many ways.
    except Exception as error:
        raise s3harness.DatasetError(f"{path.name} is no ELAN file: {error}; save it with ELAN again") from error
    read = ReadStatements()
    statements: dict[str, list[s3harness.SignStatement]] = {}
    for key, text in eaf.properties:
        if str(key).startswith(WITHOUT_TIME):
            one = read.statement(labels, str(text))
            statements.setdefault(str(key).removeprefix(WITHOUT_TIME), []).append(one)
    further = _of_children(eaf)
    for tier, (aligned, _, attributes, _) in eaf.tiers.items():
        source = attributes.get("PARTICIPANT") or attributes.get("ANNOTATOR") or tier
        for key, (start, end, value, _) in aligned.items():
            fields = dict(further.get(key, {}))
            fields |= parse_details(fields.pop("times", ""))
            by_value, by_tier = labels.statement(value or ""), labels.statement(tier)
            one = by_value or by_tier or read.statement(labels, value or tier)
            begin_s, end_s = (eaf.timeslots[slot] / 1000 for slot in (start, end))
            if by_tier and not by_value and value:
                # The tier's name is the sign, so that the value is a remark.
                fields.setdefault("note", value)
            statements.setdefault(source, []).append(_timed(one, begin_s, end_s, fields))
    ordered = {source: tuple(of_source) for source, of_source in statements.items()}
    read.recordings.append(s3harness.Recording(id=path.stem, file=_media(eaf), statements=ordered))
    return read


def _declare(eaf: Any, annotations: s3harness.AnnotationSet) -> None:
    """Declare the vocabularies, and the types of tiers that use them."""
    eaf.add_language("eng", "http://cdb.iso.org/lg/CDB-00138502-001", "English (eng)")
    for name, entries in ((SIGNS, annotations.signs), (OF_SIDE, {side: side for side in ("left", "right", "both")})):
        eaf.add_controlled_vocabulary(name)
        eaf.add_cv_description(name, "eng", name)
        for number, (value, title) in enumerate(entries.items()):
            eaf.add_cv_entry(name, f"cveid_{name}_{number}", [(value, "eng", title)])
    eaf.add_linguistic_type("sign")
    eaf.linguistic_types["sign"]["CONTROLLED_VOCABULARY_REF"] = SIGNS
    for child in CHILDREN:
        eaf.add_linguistic_type(child, constraints="Symbolic_Association", timealignable=False)
    eaf.linguistic_types["side"]["CONTROLLED_VOCABULARY_REF"] = OF_SIDE


def _write_source(eaf: Any, source: str, statements: tuple[s3harness.SignStatement, ...]) -> None:
    for number, row in enumerate(lanes(filter(is_timed, statements)), start=1):
        tier = source if number == 1 else f"{source} {number}"
        eaf.add_tier(tier, ling="sign", part=source)
        for one in row:
            start, end = (round(1000 * time) for time in span(one))
            eaf.add_annotation(tier, start, end, one.sign)
            parent = next(reversed(eaf.tiers[tier][0]))
            for child, value in _values(one).items():
                _hang_on(eaf, f"{child} of {tier}", child, tier, source, parent, value)
    for one in statements:
        if not is_timed(one):
            eaf.add_property(f"{WITHOUT_TIME}{source}", statement_text(one, omit=("start", "end")))


def _values(one: s3harness.SignStatement) -> dict[str, str]:
    """Return dependent tier → its value for a statement, without empty ones."""
    times = details(one, omit=("side", "certainty", "note"))
    # An interval of no length and one of a millisecond look alike: the first is marked.
    if one.start_s == one.end_s:
        times = "; ".join(filter(None, (times, "end=start")))
    values = {"side": one.side or "", "certainty": one.certainty, "note": one.note, "times": times}
    return {child: _NO_XML.sub(" ", value) for child, value in values.items() if value}


def _hang_on(eaf: Any, name: str, kind: str, tier: str, source: str, parent: str, value: str) -> None:
    """Add an annotation that depends on ``parent``; pympi's own method may take a neighbour."""
    if name not in eaf.tiers:
        eaf.add_tier(name, ling=kind, parent=tier, part=source)
    annotation = eaf.generate_annotation_id()
    eaf.annotations[annotation] = name
    eaf.tiers[name][1][annotation] = (parent, value, None, None)


def _of_children(eaf: Any) -> dict[str, dict[str, str]]:
    """Return annotation → field → value, of the tiers that depend on it."""
    fields: dict[str, dict[str, str]] = {}
    for _, references, attributes, _ in eaf.tiers.values():
        kind = attributes.get("LINGUISTIC_TYPE_REF", "")
        for parent, value, _, _ in references.values():
            if kind in CHILDREN:
                fields.setdefault(parent, {})[kind] = value or ""
            elif value:
                # A tier of another kind that hangs on an annotation is a remark.
                fields.setdefault(parent, {}).setdefault("note", value)
    return fields


def _timed(
    one: s3harness.SignStatement, start_s: float, end_s: float, fields: dict[str, str]
) -> s3harness.SignStatement:
    # An instant, and a statement with its end alone, stand where they begin.
    is_instant = fields.get("end") == "start" or fields.get("start") == "none"
    return apply_details(replace(one, start_s=start_s, end_s=start_s if is_instant else end_s), fields)


def _media(eaf: Any) -> str:
    paths = Counter(str(one.get("RELATIVE_MEDIA_URL") or one.get("MEDIA_URL", "")) for one in eaf.media_descriptors)
    return next(iter(paths), "").removeprefix("./")

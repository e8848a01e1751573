"""EDF+ annotations, one file without signals a recording, by edfio.

An annotation's text is ``source: sign``, with more in brackets: ``truth: tonic (side=left)``. EDF+ keeps times with any
precision. A statement without a time stands at 0 s and says ``start=none``. Patient and recording fields stay empty.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import s3harness
from s3harness_formats.labels import LabelMeanings, ReadStatements, statement_text

SEPARATOR = ": "
UNNAMED = "annotator"
"""Source of annotations that name none."""


def export_edf(annotations: s3harness.AnnotationSet, out: Path) -> list[str]:
    """Write ``ID.edf`` for each recording with a statement."""
    import edfio

    empty = 0
    for recording in annotations.recordings:
        pairs = [(source, one) for source, statements in recording.statements.items() for one in statements]
        if not pairs:
            empty += 1
            continue
        edf = edfio.Edf([], annotations=[edfio.EdfAnnotation(*_annotation(source, one)) for source, one in pairs])
        edf.write(out / f"{recording.id}.edf")
    # EDF+ has no file without signals and annotations.
    return [f"{empty} recording{'' if empty == 1 else 's'} without annotations left out"] if empty else []


def read_edf(path: Path, labels: LabelMeanings) -> ReadStatements:
    """Read the annotations of one file, with signals or without; raises :class:`DatasetError`."""
    import edfio

    try:
        edf = edfio.read_edf(path)
        annotations = edf.annotations
    except Exception as error:
        raise s3harness.DatasetError(f"{path.name} is no EDF+ file: {error}; export it again") from error
    read = ReadStatements()
    statements: dict[str, list[s3harness.SignStatement]] = {}
    for onset, duration, text in annotations:
        source, separator, label = text.partition(SEPARATOR)
        one = labels.statement(label) if separator else None
        if one is None:
            source, one = UNNAMED, read.statement(labels, text)
        statements.setdefault(source, []).append(_with_times(one, text, float(onset), duration))
    ordered = {source: tuple(of_source) for source, of_source in statements.items()}
    length = float(edf.duration) or None
    read.recordings.append(s3harness.Recording(id=path.stem, duration_s=length, statements=ordered))
    return read


def _annotation(source: str, one: s3harness.SignStatement) -> tuple[float, float | None, str]:
    """Return onset, duration and text; an end without a start is an onset that says so."""
    start, end = one.start_s, one.end_s
    omit = () if start is None else ("start", "end")
    text = f"{source}{SEPARATOR}{statement_text(one, omit=omit)}"
    if start is None:
        return end or 0.0, None, text
    # Subtracted in whole microseconds: in binary fractions 20.1 s − 3.3 s is no decimal number.
    return start, None if end is None else (round(end * 1e6) - round(start * 1e6)) / 1e6, text


def _with_times(
    one: s3harness.SignStatement, text: str, onset: float, duration: float | None
) -> s3harness.SignStatement:
    if "start=none" not in text:
        return replace(one, start_s=onset, end_s=None if duration is None else _sum(onset, duration))
    return one if "end=none" in text else replace(one, end_s=onset)


def _sum(onset: float, duration: float) -> float:
    return (round(onset * 1e6) + round(duration * 1e6)) / 1e6

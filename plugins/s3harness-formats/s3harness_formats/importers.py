"""Importers: files of another tool as annotations of videos, which the harness writes as a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import s3harness
from s3harness_formats.bids import read_bids
from s3harness_formats.boris import read_boris
from s3harness_formats.edf import read_edf
from s3harness_formats.elan import read_elan
from s3harness_formats.label_studio import read_label_studio
from s3harness_formats.labels import LabelMeanings, ReadStatements

TRUTH = "truth"
CERTAIN = ("certain", "sure", "definite", "sicher", "sûr", "seguro")
"""Words for a certain annotation; any other word that is no number means an uncertain one."""
SHOWN_LABELS = 20

Read = Callable[..., ReadStatements]


def importer(read: Read, *suffixes: str, whole_folder: bool = False) -> s3harness.AnnotationImporter:
    """Return the importer of a format: ``read`` reads one file, or with ``whole_folder`` a folder too."""

    def annotations(source: Path, *, annotator: str = "", **options: object) -> s3harness.SourceAnnotations:
        """Read a file, or all files of the format in a folder, whose subfolders are then the patients."""
        files = _files(source, suffixes, whole_folder=whole_folder)
        labels = LabelMeanings()
        rows: list[s3harness.SourceAnnotation] = []
        notes: list[str] = []
        for file in files:
            read_file = read(file, labels, **options)
            patient = _patient(file, source, files)
            for recording in read_file.recordings:
                rows += _rows(recording, patient, file.name, annotator, notes)
            notes += [f"{file.name}: {n} × {label!r}" for label, n in read_file.unmapped.most_common(SHOWN_LABELS)]
        if not any(row.patient != row.video for row in rows):
            notes.append("nothing tells the patients apart: every recording counts as a patient of its own")
        return s3harness.SourceAnnotations(rows, tuple(notes))

    return s3harness.AnnotationImporter(annotations)


def _files(source: Path, suffixes: Sequence[str], *, whole_folder: bool) -> list[Path]:
    if not source.exists():
        raise s3harness.UsageError(f"{source} does not exist; name a file, or a folder of files")
    if source.is_file() or whole_folder:
        return [source]
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
    if not files:
        raise s3harness.UsageError(f"{source} holds no file that ends with {' or '.join(suffixes)}")
    return files


def _patient(file: Path, source: Path, files: Sequence[Path]) -> str:
    """Return the patient's folder, where every file lies in one; "" else."""
    parts = [path.relative_to(source).parts for path in files] if source.is_dir() else []
    is_by_folder = bool(parts) and all(len(names) > 1 for names in parts)
    return file.relative_to(source).parts[0] if is_by_folder else ""


def _rows(
    recording: s3harness.Recording, patient: str, file: str, annotator: str, notes: list[str]
) -> Iterator[s3harness.SourceAnnotation]:
    source = _chosen(recording, annotator, file)
    if source is None:
        notes.append(f"{file}: {recording.id} has no annotation")
        return
    others = [name for name in recording.statements if name != source]
    if others:
        notes.append(f"{file}: {recording.id}: annotations of {source} are imported, not those of {', '.join(others)}")
    # The video by the name that the source has for it; by that of the annotations where it has none.
    video = Path(recording.file.replace("\\", "/")).name if recording.file else recording.id
    place = f"{file}: {recording.id}: {source}"
    for one in _joined(recording.statements[source], place, notes):
        certainty, remark = _certainty(one)
        note = "; ".join(filter(None, (one.note, remark)))
        is_seizure = one.sign == s3harness.SEIZURE
        yield s3harness.SourceAnnotation(
            place=f"{place}: {one.sign}",
            video=video,
            patient=patient or recording.patient or video,
            sign=one.sign,
            present="" if is_seizure else one.present,
            start=one.start_s,
            end=one.end_s,
            side=one.side or "",
            certainty=certainty,
            justification=note,
        )


def _chosen(recording: s3harness.Recording, annotator: str, file: str) -> str | None:
    """Return the source whose annotations are imported; :class:`UsageError` where nobody has chosen among several."""
    sources = list(recording.statements)
    if annotator:
        if annotator not in sources:
            known = ", ".join(sources) or "none"
            raise s3harness.UsageError(f"{file}: {recording.id} has no annotator {annotator!r}; there are: {known}")
        return annotator
    if len(sources) > 1 and TRUTH not in sources:
        known = ", ".join(sources)
        raise s3harness.UsageError(
            f"{file}: {recording.id} has annotations of {known}; choose one with -o annotator=NAME"
        )
    return TRUTH if TRUTH in sources else next(iter(sources), None)


def _joined(
    statements: Sequence[s3harness.SignStatement], place: str, notes: list[str]
) -> Iterator[s3harness.SignStatement]:
    """Yield one statement a sign: a data set has one interval of it, from the first beginning to the last end."""
    by_sign: dict[str, list[s3harness.SignStatement]] = {}
    for one in statements:
        by_sign.setdefault(one.sign, []).append(one)
    for sign, several in by_sign.items():
        if len(several) == 1:
            yield several[0]
            continue
        present = [one for one in several if one.present == "yes"] or several[:1]
        starts = [one.start_s for one in present if one.start_s is not None]
        ends = [one.end_s for one in present if one.end_s is not None]
        sides = {one.side for one in present if one.side}
        notes.append(f"{place}: {sign}: {len(several)} annotations become one, from the first to the last")
        if len(sides) > 1:
            notes.append(f"{place}: {sign}: its sides differ, so that it is on both")
        joined = replace(
            present[0],
            start_s=min(starts, default=None),
            end_s=max(ends, default=None),
            side="both" if len(sides) > 1 else next(iter(sides), None),
            note="; ".join(dict.fromkeys(one.note for one in present if one.note)),
        )
        # An end before the beginning comes of annotations that each have one time alone.
        is_turned = None not in (joined.start_s, joined.end_s) and (joined.end_s or 0) < (joined.start_s or 0)
        yield replace(joined, end_s=None) if is_turned else joined


def _certainty(one: s3harness.SignStatement) -> tuple[str, str]:
    """Return certain, uncertain or "", and a remark with what a data set has no word for."""
    word = one.certainty.strip().lower()
    if not word:
        return "", ""
    if word in CERTAIN:
        return "certain", ""
    # A probability of a model, or a score of the tool's own.
    if word.replace(".", "", 1).isdigit():
        return "", f"certainty {one.certainty}"
    return "uncertain", "" if word == "uncertain" else f"certainty: {one.certainty}"


import_elan = importer(read_elan, ".eaf")
import_boris = importer(read_boris, ".boris")
import_edf = importer(read_edf, ".edf")
import_bids = importer(read_bids, whole_folder=True)
import_label_studio = importer(read_label_studio, ".json")

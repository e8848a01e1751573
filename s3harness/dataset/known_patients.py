"""Patients that a model was trained on, stored so that they are recognised later and none is named.

A patient is recognised by *marks*: the content of each annotated video, the place of each video in a data set, and the
name in the hospital's files, where the data set keeps it in ``private/``. Marks stay in the process. A salted digest of
each is stored, without an order that links those of one patient. The digest of a name is slow (scrypt), because names
are few enough to be tried; even so, a reader of the file can test any name that he can think of.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from s3harness.dataset.sources import read_sources
from s3harness.types import Video

Marks = Mapping[int, frozenset[str]]
"""Number of a patient → the patient's marks."""

NAME, CONTENT, PLACE = "name:", "content:", "place:"

_ASSIGNED = re.compile(r"p?\d{1,6}", re.ASCII)
_SCRYPT_N = 1 << 12
"""Cost of the digest of a name: about 10 ms each, so that a list of a million names takes hours, not seconds."""


@dataclass(frozen=True, slots=True)
class KnownPatients:
    """Set of patients by their marks; with a ``salt`` (hexadecimal), by the digests of their marks."""

    marks: frozenset[str] = field(repr=False)
    salt: str = ""

    @classmethod
    def of(cls, patients: Iterable[int], marks: Marks) -> KnownPatients:
        """Return the patients of these numbers."""
        return cls(frozenset(mark for patient in set(patients) for mark in marks[patient]))

    def sealed(self) -> KnownPatients:
        """Return the same patients by digests under a new salt, as they may be written to a file."""
        salt = secrets.token_hex(16)
        return KnownPatients(frozenset(_digest(mark, salt) for mark in self.marks), salt)

    def met_in(self, marks: Marks) -> set[int]:
        """Return the numbers of the patients in ``marks`` who are among these."""
        return {patient for patient, own in marks.items() if any(self._knows(mark) for mark in own)}

    def _knows(self, mark: str) -> bool:
        return (_digest(mark, self.salt) if self.salt else mark) in self.marks


def place_mark(fingerprint: str, video_id: str) -> str:
    """Return the mark of a video by its place: the fingerprint of its data set, and its opaque id."""
    return f"{PLACE}{fingerprint}/{video_id}"


def patient_marks(
    videos: Iterable[Video], numbers: Mapping[str, int], fingerprint: str, names: Mapping[str, str]
) -> dict[int, frozenset[str]]:
    """Return number of each patient → the patient's marks; ``numbers`` are by patient id, ``names`` by video id."""
    marks: defaultdict[int, set[str]] = defaultdict(set)
    for video in videos:
        name = names.get(video.id, "" if _ASSIGNED.fullmatch(video.patient) else video.patient)
        marks[numbers[video.patient]] |= {place_mark(fingerprint, video.id), _content_mark(video)}
        marks[numbers[video.patient]] |= {f"{NAME}{name}"} if name else set()
    # Content that two patients share (an empty report, say) identifies neither.
    holders = Counter(mark for own in marks.values() for mark in own)
    return {patient: frozenset(mark for mark in own if holders[mark] == 1) for patient, own in marks.items()}


def source_names(directory: Path) -> dict[str, str]:
    """Return video id → the patient's name in the source, as an import keeps it in ``private/``; often empty."""
    return {row["video_id"]: row["patient"] for row in read_sources(directory) if row["patient"]}


def _content_mark(video: Video) -> str:
    """Return the mark of a video by its annotations, whatever its id, file and split."""
    # Ends and durations are left out: an import drops ends beyond the end of a file, where it has the file.
    signs = {n: (f.present, _rounded(f.start_s), f.side, f.justification) for n, f in video.features.items()}
    content = json.dumps([video.diagnosis, sorted(signs.items()), video.report], ensure_ascii=False)
    return f"{CONTENT}{hashlib.sha256(content.encode()).hexdigest()}"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _digest(mark: str, salt: str) -> str:
    if mark.startswith(NAME):
        slow = hashlib.scrypt(mark.encode(), salt=bytes.fromhex(salt), n=_SCRYPT_N, r=8, p=1, dklen=16)
        return slow.hex()
    return hashlib.sha256(f"{salt}/{mark}".encode()).hexdigest()[:32]

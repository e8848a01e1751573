"""Who was trained on, written down so that whoever is met again is recognised, and nobody is named.

A patient is known by *marks*: the content of each annotated video, each video's place in a data set, and the name that
the hospital's files had, where the data set keeps it in ``private/``. Marks stay in the process. What is kept is a
salted digest of each, in no order that says whose it is. The digest of a name is made slow (scrypt), because names are
few enough to be tried; still, whoever may ask "was this patient trained on?" can ask it of any name he can think of.
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
"""Number of a patient → his marks."""

NAME, CONTENT, PLACE = "name:", "content:", "place:"

_ASSIGNED = re.compile(r"p?\d{1,6}", re.ASCII)
_SCRYPT_N = 1 << 12


@dataclass(frozen=True, slots=True)
class KnownPatients:
    """Patients by their marks; with a ``salt`` (hexadecimal), by the digests of their marks."""

    marks: frozenset[str] = field(repr=False)
    salt: str = ""

    @classmethod
    def of(cls, patients: Iterable[int], marks: Marks) -> KnownPatients:
        """The patients of these numbers."""
        return cls(frozenset(mark for patient in set(patients) for mark in marks[patient]))

    def sealed(self) -> KnownPatients:
        """The same patients by digests under a new salt: what may be written to a file."""
        salt = secrets.token_hex(16)
        return KnownPatients(frozenset(_digest(mark, salt) for mark in self.marks), salt)

    def met_in(self, marks: Marks) -> set[int]:
        """The numbers of those who are among these patients."""
        return {patient for patient, own in marks.items() if any(self._knows(mark) for mark in own)}

    def _knows(self, mark: str) -> bool:
        return (_digest(mark, self.salt) if self.salt else mark) in self.marks


def place_mark(fingerprint: str, video_id: str) -> str:
    """The mark of a video by where it stands: the fingerprint of its data set, and its opaque id."""
    return f"{PLACE}{fingerprint}/{video_id}"


def patient_marks(
    videos: Iterable[Video], numbers: Mapping[str, int], fingerprint: str, names: Mapping[str, str]
) -> dict[int, frozenset[str]]:
    """Number of each patient → his marks; ``numbers`` are by patient id, ``names`` by video id.

    Content that two patients share says who neither is, and is no mark.
    """
    found: defaultdict[int, set[str]] = defaultdict(set)
    for video in videos:
        name = names.get(video.id, "" if _ASSIGNED.fullmatch(video.patient) else video.patient)
        found[numbers[video.patient]] |= {place_mark(fingerprint, video.id), _content_mark(video)}
        found[numbers[video.patient]] |= {f"{NAME}{name}"} if name else set()
    holders = Counter(mark for own in found.values() for mark in own)
    return {patient: frozenset(mark for mark in own if holders[mark] == 1) for patient, own in found.items()}


def source_names(directory: Path) -> dict[str, str]:
    """Video id → the patient's name where the data came from, as an import keeps it in ``private/``; often empty."""
    return {row["video_id"]: row["patient"] for row in read_sources(directory) if row["patient"]}


def _content_mark(video: Video) -> str:
    """All that is said of the signs of a video, whatever its id, its file and its split are.

    Ends and durations are left out: an import drops ends beyond the end of a file, where it has the file.
    """
    signs = {n: (f.present, _rounded(f.start_s), f.side, f.justification) for n, f in video.features.items()}
    told = json.dumps([video.diagnosis, sorted(signs.items()), video.report], ensure_ascii=False)
    return f"{CONTENT}{hashlib.sha256(told.encode()).hexdigest()}"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _digest(mark: str, salt: str) -> str:
    if mark.startswith(NAME):
        slow = hashlib.scrypt(mark.encode(), salt=bytes.fromhex(salt), n=_SCRYPT_N, r=8, p=1, dklen=16)
        return slow.hex()
    return hashlib.sha256(f"{salt}/{mark}".encode()).hexdigest()[:32]

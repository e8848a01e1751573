"""Video files of an import: found in the folder of the recordings under the names of a table, copied or linked."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from s3harness.errors import MediaError

VIDEO_SUFFIXES = frozenset(
    {
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
        ".mpg",
        ".mpeg",
        ".mts",
        ".m2ts",
        ".m2t",
        ".ts",
        ".wmv",
        ".asf",
        ".3gp",
        ".vob",
        ".m2v",
        ".flv",
        ".f4v",
        ".ogv",
        ".mxf",
        ".dav",
        ".divx",
        ".h264",
        ".h265",
        ".hevc",
        ".mjpeg",
        ".dv",
        ".wtv",
        ".nut",
    }
)


_LOST = re.compile("[?\ufffd]")
"""Letters that an encoding did not have."""


@dataclass
class VideoFolder:
    """Folder of recordings; ``missing`` collects the names of which there is no file, ``notes`` other spellings."""

    path: Path
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def file_of(self, name: str) -> Path | None:
        """Return the file that a table names: by its name, in another case or folder, or without its ending."""
        # macOS writes names with combining accents (u and ¨), spreadsheets with composed letters (ü).
        for form in (name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)):
            if (self.path / form).is_file():
                return self.path / form
        for key in (_key(Path(name).name), _key(Path(name).stem)):
            # Two files of a name that fits would make a guess of it.
            if len(files := self._by_key.get(key, [])) == 1:
                self.notes.append(f"{name}: taken from {files[0].relative_to(self.path)}")
                return files[0]
        self.missing.append(name)
        return None

    def restored(self, name: str) -> str:
        """Return a name whose lost letters, written as question marks, are those of the one file that fits it."""
        if not _LOST.search(name):
            return name
        pattern = re.compile(_LOST.sub(".", re.escape(_LOST.sub("?", name)).replace(r"\?", "?")))
        files = {path for paths in self._by_key.values() for path in paths}
        fitting = [path for path in files if pattern.fullmatch(unicodedata.normalize("NFC", path.name))]
        # No file system of a recorder allows a question mark in a name.
        return unicodedata.normalize("NFC", fitting[0].name) if len(fitting) == 1 else name

    @cached_property
    def _by_key(self) -> dict[str, list[Path]]:
        """Files of the folder at any depth, by name and by name without ending, case and accents aside."""
        keys: defaultdict[str, list[Path]] = defaultdict(list)
        for path in sorted(self.path.rglob("*")):
            if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
                for key in {_key(path.name), _key(path.stem)}:
                    keys[key].append(path)
        return keys


def bring(source: Path, target: Path, *, link: bool) -> None:
    """Copy or link a video file."""
    if link:
        target.symlink_to(source.resolve())
    else:
        shutil.copyfile(source, target)


def target_name(video_id: str, source: Path | str) -> str:
    """Return the file name of a video under its id, with the ending of its source where that is one of videos."""
    suffix = Path(source).suffix.lower()
    # Any other ending may be a part of a name.
    return f"{video_id}{suffix if suffix in VIDEO_SUFFIXES else '.mp4'}"


def duration_of(path: Path) -> float | None:
    """Return the seconds that a video file lasts, ``None`` where it is missing or cannot be read."""
    from s3harness.media import probe

    try:
        return probe(path).duration_s if path.exists() else None
    except MediaError:
        return None


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().strip()

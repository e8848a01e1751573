"""Import of a folder of recordings without annotations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from s3harness.dataset.importing.annotations import AnnotationImporter, SourceAnnotation, SourceAnnotations
from s3harness.dataset.importing.video_files import VIDEO_SUFFIXES
from s3harness.errors import UsageError

NO_PATIENT = (
    "nothing tells the patients apart: every file counts as a patient of its own, and intervals are too narrow where "
    "that is wrong; put the files of each patient in a folder of their own"
)


def read_recordings(source: Path) -> SourceAnnotations:
    """Return the video files of a folder; a subfolder has the files of one patient."""
    files = [*_videos(source)]
    if not files:
        raise UsageError(f"{source} is not a folder with video files")
    in_folders = all(len(file.relative_to(source).parts) > 1 for file in files)
    annotations = [
        SourceAnnotation(
            place=str(name),
            video=str(name),
            patient=name.parts[0] if in_folders else str(name),
        )
        for name in (file.relative_to(source) for file in files)
    ]
    return SourceAnnotations(annotations, () if in_folders else (NO_PATIENT,))


def _videos(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())


recordings = AnnotationImporter(read_recordings)

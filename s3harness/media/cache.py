"""The directory that keeps decoded media from one run to the next, within a budget of bytes.

The directory is private to its user (mode 0700) and holds two folders under ``media/``:

- ``slabs/<content hash>-<random>.slab``: cache files of frames and audio (:mod:`s3harness.media.frame_file`);
- ``sources/<hash>``: content hash and duration of a video file, by its path, size, time of change and inode, so that an
  unchanged video need not be opened.

File names are random or hashes: none is the name of a video.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import stat
import time
import uuid
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from s3harness.files import parse_json
from s3harness.media.frame_file import UNFINISHED, CacheFile, CacheFileWriter, read_cache_file

DEFAULT_BUDGET_BYTES = 20 * 1024**3
RESERVE_BYTES = 1024**3
"""Bytes of free disk space that the cache leaves to others."""
ABANDONED_AFTER_S = 3600.0
"""Age at which an unfinished file is taken for one whose writer was killed."""

# A full disk and an exhausted quota ask for the same: write less.
_FULL = {errno.ENOSPC, errno.EDQUOT}
_OWNED = "media"
_log = logging.getLogger("s3harness.media")


def default_cache_dir() -> Path:
    """``$S3HARNESS_CACHE``, else ``s3harness`` in the user's cache directory (``$XDG_CACHE_HOME`` or ``~/.cache``)."""
    if own := os.environ.get("S3HARNESS_CACHE"):
        return Path(own).expanduser()
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG base directory specification has relative paths ignored.
    return (base if base.is_absolute() else Path.home() / ".cache") / "s3harness"


@dataclass(frozen=True, slots=True)
class CacheUsage:
    """Number and size of the files in a cache directory, and whether its owner alone can read them.

    ``oldest_s`` is the time at which the least recently used file was last used, in seconds since the epoch.
    """

    files: int
    n_bytes: int
    oldest_s: float | None
    is_private: bool


def cache_usage(cache_dir: Path) -> CacheUsage:
    """Measure a cache directory; links are not followed."""
    owned = cache_dir / _OWNED
    if owned.is_symlink() or not owned.is_dir():
        return CacheUsage(0, 0, None, True)
    files = [entry for folder in ("slabs", "sources") for entry in _aged(owned / folder)]
    status = owned.lstat()
    is_private = status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077
    oldest = min((used for used, _, _ in files), default=None)
    return CacheUsage(len(files), sum(size for _, size, _ in files), oldest, is_private)


def purge(cache_dir: Path) -> int:
    """Delete all cached media, and nothing else; return the number of bytes freed."""
    owned = cache_dir / _OWNED
    # A link could lead to someone's own files, which are not the cache's to delete.
    if owned.is_symlink() or not owned.is_dir():
        return 0
    freed = sum(path.lstat().st_size for path in owned.rglob("*") if path.is_file())
    shutil.rmtree(owned)
    return freed


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """The content hash of a video file and, if it was measured, its duration and the decoder that measured it."""

    content: str
    duration_s: float | None = None
    decoder: str = ""


class MediaCache:
    """Cache files by content hash. An error of the disk is logged once and never stops the work.

    Cache files that the disk does not take stay in memory, each of at most ``memory_bytes``.
    """

    def __init__(self, cache_dir: Path, budget_bytes: int, memory_bytes: int = 2 * 1024**3) -> None:
        self._files, self._sources = cache_dir / _OWNED / "slabs", cache_dir / _OWNED / "sources"
        self._budget, self._memory_bytes = budget_bytes, memory_bytes
        self._has_warned = False
        self._is_usable = self._prepare(cache_dir)

    def load_record(self, path: Path, status: os.stat_result) -> SourceRecord | None:
        """Return the record of a video file; ``None`` if there is none, or the file has changed since."""
        if not self._is_usable:
            return None
        try:
            record = SourceRecord(**parse_json(self._record_path(path, status).read_text("ascii")))
        except (OSError, ValueError, TypeError):
            return None
        # The content hash becomes part of a glob pattern and of file names: anything else than a digest is refused.
        return record if len(record.content) == hashlib.sha256().digest_size * 2 else None

    def save_record(self, path: Path, status: os.stat_result, record: SourceRecord) -> None:
        """Write the record of a video file."""
        if not self._is_usable:
            return
        target = self._record_path(path, status)
        # Two runs may save the same record: each writes a file of its own, and the rename is atomic.
        part = target.with_name(f"{uuid.uuid4().hex}{UNFINISHED}")
        try:
            part.write_text(json.dumps(asdict(record)), "ascii")
            part.replace(target)
        except OSError as error:
            self.report_disk_error(error)

    def files(self, content: str) -> Iterator[CacheFile]:
        """Yield the whole cache files of a content, and mark each as just used."""
        for path in sorted(self._files.glob(f"{content}-*.slab")) if self._is_usable else ():
            cache_file = read_cache_file(path)
            if cache_file is not None:
                # Another process may have evicted the file; it stays mapped here and can be read all the same.
                with contextlib.suppress(OSError):
                    os.utime(path)
                yield cache_file

    def writer(self, content: str) -> CacheFileWriter:
        """Return a writer of a new cache file, which is in memory where the disk does not take it."""
        path = self._files / f"{content}-{uuid.uuid4().hex}.slab"
        return CacheFileWriter(path if self._is_usable else None, self.report_disk_error, self._memory_bytes)

    def evict(self, keep: Collection[Path]) -> None:
        """Delete the least recently used cache files until the rest fits the budget; those in ``keep`` stay.

        The budget is smaller where the disk has little room besides: the last of it is for what a run writes.
        """
        if not self._is_usable:
            return
        files = sorted(_aged(self._files))
        total = sum(size for _, size, _ in files)
        budget = min(self._budget, total + _free_bytes(self._files) - RESERVE_BYTES)
        for changed, size, path in files:
            # A young unfinished file is another process at work; an old one was left by a process that was killed.
            is_abandoned = path.name.endswith(UNFINISHED) and changed < time.time() - ABANDONED_AFTER_S
            is_surplus = total > budget and path not in keep and not path.name.endswith(UNFINISHED)
            if is_abandoned or is_surplus:
                # Another process may have deleted the file first.
                with contextlib.suppress(OSError):
                    path.unlink()
                    total -= size

    def report_disk_error(self, error: OSError) -> None:
        """Log that the disk did not take something, once; after a full disk, halve the cache's budget for good."""
        if error.errno in _FULL:
            # Half of what is there now: filling the disk to the brim again would take room from the run's own files.
            self._budget = min(self._budget, sum(size for _, size, _ in _aged(self._files)) // 2)
        if not self._has_warned:
            self._has_warned = True
            reason = error.strerror or "it cannot be written"
            _log.warning("media cache: %s; what does not fit is kept in memory and decoded again next time", reason)

    def _record_path(self, path: Path, status: os.stat_result) -> Path:
        # The inode is part of it: a file that is moved over another one may keep its size and time of change.
        identity = f"{path.absolute()}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}"
        return self._sources / hashlib.sha256(os.fsencode(identity)).hexdigest()

    def _prepare(self, cache_dir: Path) -> bool:
        """Make the directories; return false if that fails or if they are another user's."""
        try:
            cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (cache_dir / _OWNED, self._files, self._sources):
                _make_private(folder)
        except OSError as error:
            self.report_disk_error(error)
            return False
        return True


def _free_bytes(folder: Path) -> int:
    """Free bytes of the folder's disk; 0 if they cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    # In a shared place such as /tmp, another user may have made the folder, or a link, to read what is put there.
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "the cache directory belongs to another user")
    if stat.S_IMODE(status.st_mode) != 0o700:
        folder.chmod(0o700)


def _aged(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """Yield (time of last use, size in bytes, path) of each file; files that vanish meanwhile are left out."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                yield status.st_mtime, status.st_size, Path(entry.path)

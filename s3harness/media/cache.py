"""The directory that keeps decoded media from one run to the next, within a budget of bytes.

It is private to its user (mode 0700) and holds, under ``media/``: ``slabs/<content hash>-<random>.slab``, and
``sources/<hash>``, which remembers content hash and length of a file by path, size, time of change and inode so that an
unchanged file need not be opened. File names are random or hashes: none is the name of a video.
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
"""So much room on the disk is left to others."""
ABANDONED_AFTER_S = 3600.0

_FULL = {errno.ENOSPC, errno.EDQUOT}
_OWNED = "media"
_log = logging.getLogger("s3harness.media")


def default_cache_dir() -> Path:
    """``$S3HARNESS_CACHE``, else ``s3harness`` in the user's cache directory (``$XDG_CACHE_HOME`` or ``~/.cache``)."""
    if own := os.environ.get("S3HARNESS_CACHE"):
        return Path(own).expanduser()
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "s3harness"


@dataclass(frozen=True, slots=True)
class CacheUsage:
    """What a cache directory holds, and whether nobody but its owner can look into it.

    ``oldest_s`` is when the file that has been unused for longest was last used, in seconds since the epoch.
    """

    files: int
    n_bytes: int
    oldest_s: float | None
    is_private: bool


def cache_usage(cache_dir: Path) -> CacheUsage:
    """What is cached; links are not followed."""
    owned = cache_dir / _OWNED
    if owned.is_symlink() or not owned.is_dir():
        return CacheUsage(0, 0, None, True)
    files = [entry for folder in ("slabs", "sources") for entry in _aged(owned / folder)]
    found = owned.lstat()
    is_private = found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077
    oldest = min((used for used, _, _ in files), default=None)
    return CacheUsage(len(files), sum(size for _, size, _ in files), oldest, is_private)


def purge(cache_dir: Path) -> int:
    """Delete all cached media, and nothing else; returns how many bytes they took."""
    owned = cache_dir / _OWNED
    if owned.is_symlink() or not owned.is_dir():
        return 0
    freed = sum(path.lstat().st_size for path in owned.rglob("*") if path.is_file())
    shutil.rmtree(owned)
    return freed


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What is remembered of a file: the hash of its content, and, if it was measured, its length and by what."""

    content: str
    duration_s: float | None = None
    decoder: str = ""


class MediaCache:
    """Slabs by content hash. Trouble with the disk is logged once and never stops the work.

    Slabs that the disk does not take are kept in memory, each of at most ``memory_bytes``.
    """

    def __init__(self, cache_dir: Path, budget_bytes: int, memory_bytes: int = 2 * 1024**3) -> None:
        self._slabs, self._sources = cache_dir / _OWNED / "slabs", cache_dir / _OWNED / "sources"
        self._budget, self._memory_bytes = budget_bytes, memory_bytes
        self._warned = False
        self._is_ours = self._prepare(cache_dir)

    def load_record(self, path: Path, found: os.stat_result) -> SourceRecord | None:
        """What is known of a file that has not changed since it was last read."""
        if not self._is_ours:
            return None
        try:
            note = SourceRecord(**parse_json(self._note(path, found).read_text("ascii")))
        except (OSError, ValueError, TypeError):
            return None
        return note if len(note.content) == hashlib.sha256().digest_size * 2 else None

    def save_record(self, path: Path, found: os.stat_result, note: SourceRecord) -> None:
        """Remember what is known of a file."""
        if not self._is_ours:
            return
        known = self._note(path, found)
        part = known.with_name(f"{uuid.uuid4().hex}{UNFINISHED}")
        try:
            part.write_text(json.dumps(asdict(note)), "ascii")
            part.replace(known)
        except OSError as error:
            self.trouble(error)

    def slabs(self, content: str) -> Iterator[CacheFile]:
        """All whole slabs of a content, each marked as just used."""
        for path in sorted(self._slabs.glob(f"{content}-*.slab")) if self._is_ours else ():
            slab = read_cache_file(path)
            if slab is not None:
                with contextlib.suppress(OSError):
                    os.utime(path)
                yield slab

    def writer(self, content: str) -> CacheFileWriter:
        """A writer of a new slab; in memory where the disk does not take it."""
        path = self._slabs / f"{content}-{uuid.uuid4().hex}.slab"
        return CacheFileWriter(path if self._is_ours else None, self.trouble, self._memory_bytes)

    def evict(self, keep: Collection[Path]) -> None:
        """Delete the least recently used slabs until the rest fits the budget; those in ``keep`` stay.

        The budget is smaller where the disk has little room besides: the last of it is for what a run writes.
        """
        if not self._is_ours:
            return
        found = sorted(_aged(self._slabs))
        total = sum(size for _, size, _ in found)
        budget = min(self._budget, total + _free(self._slabs) - RESERVE_BYTES)
        for changed, size, path in found:
            is_abandoned = path.name.endswith(UNFINISHED) and changed < time.time() - ABANDONED_AFTER_S
            is_surplus = total > budget and path not in keep and not path.name.endswith(UNFINISHED)
            if is_abandoned or is_surplus:
                with contextlib.suppress(OSError):
                    path.unlink()
                    total -= size

    def trouble(self, error: OSError) -> None:
        """The disk did not take something: say so once, and if it is full, make do with less from now on."""
        if error.errno in _FULL:
            self._budget = min(self._budget, sum(size for _, size, _ in _aged(self._slabs)) // 2)
        if not self._warned:
            self._warned = True
            reason = error.strerror or "it cannot be written"
            _log.warning("media cache: %s; what does not fit is kept in memory and decoded again next time", reason)

    def _note(self, path: Path, found: os.stat_result) -> Path:
        identity = f"{path.absolute()}\0{found.st_size}\0{found.st_mtime_ns}\0{found.st_ino}"
        return self._sources / hashlib.sha256(os.fsencode(identity)).hexdigest()

    def _prepare(self, cache_dir: Path) -> bool:
        """Make the directories; false if they cannot be made or are another user's."""
        try:
            cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (cache_dir / _OWNED, self._slabs, self._sources):
                _make_private(folder)
        except OSError as error:
            self.trouble(error)
            return False
        return True


def _free(folder: Path) -> int:
    """The bytes that its disk has room for."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "the cache directory belongs to another user")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def _aged(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each file was last used, its size, and its path; files that vanish meanwhile are left out."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                yield found.st_mtime, found.st_size, Path(entry.path)

"""Limits of a target: 2 s of processor time, 200 MB beyond what the process has, its own folder, no socket."""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CPU_S = 2.0
MEMORY_BYTES = 200 * 1024**2

_NEVER = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.startfile", "socket.bind"}
)
_SENDING = frozenset({"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"})
_CHANGING = frozenset(
    {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.truncate", "os.chmod"}
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class OutOfBoundsError(BaseException):
    """Raised where a target opens a file elsewhere, a socket or a process."""

    # No Exception: a parser that catches all errors would swallow it.


class Bounds:
    """Bounds of this process, held by an audit hook; :meth:`within` opens them for one input."""

    def __init__(self) -> None:
        self._folder: str | None = None
        self._port: int | None = None
        self.broken = ""
        packages = (Path(__file__).parents[1] / name for name in ("s3harness", "task_specs", "leaderboard", "plugins"))
        self._readable = tuple(
            map(str, (*packages, sys.prefix, sys.base_prefix, "/usr", "/etc/mime.types", "/proc/self"))
        )
        # A hook cannot be taken away again, so it does nothing while no input is tried.
        sys.addaudithook(self._hook)

    @contextmanager
    def within(self, folder: Path, port: int | None = None) -> Iterator[None]:
        """Allow files in a folder and connections to one port of this machine; raise :class:`OutOfBoundsError` else."""
        self._folder, self._port, self.broken = os.path.realpath(folder), port, ""
        try:
            yield
        finally:
            self._folder = None
        # Raised again here: a parser may have caught every BaseException.
        if self.broken:
            raise OutOfBoundsError(self.broken)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._folder is None:
            return
        if problem := self._problem(event, arguments):
            self.broken = problem
            raise OutOfBoundsError(problem)

    def _problem(self, event: str, arguments: tuple[Any, ...]) -> str:
        if event == "open":
            return self._of_file(*arguments)
        if event in _NEVER:
            return f"{event} {str(arguments)[:200]}"
        if event in _SENDING and not self._is_served(arguments):
            return f"{event} {str(arguments)[:200]}"
        # Calls with an open folder's descriptor (dir_fd) come from rmtree, and name no path from the top.
        is_in_an_open_folder = len(arguments) > 1 and isinstance(arguments[-1], int) and arguments[-1] >= 0
        if event in _CHANGING and not is_in_an_open_folder and not self._is_own(arguments[0]):
            return f"{event} {str(arguments)[:200]}"
        return ""

    def _of_file(self, path: object, mode: object, flags: object) -> str:
        if isinstance(path, int) or path is None or self._is_own(path):
            return ""
        is_writing = isinstance(flags, int) and flags & _WRITING
        is_readable = os.path.abspath(os.fsdecode(path)).startswith(self._readable)  # type: ignore[arg-type]
        return "" if is_readable and not is_writing else f"open {path!r:.200}"

    def _is_own(self, path: Any) -> bool:
        if isinstance(path, int):
            return True
        # The folder is resolved and the last part is not: a link may be removed, but not be a way out.
        whole = os.path.abspath(os.fsdecode(path))
        real = os.path.join(os.path.realpath(os.path.dirname(whole)), os.path.basename(whole))
        return os.path.join(real, "").startswith(os.path.join(str(self._folder), ""))

    def _is_served(self, arguments: tuple[Any, ...]) -> bool:
        place = arguments[1] if isinstance(arguments[1], tuple) else arguments
        return self._port is not None and tuple(place[:2]) == ("127.0.0.1", self._port)


def limit_memory() -> None:
    """Let this process take :data:`MEMORY_BYTES` of address space beyond what it has, which it searches no more."""
    # What the process has already is not the target's: going through a gigabyte of a test process for garbage, and
    # copying the pages that this touches after a fork, would be taken for the target's processor time.
    gc.freeze()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    # Address space, as Linux holds no limit on resident memory.
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


@contextmanager
def processor_time() -> Iterator[None]:
    """End this process by a signal if what runs here takes :data:`CPU_S` of processor time, in compiled code too."""
    # The default of SIGPROF ends the process: a handler of Python would wait for compiled code to return.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, CPU_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)

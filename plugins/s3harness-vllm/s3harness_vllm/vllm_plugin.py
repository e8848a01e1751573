"""Log handler and watchdog that run inside vLLM's own processes; a vLLM general plugin, so it imports nothing heavy.

vLLM starts an engine in a process of its own, and a worker process for each device where there are several. All of
them append their log records to one file, which the harness reads. None outlives the harness: a run that is killed must
not leave the device's memory occupied.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

LOG_FILE_VARIABLE = "S3HARNESS_VLLM_LOG"
"""The environment variable with the path of the log file."""

OWNER_VARIABLE = "S3HARNESS_VLLM_OWNER"
"""The environment variable with the process id of the harness. Where it is not set, vLLM runs for somebody else."""

LOGGING_CONFIG = Path(__file__).with_name("logging.json")
"""The configuration of ``logging`` by which vLLM's processes write to the file, and to no terminal."""

MAX_CHARACTERS = 4000
POLL_S = 1.0


class JsonLinesHandler(logging.Handler):
    """Appends ``{"level": …, "message": …}`` to the log file; nothing where no file is named or it is gone."""

    def emit(self, record: logging.LogRecord) -> None:
        """Append one record, its exception at the end of its message."""
        path = os.environ.get(LOG_FILE_VARIABLE)
        # The harness deletes the file when it leaves; a process that still logs must not create it again.
        if not path or not Path(path).exists():
            return
        try:
            # The end of a long message is kept: a traceback has its reason there.
            line = json.dumps({"level": record.levelname, "message": _message(record)[-MAX_CHARACTERS:]})
            # One write of one line in append mode: lines of several processes do not mix.
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except Exception:
            self.handleError(record)


def start_watchdog() -> None:
    """Start a thread that kills this process once the harness is gone; vLLM calls it in each of its processes."""
    owner = os.environ.get(OWNER_VARIABLE)
    is_watched = any(thread.name == OWNER_VARIABLE for thread in threading.enumerate())
    # Not in the harness itself, which loads vLLM's plugins too, and only one thread in a process.
    if owner is not None and owner != str(os.getpid()) and not is_watched:
        _redirect_stderr()
        threading.Thread(target=_watch, args=(int(owner), os.getppid()), name=OWNER_VARIABLE, daemon=True).start()


def _redirect_stderr() -> None:
    """Redirect standard error to a file beside the log, unless the user wants to see vLLM's own log."""
    # Tracebacks of a failed start would fill the terminal, where the harness prints the reason in one line.
    if os.environ.get("VLLM_LOGGING_CONFIG_PATH") == str(LOGGING_CONFIG):
        with suppress(OSError), Path(os.environ[LOG_FILE_VARIABLE]).with_name("stderr").open("ab") as file:
            os.dup2(file.fileno(), sys.stderr.fileno())


def _watch(owner: int, parent: int) -> None:
    # The parent too, which is another process of vLLM for a worker: when it ends, the kernel gives this one a new one.
    while os.getppid() == parent and _is_running(owner):
        time.sleep(POLL_S)
    # SIGKILL: vLLM's handler of SIGTERM only sets a flag while an engine loads.
    os.kill(os.getpid(), signal.SIGKILL)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # It belongs to another user, so it exists.
        return True
    return True


def _message(record: logging.LogRecord) -> str:
    message = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    return f"{message} {type(error).__name__}: {error}" if error is not None else message

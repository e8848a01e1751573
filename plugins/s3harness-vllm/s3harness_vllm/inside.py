"""What runs inside vLLM's own processes; it imports nothing heavy.

vLLM starts an engine in a process of its own, and for several devices a worker in each. Their records reach the harness
through a file that all of them append to. And none of them outlives the harness: a run that is killed must not leave
the device's memory taken.
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

FILE = "S3HARNESS_VLLM_LOG"
"""The variable of the environment that names the file."""

OWNER = "S3HARNESS_VLLM_OWNER"
"""The variable that has the process id of the harness. Where it is not set, vLLM is somebody else's."""

LOGGING = Path(__file__).with_name("logging.json")
"""The configuration of ``logging`` by which vLLM's processes write to the file, and to nobody's terminal."""

MOST_CHARACTERS = 4000
LOOK_EVERY_S = 1.0


class FileLines(logging.Handler):
    """Appends ``{"level": …, "message": …}`` to the file, and nothing where no file is named or it is gone."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a message ends with its exception."""
        path = os.environ.get(FILE)
        if not path or not Path(path).exists():
            return
        try:
            line = json.dumps({"level": record.levelname, "message": _message(record)[-MOST_CHARACTERS:]})
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except Exception:
            self.handleError(record)


def end_with_owner() -> None:
    """End this process when the one that started it is gone. vLLM calls it in each of its processes, as its plugin.

    What such a process writes to its standard error goes where its log goes.
    """
    owner = os.environ.get(OWNER)
    if owner is not None and owner != str(os.getpid()) and not any(t.name == OWNER for t in threading.enumerate()):
        _keep_off_the_terminal()
        threading.Thread(target=_watch, args=(int(owner), os.getppid()), name=OWNER, daemon=True).start()


def _keep_off_the_terminal() -> None:
    """The harness tells of an error in a line, unless the user wants to see vLLM's own log."""
    if os.environ.get("VLLM_LOGGING_CONFIG_PATH") == str(LOGGING):
        with suppress(OSError), Path(os.environ[FILE]).with_name("stderr").open("ab") as file:
            os.dup2(file.fileno(), sys.stderr.fileno())


def _watch(owner: int, parent: int) -> None:
    while os.getppid() == parent and _is_there(owner):
        time.sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGKILL)


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _message(record: logging.LogRecord) -> str:
    message = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    return f"{message} {type(error).__name__}: {error}" if error is not None else message

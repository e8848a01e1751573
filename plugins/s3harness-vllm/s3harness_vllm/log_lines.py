"""A log handler that vLLM's processes load by its name; it imports nothing heavy.

Each record becomes a line of JSON in the file that the environment names. vLLM runs in several processes, so a file
that all of them append to is what reaches the one that waits for them.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

FILE = "S3HARNESS_VLLM_LOG"
"""The variable that names the file."""

MOST_CHARACTERS = 4000


class FileLines(logging.Handler):
    """Appends ``{"level": …, "message": …}`` to the file, and nothing where no file is named or it is gone."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a message ends with the last line of its exception, which names it."""
        path = os.environ.get(FILE)
        if not path or not Path(path).exists():
            return
        try:
            line = json.dumps({"level": record.levelname, "message": _message(record)[-MOST_CHARACTERS:]})
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except Exception:
            self.handleError(record)


def _message(record: logging.LogRecord) -> str:
    message = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    return f"{message} {type(error).__name__}: {error}" if error is not None else message

"""Records of what was sent, each once: ``sent.jsonl``, beside the journal, whose lines refer to its records by hash.

A prompt, the media of a clip and the settings of a call are the same for many requests. Each is one record here, under
the beginning of the SHA-256 of its content, written before the first line of the journal that refers to it. During a
run, records are appended as they come; at its end they are put in order, so that a run that was killed and resumed has
the same file as one that was not. Prompts hold the written reports of a data set where a task gives them to
the model, so the file is readable by its owner alone and in no submission.

============  =====================================================================================================
record        content
============  =====================================================================================================
``prompt``    ``system`` and ``prompt`` as they were sent; ``public``, with the report withheld, where one was given
``media``     ``video_id``, ``start_s``, ``end_s``, ``max_pixels``, and ``form``, ``times_s``, ``size``, ``sound_s``;
              of a backend that does not report what it sent, ``wanted_s`` are the frame times of the clip
``settings``  ``settings``: sampling, limits, form of the answer, and how text and media were put together
============  =====================================================================================================
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from s3harness.errors import S3HarnessError
from s3harness.files import parse_json
from s3harness.rundir.append import append_line, open_private
from s3harness.types import Clip, Request, Response, Sent

FILE = "sent.jsonl"
ID_LENGTH = 16
UNREPORTED = "not said"
"""The form of media of a backend that does not report what it sent; the text is in manifests."""
KINDS = ("prompt", "media", "settings")


class SentLog:
    """The one writer of a run's records; the lock of the journal guards it. The file is made with the first record."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        self._fd: int | None = None
        self._ids = set(_whole_records(self.path))

    def add(self, request: Request, response: Response) -> dict[str, str]:
        """Write the records of a request, unless they are there already; return kind → id of its records.

        Raises ``OSError`` if the disk takes no more.
        """
        records = {"prompt": _prompt_record(request.system, request.prompt, request.public_prompt)}
        # After a failure only the prompt is certain: the error may have come before anything was sent.
        has_failed = response.status == "failed"
        if not request.clip.is_text_only and not has_failed:
            records["media"] = _media_record(request.clip, response.sent)
        if response.sent is not None and response.sent.settings:
            records["settings"] = _record({"settings": dict(response.sent.settings)})
        for kind, (record_id, content) in records.items():
            if record_id not in self._ids:
                # As in the journal: half a surrogate pair, of a prompt with cut text, has no UTF-8.
                self._append(f'{{"id": "{record_id}", "kind": "{kind}", {content[1:]}\n'.encode(errors="replace"))
                self._ids.add(record_id)
        return {kind: record_id for kind, (record_id, _) in records.items()}

    def sync(self) -> None:
        """Write what was appended through to the disk, to survive a power failure. Raises ``OSError``."""
        if self._fd is not None:
            os.fsync(self._fd)

    def close(self) -> None:
        """Close the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _append(self, line: bytes) -> None:
        if self._fd is None:
            self._fd = open_private(self.path)
            _cut_torn_tail(self._fd, self.path)
        append_line(self._fd, line)


def read_sent(directory: Path) -> dict[str, dict[str, Any]]:
    """Return id → record of a run directory; none for runs from before records were written.

    Raises :class:`S3HarnessError` naming a line that cannot be read.
    """
    return _whole_records(directory / FILE)


def sent_summary(directory: Path) -> dict[str, object]:
    """Summarise the records for the manifest: all settings, and for each form of media the numbers of clips and frames.

    The summary holds no prompt: their templates are in the specs of the tasks.
    """
    # By id, so that a run that was killed and resumed has the same manifest as one that was not.
    records = sorted(read_sent(directory).values(), key=lambda record: str(record["id"]))
    forms: dict[str, dict[str, object]] = {}
    for record in records:
        if record["kind"] == "media":
            form = record.get("form", UNREPORTED) or "none"
            times = record.get("wanted_s" if form == UNREPORTED else "times_s")
            forms.setdefault(form, {"clips": 0, "frames": []})
            forms[form]["clips"] = int(str(forms[form]["clips"])) + 1
            forms[form]["frames"] = _span(forms[form]["frames"], len(times)) if times is not None else []
    settings = [{"id": record["id"], **record["settings"]} for record in records if record["kind"] == "settings"]
    return {name: value for name, value in {"settings": settings, "media": forms}.items() if value}


def _span(span: object, value: int) -> list[int]:
    """Return [least, most] of a span and one more value."""
    values = [*span, value] if isinstance(span, list) else [value]
    return [min(values), max(values)]


def sent_text(directory: Path) -> Iterator[str]:
    """Yield the lines of the records in the order of kinds and ids: the same records give the same lines."""
    records = read_sent(directory).values()
    for record in sorted(records, key=lambda record: (KINDS.index(record["kind"]), record["id"])):
        yield json.dumps(record, ensure_ascii=False) + "\n"


def _whole_records(path: Path) -> dict[str, dict[str, Any]]:
    records: dict[str, dict[str, Any]] = {}
    if not path.exists():
        return records
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            # A last line without an end is what a kill left of it; no journal line refers to it.
            if not line.endswith(b"\n"):
                break
            try:
                record = parse_json(line)
                KINDS.index(record["kind"])
                records[record["id"]] = record
            except (ValueError, KeyError, TypeError) as error:
                raise S3HarnessError(
                    f"{path}:{number}: not a record of a sent request ({error!r}); remove the line, and the request "
                    "is shown as not recorded"
                ) from error
    return records


def _cut_torn_tail(fd: int, path: Path) -> None:
    """Cut off what a kill left of a last line; no line of the journal refers to it yet."""
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        os.ftruncate(fd, data.rfind(b"\n") + 1)


# Cached: the requests about one clip, and those with one prompt, follow each other.
@lru_cache(maxsize=1024)
def _prompt_record(system: str, prompt: str, public: str) -> tuple[str, str]:
    return _record({"system": system, "prompt": prompt} | ({"public": public} if public else {}))


@lru_cache(maxsize=256)
def _reported_media_record(
    clip: Clip, media: str, times_s: tuple[float, ...] | None, size: object, sound_s: float
) -> tuple[str, str]:
    where = _where(clip)
    sent = {"form": media, "times_s": None if times_s is None else [round(time, 4) for time in times_s]}
    return _record(where | sent | {"size": size, "sound_s": round(sound_s, 3)})


@lru_cache(maxsize=256)
def _unreported_media_record(clip: Clip) -> tuple[str, str]:
    return _record(_where(clip) | {"wanted_s": [round(time, 4) for time in clip.timestamps], "sound": clip.audio})


def _where(clip: Clip) -> dict[str, object]:
    where = {"video_id": clip.video_id, "start_s": clip.start_s, "end_s": clip.end_s, "max_pixels": clip.max_pixels}
    return where | ({"crop": clip.crop} if clip.crop else {})


def _media_record(clip: Clip, sent: Sent | None) -> tuple[str, str]:
    if sent is None:
        return _unreported_media_record(clip)
    return _reported_media_record(clip, sent.media, sent.times_s, sent.size, sent.sound_s)


def _record(content: Mapping[str, object]) -> tuple[str, str]:
    """Return the id of a record, and its content as JSON."""
    # Keys in order: the same content has the same id in every run.
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:ID_LENGTH], text

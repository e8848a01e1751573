"""The evidence behind the timelines: what was sent, what was answered in which window, and how it was read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from s3harness.dataset.load import load_dataset
from s3harness.errors import UsageError
from s3harness.report.page.content import Content
from s3harness.rundir.journal import FILE as JOURNAL
from s3harness.rundir.journal import JournalEntry, read_journal
from s3harness.rundir.manifest import read_manifest
from s3harness.rundir.sent import read_sent
from s3harness.scoring.answers import read_answer

NOT_RECORDED = "Not recorded: this run was made before what was sent was kept."


def answers(run: Path, content: Content) -> dict[str, dict[str, Any]]:
    """Request id → its window, raw answer, how it was read, and the ids of the records of what was sent."""
    found = {}
    for entry in read_journal(run / JOURNAL):
        if entry.task in content.tasks or entry.task in {t.spec.uses for t in content.tasks.values()}:
            found[entry.id] = _answer(entry, content)
    return found


def _answer(entry: JournalEntry, content: Content) -> dict[str, Any]:
    task = content.tasks.get(entry.task)
    read = read_answer(entry, task.spec.for_subject(entry.subject)) if task else None
    return {
        "from": entry.clip.start_s,
        "to": entry.clip.end_s,
        "text": entry.response.text,
        "status": entry.response.status,
        "error": entry.response.error,
        "read": read.status if read else "",
        "note": read.note if read else "",
        "value": read.value if read else None,
        "sent": list(entry.sent.values()),
    }


def sent(run: Path) -> dict[str, dict[str, Any]]:
    """Id of a record of what was sent → its kind and its text as the page shows it.

    A report that was given with a video is withheld; the rest is as it was sent, letter by letter.
    """
    return {
        name: {"kind": record["kind"], "text": _TEXTS[record["kind"]](record)}
        for name, record in read_sent(run).items()
    }


def _prompt_text(record: Mapping[str, Any]) -> str:
    prompt = str(record.get("public") or record["prompt"])
    return f"{record['system']}\n\n{prompt}" if record["system"] else prompt


def _media_text(record: Mapping[str, Any]) -> str:
    """What was shown of a clip, in words, with the times of all frames."""
    place = f"{record['video_id']} from {record['start_s']:g} s to {record['end_s']:g} s"
    budget = f"at most {record['max_pixels']:,} pixels each" if record["max_pixels"] else ""
    if "wanted_s" in record:
        times, sound = record["wanted_s"], "sound wanted" if record.get("sound") else ""
        count = f"{_count(times)} wanted; the backend does not say what it sent"
    else:
        times, size = record["times_s"], record["size"]
        count = "a file, of which the engine took frames as it saw fit" if times is None else f"{_count(times)} sent"
        count += f" as {record['form']}" if record["form"] and times is not None else ""
        count += f", {size[0]} × {size[1]} pixels" if size else ""
        sound = f"{record['sound_s']:g} s of sound" if record["sound_s"] else ""
    at = f"at {', '.join(f'{time:g}' for time in times)} s" if times else ""
    return "; ".join(filter(None, (place, count, sound, budget, at)))


def _count(times: Sequence[float]) -> str:
    return "1 frame" if len(times) == 1 else f"{len(times)} frames"


def _settings_text(record: Mapping[str, Any]) -> str:
    return json.dumps(record["settings"], ensure_ascii=False, indent=1)


_TEXTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "prompt": _prompt_text,
    "media": _media_text,
    "settings": _settings_text,
}


def annotated(data: Path, run: Path) -> dict[str, dict[str, Any]]:
    """Video → its annotated intervals and sides.

    Raises :class:`UsageError` if the data set is not the run's.
    """
    dataset = load_dataset(data)
    if read_manifest(run)["run"]["dataset"]["fingerprint"] != dataset.fingerprint:
        raise UsageError(f"{data} is not the data set of {run}, or has changed since")
    return {
        video.id: {
            "labels": {
                name: {"present": label.present, "from": label.start_s, "to": label.end_s, "side": label.side}
                for name, label in video.features.items()
            },
            "end": video.duration_s,
        }
        for video in dataset.videos
    }


def frames(run: Path) -> dict[str, list[float]]:
    """Video → the times of the frames that were sent of it, in seconds; of none where that is not recorded."""
    times: dict[str, set[float]] = {}
    for record in read_sent(run).values():
        if record["kind"] == "media":
            times.setdefault(record["video_id"], set()).update(record.get("times_s") or record.get("wanted_s") or ())
    return {video_id: sorted(found) for video_id, found in times.items()}

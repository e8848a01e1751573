"""Label Studio: tasks as JSON, and the labelling interface that shows them.

The video is played beside its sound (``Video`` and ``Audio`` in step), since regions on the sound have seconds where
those of a video's time line have frame numbers. Truth is an annotation, a model a prediction. Side, certainty and note
belong to a region; statements without a time are a text of the task. Regions on a time line of frames are read with the
frame rate, ``-o fps=25``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from xml.sax.saxutils import quoteattr

import s3harness
from s3harness_formats.labels import (
    LabelMeanings,
    ReadStatements,
    apply_details,
    details,
    is_timed,
    parse_details,
    span,
    statement_text,
)

TASKS, INTERFACE = "tasks.json", "interface.xml"
SIGN, SIDE, REMARK, WITHOUT_TIME = "sign", "side", "remark", "without_time"
TRUTH = "truth"
UNKNOWN = "annotator"


def export_label_studio(annotations: s3harness.AnnotationSet, out: Path) -> list[str]:
    """Write ``tasks.json`` and the labelling interface, ``interface.xml``."""
    tasks = [_task(number, recording) for number, recording in enumerate(annotations.recordings, start=1)]
    (out / TASKS).write_text(json.dumps(tasks, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / INTERFACE).write_text(interface(annotations.signs), encoding="utf-8")
    without = sum(not recording.file for recording in annotations.recordings)
    return (
        [f"no file of {without} recording{'' if without == 1 else 's'}: set data.video in {TASKS}"] if without else []
    )


def interface(signs: Mapping[str, str]) -> str:
    """Return the labelling interface for these signs."""
    labels = "\n".join(f"    <Label value={quoteattr(name)} hint={quoteattr(title)}/>" for name, title in signs.items())
    return f"""<View>
  <Video name="video" value="$video" sync="audio"/>
  <Audio name="audio" value="$video" sync="video" hotkey="space"/>
  <Labels name="{SIGN}" toName="audio">
{labels}
  </Labels>
  <Choices name="{SIDE}" toName="audio" perRegion="true" choice="single">
    <Choice value="left"/>
    <Choice value="right"/>
    <Choice value="both"/>
  </Choices>
  <TextArea name="{REMARK}" toName="audio" perRegion="true" placeholder="certainty=probable; note=..."/>
  <TextArea name="{WITHOUT_TIME}" toName="audio" placeholder="clonic (present=no)"/>
</View>
"""


def read_label_studio(path: Path, labels: LabelMeanings, *, fps: float | None = None) -> ReadStatements:
    """Read tasks that Label Studio exported as JSON; raises :class:`DatasetError`.

    ``fps`` is the frame rate of regions on a time line of frames.
    """
    try:
        tasks = s3harness.parse_json(path.read_text(encoding="utf-8-sig"))
        if not isinstance(tasks, list) or not all(isinstance(task, Mapping) for task in tasks):
            raise ValueError("a list of tasks is expected")
    except (OSError, UnicodeError, ValueError) as error:
        message = f"{path.name} is no export of Label Studio: {error}; export the project as JSON"
        raise s3harness.DatasetError(message) from error
    read = ReadStatements()
    for number, task in enumerate(tasks, start=1):
        try:
            read.recordings.append(_recording(task, labels, fps, read))
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise s3harness.DatasetError(f"{path.name}: task {number}: {error}; export the project again") from error
    return read


def _task(number: int, recording: s3harness.Recording) -> dict[str, object]:
    task: dict[str, object] = {
        "id": number,
        # Importing servers resolve the path: a file beside the tasks, or an address that replaces it.
        "data": {"video": recording.file or recording.id, "video_id": recording.id, "duration_s": recording.duration_s},
        "annotations": [],
        "predictions": [],
    }
    for place, (source, statements) in enumerate(recording.statements.items(), start=1):
        result = list(_result(f"{number}-{place}", statements))
        if source == TRUTH:
            task["annotations"] = [{"id": number, "completed_by": 1, "was_cancelled": False, "result": result}]
        else:
            task["predictions"] = [*_list(task["predictions"]), {"model_version": source, "result": result}]
    return task


def _result(prefix: str, statements: tuple[s3harness.SignStatement, ...]) -> Iterator[dict[str, object]]:
    for number, one in enumerate(filter(is_timed, statements), start=1):
        start, end = span(one) if one.start_s != one.end_s else (one.start_s, one.end_s)
        region = {"id": f"{prefix}-{number}", "to_name": "audio", "origin": "manual"}
        times = {"start": start, "end": end, "channel": 0}
        yield {**region, "from_name": SIGN, "type": "labels", "value": {**times, "labels": [one.sign]}}
        if one.side:
            yield {**region, "from_name": SIDE, "type": "choices", "value": {**times, "choices": [one.side]}}
        if remark := details(one, omit=("side",)):
            yield {**region, "from_name": REMARK, "type": "textarea", "value": {**times, "text": [remark]}}
    texts = [statement_text(one, omit=("start", "end")) for one in statements if not is_timed(one)]
    if texts:
        whole = {"id": f"{prefix}-0", "to_name": "audio", "origin": "manual"}
        yield {**whole, "from_name": WITHOUT_TIME, "type": "textarea", "value": {"text": texts}}


def _recording(
    task: Mapping[str, Any], labels: LabelMeanings, fps: float | None, read: ReadStatements
) -> s3harness.Recording:
    data = task.get("data", {})
    statements: dict[str, tuple[s3harness.SignStatement, ...]] = {}
    given = [one for one in task.get("annotations", []) if not one.get("was_cancelled")]
    for place, annotation in enumerate(given, start=1):
        source = TRUTH if len(given) == 1 else _annotator(annotation, place)
        statements[source] = tuple(_statements(annotation["result"], labels, fps, read))
    for prediction in task.get("predictions", []):
        source = str(prediction.get("model_version") or "model")
        statements[source] = tuple(_statements(prediction["result"], labels, fps, read))
    file = str(data.get("video") or data.get("audio") or next(iter(data.values()), ""))
    return s3harness.Recording(
        id=str(data.get("video_id") or PurePosixPath(file).stem or task.get("id")),
        file=file,
        duration_s=data.get("duration_s"),
        statements=statements,
    )


def _annotator(annotation: Mapping[str, Any], place: int) -> str:
    by = annotation.get("completed_by")
    # Some exports have the annotator's e-mail here, which is no name for a tier.
    return f"{UNKNOWN} {by}" if isinstance(by, int) else f"{UNKNOWN} {place}"


def _statements(
    result: list[Mapping[str, Any]], labels: LabelMeanings, fps: float | None, read: ReadStatements
) -> Iterator[s3harness.SignStatement]:
    more: dict[str, dict[str, str]] = {}
    for item in result:
        value = item["value"]
        fields = more.setdefault(str(item.get("id")), {})
        if item["type"] == "choices":
            side = next((one for one in value["choices"] if one in ("left", "right", "both")), "")
            fields |= {"side": side} if side else {}
        elif item["type"] == "textarea" and item["from_name"] != WITHOUT_TIME:
            text = " ".join(value["text"])
            fields |= parse_details(text) or {"note": text}
    for item in result:
        value = item["value"]
        if item["from_name"] == WITHOUT_TIME:
            for text in value["text"]:
                yield read.statement(labels, text)
        for start, end in _spans(item, fps):
            for label in value[item["type"]]:
                fields = more[str(item.get("id"))]
                begins = None if fields.get("start") == "none" else start
                # With its end alone a region begins at that end.
                ends = None if fields.get("end") == "none" else start if begins is None else end
                rest = {name: text for name, text in fields.items() if name not in ("start", "end")}
                one = read.statement(labels, label)
                yield apply_details(replace(one, start_s=begins, end_s=ends), rest)


def _spans(item: Mapping[str, Any], fps: float | None) -> Iterator[tuple[float, float]]:
    """Yield the intervals of a region in seconds: none of an item that is no region."""
    value = item["value"]
    if item["type"] == "labels":
        yield float(value["start"]), float(value["end"])
    elif item["type"] == "timelinelabels":
        if fps is None:
            raise ValueError("its regions have frame numbers: give the frame rate with -o fps=25")
        for one in value["ranges"]:
            # Label Studio counts frames from 1, and the last frame is part of the region.
            yield (one["start"] - 1) / fps, one["end"] / fps


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []

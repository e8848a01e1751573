"""The prompts of a run as rows, each with its clip as a file of its own, for tools that take whole files alone."""

from __future__ import annotations

import json
from pathlib import Path


def write_rows(work: Path, card: str) -> int:
    """Write ``rows.jsonl`` and the clips of the plan, each once, as mp4 files; return the number of rows."""
    from s3harness.evaluation.prepare import prepare
    from s3harness.evaluation.settings import RunSettings
    from s3harness.media import MediaStore

    store, folder = MediaStore(work / "cache"), work / "clips"
    folder.mkdir()
    rows = []
    for video in prepare(RunSettings(backend="vllm", data=work / "data", out=work / "plan", model=card)).plan:
        store.prepare(video.video, video.clips)
        for step in video.steps:
            path = folder / f"{store.key(step.clip)}.mp4"
            if not path.exists():
                path.write_bytes(store.mp4(step.clip))
            rows += [{"video": str(path), "prompt": request.prompt, "answer": "yes"} for request in step.requests]
    (work / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return len(rows)

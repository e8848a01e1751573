"""Checkpoints for resuming: one counts once it is complete, as a machine may go down while it is written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

import s3harness

FOLDER = "checkpoints"
COMPLETE = "complete"
"""Empty file in a checkpoint, written after all others."""


class MarksComplete(TrainerCallback):  # type: ignore[misc]
    """Marks each checkpoint once all processes have written their part of it."""

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Mark the checkpoint of this step."""
        from accelerate import PartialState

        PartialState().wait_for_everyone()
        if state.is_world_process_zero:
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE).touch()


def last_checkpoint(job: s3harness.TrainingJob) -> str | None:
    """Return the last complete checkpoint where the job is resumed, and delete those that are not complete."""
    folder = job.out / FOLDER
    if not job.resume or not folder.is_dir():
        return None
    steps: dict[int, Path] = {}
    for path in folder.glob("checkpoint-*"):
        if (path / COMPLETE).exists():
            steps[int(path.name.rpartition("-")[2])] = path
        elif job.processes.is_main:
            # The library would count it among those to keep.
            shutil.rmtree(path)
    if not steps:
        return None
    last = max(steps)
    job.report_status(f"going on from step {last}")
    return str(steps[last])

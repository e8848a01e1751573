"""A trainer: train weights on annotated videos. Put your training where this one copies the weights."""

import shutil
from collections.abc import Mapping

import s3harness


def newcomer_trainer(job: s3harness.TrainingJob) -> Mapping[str, object]:
    """Copy the weights unchanged: sham training, the control of every real one.

    Raises :class:`s3harness.UsageError` for an unknown stage or option.
    """
    if job.stage != "sft":
        raise s3harness.UsageError(f"this trainer has no stage {job.stage!r}; it has sft")
    if job.options:
        raise s3harness.UsageError(f"this trainer takes no option {', '.join(job.options)}")
    job.out.mkdir(parents=True, exist_ok=True)
    for path in (path for path in job.model.iterdir() if path.is_file()):
        shutil.copyfile(path, job.out / path.name)
    job.say(f"sham training: {len(job.made.samples)} samples ignored")
    return {"samples": len(job.made.samples), "steps": 0}

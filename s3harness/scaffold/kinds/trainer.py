"""A trainer: from weights and annotated videos to other weights. Put your training where this one copies."""

import shutil
from collections.abc import Mapping

import s3harness


def newcomer_trainer(job: s3harness.TrainingJob) -> Mapping[str, object]:
    """Sham training: the weights as they were, which is what every training is to be compared with.

    Raises :class:`s3harness.UsageError` for a stage or an option that it does not know.
    """
    if job.stage != "sft":
        raise s3harness.UsageError(f"this trainer has no stage {job.stage!r}; it has sft")
    if job.options:
        raise s3harness.UsageError(f"this trainer takes no option {', '.join(job.options)}")
    job.out.mkdir(parents=True, exist_ok=True)
    for path in (path for path in job.model.iterdir() if path.is_file()):
        shutil.copyfile(path, job.out / path.name)
    job.say(f"{len(job.made.samples)} samples were not learnt from")
    return {"samples": len(job.made.samples), "steps": 0}

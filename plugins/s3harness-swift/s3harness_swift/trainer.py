"""The trainer: writes the rows and clips of a training set, launches ms-swift on them, and puts its weights in place.

ms-swift runs as a process of its own, in an environment of its own if that is wanted; its reward plugin needs s3harness
there.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import s3harness
from s3harness.options import read_options
from s3harness_swift.options import SwiftOptions

WORK, LOG = "swift", "swift.log"
"""In the output: rows, clips and checkpoints while a training goes on, and all that ms-swift printed."""
SCRIPTS = {"sft": "sft.sh", "grpo": "grpo.sh"}
RECENT_LINES, TOLD_LINES = 300, 12
"""Last lines of the log that an error is looked for in, and those that are quoted where there is none."""
_ERROR, _RANK = re.compile(r"\b\w+(?:Error|Exception): "), re.compile(r"^\[rank\d+\]: *")
LEFT_OUT = (
    "optimizer",
    "scheduler",
    "global_step",
    "rng_state",
    "trainer_state",
    "training_args",
    "zero_to",
    "args.json",
)
"""Beginnings of the names of a checkpoint's files that are no part of a model: states, and settings with paths."""
_LOGGED = re.compile(r"\{'loss'.*\}|\{\"loss\".*\}")


def train(job: s3harness.TrainingJob) -> Mapping[str, object]:
    """Run the stage of a job, and return facts for the run card; see :class:`s3harness.TrainingJob`.

    Raises :class:`s3harness.UsageError` for a stage or options that there are not, and
    :class:`s3harness.S3HarnessError` where ms-swift fails, with the end of its log.
    """
    if job.stage not in SCRIPTS:
        raise s3harness.UsageError(f"ms-swift has no stage {job.stage!r}; it has {', '.join(SCRIPTS)}")
    if job.stage == "grpo" and not job.rewards:
        raise s3harness.UsageError("GRPO is by rewards, and there is none; name a metric (--rewards)")
    options = read_options(SwiftOptions, "the trainer swift", job.options)
    arguments, command = options.arguments(), _command(options.command)
    if job.check_every:
        job.report_status("held-out patients are not evaluated while ms-swift trains; run s3harness on the weights")
    work = job.out / WORK
    _write_set(job, work, [name.strip() for name in options.without.split(",")])
    if checkpoint := _last_checkpoint(work / job.stage) if job.resume else None:
        arguments += ["--resume_from_checkpoint", str(checkpoint.resolve())]
    script = ["sh", SCRIPTS[job.stage], "--add_version", "false", *arguments]
    _run(script, job, work, _environment(command, job.model, options.gpus) | _all_frames(job))
    last = _last_checkpoint(work / job.stage)
    if last is None:
        raise s3harness.S3HarnessError(f"ms-swift ended without a checkpoint; see {LOG}")
    facts = dict(_facts(work / job.stage))
    merged = _put_in_place(job, last, command, options)
    # The clips show patients, and go with the rows that name them.
    shutil.rmtree(work)
    return {
        "clips": "video",
        "audio": "in_video" if any(sample.request.clip.audio for sample in job.training_set.samples) else "none",
        "checkpoint": last.name,
        "merged": merged,
        **facts,
    }


def _command(name: str) -> Path:
    path = shutil.which(name)
    if path is None:
        raise s3harness.UsageError(
            f"there is no command {name}: pip install 's3harness-swift[engine]', or name that of another environment "
            "in which s3harness is installed: -o command=PATH"
        )
    # Absolute, as it runs in another folder; not resolved, or the environment of a link would be lost.
    return Path(path).absolute()


def _write_set(job: s3harness.TrainingJob, work: Path, without: Sequence[str]) -> None:
    """Write rows, rewards, launch scripts and clips; those of an interrupted training are the same."""
    work.mkdir(parents=True, exist_ok=True)
    s3harness.write_rows(work, job.training_set, "ms-swift", "mp4")
    s3harness.write_rewards(work, job.rewards, "ms-swift")
    for name, script in s3harness.launch_scripts(job.rewards, without).items():
        (work / name).write_text(script, encoding="utf-8")
    job.report_status("writing the clips")
    s3harness.write_media(work, job.training_set, "mp4", job.clips.store)


def _environment(command: Path, model: Path, gpus: int) -> dict[str, str]:
    """The environment of the launch script, whose own variables hold what is not given here."""
    return {
        **os.environ,
        "MODEL": str(model.resolve()),
        "NPROC_PER_NODE": str(gpus),
        "PATH": f"{command.parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def _all_frames(job: s3harness.TrainingJob) -> dict[str, str]:
    """The sampling by which ms-swift takes every frame of the clips, which hold those that the evaluation shows.

    It takes as many a second as it is told, and at most all: the highest rate of the set does for all of its clips.
    """
    clips = [sample.request.clip for sample in job.training_set.samples if sample.request.clip.timestamps]
    rates = [len(clip.timestamps) / max(clip.end_s - clip.start_s, 1e-3) for clip in clips]
    frames = max((len(clip.timestamps) for clip in clips), default=1)
    return {
        "FPS": str(math.ceil(max(rates, default=1.0))),
        # The recipe takes an even number.
        "FPS_MAX_FRAMES": str(frames + frames % 2),
        "VIDEO_MAX_PIXELS": str(max((clip.max_pixels for clip in clips), default=0)),
    }


def _run(arguments: list[str], job: s3harness.TrainingJob, work: Path, environment: Mapping[str, str]) -> None:
    """Run a command to its end, with its output in the log, and its losses told."""
    with (
        (job.out / LOG).open("a", encoding="utf-8") as log,
        subprocess.Popen(  # noqa: S603 - the command that the user names
            arguments,
            cwd=work,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                log.write(line)
                log.flush()
                if logged := _LOGGED.search(line):
                    job.report_status(logged[0])
            code = process.wait()
        except BaseException:
            # The whole group: a launcher has processes of its own.
            os.killpg(process.pid, signal.SIGTERM)
            raise
    if code:
        raise s3harness.S3HarnessError(
            f"ms-swift ended with {code}: {_reason((job.out / LOG).read_text(encoding='utf-8').splitlines())}\n"
            f"All that it printed is in {LOG}; --resume goes on from the last checkpoint."
        )


def _reason(lines: Sequence[str]) -> str:
    """The first error of the last lines of a log; those after it are of the launcher, whose process ended."""
    recent = lines[-RECENT_LINES:]
    errors = [line for line in recent if _ERROR.search(line) and "ChildFailedError" not in line]
    return _RANK.sub("", errors[0]) if errors else "\n".join(recent[-TOLD_LINES:])


def _last_checkpoint(folder: Path) -> Path | None:
    """The checkpoint of the most steps, ``None`` if there is none."""
    numbered = ((re.fullmatch(r"checkpoint-(\d+)", path.name), path) for path in folder.glob("checkpoint-*"))
    steps = {int(match[1]): path for match, path in numbered if match}
    return steps[max(steps)] if steps else None


def _put_in_place(job: s3harness.TrainingJob, checkpoint: Path, command: Path, options: SwiftOptions) -> bool:
    """Move the trained model, or its adapter, into the output; tell whether an adapter was merged."""
    work, source = job.out / WORK, checkpoint
    merges = options.merge and (checkpoint / "adapter_config.json").is_file()
    if merges:
        source = (work / "merged").resolve()
        shutil.rmtree(source, ignore_errors=True)
        merge = ["--adapters", str(checkpoint.resolve()), "--merge_lora", "true", "--output_dir", str(source)]
        _run([str(command), "export", *merge], job, work, _environment(command, job.model, 1))
    for path in source.iterdir():
        if not path.name.startswith(LEFT_OUT):
            shutil.move(str(path), job.out / path.name)
    return merges


def _facts(folder: Path) -> Iterator[tuple[str, object]]:
    """The steps, and the first and last loss and reward that ms-swift noted."""
    path = folder / "logging.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    noted = [entry for line in lines if isinstance(entry := json.loads(line), dict)]
    for name in ("loss", "reward"):
        values = [entry[name] for entry in noted if isinstance(entry.get(name), int | float)]
        if values:
            yield f"first_{name}", values[0]
            yield f"last_{name}", values[-1]
    steps = [entry["global_step/max_steps"] for entry in noted if "global_step/max_steps" in entry]
    if steps:
        yield "steps", str(steps[-1]).split("/")[0]

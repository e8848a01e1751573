"""Training sets as files for trainers: JSONL rows, the rewards, and the media if they are wanted.

Names of media are hashes of what is shown; they say nothing of a patient, a file or a date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from s3harness.errors import UsageError
from s3harness.files import parse_json, write_json, write_text
from s3harness.training.messages import image_messages
from s3harness.training.rewards import MetricReward, rewards_as_json
from s3harness.training.sample import Sample
from s3harness.training.training_set import TrainingSet

FORMATS: Mapping[str, str] = {"ms-swift": "mp4", "trl": "frames"}
"""Format → the media its rows speak of unless something else is asked for."""
MEDIA = ("frames", "mp4")
MEDIA_FOLDER = "media"
SFT, GRPO, REWARDS, PLUGIN = "sft.jsonl", "grpo.jsonl", "rewards.json", "reward_plugin.py"

_PLUGIN = '''"""Rewards of s3harness for ms-swift.

--external_plugins {name} --reward_funcs {functions} --reward_weights {weights}
"""

from pathlib import Path

try:
    from swift.rewards import ORM, orms
except ImportError:  # ms-swift before 4
    from swift.plugin import ORM, orms

from s3harness.training.export import load_reward_functions


def _orm(function):
    class Reward(ORM):
        def __call__(self, completions, **columns):
            return function(completions, **columns)

    return Reward


for _name, _function in load_reward_functions(Path(__file__).with_name("{rewards}")).items():
    orms[_name] = _orm(_function)
'''


def check_media(form: str, media: str) -> None:
    """Raise :class:`UsageError` for videos in rows for TRL, which has no column for them."""
    if form == "trl" and media != "frames":
        raise UsageError("TRL takes images and has no column for video or sound; use --media frames, or ms-swift")


def write_rows(out: Path, made: TrainingSet, form: str, media: str) -> None:
    """Write ``sft.jsonl`` (with the answers) and ``grpo.jsonl`` (without): one row a sample, in the set's order.

    ``form`` is one of :data:`FORMATS`, ``media`` what the rows speak of, one of :data:`MEDIA`.
    """
    check_media(form, media)
    row = {"ms-swift": _swift_row, "trl": _trl_row}[form]
    for name, with_answer in ((SFT, True), (GRPO, False)):
        lines = (json.dumps(row(s, media, with_answer), ensure_ascii=False, sort_keys=True) for s in made.samples)
        write_text(out / name, "".join(f"{line}\n" for line in lines))


def write_rewards(out: Path, rewards: Sequence[MetricReward], form: str) -> None:
    """Write ``rewards.json``, and for ms-swift the plugin that registers what it holds."""
    write_json(out / REWARDS, rewards_as_json(rewards))
    if form == "ms-swift":
        functions = " ".join(reward.name for reward in rewards)
        weights = " ".join(f"{reward.weight:g}" for reward in rewards)
        write_text(out / PLUGIN, _PLUGIN.format(name=PLUGIN, functions=functions, weights=weights, rewards=REWARDS))


def load_reward_functions(path: Path) -> dict[str, Any]:
    """Name → reward function (:func:`~s3harness.training.rewards.reward_function`) of a ``rewards.json``."""
    from s3harness.training.rewards import reward_function, rewards_from_json

    try:
        data = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: no rewards can be read: {error}") from error
    return {reward.name: reward_function(reward) for reward in rewards_from_json(data)}


def media_name(sample: Sample) -> str:
    """The name of a sample's clip: a hash of what it shows, and of whether it is mirrored."""
    told = json.dumps([asdict(sample.request.clip) | {"index": 0}, sample.mirrored], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def media_files(sample: Sample, media: str) -> list[str]:
    """The paths of a sample's media, relative to the export: one mp4, or one picture for each frame."""
    name = f"{MEDIA_FOLDER}/{media_name(sample)}"
    if media == "mp4":
        return [f"{name}.mp4"]
    return [f"{name}/{number:04d}.jpg" for number in range(1, 1 + len(sample.request.clip.timestamps))]


def _swift_row(sample: Sample, media: str, with_answer: bool) -> dict[str, Any]:
    """Messages with a tag for each medium, its paths, and columns that ms-swift hands to the rewards.

    In mp4 the sound is part of the video; beside frames it is a file of its own.
    """
    request, files = sample.request, media_files(sample, media)
    hears = request.clip.audio and media == "frames"
    tags = ("<video>" if media == "mp4" else "<image>") * len(files) + "<audio>" * hears
    row: dict[str, Any] = {
        "messages": _messages(sample, tags + request.prompt, with_answer),
        "videos" if media == "mp4" else "images": files,
        **({"audios": [f"{MEDIA_FOLDER}/{media_name(sample)}.wav"]} if hears else {}),
    }
    return row | _columns(sample)


def _trl_row(sample: Sample, media: str, with_answer: bool) -> dict[str, Any]:
    """Prompt and completion as messages, images in the order of the frames; each frame's time stands before it."""
    request, files = sample.request, media_files(sample, media)
    row: dict[str, Any] = {"prompt": image_messages(request, request.clip.timestamps), "images": files}
    if with_answer:
        answer = [{"type": "text", "text": sample.target}]
        row["completion"] = [{"role": "assistant", "content": answer}]
    return row | _columns(sample)


def _messages(sample: Sample, prompt: str, with_answer: bool) -> list[dict[str, str]]:
    system = [{"role": "system", "content": sample.request.system}] if sample.request.system else []
    answer = [{"role": "assistant", "content": sample.target}] if with_answer else []
    return [*system, {"role": "user", "content": prompt}, *answer]


def _columns(sample: Sample) -> dict[str, Any]:
    return {"task": sample.request.task, "sample": sample.question.as_text(), "mirrored": sample.mirrored}


def clips_by_video(samples: Iterable[Sample]) -> Iterator[tuple[str, list[Sample]]]:
    """Video id → one sample for each clip that is to be shown, mirrored or not."""
    found: dict[str, dict[str, Sample]] = {}
    for sample in samples:
        found.setdefault(sample.request.clip.video_id, {}).setdefault(media_name(sample), sample)
    for video_id in sorted(found):
        yield video_id, list(found[video_id].values())

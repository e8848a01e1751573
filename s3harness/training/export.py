"""Training sets as files for trainers: JSONL rows, the rewards, and optionally the media.

Media are named by hashes of the clips; no name tells a patient, a file or a date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from s3harness.backends.conversation import conversation
from s3harness.errors import UsageError
from s3harness.files import write_json, write_text
from s3harness.specs.models import ModelCard
from s3harness.training import reward_file
from s3harness.training.rewards import Reward
from s3harness.training.sample import Sample
from s3harness.training.swift_launch import launch_scripts
from s3harness.training.training_set import TrainingSet

FORMATS: Mapping[str, str] = {"ms-swift": "mp4", "trl": "frames"}
"""Format → the default media of its rows."""
MEDIA = ("frames", "mp4")
MEDIA_FOLDER = "media"
IMAGES = ModelCard("a model in training by TRL", clip_form="images")
"""The form of clips in rows for TRL, which has no column for video."""
load_reward_functions = reward_file.load_reward_functions
"""Here for the reward plugins of earlier exports, which import it from this module."""
SFT, GRPO, REWARDS, PLUGIN = "sft.jsonl", "grpo.jsonl", "rewards.json", "reward_plugin.py"

_PLUGIN = '''"""Rewards of s3harness for ms-swift.

--external_plugins {name} --reward_funcs {functions} --reward_weights {weights}
"""

from pathlib import Path

try:
    from swift.rewards import ORM, orms
except ImportError:  # ms-swift before 4
    from swift.plugin import ORM, orms

import s3harness


def _orm(name, function):
    def __call__(self, completions, **columns):
        return function(completions, **columns)

    # ms-swift logs a reward under the name of its class.
    return type(name, (ORM,), {{"__call__": __call__}})


for _name, _function in s3harness.load_reward_functions(Path(__file__).with_name("{rewards}")).items():
    orms[_name] = _orm(_name, _function)
'''


def check_media(form: str, media: str) -> None:
    """Raise :class:`UsageError` for videos in rows for TRL, which has no column for them."""
    if form == "trl" and media != "frames":
        raise UsageError("TRL takes images and has no column for video or sound; use --media frames, or ms-swift")


def write_rows(out: Path, training_set: TrainingSet, form: str, media: str) -> None:
    """Write ``sft.jsonl`` (with the answers) and ``grpo.jsonl`` (without): one row per sample, in the set's order.

    ``form`` is one of :data:`FORMATS`, ``media`` the media that the rows refer to, one of :data:`MEDIA`.
    """
    check_media(form, media)
    row = {"ms-swift": _swift_row, "trl": _trl_row}[form]
    for name, with_answer in ((SFT, True), (GRPO, False)):
        lines = (
            json.dumps(row(s, media, with_answer), ensure_ascii=False, sort_keys=True) for s in training_set.samples
        )
        write_text(out / name, "".join(f"{line}\n" for line in lines))


def write_rewards(out: Path, rewards: Sequence[Reward], form: str) -> None:
    """Write ``rewards.json``, and for ms-swift the plugin that registers its rewards and the scripts that launch it."""
    write_json(out / REWARDS, reward_file.rewards_as_json(rewards))
    if form == "ms-swift":
        functions = " ".join(reward.name for reward in rewards)
        weights = " ".join(f"{reward.weight:g}" for reward in rewards)
        write_text(out / PLUGIN, _PLUGIN.format(name=PLUGIN, functions=functions, weights=weights, rewards=REWARDS))
        for name, script in launch_scripts(rewards).items():
            write_text(out / name, script)
            (out / name).chmod(0o755)


def media_name(sample: Sample) -> str:
    """Return the name of a sample's clip: a hash of the clip, and of whether it is mirrored."""
    # Without the clip's index in its item: tasks that show the same frames share one file.
    content = json.dumps([asdict(sample.request.clip) | {"index": 0}, sample.mirrored], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def media_files(sample: Sample, media: str) -> list[str]:
    """Return the paths of a sample's media, relative to the export: one mp4, or one JPEG per frame."""
    name = f"{MEDIA_FOLDER}/{media_name(sample)}"
    if media == "mp4":
        return [f"{name}.mp4"]
    return [f"{name}/{number:04d}.jpg" for number in range(1, 1 + len(sample.request.clip.timestamps))]


def _swift_row(sample: Sample, media: str, with_answer: bool) -> dict[str, Any]:
    """Return a row of ms-swift: messages with a tag per file, the paths, and the columns for the rewards."""
    request, files = sample.request, media_files(sample, media)
    # An mp4 holds its audio; beside frames the audio is a file of its own.
    has_audio_file = request.clip.audio and media == "frames"
    # ms-swift puts the media in the place of their tags, in the order of the paths.
    tags = ("<video>" if media == "mp4" else "<image>") * len(files) + "<audio>" * has_audio_file
    row: dict[str, Any] = {
        "messages": _messages(sample, tags + request.prompt, with_answer),
        "videos" if media == "mp4" else "images": files,
        **({"audios": [f"{MEDIA_FOLDER}/{media_name(sample)}.wav"]} if has_audio_file else {}),
    }
    return row | _columns(sample)


def _trl_row(sample: Sample, media: str, with_answer: bool) -> dict[str, Any]:
    """Return a row of TRL: prompt and completion as messages, and the images, each after its time in the prompt."""
    request, files = sample.request, media_files(sample, media)
    prompt = conversation(request, IMAGES, frame_times_s=request.clip.timestamps)
    row: dict[str, Any] = {"prompt": prompt, "images": files}
    if with_answer:
        answer = [{"type": "text", "text": sample.target}]
        row["completion"] = [{"role": "assistant", "content": answer}]
    return row | _columns(sample)


def _messages(sample: Sample, prompt: str, with_answer: bool) -> list[dict[str, str]]:
    system = [{"role": "system", "content": sample.request.system}] if sample.request.system else []
    answer = [{"role": "assistant", "content": sample.target}] if with_answer else []
    return [*system, {"role": "user", "content": prompt}, *answer]


def _columns(sample: Sample) -> dict[str, Any]:
    return {"task": sample.request.task, "sample": sample.truth.as_text(), "mirrored": sample.mirrored}


def clips_by_video(samples: Iterable[Sample]) -> Iterator[tuple[str, list[Sample]]]:
    """Yield each video id with one sample for each of its clips, mirrored or not."""
    by_video: dict[str, dict[str, Sample]] = {}
    for sample in samples:
        by_video.setdefault(sample.request.clip.video_id, {}).setdefault(media_name(sample), sample)
    # Video by video, so that each is decoded once.
    for video_id in sorted(by_video):
        yield video_id, list(by_video[video_id].values())

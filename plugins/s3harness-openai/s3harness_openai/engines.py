"""Engines behind servers, by the name that each gives itself, and the fields that each takes beyond OpenAI's protocol.

Taken from the request models of vLLM 0.32, SGLang (commit 004c82e) and LMDeploy 0.16; llama.cpp and unknown servers are
sent what OpenAI's own take.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine: the request fields that it takes, and the facts that it reports.

    ``takes_frame_times`` is true for video as a sequence of JPEG images, each at its time, that is sent once and then
    by an id. ``audio`` is the type of a part of sound; ``audio_in_video`` are the request fields that interleave the
    sound of a video file with its frames, none where it cannot. ``choices`` makes the request fields that hold an
    answer to one of several texts, ``thinking_budget`` is the field of the most tokens of reasoning. With
    ``caches_prefixes``, the first prompt of a clip saves work for its others.

    ``version`` is path and field of its version. ``replicas`` is the path at which it tells of its data-parallel
    replicas, and the count of them in the text there; a request reaches one by ``rank_header`` or ``rank_field``.
    """

    takes_frame_times: bool = False
    caches_prefixes: bool = False
    thinking_budget: str = ""
    audio: Literal["input_audio", "audio_url"] = "input_audio"
    audio_in_video: Fields = field(default_factory=dict)
    choices: Callable[[Sequence[str]], Fields] = field(default=lambda choices: {})
    version: tuple[str, str] | None = None
    replicas: tuple[str, Callable[[str], int]] | None = None
    rank_header: str = ""
    rank_field: str = ""


def _one_of(choices: Sequence[str]) -> str:
    # re.escape would escape spaces too, which the grammars of these engines do not know.
    escaped = (re.sub(r"[\\.^$*+?{}\[\]|()]", r"\\\g<0>", choice) for choice in choices)
    return f"({'|'.join(escaped)})"


UNKNOWN = Engine()

ENGINES: Mapping[str, Engine] = {
    "vllm": Engine(
        takes_frame_times=True,
        caches_prefixes=True,
        thinking_budget="thinking_token_budget",
        audio_in_video={"mm_processor_kwargs": {"use_audio_in_video": True}},
        choices=lambda choices: {"structured_outputs": {"choice": list(choices)}},
        version=("/version", "version"),
        replicas=("/metrics", lambda text: len(set(re.findall(r'num_requests_running\{engine="(\d+)"', text)))),
        rank_header="X-data-parallel-rank",
    ),
    "sglang": Engine(
        caches_prefixes=True,
        audio="audio_url",
        audio_in_video={"use_audio_in_video": True},
        choices=lambda choices: {"regex": _one_of(choices)},
        version=("/get_server_info", "version"),
        replicas=("/get_server_info", lambda text: int((re.findall(r'"dp_size": ?(\d+)', text) or "1")[0])),
        rank_field="routed_dp_rank",
    ),
    "lmdeploy": Engine(
        caches_prefixes=True,
        audio="audio_url",
        choices=lambda choices: {"response_format": {"type": "regex_schema", "regex_schema": _one_of(choices)}},
    ),
    "llamacpp": Engine(version=("/props", "build_info")),
}

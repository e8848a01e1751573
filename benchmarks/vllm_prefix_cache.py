"""How much of a clip vLLM does not have to read again: in our order, shuffled, and ordered by question.

    python benchmarks/vllm_prefix_cache.py [--videos 6] [--clips-held 4] [--in-flight 16]

Needs the plugins s3harness-vllm and s3harness-transformers. A tiny Qwen3-VL is asked all seven tasks of synthetic
videos by a vLLM whose cache holds the tokens of a few clips, as that of a real model does. Our order goes through the
runner, the others with as many requests under way. A prompt's clip is what all prompts of the clip begin with; what is
possible is that every prompt but a clip's first finds all whole blocks of it in the cache.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s3harness.run.plan import Plan
    from s3harness.types import Clip, Request

BLOCK = 32
RESOLUTION = (192, 128)
CLIP_TOKENS = 30 * (6 * 4 + 11)
"""Of 60 frames: a pair is 6 × 4 tokens after its time in words."""

CLIP_PIXELS = 60 * RESOLUTION[0] * RESOLUTION[1]
"""The engine makes room for no more than what is shown."""

MAX_TOKENS = 8
ANSWER_AND_QUESTION = 512
"""Tokens of room for what is a request's own."""

Order = Callable[[], Awaitable[None]]


@dataclass
class Counted:
    """What was put to the engine in one order: by clip, the tokens of each prompt and how many of them were cached."""

    prompts: dict[Clip, list[tuple[Sequence[int], int]]] = field(default_factory=lambda: defaultdict(list))
    seconds: float = 0.0

    def row(self, name: str) -> dict[str, float | str]:
        """The rates of this order."""
        hit = possible = 0
        for of_clip in self.prompts.values():
            whole = common_prefix([tokens for tokens, _ in of_clip]) // BLOCK * BLOCK
            possible += whole * (len(of_clip) - 1)
            hit += sum(min(cached, whole) for _, cached in of_clip)
        every = [prompt for of_clip in self.prompts.values() for prompt in of_clip]
        read = sum(len(tokens) - cached for tokens, cached in every)
        return {"order": name, "rate": hit / possible, "read": read, "requests": len(every), "seconds": self.seconds}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("videos", 6), ("clips-held", 4), ("in-flight", 16), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", VLLM_CPU_KVCACHE_SPACE="1", VLLM_ENABLE_V1_MULTIPROCESSING="0")
    with tempfile.TemporaryDirectory(prefix="prefix-cache-") as folder:
        rows = asyncio.run(measured(Path(folder), chosen))
    print_table(rows)


async def measured(work: Path, chosen: argparse.Namespace) -> list[dict[str, float | str]]:
    """A row for each order."""
    from s3harness_transformers.tiny import tiny_model

    from s3harness.media import MediaStore

    plan = planned(work, chosen)
    weights = tiny_model("qwen3-vl", work / "weights")
    store = MediaStore(work / "cache")
    clip_blocks = CLIP_TOKENS // BLOCK + 1
    blocks = chosen.clips_held * clip_blocks + chosen.in_flight * ANSWER_AND_QUESTION // BLOCK
    options = {"dtype": "float32", "enforce_eager": True, "max_model_len": 8192, "block_size": BLOCK}
    options |= {"num_gpu_blocks_override": blocks, "in_flight": chosen.in_flight, "structured": False}
    options["mm_processor_kwargs"] = {"size": {"shortest_edge": 4096, "longest_edge": CLIP_PIXELS}}
    backend = watched(replace(plan.model, weights=str(weights)), options, store)
    rows = []
    async with backend:
        for name, order in orders(plan, backend, store, chosen).items():
            backend.counted = Counted()
            await backend.forget()
            started = time.perf_counter()
            await order()
            backend.counted.seconds = time.perf_counter() - started
            rows.append(backend.counted.row(name))
    return rows


def planned(work: Path, chosen: argparse.Namespace) -> Plan:
    """All seven tasks of some synthetic videos, as many frames to each clip."""
    from s3harness_synth.dataset import synthesize

    from s3harness.evaluation.prepare import prepare
    from s3harness.evaluation.settings import RunSettings

    synthesize(work / "data", videos=chosen.videos, seed=chosen.seed, resolution=RESOLUTION, fps=8, duration_s=60.0)
    settings = RunSettings(backend="vllm", data=work / "data", out=work / "run", model="qwen3-vl-8b")
    return prepare(settings).plan


def watched(model: Any, options: dict[str, object], store: Any) -> Any:
    """A vLLM backend that counts, and whose engine stays when a run has ended."""
    from s3harness_vllm.backend import VllmBackend

    class Watched(VllmBackend):
        counted = Counted()

        async def complete(self, request: Request) -> Any:
            short = replace(request, generation=replace(request.generation, max_tokens=MAX_TOKENS))
            output, clip_media = await super().complete(short)
            prompt = (list(output.prompt_token_ids), output.num_cached_tokens or 0)
            self.counted.prompts[replace(request.clip, index=0)].append(prompt)
            return output, clip_media

        async def forget(self) -> None:
            assert self._engine is not None
            await self._engine.reset_prefix_cache()
            await self._engine.reset_mm_cache()
            self._cached_clips.clear()

    return Watched(model, options, store)


def orders(plan: Plan, backend: Any, store: Any, chosen: argparse.Namespace) -> dict[str, Order]:
    """Name → what asks everything in that order."""
    requests = [request for video in plan for step in video.steps for request in step.requests]
    shuffled = random.Random(chosen.seed).sample(requests, len(requests))
    by_question = sorted(requests, key=lambda request: (request.task, request.subject))
    return {
        "ours": lambda: through_the_runner(plan, backend, store),
        "by question": lambda: one_after_another(plan, by_question, backend, store, chosen.in_flight),
        "shuffled": lambda: one_after_another(plan, shuffled, backend, store, chosen.in_flight),
    }


async def through_the_runner(plan: Plan, backend: Any, store: Any) -> None:
    """As ``s3harness run`` does."""
    from s3harness.media.options import MediaOptions
    from s3harness.run.worker import Worker

    failed: list[str] = []

    def answered(_: Request, response: Any, media: str) -> None:
        failed.extend([response.error] * (response.status == "failed"))

    worker = Worker(backend, store, MediaOptions())
    async with asyncio.TaskGroup() as group:
        for video in plan:
            admission = await worker.admit(video)
            group.create_task(worker.carry_out(video, admission, answered))
    if failed:
        raise SystemExit(f"{len(failed)} requests failed: {failed[0]}")


async def one_after_another(plan: Plan, requests: list[Request], backend: Any, store: Any, in_flight: int) -> None:
    """In the given order, with so many requests under way."""
    for video in plan:
        await asyncio.to_thread(store.prepare, video.video, video.clips)
    slots = asyncio.Semaphore(in_flight)

    async def ask(request: Request) -> None:
        try:
            await backend.generate(request)
        finally:
            slots.release()

    async with asyncio.TaskGroup() as group:
        for request in requests:
            await slots.acquire()
            group.create_task(ask(request))


def common_prefix(prompts: Sequence[Sequence[int]]) -> int:
    """How many tokens all prompts have in common from their beginning; of one prompt, all."""
    return sum(1 for _ in takewhile(lambda tokens: len(set(tokens)) == 1, zip(*prompts, strict=False)))


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print what was measured, beside our order."""
    ours = rows[0]
    print(f"{ours['requests']} requests\n")
    print("| order | cached, of what is possible | prompt tokens read | times ours | seconds | times ours |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        read, seconds = row["read"] / ours["read"], row["seconds"] / ours["seconds"]
        shown = f"{row['rate']:.1%} | {row['read']:,.0f} | {read:.2f} | {row['seconds']:.1f} | {seconds:.2f}"
        print(f"| {row['order']} | {shown} |")


if __name__ == "__main__":
    main()

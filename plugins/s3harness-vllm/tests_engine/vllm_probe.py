"""Asks one engine a few things and writes down what came of it: ``vllm_probe.py CARD WEIGHTS DATA ADAPTER OUT``."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from s3harness_transformers.backend import TransformersBackend
from s3harness_vllm.backend import VllmBackend

import s3harness
from s3harness.dataset.load import load_dataset
from s3harness.specs.models import read_card
from s3harness.specs.weights import with_weights

CLIP = s3harness.Clip("", 6.0, 16.0, (6.3, 8.1, 11.0, 15.6), 8192)
GREEDY = s3harness.Generation(max_tokens=24)


class Watched(VllmBackend):
    """Remembers what was put to the engine."""

    hand_overs = 0

    async def _ask(self, request, shows, data):
        self.hand_overs += any(part != [None] for part in data.values())
        self.output = await super()._ask(request, shows, data)
        return self.output

    def prompt(self) -> str:
        """The last prompt as the model reads it."""
        return self._engine.renderer.get_tokenizer().decode(self.output.prompt_token_ids)


async def main(card: Path, weights: Path, data: Path, adapter: Path, out: Path) -> None:
    """Probe."""
    model = with_weights(read_card(card), weights)
    with tempfile.TemporaryDirectory() as cache:
        media = s3harness.MediaStore(Path(cache))
        video = load_dataset(data).videos[0]
        clip = replace(CLIP, video_id=video.id)
        media.prepare(video, [clip])
        found = {"clip": asdict(clip), "timestamps": media.frames(clip).timestamps}
        found["failures"] = {
            "longer than the model may be": await not_started(model, {"max_model_len": 9_999_999}, media),
            "more than there is": await without_room(model, media),
        }
        async with Watched(model, {"adapter": str(adapter)}, media) as backend:
            await probe(backend, clip, found)
        await by_transformers(model, adapter, media, clip, found)
    out.write_text(json.dumps(found))


async def probe(backend: Watched, clip: s3harness.Clip, found: dict) -> None:
    """Ask one engine."""
    request = asking(clip)
    found |= {"hand_overs": {}, "cached": {}}

    async def ask(name: str, asked: s3harness.Request) -> None:
        before = backend.hand_overs
        response = await backend.generate(asked)
        found[name] = {k: v for k, v in asdict(response).items() if k != "latency_s"}
        found["hand_overs"][name] = backend.hand_overs - before
        found["cached"][name] = backend.output.num_cached_tokens

    found["facts"] = backend.facts()
    await ask("adapted", request)
    backend._adapter = None
    backend._has.clear()
    await backend._engine.reset_mm_cache()
    await ask("first", request)
    found["media_first"] = backend.prompt()
    found["times_in_prompt"] = re.findall(r"<([0-9.]+) seconds>", backend.prompt())
    await ask("second", request)
    await backend._engine.reset_mm_cache()
    await ask("after a reset", request)
    await ask("text alone", replace(request, clip=replace(clip, timestamps=())))
    found["hand_overs"] = dict(found["hand_overs"])
    found["short"] = asdict(await backend.generate(replace(request, generation=s3harness.Generation(max_tokens=2))))
    backend.model = replace(backend.model, prompt_placement="text_first")
    await backend.generate(request)
    found["text_first"] = backend.prompt()
    found["failures"]["too long"] = await raised(backend.generate(replace(request, prompt="word " * 20_000)))


async def by_transformers(model, adapter: Path, media: s3harness.MediaStore, clip: s3harness.Clip, found: dict) -> None:
    """Ask the transformers backend the same, with the adapter and without."""
    for name, options in (("by transformers", {}), ("adapted by transformers", {"adapter": str(adapter)})):
        async with TransformersBackend(replace(model, engines={}), {"batch_size": 1, **options}, media) as backend:
            found[name] = asdict(await backend.generate(asking(clip)))
            found["facts by transformers"] = dict(backend.facts())


def asking(clip: s3harness.Clip) -> s3harness.Request:
    """A question about a clip."""
    return s3harness.Request("r", "t", "i", "s", clip, "QUESTION", system="SYSTEM", generation=GREEDY)


async def not_started(model: s3harness.ModelCard, options: dict, media: s3harness.MediaStore) -> dict[str, str]:
    """How an engine with these options fails to start."""
    return await raised(VllmBackend(model, options, media).__aenter__())


async def without_room(model: s3harness.ModelCard, media: s3harness.MediaStore) -> dict[str, str]:
    """How an engine fails to start that is to have all the memory of a machine on which others run."""
    space = os.environ.pop("VLLM_CPU_KVCACHE_SPACE")
    try:
        return await not_started(model, {"gpu_memory_utilization": 1.0}, media)
    finally:
        os.environ["VLLM_CPU_KVCACHE_SPACE"] = space


async def raised(work) -> dict[str, str]:
    """The name and the message of what is raised."""
    try:
        await work
    except s3harness.S3HarnessError as error:
        return {"name": type(error).__name__, "message": str(error)}
    return {"name": "", "message": "nothing was raised"}


if __name__ == "__main__":
    asyncio.run(main(*map(Path, sys.argv[1:])))

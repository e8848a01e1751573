"""Puts requests to one engine and writes the findings as JSON: ``vllm_probe.py CARD WEIGHTS DATA ADAPTER OUT``."""

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


class RecordingBackend(VllmBackend):
    """Counts requests that carried media, and keeps the last output."""

    n_sent_media = 0

    async def _send(self, request, clip_media, data):
        self.n_sent_media += any(item is not None for items in data.values() for item in items)
        self.output = await super()._send(request, clip_media, data)
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
        findings = {"clip": asdict(clip), "timestamps": media.frames(clip).timestamps}
        findings["failures"] = {
            "longer than the model's context": await start_failure(model, {"max_model_len": 9_999_999}, media),
            "too much memory": await memory_failure(model, media),
        }
        async with RecordingBackend(model, {"adapter": str(adapter)}, media) as backend:
            await probe(backend, clip, findings)
        await by_transformers(model, adapter, media, clip, findings)
    out.write_text(json.dumps(findings))


async def probe(backend: RecordingBackend, clip: s3harness.Clip, findings: dict) -> None:
    """Ask one engine."""
    request = question_about(clip)
    findings |= {"sent_media": {}, "cached": {}}

    async def ask(name: str, request: s3harness.Request) -> None:
        before = backend.n_sent_media
        response = await backend.generate(request)
        findings[name] = {k: v for k, v in asdict(response).items() if k not in ("latency_s", "sent")}
        findings["sent_media"][name] = backend.n_sent_media - before
        findings["cached"][name] = backend.output.num_cached_tokens

    findings["facts"] = backend.facts()
    await ask("adapted", request)
    backend._adapter = None
    backend._cached_clips.clear()
    await backend._engine.reset_mm_cache()
    await ask("first", request)
    findings["media_first"] = backend.prompt()
    findings["times_in_prompt"] = re.findall(r"<([0-9.]+) seconds>", backend.prompt())
    await ask("second", request)
    await backend._engine.reset_mm_cache()
    await ask("after a reset", request)
    await ask("text alone", replace(request, clip=replace(clip, timestamps=())))
    findings["sent_media"] = dict(findings["sent_media"])
    findings["short"] = asdict(await backend.generate(replace(request, generation=s3harness.Generation(max_tokens=2))))
    backend.model = replace(backend.model, prompt_placement="text_first")
    await backend.generate(request)
    findings["text_first"] = backend.prompt()
    findings["failures"]["too long"] = await error_of(backend.generate(replace(request, prompt="word " * 20_000)))


async def by_transformers(
    model, adapter: Path, media: s3harness.MediaStore, clip: s3harness.Clip, findings: dict
) -> None:
    """Ask the transformers backend the same, with the adapter and without."""
    for name, options in (("by transformers", {}), ("adapted by transformers", {"adapter": str(adapter)})):
        async with TransformersBackend(replace(model, engines={}), {"batch_size": 1, **options}, media) as backend:
            findings[name] = asdict(await backend.generate(question_about(clip)))
            findings["facts by transformers"] = dict(backend.facts())


def question_about(clip: s3harness.Clip) -> s3harness.Request:
    """A question about a clip."""
    return s3harness.Request(
        id="r", task="t", item="i", subject="s", clip=clip, prompt="QUESTION", system="SYSTEM", generation=GREEDY
    )


async def start_failure(model: s3harness.ModelCard, options: dict, media: s3harness.MediaStore) -> dict[str, str]:
    """The error of an engine that does not start with these options."""
    return await error_of(VllmBackend(model, options, media).__aenter__())


async def memory_failure(model: s3harness.ModelCard, media: s3harness.MediaStore) -> dict[str, str]:
    """The error of an engine that is to have all the memory of a machine on which others run."""
    space = os.environ.pop("VLLM_CPU_KVCACHE_SPACE")
    try:
        return await start_failure(model, {"gpu_memory_utilization": 1.0}, media)
    finally:
        os.environ["VLLM_CPU_KVCACHE_SPACE"] = space


async def error_of(work) -> dict[str, str]:
    """The name and the message of what is raised."""
    try:
        await work
    except s3harness.S3HarnessError as error:
        return {"name": type(error).__name__, "message": str(error)}
    return {"name": "", "message": "nothing was raised"}


if __name__ == "__main__":
    asyncio.run(main(*map(Path, sys.argv[1:])))

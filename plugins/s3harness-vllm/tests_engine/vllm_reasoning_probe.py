"""Puts requests to an engine with a thinking model: ``vllm_reasoning_probe.py CARD WEIGHTS DATA OUT``."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from s3harness_vllm.backend import VllmBackend

import s3harness
from s3harness.dataset.load import load_dataset
from s3harness.specs.geometry import Thinking
from s3harness.specs.models import read_card
from s3harness.specs.weights import with_weights

SCHEMA = {
    "type": "object",
    "required": ["answer", "side"],
    "additionalProperties": False,
    "properties": {"answer": {"enum": ["yes", "no"]}, "side": {"type": "string", "maxLength": 8}},
}


def question(clip: s3harness.Clip, *, tokens: int = 0, is_on: bool = False, **settings) -> s3harness.Request:
    """A closed question, with reasoning of so many tokens."""
    generation = s3harness.Generation(
        **{"max_tokens": 60, **settings},
        thinking=is_on,
        thinking_tokens=tokens,
        chat_template_kwargs={"enable_thinking": is_on},
    )
    return s3harness.Request(
        id="r",
        task="t",
        item="i",
        subject="s",
        clip=clip,
        prompt="Does the head turn?",
        answer_schema=SCHEMA,
        generation=generation,
    )


async def main(card: Path, weights: Path, data: Path, out: Path) -> None:
    """Probe."""
    model = replace(
        with_weights(read_card(card), weights), thinking=Thinking(by_default=True, switch="enable_thinking")
    )
    with tempfile.TemporaryDirectory() as cache:
        media = s3harness.MediaStore(Path(cache))
        video = load_dataset(data).videos[0]
        clip = s3harness.Clip(video.id, 6.0, 16.0, (6.3, 8.1, 11.0, 15.6), 8192)
        media.prepare(video, [clip])
        async with VllmBackend(model, {}, media) as backend:
            free = {"max_tokens": 12}
            requests = {
                "off": question(clip),
                "short": question(clip, is_on=True, tokens=5),
                "long": question(clip, is_on=True, tokens=12),
                "cut": question(clip, is_on=True, max_tokens=8),
                "greedy": replace(question(clip, **free), answer_schema=None),
                "top_k": replace(question(clip, temperature=2.0, top_k=1, seed=1, **free), answer_schema=None),
                "penalty": replace(question(clip, repetition_penalty=1.3, **free), answer_schema=None),
                "own": replace(question(clip, temperature=None, decoding="model", seed=5, **free), answer_schema=None),
            }
            answers = {name: asdict(await backend.generate(request)) for name, request in requests.items()}
            out.write_text(json.dumps({"answers": answers, "facts": dict(backend.facts())}))


if __name__ == "__main__":
    asyncio.run(main(*map(Path, sys.argv[1:])))

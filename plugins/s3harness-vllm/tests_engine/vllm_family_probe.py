"""Asks three engines the same of a family's tiny model: ``vllm_family_probe.py DATA OUT FAMILY...``.

The three are transformers, vLLM, and vLLM's server by the openai backend.

One engine is started for a family, and serves it too; another one where an adapter has to be merged.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from s3harness_openai.backend import OpenAIBackend
from s3harness_transformers.backend import TransformersBackend
from s3harness_transformers.tiny import tiny_model
from s3harness_vllm.adapters import load_adapter, lora_request, reason_without_lora
from s3harness_vllm.arguments import merged_setup
from s3harness_vllm.backend import VllmBackend
from s3harness_vllm.engine import start_engine
from s3harness_vllm.merging import merge
from vllm_adapters import write_adapters
from vllm_family_cases import WRITTEN, Case, requests_of
from vllm_forkserver import fork_engines
from vllm_server import NAME, serving

import s3harness
from s3harness.dataset.load import load_dataset
from s3harness.receipts.verify import receipt_of

ENGINE = {"enforce_eager": True, "block_size": 32, "max_num_seqs": 8, "max_model_len": 8192}
SERVED = ("clip", "later clip", "schema", "text alone")
"""The requests that the server is asked."""

COMPARED = ("clip", "later clip", "longer clip")
"""The requests whose inputs are compared with those of the model's own processor."""

Answers = dict[str, Any]


class ProbedBackend(VllmBackend):
    """Keeps its engine whatever that applies of the adapters; ``gaps`` are its reasons not to, by kind."""

    adapters: Mapping[str, Path]
    gaps: Mapping[str, str]

    async def _start(self, log):
        reason = reason_without_lora(self.setup.engine)
        self.gaps = dict.fromkeys(self.adapters, reason)
        if reason:
            return await start_engine(merged_setup(self.setup, Path(str(self.model.weights))), log)
        engine = await start_engine(self.setup, log)
        for kind, adapter in self.adapters.items():
            self.gaps[kind] = await load_adapter(engine, adapter)
            await engine.remove_lora(1)
        return engine


async def main(data: Path, out: Path, names: Sequence[str]) -> None:
    """Probe the families one after the other; what failed in one is its finding."""
    torch.set_num_threads(1)
    fork_engines()
    out.mkdir(parents=True, exist_ok=True)
    (video, *_) = load_dataset(data).videos
    with tempfile.TemporaryDirectory() as folder:
        media = s3harness.MediaStore(Path(folder) / "cache")
        for name in names:
            findings: dict[str, Any] = {}
            start = time.monotonic()
            try:
                await probe(WRITTEN[name], Path(folder) / name, video, media, findings)
            except Exception as error:
                findings["error"] = f"{type(error).__name__}: {error}"
                traceback.print_exc()
            findings["seconds"] = time.monotonic() - start
            (out / f"{name}.json").write_text(json.dumps(findings))


async def probe(
    case: Case, directory: Path, video: s3harness.Video, media: s3harness.MediaStore, findings: dict[str, Any]
) -> None:
    """Ask all engines about the clips of one video; what is known when one fails stays in ``findings``."""
    weights = tiny_model(case.family, directory / "weights")
    card = case.card_of(weights)
    findings["card"] = asdict(card)
    requests = requests_of(card, video.id)
    media.prepare(video, [request.clip for request in requests.values() if not request.clip.is_text_only])
    adapters = write_adapters(card, directory / "adapters")
    language = adapters["language"]
    backend = ProbedBackend(card, engine_options(case) | {"adapter": str(language), "max_loras": 2}, media)
    backend.adapters = adapters
    async with backend:
        findings["facts"], findings["gaps"] = dict(backend.facts()), backend.gaps
        # Where vLLM takes images alone, the others are to show images too.
        card = backend.model
        official = TransformersBackend(card, {}, media)
        compared = (
            [*COMPARED, *(["between"] if case.writes_whole_seconds else [])]
            if card.modalities and not case.has_own_layout
            else []
        )
        findings["receipts"] = {
            name: asdict(await receipt_of(backend, official, video, requests[name])) for name in compared
        }
        findings["vllm"] = await by_vllm(case, backend, requests)
        loaded = {} if backend.gaps["language"] else {"adapted": language}
        if loaded:
            backend._adapter = lora_request(language)
            findings["vllm"]["language adapter"] = answer(await backend.generate(requests["clip"]))
        async with serving(backend._engine, weights, loaded) as url:
            asks = refused_by_server if case.is_refused_by_server else by_server
            findings["server"] = await asks(card, url, loaded, requests, media)
    findings["transformers"] = await by_transformers(case, card, adapters, requests, media)
    findings["merged"] = await by_merged(case, card, adapters, directory / "merged", requests, media)


async def by_merged(
    case: Case,
    card: s3harness.ModelCard,
    adapters: Mapping[str, Path],
    folder: Path,
    requests: Mapping[str, s3harness.Request],
    media: s3harness.MediaStore,
) -> Answers:
    """Answers with adapters that are merged into a copy of the weights: of vLLM, and of the copy elsewhere."""
    answers: Answers = {}
    if kind := case.merged_in_vllm:
        async with VllmBackend(card, engine_options(case) | {"adapter": str(adapters[kind])}, media) as backend:
            answers = {f"{kind} adapter": answer(await backend.generate(requests["clip"]))}
            answers["facts"] = dict(backend.facts())
    if "mixed" in adapters and kind != "mixed":
        folder.mkdir()
        job = {"weights": card.weights, "revision": None, "adapter": str(adapters["mixed"]), "folder": str(folder)}
        merge(job | {"trust_remote_code": False})
        async with TransformersBackend(
            replace(card, weights=str(folder)), {"batch_size": 1, "dtype": case.dtype}, media
        ) as backend:
            answers["mixed adapter"] = answer(await backend.generate(requests["clip"]))
    return answers


async def by_transformers(case, card, adapters, requests, media) -> Answers:
    """Answers of transformers, with each adapter and without."""
    answers = {}
    async with TransformersBackend(card, {"batch_size": 1, "dtype": case.dtype}, media) as backend:
        for name, request in requests.items():
            answers[name] = answer(await backend.generate(request))
            answers[name]["ids"] = backend._encoder.encode(request).text["input_ids"][0].tolist()
    for kind in adapters.keys() - {"tower"}:
        async with TransformersBackend(
            card, {"batch_size": 1, "dtype": case.dtype, "adapter": str(adapters[kind])}, media
        ) as backend:
            answers[f"{kind} adapter"] = answer(await backend.generate(requests["clip"]))
    if case.interleaves:
        async with TransformersBackend(
            replace(card, audio_in_video=True), {"batch_size": 1, "dtype": case.dtype}, media
        ) as backend:
            answers["audio in video"] = answer(await backend.generate(requests["clip"]))
    return answers


async def by_vllm(case: Case, backend: VllmBackend, requests: Mapping[str, s3harness.Request]) -> Answers:
    """Answers of one engine to requests one by one, then to all at once; without its adapter."""
    answers: Answers = {}
    backend._adapter = None
    for name, request in requests.items():
        output, _ = await backend.complete(request)
        answers[name] = answer(await backend.generate(request))
        answers[name]["ids"] = list(output.prompt_token_ids)
        answers[name]["prompt"] = backend._engine.renderer.get_tokenizer().decode(output.prompt_token_ids)
    await forget(backend)
    at_once = await asyncio.gather(*map(backend.generate, requests.values()))
    answers["at once"] = {name: answer(response) for name, response in zip(requests, at_once, strict=True)}
    if case.interleaves:
        await forget(backend)
        backend.model = replace(backend.model, audio_in_video=True)
        answers["audio in video"] = answer(await backend.generate(requests["clip"]))
        # Once more, by the ids of its media alone.
        answers["audio in video again"] = answer(await backend.generate(requests["clip"]))
        backend.model = replace(backend.model, audio_in_video=False)
    return answers


async def by_server(card, url, adapters, requests, media) -> Answers:
    """Answers of vLLM's server, with each adapter that it has and without, and that to all requests at once."""
    options = {"base_url": url, "image": "png", "wait_s": 60}
    answers: Answers = {}
    async with OpenAIBackend(card, options | {"model": NAME}, media) as backend:
        for name in SERVED:
            answers[name] = answer(await backend.generate(requests[name]))
        answers["facts"] = dict(backend.facts())
        at_once = await asyncio.gather(*(backend.generate(requests[name]) for name in SERVED))
        answers["at once"] = {name: answer(response) for name, response in zip(SERVED, at_once, strict=True)}
    for name in adapters:
        async with OpenAIBackend(card, options | {"model": name}, media) as backend:
            answers["language adapter"] = answer(await backend.generate(requests["clip"]))
    return answers


async def refused_by_server(card, url, adapters, requests, media) -> Answers:
    """The server's error for a clip, empty if it takes it, and its answer to text alone."""
    error = ""
    async with OpenAIBackend(card, {"base_url": url, "model": NAME}, media) as backend:
        try:
            await backend.generate(requests["clip"])
        except s3harness.S3HarnessError as raised:
            error = str(raised)
        return {"text alone": answer(await backend.generate(requests["text alone"])), "refusal": error}


def engine_options(case: Case) -> dict[str, Any]:
    """The options of vLLM for a case."""
    return {"dtype": case.dtype, **ENGINE}


async def forget(backend: VllmBackend) -> None:
    """Empty the engine's caches, and forget what is in them."""
    backend._cached_clips.clear()
    await backend._engine.reset_mm_cache()
    await backend._engine.reset_prefix_cache()


def answer(response: s3harness.Response) -> Answers:
    """The parts of a response that are compared."""
    sent = response.sent
    return {
        "text": response.text,
        "status": response.status,
        "prompt_tokens": response.prompt_tokens,
        "probabilities": dict(response.choice_probabilities or {}),
        "sent": sent and {"media": sent.media, "times_s": sent.times_s, "size": sent.size, "sound_s": sent.sound_s},
    }


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))

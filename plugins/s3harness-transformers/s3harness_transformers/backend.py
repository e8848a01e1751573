"""The backend: a model in this process, by transformers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import s3harness
from s3harness_transformers.adapters import adapter_id
from s3harness_transformers.answering import Answerer, Outcome, alike
from s3harness_transformers.asked import Asked, Asker
from s3harness_transformers.families import family_of
from s3harness_transformers.gathering import Gathering
from s3harness_transformers.grammar import LIBRARY, enforcer
from s3harness_transformers.loading import Loaded, load
from s3harness_transformers.options import Options, installed_version, lacks, require_engine


class TransformersBackend(s3harness.Backend):
    """Answers in batches of what is asked at the same time; see :class:`Options` for what can be said of it.

    A clip's frames go in as one video with the times that they were taken at, and none are taken out of them.
    """

    incidental = frozenset({"batch_size", "timeout_s"})

    def __init__(self, model: s3harness.ModelCard, options: Mapping[str, object], media: s3harness.MediaStore) -> None:
        super().__init__(model, options, media)
        self._options = Options.of(options, model.engines.get("transformers", {}))
        require_engine(model, self._options.min_version)
        if model.weights is None:
            raise s3harness.UsageError(f"{model.name} has no weights on the hub; name a directory by --weights DIR")
        self._shown = self._options.clips or _trained_on(model, self._options)
        # Twice a batch, so that the next one's prompts are made ready while one is answered.
        self.limits = s3harness.Limits(2 * self._options.batch_size, self._options.timeout_s, attempts=1)
        self._facts: Mapping[str, object] = {}
        self._identity: Mapping[str, object] = {}
        self._tokens, self._seconds = 0, 0.0

    @classmethod
    def lacks(cls) -> Sequence[str]:
        """Whichever of torch and transformers is not installed."""
        return lacks()

    async def __aenter__(self) -> Self:
        """Load the model."""
        options = self._options
        loaded = await asyncio.to_thread(load, self.model, options, self.say)
        is_held = options.structured and bool(enforcer())
        if options.structured and not is_held:
            self.note(f"answers were not held to their schema: pip install {LIBRARY}")
        self._asker = Asker(
            loaded.processor,
            family_of(loaded.family),
            self.model,
            self.media,
            dtype=loaded.model.dtype,
            context=loaded.context,
            as_images=self._shown == "images",
        )
        self._answerer = Answerer(loaded, structured=is_held, logprobs=options.logprobs)
        self._batches = Gathering[Asked, s3harness.Response](self._timed, alike, options.batch_size)
        self._facts = _facts(loaded, options, enforcer() if is_held else "") | {"clips": self._shown}
        self._identity = _identity(self.model, self._facts, loaded.bare.config)
        self.say("asking")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop what is under way, and let go of the model."""
        self._answerer.stop.set()
        await self._batches.close(s3harness.S3HarnessError("the run was stopped"))
        if self._seconds:
            self.note(f"{self._tokens} tokens were written in {self._seconds:.0f} s of generation")
        if self._answerer.halved:
            self.note(f"{self._answerer.halved} batches did not fit into memory and were asked in halves")
        if self._asker.unheard_s > 0:
            self.note(f"the sound of some clips is longer than the model hears, by up to {self._asker.unheard_s:.0f} s")

    def facts(self) -> Mapping[str, object]:
        """Versions, device, numbers and weights."""
        return self._facts

    def identity(self) -> Mapping[str, object]:
        """The weights with their revision and the hash of their configuration, and the versions of the libraries."""
        return self._identity

    def make_ready(self, clip: s3harness.Clip) -> None:
        """Convert a clip to what the model takes."""
        self._asker.convert(clip)

    async def generate(self, request: s3harness.Request) -> s3harness.Response:
        """Answer one request, with others of its kind that are asked now."""
        return await self._batches.get(await asyncio.to_thread(self._asker.ask, request))

    def _timed(self, batch: Sequence[Asked]) -> list[Outcome]:
        started = time.perf_counter()
        outcomes = self._answerer.answer(batch)
        self._seconds += time.perf_counter() - started
        self._tokens += sum(o.completion_tokens or 0 for o in outcomes if isinstance(o, s3harness.Response))
        return outcomes


def _trained_on(model: s3harness.ModelCard, options: Options) -> str:
    """How the clips were shown that weights or adapter were trained on, by the run card beside them; else video."""
    for directory in (options.adapter, Path(str(model.weights))):
        card = s3harness.read_card(directory) if directory is not None and directory.is_dir() else None
        if card is not None:
            return str(card.about.get("clips", "video"))
    return "video"


def _facts(loaded: Loaded, options: Options, enforced: str) -> dict[str, object]:
    """What the engine turned out to be."""
    found = {
        "transformers": installed_version("transformers"),
        "torch": installed_version("torch"),
        "class": type(loaded.bare).__name__,
        "revision": loaded.revision,
        "device": loaded.device_name,
        "dtype": str(loaded.model.dtype).removeprefix("torch."),
        "attention": str(getattr(loaded.bare.config, "_attn_implementation", "")),
        "adapter": adapter_id(options.adapter) if options.adapter else "",
        "structured": enforced,
    }
    return {name: value for name, value in found.items() if value}


def _identity(card: s3harness.ModelCard, facts: Mapping[str, object], config: Any) -> dict[str, object]:
    """Who answers, of what the engine turned out to be."""
    determining = ("transformers", "torch", "class", "revision", "dtype", "attention", "adapter")
    told = {name: facts[name] for name in determining if name in facts}
    return {
        "weights": card.weights_id or card.weights,
        "config_sha256": s3harness.config_hash(config.to_dict()),
        **told,
    }

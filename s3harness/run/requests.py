"""Templates of requests: all about one subject of a task that is the same for every video.

Nearly everything about a request is the same from video to video: the spec of the subject, the text of the prompt, the
schema of the answer. It is worked out once a subject, and so is the text that the hash of a request is made of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, cast

from s3harness.errors import SpecError
from s3harness.plugins.manager import blamed, load
from s3harness.specs.models import ModelCard
from s3harness.specs.prompts import prompt_about
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Clip, Generation, Request, Video

REPORT_WITHHELD = "[the written report of this video]"
"""Stands in for the report of a video where a prompt is shown to others."""


@dataclass(frozen=True, slots=True)
class ClipGroup:
    """A clip as JSON, for the hash of a request, and the requests by id about all clips that show the same."""

    json: str
    requests: dict[str, Request]

    @classmethod
    def of(cls, clip: Clip, requests: dict[str, Request]) -> ClipGroup:
        """Make the group of a clip; ``requests`` are those about clips that show the same."""
        # Samplers crop nothing, and ids are older than crops.
        return cls(_json({name: value for name, value in _fields(clip).items() if name != "crop" or value}), requests)


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestTemplate:
    """The resolved spec of a subject; :meth:`clips` and :meth:`about` apply it to a video.

    ``hashed`` are the constant parts of the JSON whose hash is the id of a request.
    """

    subject: str
    sampler: str
    params: Mapping[str, Any]
    sample: Callable[..., list[Clip]]
    task: str
    item: str
    prompt: str
    system: str
    hears: bool
    schema: Mapping[str, object] | None
    choices: tuple[str, ...]
    generation: Generation
    hashed: tuple[str, str, str]
    takes_media: bool = True

    @classmethod
    def of(cls, task: TaskSpec, model: ModelCard, subject: str) -> RequestTemplate:
        """Make the template of a task for a model and a subject."""
        spec = task.for_subject(subject)
        sampler, params = spec.sampler
        schema, choices, generation = spec.answer.get("schema"), tuple(spec.answer.get("choices", ())), spec.generation
        return cls(
            subject=subject,
            sampler=sampler,
            params=params,
            sample=cast("Callable[..., list[Clip]]", load("sampler", sampler)),
            task=spec.name,
            item=spec.item,
            prompt=spec.prompt,
            system=spec.system,
            hears=model.hears(),
            takes_media=bool(model.modalities),
            schema=schema,
            choices=choices,
            generation=generation,
            # The keys of the JSON stand in alphabetical order: a key that is added or moved changes every id.
            hashed=(
                f'{{"answer_schema": {_json(schema)}, "choices": {_json(choices)}, "clip": ',
                f', "generation": {_json(_settings(generation))}, "item": ',
                f', "subject": {_json(subject)}, "system": {_json(spec.system)}, "task": {_json(spec.name)}}}',
            ),
        )

    def clips(self, video: Video) -> list[Clip]:
        """Sample the clips of a video; :class:`SpecError` if the sampler does not take the parameters of the spec."""
        try:
            with blamed("sampler", self.sampler):
                clips = self.sample(video, self.subject, **self.params)
        except TypeError as error:
            raise SpecError(f"{self.task}: sampler {self.sampler!r}: {error}") from error
        # A model of text alone is asked the same of the same windows, and is given neither frames nor sound.
        return clips if self.takes_media else [replace(clip, timestamps=(), audio=False) for clip in clips]

    def about(self, video: Video, item: str, clip: Clip, group: ClipGroup) -> Request:
        """Return the request about a clip of a video that answers an item, and add it to the clip's group."""
        prompt = prompt_about(
            self.prompt, item=self.item, subject=self.subject, hears=self.hears, clip=clip, report=video.report
        )
        request = Request(
            id=self._id(item, prompt, group),
            task=self.task,
            item=item,
            subject=self.subject,
            clip=clip,
            prompt=prompt,
            system=self.system,
            answer_schema=self.schema,
            choices=self.choices,
            generation=self.generation,
            item_kind=self.item,
            public_prompt=self._public_prompt(prompt, clip, video.report),
        )
        return group.requests.setdefault(request.id, request)

    def _public_prompt(self, prompt: str, clip: Clip, report: str) -> str:
        """Return the prompt with the written report withheld; empty where the prompt holds no report."""
        if not report:
            return ""
        public = prompt_about(
            self.prompt, item=self.item, subject=self.subject, hears=self.hears, clip=clip, report=REPORT_WITHHELD
        )
        return "" if public == prompt else public

    def _id(self, item: str, prompt: str, group: ClipGroup) -> str:
        """Return a short hash of all that determines the answer of a given model: the request as JSON, keys in order.

        A resumed run knows by it which requests are answered.
        """
        before, between, after = self.hashed
        request = f'{before}{group.json}{between}{json.dumps(item)}, "prompt": {json.dumps(prompt)}{after}'
        return hashlib.sha256(request.encode()).hexdigest()[:20]


_FIRST_SETTINGS = frozenset({"temperature", "max_tokens", "seed", "top_p"})


def _settings(generation: Generation) -> dict[str, object]:
    """Return the settings that are hashed."""
    # Settings that are younger than the ids of recorded runs are hashed only where they are set.
    default = Generation()
    return {
        name: value
        for name, value in _fields(generation).items()
        if name in _FIRST_SETTINGS or value != getattr(default, name)
    }


def _fields(record: Clip | Generation) -> dict[str, object]:
    """Return the fields of a dataclass; ``asdict`` would copy every timestamp."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)

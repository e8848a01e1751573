"""What is asked about one subject of a task, as it is put to any video.

Nearly everything about a request is the same from video to video: the spec of the subject, the text of the prompt, the
schema of the answer. It is worked out once a subject, and so is what the hash of a request is made of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
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
    """A clip of a video: what a hash takes of it, and all that is asked, id → request, of clips that show the same."""

    json: str
    asked: dict[str, Request]

    @classmethod
    def of(cls, clip: Clip, asked: dict[str, Request]) -> ClipGroup:
        """A clip that is met for the first time, and what is asked of it so far."""
        return cls(_json(_fields(clip)), asked)


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestTemplate:
    """The spec of a subject, read; :meth:`clips` and :meth:`about` put it to a video."""

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

    @classmethod
    def of(cls, task: TaskSpec, model: ModelCard, subject: str) -> RequestTemplate:
        """What a task asks a model about a subject."""
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
            schema=schema,
            choices=choices,
            generation=generation,
            hashed=(
                f'{{"answer_schema": {_json(schema)}, "choices": {_json(choices)}, "clip": ',
                f', "generation": {_json(_fields(generation))}, "item": ',
                f', "subject": {_json(subject)}, "system": {_json(spec.system)}, "task": {_json(spec.name)}}}',
            ),
        )

    def clips(self, video: Video) -> list[Clip]:
        """The clips of a video that it is asked about; :class:`SpecError` if its sampler does not take the params."""
        try:
            with blamed("sampler", self.sampler):
                return self.sample(video, self.subject, **self.params)
        except TypeError as error:
            raise SpecError(f"{self.task}: sampler {self.sampler!r}: {error}") from error

    def about(self, video: Video, item: str, clip: Clip, shown: ClipGroup) -> Request:
        """The request about a clip of a video, which answers an item, now among all that is asked of the clip."""
        prompt = prompt_about(
            self.prompt, item=self.item, subject=self.subject, hears=self.hears, clip=clip, report=video.report
        )
        request = Request(
            id=self._id(item, prompt, shown),
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
        return shown.asked.setdefault(request.id, request)

    def _public_prompt(self, prompt: str, clip: Clip, report: str) -> str:
        """The prompt with the written report withheld; empty where the prompt gives no report."""
        if not report:
            return ""
        public = prompt_about(
            self.prompt, item=self.item, subject=self.subject, hears=self.hears, clip=clip, report=REPORT_WITHHELD
        )
        return "" if public == prompt else public

    def _id(self, item: str, prompt: str, shown: ClipGroup) -> str:
        """A short hash of all that determines the answer of a given model: the request as JSON, its names in order."""
        before, between, after = self.hashed
        told = f'{before}{shown.json}{between}{json.dumps(item)}, "prompt": {json.dumps(prompt)}{after}'
        return hashlib.sha256(told.encode()).hexdigest()[:20]


def _fields(noun: Clip | Generation) -> dict[str, object]:
    """The fields of a noun; ``asdict`` would copy every timestamp."""
    return {field.name: getattr(noun, field.name) for field in fields(noun)}


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)

"""Checks of a task spec beyond its schema: its names exist, its parameters fit, its prompts can be written.

Each combination of protocol and family is tried on a sample video, as a run would do it.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from s3harness.errors import PluginError, S3HarnessError, SpecError, suggest
from s3harness.guard.answer_schema import SchemaRefusedError, check_answer_schema
from s3harness.plugins.manager import load, manager
from s3harness.plugins.registry import Kind
from s3harness.specs.catalogue import catalogue
from s3harness.specs.document import MAX_PROBLEMS, Document, Place, form_problem
from s3harness.specs.features import vocabulary
from s3harness.specs.models import ModelCard
from s3harness.specs.prompts import prompt_context, render
from s3harness.specs.subjects import benchmark_subjects, subjects
from s3harness.specs.tasks import PROFILES, PROTOCOLS, MetricSpec, TaskSpec, resolve
from s3harness.types import Clip, FeatureLabel, Video

ASKED_OF = "asked of"


@dataclass(frozen=True, slots=True)
class Variant:
    """A task as one subject of it is asked and scored, and where in the document its fields may come from."""

    spec: TaskSpec
    subject: str
    hears: bool
    places: tuple[Place, ...]

    def asked_by(self, field: str) -> object:
        """Return all that the check of a field depends on."""
        value = self.spec.data.get(field)
        # A prompt may differ by subject and by sound, a sampler by subject; the other fields by neither.
        if field == "prompt":
            return [value, self.subject, self.hears]
        return [value, self.subject] if field == "sampler" else value

    def place(self, document: Document, *field: str) -> Place:
        """Place of a field of this variant in the document; of several, the one that wins over the others."""
        # An error must point to the line that is in force, not to the default that it overrides.
        return next((where for place in self.places if _has(document.data, where := (*place, *field))), field)


def check_task(document: Document) -> None:
    """Raise :class:`SpecError` for the first problem: file, line, field and what would be right."""
    for trial in _trials(document):
        trial()


def check_foreign_task(name: str, data: object) -> None:
    """Raise :class:`SpecError` for a manifest's spec that is malformed, or whose answer schema is refused.

    Prompts, samplers and metrics may differ from the tasks of this version.
    """
    # A manifest comes from a stranger, and its answer schemas are compiled by the engines' grammars.
    problem = form_problem(data, "task")
    if problem:
        raise SpecError(f"{name}: {problem}")
    for place, schema in _answer_schemas(data, ()):
        try:
            check_answer_schema(schema)
        except SchemaRefusedError as error:
            raise SpecError(f"{name}: {'.'.join(map(str, (*place, *error.place)))}: {error.reason}") from error


def _answer_schemas(value: object, where: Place) -> Iterator[tuple[Place, object]]:
    """Yield every answer schema of a spec with its place, in its protocols, families and subjects too."""
    for key, part in value.items() if isinstance(value, Mapping) else ():
        place = (*where, str(key))
        if key == "answer" and isinstance(part, Mapping):
            if part.get("schema") is not None:
                yield (*place, "schema"), part["schema"]
        # Parameters of metrics are data, in which a key named answer means nothing.
        elif key != "metrics":
            yield from _answer_schemas(part, place)


def task_problems(document: Document) -> list[SpecError]:
    """Return the problems of a task beyond its schema; the same problem of many subjects once."""
    problems: dict[tuple[str, str], SpecError] = {}
    for trial in _trials(document):
        try:
            trial()
        except SpecError as error:
            place, _, message = str(error).partition(": ")
            # Without the subject's name, for 20 subjects share a faulty prompt.
            problems.setdefault((place, message.partition(f"{ASKED_OF} ")[2].partition(": ")[2] or message), error)
        # Each trial costs time: no use in collecting more than are shown.
        if len(problems) >= MAX_PROBLEMS:
            break
    return list(problems.values())


def _trials(document: Document) -> Iterator[Callable[[], None]]:
    """Yield the trials, each of which raises :class:`SpecError` if the spec is wrong there."""
    yield partial(_check_used_task, document)
    yield partial(_check_subjects, document)
    # Protocols × families × profiles × sound × subjects repeat nearly everything: each check runs once for equal input.
    tried: set[str] = set()
    for variant in _variants(document.data):
        for field, trials in _CHECKS.items():
            trial = json.dumps([field, variant.asked_by(field)], sort_keys=True)
            if field in variant.spec.data and trial not in tried:
                tried.add(trial)
                yield from trials(document, variant)


def sample_video() -> Video:
    """Return a video of two minutes with everything annotated, to try a spec on."""
    # Everything annotated, so that every sampler and every branch of a prompt has something to work on.
    names = (*vocabulary().names, *vocabulary().signs)
    labels = {name: FeatureLabel("yes", 40.0, 50.0, "left", "seen") for name in names}
    return Video(
        "v0",
        "p0",
        None,
        120.0,
        diagnosis="ES",
        split="",
        onset_s=30.0,
        offset_s=90.0,
        onset_body_part="head",
        features=labels,
        report="A report.",
    )


def _variants(data: Mapping[str, Any]) -> Iterator[Variant]:
    for protocol, family in _protocols(data):
        for profile in PROFILES:
            for hears in (False, True):
                card = ModelCard("any", family=family, modalities=("video", "audio") if hears else ("video",))
                spec = resolve(data, protocol=protocol, profile=profile, model=card)
                for subject in subjects(spec.item):
                    # A model without audio is asked about no sign that is heard.
                    if hears or not _is_heard(subject):
                        yield Variant(
                            spec.for_subject(subject), subject, hears, _places(protocol, family, profile, subject)
                        )


def _protocols(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every protocol, for models of no family in particular and of each that it names."""
    for protocol in PROTOCOLS:
        for family in ("", *data.get("protocols", {}).get(protocol, {}).get("families", {})):
            yield protocol, family


def _places(protocol: str, family: str, profile: str, subject: str) -> tuple[Place, ...]:
    return (
        ("protocols", protocol, "subjects", subject),
        ("subjects", subject),
        ("profiles", profile),
        ("protocols", protocol, "families", family),
        ("protocols", protocol),
        (),
    )


def _has(data: Any, where: Place) -> bool:
    for part in where:
        if not isinstance(data, Mapping) or part not in data:
            return False
        data = data[part]
    return True


def _is_heard(subject: str) -> bool:
    return subject in vocabulary().names and vocabulary()[subject].modality == "audio"


def _check_used_task(document: Document) -> None:
    used = document.data.get("uses")
    # Only of tasks that ask: a chain of tasks that read each other's answers would have none to read.
    asking = [name for name, other in catalogue().documents.items() if "uses" not in other.data]
    if used is not None and used not in asking:
        raise document.error(("uses",), f"there is no task named {used!r} that asks{suggest(str(used), asking)}")


def _check_subjects(document: Document) -> None:
    item = document.data["item"]
    known = subjects(item)
    # A spec of the benchmark names its signs whatever list is in use: of those that the list lacks nothing is asked.
    allowed = {*known, *benchmark_subjects(item)}
    protocols = document.data.get("protocols", {}).items()
    written: list[tuple[Place, Mapping[str, Any]]] = [(("subjects",), document.data.get("subjects", {}))]
    written += [(("protocols", name, "subjects"), protocol.get("subjects", {})) for name, protocol in protocols]
    for where, named in written:
        for subject in named:
            if subject not in allowed:
                raise document.error((*where, subject), f"{item} items are about {', '.join(known)}")


def _check_aggregator(document: Document, variant: Variant) -> None:
    name, params = variant.spec.aggregator
    where = variant.place(document, "aggregate")
    aggregator = _registered(document, where, "aggregator", name)
    _attempt(document, where, params, lambda: inspect.signature(aggregator).bind([], **params))


def _check_metric(document: Document, variant: Variant, index: int, metric: MetricSpec) -> None:
    where = (*variant.place(document, "metrics"), index)
    make = _registered(document, where, "metric", metric.name)
    _attempt(document, where, metric.params, partial(make, **metric.params))


def _check_metrics(document: Document, variant: Variant) -> Iterator[Callable[[], None]]:
    # ``metrics`` is built anew at each access, so it is read once: 4,000 metrics took 30 s when each read it.
    for index, metric in enumerate(variant.spec.metrics):
        yield partial(_check_metric, document, variant, index, metric)


def _check_sampler(document: Document, variant: Variant) -> None:
    name, params = variant.spec.sampler
    where = variant.place(document, "sampler")
    sampler = _registered(document, (*where, "name"), "sampler", name)
    # Called on a video: samplers check values, such as a stride of 0, only then.
    trial = partial(sampler, sample_video(), variant.subject, **params)
    _attempt(document, where, params, trial, lambda name: variant.place(document, "sampler", name))


def _check_parser(document: Document, variant: Variant) -> None:
    answer = variant.spec.answer
    where = variant.place(document, "answer")
    name = answer.pop("parser", None)
    if name is None:
        raise document.error(where, f"parser must be given{suggest('', manager().registry.names('parser'))}")
    parser = _registered(document, (*where, "parser"), "parser", name)
    if answer.get("schema") is not None:
        _check_schema(document, (*where, "schema"), answer["schema"])
    taken = inspect.signature(parser).parameters
    # Schema and choices also steer the engine's decoding; a parser may do without them.
    params = {k: v for k, v in answer.items() if k in taken or k not in ("schema", "choices")}
    _attempt(document, where, params, lambda: parser("", **params))


def _check_schema(document: Document, where: Place, schema: Any) -> None:
    try:
        check_answer_schema(schema)
    except SchemaRefusedError as error:
        raise document.error((*where, *error.place), error.reason) from error


def _check_prompt(document: Document, variant: Variant) -> None:
    spec, video = variant.spec, sample_video()
    clip = Clip(video.id, 0.0, 60.0, (0.0, 1.0), 1)
    context = prompt_context(
        item=spec.item, subject=variant.subject, hears=variant.hears, clip=clip, report=video.report
    )
    try:
        render(spec.prompt, context)
    except S3HarnessError as error:
        message = str(error).removeprefix("prompt: ")
        raise document.error(variant.place(document, "prompt"), f"{ASKED_OF} {variant.subject}: {message}") from error


def _registered(document: Document, where: Place, kind: Kind, name: object) -> Callable[..., Any]:
    known = manager().registry.names(kind)
    if name not in known:
        clash = (kind, name) in manager().registry.clashes
        why = " that can be used: two plugins claim it" if clash else suggest(str(name), known)
        raise document.error(where, f"there is no {kind} named {name!r}{why}")
    return cast("Callable[..., Any]", load(kind, str(name)))


def _attempt(
    document: Document,
    where: Place,
    params: Mapping[str, Any],
    trial: Callable[[], object],
    written: Callable[[str], Place] | None = None,
) -> object:
    """Try a spec's parameters; an exception becomes the error of the parameter that its message names.

    ``written`` says where a parameter stands that need not stand in ``where``.
    """
    try:
        return trial()
    except PluginError:
        raise
    except Exception as error:
        message = str(error)
        # Constructors raise plain exceptions, whose message is the only hint at the parameter.
        named = next((name for name in params if name in message), None)
        place = where if named is None else written(named) if written else (*where, named)
        raise document.error(place, message) from error


Check = Callable[[Document, Variant], None]


def _one(check: Check) -> Callable[[Document, Variant], Iterator[Callable[[], None]]]:
    return lambda document, variant: iter([partial(check, document, variant)])


_CHECKS: Mapping[str, Callable[[Document, Variant], Iterator[Callable[[], None]]]] = {
    "sampler": _one(_check_sampler),
    "answer": _one(_check_parser),
    "prompt": _one(_check_prompt),
    "aggregate": _one(_check_aggregator),
    "metrics": _check_metrics,
}

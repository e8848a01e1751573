"""Floors and ceiling as backends: the trivial answerers and the oracle, which answer in text as a model would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from s3harness.backends.answer_text import write_answer
from s3harness.backends.base import Backend, Truth
from s3harness.dataset.references import events
from s3harness.errors import UsageError, suggest
from s3harness.spans import Span, spans_of, within
from s3harness.specs.features import vocabulary
from s3harness.types import Clip, FeatureLabel, Request, Response, Video

if TYPE_CHECKING:
    from s3harness.media import MediaStore
    from s3harness.specs.models import ModelCard

WHOLE = ("constant", "prevalence", "empty")
"""Answerers that answer every task; ``constant`` is the first of each task that is not empty."""


class FloorsBackend(Backend):
    """Answer as one trivial answerer, ``-o answer=NAME``, fitted on the other patients of the run.

    ``constant``, ``prevalence`` and ``empty`` answer all tasks. Any other name (``always_no``, ``window_centre``,
    ``always_ES``, …) answers the tasks that have such an answerer and says nothing to the others. ``oracle`` is the
    oracle.
    """

    modalities = ("video", "audio")
    sees_truth = True
    takes_history = True

    def __init__(self, model: ModelCard, options: Mapping[str, object], media: MediaStore) -> None:
        super().__init__(model, options, media)
        unknown = set(options) - {"answer"}
        if unknown:
            raise UsageError(f"the floors backend has no option {', '.join(sorted(unknown))}; it has answer=NAME")
        self.answer = str(options.get("answer", "constant"))
        self._values: dict[str, object] = {}
        self._oracle: OracleBackend | None = None

    def set_truth(self, truth: Truth) -> None:
        """Compute the answer to every item."""
        if self.answer == "oracle":
            self._oracle = OracleBackend(self.model, {}, self.media)
            self._oracle.set_truth(truth)
            return
        # The answerers depend on the tasks, so that a wrong name shows here and not in the constructor.
        self._values, known = _answers(truth, self.answer)
        if self.answer not in known:
            fitted = "; those that are fitted on other patients need two patients or more"
            raise UsageError(
                f"there is no trivial answerer {self.answer!r}{suggest(self.answer, sorted(known))}{fitted}"
            )

    async def generate(self, request: Request) -> Response:
        """Return the answer to the request's item, the same in each of its windows."""
        if self._oracle is not None:
            return await self._oracle.generate(request)
        value = self._values.get(request.id)
        if value is None:
            return Response(request.id, "")
        if isinstance(value, Mapping):
            return Response(request.id, write_answer(request, value["present"], str(value["text"])))
        if request.item_kind == "seizures":
            value = _in_clip(spans_of(value) or [], request.clip)
        if isinstance(value, float):
            # Answerers give times of the video, requests ask for times of the clip.
            value -= request.clip.start_s
        return Response(request.id, write_answer(request, value, "As always."))


class OracleBackend(Backend):
    """Answer each request from the annotations of what its clip shows, as a perfect model would.

    A clip whose transform changes it in a way that no annotation describes fails.
    """

    modalities = ("video", "audio")
    sees_truth = True
    takes_history = True

    def set_truth(self, truth: Truth) -> None:
        """Keep the annotations."""
        if self.options:
            raise UsageError("the oracle backend takes no options")
        self._truth = truth

    async def generate(self, request: Request) -> Response:
        """Return the truth of the request as text."""
        video = self._truth.of(request.clip)
        return Response(request.id, perfect_answer(self._truth.kinds[request.task], request, video))


def perfect_answer(kind: str, request: Request, video: Video) -> str:
    """Return the answer of a perfect model: the truth of what the clip shows; ``kind`` is the task's kind of item."""
    return _ORACLE[kind](request, video)


def shows(clip: Clip, label: FeatureLabel) -> bool:
    """Return true if a sign that is present can be seen in a clip; a sign without times can be seen in all."""
    # Both ends may be unknown, each by itself.
    starts = label.start_s is None or label.start_s <= clip.end_s
    return starts and (label.end_s is None or label.end_s >= clip.start_s)


def _answers(truth: Truth, name: str) -> tuple[dict[str, object], set[str]]:
    """Return request → value of the answerer, and the names of all answerers of these tasks."""
    from s3harness.metrics.floors import floors_for

    values: dict[str, object] = {}
    known = {*WHOLE, "oracle"}
    for kind in dict.fromkeys(truth.kinds.values()):
        references = truth.of_kind(kind)
        floors = floors_for(kind, references)
        known |= set(floors)
        # An empty answer is a floor of its own, and no constant one.
        first = next((answerer for answerer in floors if answerer != "empty"), "")
        chosen = {"constant": first}.get(name, name if name in floors or name == "empty" else first * (name in WHOLE))
        by_item = {prediction.item: prediction.value for prediction in floors.get(chosen, [])}
        requests = [(request, r.item) for r in references if r.item in by_item for request in r.requests]
        # Tasks 1 and 2 share their requests: the first task's answer counts.
        values = {request: by_item[item] for request, item in requests} | values
    return values, known


def _feature(request: Request, video: Video) -> str:
    label = video.features.get(request.subject, FeatureLabel("no"))
    answer = {"yes": "yes" if shows(request.clip, label) else "no", "no": "no"}.get(label.present)
    return write_answer(request, answer or _untested(request), label.justification)


def _untested(request: Request) -> str:
    """Return the answer for a sign that could not be tested: "na" if the question allows it."""
    return "na" if "na" in str(request.answer_schema) else "no"


def _laterality(request: Request, video: Video) -> str:
    if request.subject == "onset_body_part":
        return write_answer(request, video.onset_body_part)
    return write_answer(request, video.features[request.subject].side)


def _boundary(request: Request, video: Video) -> str:
    times = {"seizure_onset": video.onset_s, "seizure_offset": video.offset_s}
    at = times[request.subject] if request.subject in times else video.features[request.subject].start_s
    return write_answer(request, float(at or 0.0) - request.clip.start_s)


def _sequence(request: Request, video: Video) -> str:
    # A prompt lists the signs that the model could notice, each as " name: definition".
    listed = [name for name in vocabulary().names if f" {name}:" in request.prompt]
    return write_answer(request, [n for n, _ in events(video, listed) if shows(request.clip, video.features[n])])


def _seizures(request: Request, video: Video) -> str:
    seizures = video.seizures
    if seizures is None and video.onset_s is not None and video.offset_s is not None:
        seizures = ((video.onset_s, video.offset_s),)
    return write_answer(request, _in_clip(seizures or (), request.clip))


def _in_clip(spans: Iterable[Span], clip: Clip) -> list[Span]:
    """Return the parts of spans of the video that lie in a clip, in seconds from its start."""
    return [(start - clip.start_s, end - clip.start_s) for start, end in within(spans, clip.start_s, clip.end_s)]


def _report(request: Request, video: Video) -> str:
    return write_answer(request, video.report)


def _diagnosis(request: Request, video: Video) -> str:
    return write_answer(request, video.diagnosis, "The annotators said so.")


_ORACLE: Mapping[str, Callable[[Request, Video], str]] = {
    "feature": _feature,
    "laterality": _laterality,
    "boundary": _boundary,
    "sequence": _sequence,
    "report": _report,
    "diagnosis": _diagnosis,
    "seizures": _seizures,
}

"""A judge: what a language model is asked about a report, and how its reply is read."""

import json
from collections.abc import Mapping

import s3harness

SIGNS = ("blank_stare", "head_turning", "tonic", "clonic", "oral_automatisms")


class NewcomerJudge:
    """Asks for the signs that a report tells of, in their order, among a few."""

    system = "You code semiology reports. You reply with one JSON object and nothing else."
    generation = s3harness.Generation(temperature=0.0, max_tokens=512)

    @property
    def answer_schema(self) -> Mapping[str, object]:
        """The JSON Schema of the reply."""
        events = {"type": "array", "items": {"type": "string", "enum": list(SIGNS)}}
        return {"type": "object", "properties": {"events": events}, "required": ["events"]}

    def prompt(self, report: str) -> str:
        """The question about one report, which stands at its end: nothing in it is said to the judge."""
        signs = ", ".join(SIGNS)
        return f'Which of these signs does the report tell of, in their order: {signs}? {{"events": […]}}\n\n{report}'

    def read(self, reply: str, report: str) -> s3harness.Reading:
        """The structure in a reply; signs that were not asked for count for nothing."""
        try:
            events = json.loads(reply)["events"]
            signs = tuple(dict.fromkeys(sign for sign in events if sign in SIGNS))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            return s3harness.Reading.unparsable(f"no object with events: {type(error).__name__}")
        return s3harness.Reading.clean(s3harness.ReportStructure(events=signs, words=len(report.split())))

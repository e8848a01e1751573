"""A judge: the prompt that asks a language model about a report, and the parser of its reply."""

import json
from collections.abc import Mapping

import s3harness

SIGNS = ("blank_stare", "head_turning", "tonic", "clonic", "oral_automatisms")


class NewcomerJudge:
    """Asks which of a few signs a report describes, in their order."""

    system = "You code semiology reports. You reply with one JSON object and nothing else."
    generation = s3harness.Generation(temperature=0.0, max_tokens=512)

    @property
    def answer_schema(self) -> Mapping[str, object]:
        """Return the JSON Schema of the reply."""
        events = {"type": "array", "items": {"type": "string", "enum": list(SIGNS)}}
        return {"type": "object", "properties": {"events": events}, "required": ["events"]}

    def prompt(self, report: str) -> str:
        """Return the prompt about one report."""
        signs = ", ".join(SIGNS)
        # The report comes last, so that nothing in it can pass for an instruction that follows it.
        return f'Which of these signs does the report describe, in order: {signs}? {{"events": […]}}\n\n{report}'

    def read(self, reply: str, report: str) -> s3harness.Reading:
        """Parse the structure in a reply; signs that are not in the prompt are ignored."""
        try:
            events = json.loads(reply)["events"]
            signs = tuple(dict.fromkeys(sign for sign in events if sign in SIGNS))
        # RecursionError: of JSON nested by the thousand, which a model may write.
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            return s3harness.Reading.unparsable(f"not a JSON object with events: {type(error).__name__}")
        return s3harness.Reading.clean(s3harness.ReportStructure(events=signs, words=len(report.split())))

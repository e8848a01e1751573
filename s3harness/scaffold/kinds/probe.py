"""A probe: repeat the questions with something changed, and state the expected effect on the answers."""

import s3harness


class NewcomerProbe(s3harness.Probe):
    """Plays the clip backwards: the presence of signs and the diagnosis must stay."""

    title = "frames played backwards"
    transforms = ("reverse",)

    def expect(self, subject: s3harness.ProbeSubject, before: object) -> s3harness.Expected:
        """Expect the same diagnosis and the same signs, and nothing of other answers."""
        if subject.item not in ("feature", "diagnosis"):
            # "open": the answer is counted as changed or not, and neither is right or wrong.
            return s3harness.Expected("open", lambda after: True)
        return s3harness.Expected("same", lambda after: after == before)

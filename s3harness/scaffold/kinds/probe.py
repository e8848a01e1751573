"""A probe: the questions asked once more of something changed, and what that should do to the answers."""

import s3harness


class NewcomerProbe(s3harness.Probe):
    """The pictures run backwards: whether a sign is there, and what it was all in all, must stay."""

    title = "run backwards, and asked what it was"
    transforms = ("reverse",)

    def expect(self, asked: s3harness.Asked, before: object) -> s3harness.Expected:
        """The same diagnosis and the same signs; of the rest nothing is expected."""
        if asked.item not in ("feature", "diagnosis"):
            return s3harness.Expected("open", lambda after: True)
        return s3harness.Expected("same", lambda after: after == before)

"""Synthetic seizure videos with exact truth: patient → script → motion → frames and sound → mp4.

Each layer is a module and knows only the ones before it. A :class:`~s3harness.synth.patient.Patient` has habits, a
:class:`~s3harness.synth.event.Script` says which signs occur when and on which side, :mod:`~s3harness.synth.motion`
acts them out as joint angles, :mod:`~s3harness.synth.frames` draws and :mod:`~s3harness.synth.sound` voices them. The
truth (:mod:`~s3harness.synth.truth`) is read off the envelopes that drive the movement, so it is exact.

The videos are cartoons: they test software, metrics and prompts, and are no evidence of clinical performance.
"""

from s3harness.synth.dataset import synthesize

__all__ = ["synthesize"]

"""Synthetic seizure videos with exact truth: patient → script → motion → frames and sound → mp4.

Each layer is a module and knows only the ones before it. A :class:`~s3harness_synth.patient.Patient` has habits, a
:class:`~s3harness_synth.event.Script` says which signs occur when and on which side, :mod:`~s3harness_synth.motion`
acts them out as joint angles, :mod:`~s3harness_synth.frames` draws and :mod:`~s3harness_synth.sound` voices them. The
truth (:mod:`~s3harness_synth.truth`) is read off the envelopes that drive the movement, so it is exact.

The videos are cartoons: they test software, metrics and prompts, and are no evidence of clinical performance.
"""

from __future__ import annotations

import s3harness


@s3harness.hookimpl
def s3harness_register(registry: s3harness.Registrar) -> None:
    """Register the demo, the command that makes data sets, and the same as an importer."""
    registry.command(
        "demo",
        "s3harness_synth.demo:demo",
        summary="Render synthetic videos and run a baseline on all seven tasks, offline.",
    )
    registry.command("data synth", "s3harness_synth.command:synth")
    registry.dataset("synthetic", "s3harness_synth.importer:import_synthetic")

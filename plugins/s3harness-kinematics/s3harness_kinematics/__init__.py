"""A classical baseline: movement, facial activity and voice as numbers, and answers from their weighted sums.

One module makes one measurement of a clip: the position of the head (:mod:`~.head`), the activity of the face
(:mod:`~.face`), movement and posture of each part of the body (:mod:`~.limbs`), rhythm (:mod:`~.rhythm`), voice
(:mod:`~.voice`) and dialogue (:mod:`~.dialogue`). Named numbers summarise the clip (:mod:`~.summary`) and the change at
each moment (:mod:`~.changes`). Presence (:mod:`~.presence`), onset (:mod:`~.onset`) and side (:mod:`~.side`) of a sign,
and the diagnosis (:mod:`~.diagnosis`), are weighted sums of these numbers. The weights are plain text
(``parameters.json``), fitted to synthetic videos by ``benchmarks/kinematics_calibration.py``.
"""

from __future__ import annotations

import s3harness


@s3harness.hookimpl
def s3harness_register(registry: s3harness.Registrar) -> None:
    """Register the baseline as a backend."""
    registry.backend("kinematics", "s3harness_kinematics.backend:KinematicsBackend")

"""A classical baseline that looks: what moves where and how, what the face does, what is heard.

A clip is measured, one module a measurement: where the head is (:mod:`~.head`), what the face does (:mod:`~.face`), how
much each part of the body moves and how far it is from its place (:mod:`~.limbs`), in which rhythm (:mod:`~.rhythm`),
and what is heard (:mod:`~.voice`, :mod:`~.dialogue`). Named numbers sum it up (:mod:`~.summary`) and say what changes
when (:mod:`~.changes`). Whether a sign is there (:mod:`~.presence`), since when (:mod:`~.onset`), on which side
(:mod:`~.side`), and the diagnosis (:mod:`~.diagnosis`) are weighed sums of these numbers, whose weights are plain text
(``parameters.json``), fitted to synthetic videos by ``benchmarks/kinematics_calibration.py``. It needs no network.
"""

from __future__ import annotations

import s3harness


@s3harness.hookimpl
def s3harness_register(registry: s3harness.Registrar) -> None:
    """Register the baseline as a backend."""
    registry.backend("kinematics", "s3harness_kinematics.backend:KinematicsBackend")

"""A classical baseline that looks: motion energy, its place and side, stillness, the face's openings, the voice.

What a clip shows is measured (:mod:`~s3harness.backends.kinematics.motion`,
:mod:`~s3harness.backends.kinematics.voice`), summed up in named numbers
(:mod:`~s3harness.backends.kinematics.summary`), judged by simple rules on them
(:mod:`~s3harness.backends.kinematics.rules`, :mod:`~s3harness.backends.kinematics.judge`) and put into words
(:mod:`~s3harness.backends.kinematics.speak`). It needs no weights and no network.
"""

from __future__ import annotations

from s3harness.backends.kinematics.backend import KinematicsBackend

__all__ = ["KinematicsBackend"]

"""Transforms that hide a patient's face, looks or voice, and a measure of the identifying information that is left."""

import s3harness


@s3harness.hookimpl
def s3harness_register(registry: s3harness.Registrar) -> None:
    """Register what this package offers."""
    registry.transform("face_blur", "s3harness_privacy.face_blur:face_blur")
    registry.transform("silhouette", "s3harness_privacy.silhouette:silhouette")
    registry.transform("mute", "s3harness_privacy.mute:mute")
    registry.command("privacy", "s3harness_privacy.command:privacy")

"""SFT and GRPO on the tasks of s3harness with ms-swift."""

import s3harness


@s3harness.hookimpl
def s3harness_register(registry: s3harness.Registrar) -> None:
    """Register what this package offers."""
    registry.trainer("swift", "s3harness_swift.trainer:train")

"""A penalty of the Seizure-RQI for reports that repeat themselves."""

import s3harness


@s3harness.hookimpl
def s3harness_register(registry: s3harness.Registrar) -> None:
    """Register what this package offers."""
    registry.rqi_penalty("redundancy", "s3harness_redundancy.penalty:redundancy")

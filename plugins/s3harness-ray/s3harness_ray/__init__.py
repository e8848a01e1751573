"""A run spread over Ray actors, as an executor of s3harness."""

import s3harness


@s3harness.hookimpl
def s3harness_register(registry: s3harness.Registrar) -> None:
    """Register what this package offers."""
    registry.executor("ray", "s3harness_ray.executor:ray")

"""vLLM in process as a backend of s3harness."""

import s3harness


@s3harness.hookimpl
def s3harness_register(registry: s3harness.Registrar) -> None:
    """Register what this package offers."""
    registry.backend("vllm", "s3harness_vllm.backend:VllmBackend")

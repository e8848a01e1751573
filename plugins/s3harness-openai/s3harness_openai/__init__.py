"""Any OpenAI-compatible server as a backend of s3harness."""

import s3harness


@s3harness.hookimpl
def s3harness_register(registry: s3harness.Registrar) -> None:
    """Register what this package offers."""
    registry.backend("openai", "s3harness_openai.backend:OpenAIBackend")

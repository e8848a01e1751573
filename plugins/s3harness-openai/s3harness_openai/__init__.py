"""Any OpenAI-compatible server as a backend of s3harness."""

import s3harness


@s3harness.hookimpl
def s3harness_register(registry: s3harness.Registrar) -> None:
    """Register the backend."""
    # By its path, so that listing backends does not import the HTTP client.
    registry.backend("openai", "s3harness_openai.backend:OpenAIBackend")

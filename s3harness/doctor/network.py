"""What of the environment sends things, or keeps them from being sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from s3harness.doctor.check import Check
from s3harness.guard.telemetry import SILENCE

HUB = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_ENDPOINT", "HF_HOME", "HF_HUB_CACHE")
TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OPENAI_API_KEY")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def variables() -> Iterator[Check]:
    """Telemetry, the Hub's variables, keys (that there are, not which) and proxies."""
    on = [name for name, value in SILENCE.items() if os.environ.get(name) != value]
    said = f"on: {', '.join(on)}" if on else "off, for this command and all it starts"
    yield Check("network", "telemetry of libraries", said, "broken" if on else "ok", "unset them" if on else "")
    said = ", ".join(f"{name}={os.environ[name]}" for name in HUB if name in os.environ)
    yield Check("network", "Hugging Face Hub", said or "reached for weights that are not here; never with video")
    keys = [name for name in TOKENS if name in os.environ]
    if keys:
        yield Check(
            "network", "keys", f"{', '.join(keys)} set; the openai backend sends none but by -o api_key_env=NAME"
        )
    proxies = [f"{name}={_shown(value)}" for name, value in _proxies().items()]
    if proxies:
        remedy = "the openai backend uses none of them; -o proxy=ADDRESS names one. Weights may come through it"
        yield Check("network", "proxies", ", ".join(proxies), "note", remedy)


def _proxies() -> dict[str, str]:
    return {name: os.environ[name] for low in PROXIES for name in (low, low.upper()) if os.environ.get(name)}


def _shown(address: str) -> str:
    """An address without the user and the password that it may hold."""
    try:
        parts = urlsplit(address)
        return f"{parts.scheme}://…@{parts.hostname}:{parts.port}" if parts.password or parts.username else address
    except ValueError:
        return "(not an address)"

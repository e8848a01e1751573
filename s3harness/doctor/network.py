"""Checks of the environment variables that make libraries connect to hosts, or keep them from it."""

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
    """Yield checks of telemetry, of the Hub's variables, of API keys by name, and of proxies."""
    on = [name for name, value in SILENCE.items() if os.environ.get(name) != value]
    telemetry = f"on: {', '.join(on)}" if on else "off, for this command and the processes that it starts"
    yield Check("network", "telemetry of libraries", telemetry, "broken" if on else "ok", "unset them" if on else "")
    hub = ", ".join(f"{name}={os.environ[name]}" for name in HUB if name in os.environ)
    yield Check("network", "Hugging Face Hub", hub or "used to download missing weights, never to send video")
    # By name alone: the output of doctor is pasted into bug reports.
    keys = [name for name in TOKENS if name in os.environ]
    if keys:
        yield Check(
            "network", "keys", f"{', '.join(keys)} set; the openai backend sends one only with -o api_key_env=NAME"
        )
    proxies = [f"{name}={_without_password(value)}" for name, value in _proxies().items()]
    if proxies:
        remedy = "the openai backend ignores them; name one with -o proxy=ADDRESS. Downloads of weights may use them"
        yield Check("network", "proxies", ", ".join(proxies), "note", remedy)


def _proxies() -> dict[str, str]:
    return {name: os.environ[name] for low in PROXIES for name in (low, low.upper()) if os.environ.get(name)}


def _without_password(address: str) -> str:
    """Return a proxy's address without user and password."""
    try:
        parts = urlsplit(address)
        return f"{parts.scheme}://…@{parts.hostname}:{parts.port}" if parts.password or parts.username else address
    except ValueError:  # of a port that is no number; the text may hold the password anywhere
        return "(not an address)"

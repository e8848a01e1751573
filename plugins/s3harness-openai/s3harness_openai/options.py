"""Options of the servers and of the requests, from ``-o key=value`` and from the model card."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Literal
from urllib.parse import urlsplit

import s3harness
from s3harness import options as readers

Media = Literal["auto", "frames", "jpeg_sequence", "mp4"]
Labels = Literal["auto", "none", "seconds", "numbers", "times"]
Image = Literal["jpeg", "png"]

ENGINE_OPTIONS = frozenset({"min_version", "dtype", "tensor_parallel_size", "max_model_len", "limit_mm_per_prompt"})
"""Entries of a card for the engine behind the server, which take effect where that is started and are ignored here."""


OWNER = "the openai backend"

OPENAI_HOST = "api.openai.com"
"""OpenAI's own servers; those of a region have its name before this."""


def _addresses(value: object) -> tuple[str, ...]:
    """Read one or more addresses, as a list or separated by commas."""
    parts = [str(part) for part in value] if isinstance(value, list) else str(value).split(",")
    addresses = tuple(dict.fromkeys(part.strip().rstrip("/") for part in parts if part.strip()))
    if not addresses:
        raise ValueError("at least one address")
    return addresses


def _headers(value: object) -> dict[str, str]:
    """Read headers, none of which is a key."""
    headers = {name: str(text) for name, text in readers.mapping(value).items()}
    # The manifest records options.
    if any(name.lower() in ("authorization", "api-key", "x-api-key", "cookie") for name in headers):
        raise ValueError("no key among the headers, as the manifest records them (-o api_key_env=NAME)")
    return headers


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIOptions:
    """Options of the backend.

    ``base_url`` are the addresses of servers of one model; ``model`` is its name there, where none of its names is the
    card's. ``answers_as`` is the name that their replies give the model, where that is another: a proxy's, say.

    ``media`` sends video as single images (``frames``), as JPEG images of one video (``jpeg_sequence``, vLLM) or as a
    file (``mp4``); ``auto`` is what suits the server. ``labels`` stand as text before each of the single images.
    ``image`` is the encoding of an image, ``jpeg_quality`` from 1 to 95. ``media_ids`` sends a clip once and then
    by its id (vLLM). ``structured`` holds the server to the schema of the answer, ``logprobs`` requests probabilities.

    ``in_flight`` is the largest number of requests at a server at once, ``requests_per_minute`` that of all together.
    A request is sent ``attempts`` times and may take ``timeout_s`` seconds each time; a server that is away or busy is
    waited for, ``patience_s`` seconds in all, which costs no attempt; ``wait_s`` is how long one may take to start.
    ``proxy`` is the address of a proxy; the environment's is not used. ``extra`` are further fields of each request,
    ``headers`` further headers. ``api_version`` makes the server one of Azure, whose deployment is ``model``.

    The environment variables of OpenAI's own client (``OPENAI_BASE_URL``, ``OPENAI_API_KEY``, ``OPENAI_ORG_ID``,
    ``OPENAI_PROJECT_ID``, and Azure's) count for OpenAI's and Azure's servers, and for the address that they name:
    another server, named by ``base_url``, gets no key that was meant for those.
    """

    base_url: Annotated[tuple[str, ...], _addresses] = ("http://localhost:8000/v1",)
    model: str = ""
    answers_as: str = ""
    api_key_env: str = ""
    media: Media = "auto"
    labels: Labels = "auto"
    image: Image = "jpeg"
    jpeg_quality: Annotated[int, readers.whole(1, 95)] = 90
    media_ids: bool = True
    structured: bool = True
    logprobs: bool = True
    in_flight: Annotated[int, readers.whole(1)] = 16
    requests_per_minute: float = 0.0
    attempts: Annotated[int, readers.whole(1)] = 5
    timeout_s: Annotated[float, readers.number(0.01)] = 600.0
    patience_s: float = 900.0
    wait_s: float = 0.0
    proxy: str = ""
    organization: str = ""
    project: str = ""
    api_version: str = ""
    headers: Annotated[Mapping[str, str], _headers] = field(default_factory=dict)
    extra: Annotated[Mapping[str, object], readers.mapping] = field(default_factory=dict)

    @staticmethod
    def of(options: Mapping[str, object], card: Mapping[str, object]) -> OpenAIOptions:
        """Return the user's options over those of the card; :class:`s3harness.UsageError` for a wrong one."""
        of_card = {name: value for name, value in card.items() if name not in ENGINE_OPTIONS}
        values = {**of_card, **options}
        known = {each.name for each in fields(OpenAIOptions)}
        # The general error would suggest api_key_env, and who puts the key itself there has it in the manifest.
        if secret := next((name for name in values if "key" in name and name not in known), None):
            raise s3harness.UsageError(
                f"{OWNER} has no option {secret!r}; a key is given by the name of its environment variable: "
                "-o api_key_env=NAME"
            )
        variable = "AZURE_OPENAI_ENDPOINT" if "api_version" in values else "OPENAI_BASE_URL"
        if "base_url" not in values and os.environ.get(variable):
            values["base_url"] = os.environ[variable]
        read = readers.read_options(OpenAIOptions, OWNER, values)
        if read.api_version and not read.model:
            raise s3harness.UsageError(f"{OWNER} needs the name of the deployment on Azure: -o model=DEPLOYMENT")
        return read

    def api_key(self) -> str:
        """Return the key, empty if the servers get none.

        Raises :class:`s3harness.UsageError` if the variable that the user named is not set.
        """
        # Options hold the name of the variable and never the key, because the manifest records options.
        if not self.api_key_env:
            return self._of_environment("AZURE_OPENAI_API_KEY" if self.api_version else "OPENAI_API_KEY")
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise s3harness.UsageError(f"the environment variable {self.api_key_env} holds no key")
        return key

    def azure_token(self) -> str:
        """Return the token of Entra ID, empty if there is none or a key is named."""
        return "" if self.api_key_env else self._of_environment("AZURE_OPENAI_AD_TOKEN")

    def account(self) -> tuple[str | None, str | None]:
        """Return the organization and the project to which OpenAI books the requests."""
        organization = self.organization or self._of_environment("OPENAI_ORG_ID")
        return organization or None, (self.project or self._of_environment("OPENAI_PROJECT_ID")) or None

    def _of_environment(self, name: str) -> str:
        """Return a variable of OpenAI's client, empty where the servers are not those that it is meant for."""
        own = os.environ.get("OPENAI_BASE_URL", "").rstrip("/")
        is_meant = self.api_version or all(
            url == own or (urlsplit(url).hostname or "").endswith(OPENAI_HOST) for url in self.base_url
        )
        return os.environ.get(name, "").strip() if is_meant else ""

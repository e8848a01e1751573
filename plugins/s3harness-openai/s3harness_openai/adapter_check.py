"""Check that a served LoRA adapter changes answers: vLLM serves one that it does not apply as if it did."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping

import s3harness
from s3harness_openai.client import ServerClient
from s3harness_openai.errors import TransientError
from s3harness_openai.media_parts import frame_times
from s3harness_openai.server_pool import Server

TEST_SIDE = 224
"""Width and height of the test frames: divisible by 14, 16 and 28, the patch sizes of common vision encoders."""

TIMEOUT_S = 300.0
TOLERANCE = 1e-6
"""The largest difference of log probabilities between an adapter and its base that counts as none."""


async def check_adapter(client: ServerClient, server: Server, model: str, base: str, *, with_video: bool) -> bool:
    """Ask an adapter and its base model the same; return whether their answers could be compared.

    Raises :class:`s3harness.S3HarnessError` if the answers have the same probabilities.
    """
    adapted, plain = [await _logprobs(client, server, name, with_video=with_video) for name in (model, base)]
    if not adapted or not plain:
        return False
    if adapted.keys() == plain.keys() and all(abs(adapted[token] - plain[token]) <= TOLERANCE for token in plain):
        raise s3harness.S3HarnessError(
            f"the server {server.url} answers as {model} exactly as it answers as its base model {base}: it does not "
            "apply the adapter. vLLM ignores adapters of the vision part unless it is started with "
            "--enable-tower-connector-lora; or merge the adapter into the weights and serve those"
        )
    return True


async def _logprobs(client: ServerClient, server: Server, model: str, *, with_video: bool) -> Mapping[str, float]:
    """Return the log probabilities of the first token of an answer; empty where a server reports none."""
    fields: dict[str, object] = {
        "model": model,
        "max_tokens": 1,
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": 20,
    }
    content: list[object] = [{"type": "text", "text": "Describe what you see."}]
    if with_video:
        clip = s3harness.Clip("", 0.0, 1.0, (0.0, 0.5), TEST_SIDE**2)
        frame = _gradient_jpeg()
        content.insert(0, {"type": "video_url", "video_url": {"url": f"data:video/jpeg;base64,{frame},{frame}"}})
        fields["media_io_kwargs"] = {"video": frame_times(clip.timestamps, clip)}
    fields["messages"] = [{"role": "user", "content": content}]
    try:
        reply = await client.post(server.url, "/chat/completions", [json.dumps(fields).encode()], TIMEOUT_S)
        (token,) = s3harness.parse_json(reply.body)["choices"][0]["logprobs"]["content"]
        return {each["token"]: float(each["logprob"]) for each in token["top_logprobs"]}
    except (TransientError, ValueError, KeyError, TypeError, IndexError):
        return {}


def _gradient_jpeg() -> str:
    # No uniform grey, which an encoder's normalisation may make nothing of.
    from PIL import Image

    out = io.BytesIO()
    Image.linear_gradient("L").resize((TEST_SIDE, TEST_SIDE)).convert("RGB").save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()

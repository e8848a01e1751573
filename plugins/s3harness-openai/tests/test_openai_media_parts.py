"""What servers are sent: the frames with their times, the same bytes for each prompt, and what they take besides."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import wave
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from misbehaving import ANSWER, Misbehaving, Reaction, ReceivedRequest, refuses, says
from PIL import Image
from s3harness_openai.backend import OpenAIBackend

from s3harness import Clip, MediaStore, ModelCard, Request, Response, Video

N = 36
TIMES = [round(int(i / 2 * 25) / 25, 2) for i in range(24)]
"""When the frames nearest to every half second are, at 25 frames a second."""


def url_data(part: dict) -> bytes:
    """The bytes of a part's data address."""
    return base64.b64decode(part[part["type"]]["url"].partition("base64,")[2])


def clips(server: Misbehaving) -> dict[str, list[ReceivedRequest]]:
    """The requests by the clip that they show, whatever they ask."""
    by_clip = defaultdict(list)
    for request in server.requests:
        by_clip[json.dumps(request.content[:-1])].append(request)
    return by_clip


@pytest.fixture
def frames(data: Path, cache: Path):
    """The pixels and times of a video's frames as the store gives them."""

    def frames_(video_id: str, timestamps: list[float]):
        store = MediaStore(cache)
        video = Video(video_id, "p", data / "videos" / f"{video_id}.mp4", 12.0)
        clip = Clip(video_id, 0.0, 12.0, tuple(timestamps), 602112)
        store.prepare(video, [clip])
        return store.frames(clip)

    return frames_


def test_single_images_come_with_their_times_media_first_and_the_same_bytes_for_each_prompt(run, frames):
    with Misbehaving() as server:
        assert run(server.url).code == 0
    assert len(clips(server)) == 2
    assert {len(requests) for requests in clips(server).values()} == {18}
    shown = server.requests[0].content
    labels, pictures, question = shown[0:-1:2], shown[1:-1:2], shown[-1]
    assert question["type"] == "text"
    assert [part["text"] for part in labels] == [f"00:{i / 2:04.1f}:" for i in range(24)]
    sent = [np.asarray(Image.open(io.BytesIO(url_data(part)))) for part in pictures]
    stored = [frames(video, [i / 2 for i in range(24)]).pixels for video in ("v0001", "v0002")]
    assert min(np.abs(np.asarray(sent, float) - pixels).mean() for pixels in stored) < 4


def test_requests_come_clip_by_clip(run):
    with Misbehaving(latency_s=0.01) as server:
        assert run(server.url, in_flight=4).code == 0
    order = [json.dumps(request.content[:-1]) for request in server.requests]
    assert sum(a != b for a, b in pairwise(order)) <= 2


def test_png_is_exact(run, frames):
    with Misbehaving() as server:
        assert run(server.url, image="png", labels="none").code == 0
    sent = np.asarray([np.asarray(Image.open(io.BytesIO(url_data(p)))) for p in server.requests[0].content[:-1]])
    stored = [frames(video, [i / 2 for i in range(24)]).pixels for video in ("v0001", "v0002")]
    assert any(np.array_equal(sent, pixels) for pixels in stored)


def test_labels_are_those_of_the_card_or_of_the_user(run, card):
    card.write_text(card.read_text() + "engines: {openai: {labels: numbers}}\n")
    with Misbehaving() as server:
        assert run(server.url).code == 0
        assert [p["text"] for p in server.requests[-1].content[:-1:2]] == [f"Frame{i}:" for i in range(1, 25)]
        assert run(server.url, labels="none", out="second").code == 0
        assert {p["type"] for p in server.requests[-1].content[:-1]} == {"image_url"}


def test_a_card_that_wants_the_text_first_gets_it(run, card):
    card.write_text(card.read_text() + "prompt_placement: text_first\n")
    with Misbehaving() as server:
        assert run(server.url, labels="none").code == 0
    assert [part["type"] for part in server.requests[0].content] == ["text"] + ["image_url"] * 24


def test_mp4_is_a_file_that_plays(run):
    with Misbehaving() as server:
        done = run(server.url, media="mp4")
    assert done.code == 0
    (part,) = server.requests[0].content[:-1]
    with av.open(io.BytesIO(url_data(part))) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx(TIMES, abs=0.001)
    assert "as they saw fit" in done.err
    assert done.manifest()["engine"]["media"] == "mp4"


def test_sound_is_sent_where_the_model_hears(run, card):
    card.write_text(card.read_text().replace("[video]", "[video, audio]"))
    with Misbehaving() as server:
        assert run(server.url, labels="none", tasks="7").code == 0
        assert run(server.url, "--protocol", "strict", out="second", labels="none").code == 0
    heard = [p for request in server.requests for p in request.content if p["type"] == "input_audio"]
    assert heard
    with wave.open(io.BytesIO(base64.b64decode(heard[0]["input_audio"]["data"]))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (1, 16_000, 2)
        assert file.getnframes() / 16_000 == pytest.approx(12.0, abs=0.1)


def test_the_schema_the_settings_and_further_fields_are_sent(run):
    with Misbehaving() as server:
        assert run(server.url, extra="{repetition_penalty: 1.05}").code == 0
    fields = server.requests[0].json
    assert fields["response_format"]["json_schema"]["schema"]["properties"]["answer"] == {"enum": ["yes", "no"]}
    assert (fields["temperature"], fields["max_tokens"], fields["repetition_penalty"]) == (0, 256, 1.05)
    assert "structured_outputs" not in fields


LEFT_OUT = [
    ("response_format", "json_schema is not supported by this model", "structured:s3/task1_features", "schema"),
    ("logprobs", "logprobs are not available", "logprobs", "probabilities"),
    ("max_tokens", "Unsupported parameter: use max_completion_tokens instead.", "max_tokens", "max_completion_tokens"),
    ("temperature", "temperature does not support 0 with this model", "temperature", "temperature"),
]


@pytest.mark.parametrize(("name", "message", "part", "note"), LEFT_OUT)
def test_what_a_server_does_not_take_is_left_out_and_that_is_said_once(name, message, part, note, run):
    with Misbehaving(lambda request: refuses(400, message) if request.key and name in request.json else None) as server:
        done = run(server.url, in_flight=1)
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    assert len(server.requests) == N + 1, "only the first request is refused"
    assert done.err.count(note) == 1
    assert done.manifest()["engine"]["without"] == [part]


def test_probabilities_of_closed_answers_are_journalled(run):
    """The tokens of a reply as vLLM and OpenAI give them."""
    pieces = ['{"', "answer", '":', ' "', "yes", '",', ' "justification": "seen"}']
    others = {4: [("yes", -0.2231), ("no", -1.7148), ("na", -9.0)]}
    tokens = [
        {
            "token": text,
            "logprob": -0.2231 if i == 4 else 0.0,
            "top_logprobs": [{"token": t, "logprob": p} for t, p in others.get(i, [(text, 0.0)])],
        }
        for i, text in enumerate(pieces)
    ]
    with Misbehaving(
        lambda request: says("".join(pieces), choice={"logprobs": {"content": tokens}}) if request.key else None
    ) as s:
        done = run(s.url)
    assert {request.json["top_logprobs"] for request in s.requests} == {20}
    for line in done.lines:
        assert line["choice_probabilities"] == pytest.approx({"yes": 0.8, "no": 0.18}, abs=0.001)


class Vllm(Misbehaving):
    """A server that keeps clips by their ids, as vLLM does, and forgets what it is told to."""

    def __init__(self, forgets=lambda number: False, blind: bool = False, takes_times: bool = True) -> None:
        super().__init__(self._do, owned_by="vllm")
        self.kept: set[str] = set()
        self.whole = self.by_id = 0
        self.forgets, self.blind, self.takes_times = forgets, blind, takes_times

    def _do(self, request: ReceivedRequest) -> Reaction | None:
        if not request.key:
            return Reaction({"version": "0.32.0"}) if request.path == "/version" else None
        if "media_io_kwargs" in request.json and not self.takes_times:
            return refuses(400, "media_io_kwargs are disabled. Start the server with --trust-request-mm-kwargs.")
        part = request.content[0]
        uuid = part.get("uuid")
        if self.forgets(request.number):
            self.kept.clear()
        if part["video_url"] is not None:
            self.whole += uuid is not None
            self.kept.add(uuid)
            return self._says(6000)
        if self.blind:
            return self._says(100)
        if uuid not in self.kept:
            return refuses(400, "Cache miss for video at index 0 but data is not provided.")
        self.by_id += 1
        return self._says(6000)

    def _says(self, tokens: int) -> Reaction:
        done = says()
        done.body["usage"] = {"prompt_tokens": tokens + 300, "completion_tokens": 5}
        return done


def test_vllm_is_sent_a_clip_once_with_the_times_of_its_frames(run):
    with Vllm() as server:
        done = run(server.url)
    assert (done.code, done.statuses()) == (0, {"ok": N})
    assert (server.whole, server.by_id) == (2, N - 2)
    whole = [
        request for request in server.requests if request.content[0]["video_url"] and request.content[0].get("uuid")
    ]
    for request in whole:
        video = request.json["media_io_kwargs"]["video"]
        assert [tick / video["fps"] for tick in video["frames_indices"]] == TIMES
        assert (video["num_frames"], video["do_sample_frames"]) == (-1, False)
        assert request.content[0]["video_url"]["url"].startswith("data:video/jpeg;base64,")
        assert request.content[0]["video_url"]["url"].count(",") == 24
    assert done.manifest()["engine"] == {
        "server": "vllm",
        "version": "0.32.0",
        "model": "some-model",
        "servers": 1,
        "media": "jpeg_sequence, jpeg 90",
        "labels": "none",
        "without": [],
    }


def test_a_clip_that_vllm_has_forgotten_is_sent_again(run):
    with Vllm(forgets=lambda number: number == 15) as server:
        done = run(server.url, in_flight=1)
    assert (done.code, done.statuses()) == (0, {"ok": N})
    assert server.whole in (3, 4), "both clips were there, or one"
    assert not any("attempts" in line for line in done.lines)


def test_a_server_that_forgets_everything_is_sent_everything(run):
    with Vllm(forgets=lambda number: True) as server:
        done = run(server.url, in_flight=1)
    assert (done.code, done.statuses()) == (0, {"ok": N})
    assert server.whole == N
    assert len(server.requests) <= N + 1 + 3
    assert done.err.count("forgets clips that it was just sent") == 1


def test_an_answer_about_a_clip_that_was_not_seen_is_none(run):
    """A server that takes an id for nothing at all answers from the text alone: its prompts are too short."""
    with Vllm(blind=True) as server:
        done = run(server.url, in_flight=1)
    assert (done.code, done.statuses()) == (0, {"ok": N})
    assert server.whole == N
    assert {line["prompt_tokens"] for line in done.lines} == {6300}


def test_a_vllm_that_would_not_know_when_its_frames_were_is_not_asked(run):
    with Vllm(takes_times=False) as server:
        done = run(server.url)
        assert done.code == 1
        assert "--trust-request-mm-kwargs" in done.err
        assert len(server.requests) == 1


def test_a_vllm_may_be_shown_single_images_instead(run):
    server = Misbehaving(owned_by="vllm")
    with server:
        done = run(server.url, media="frames")
    assert done.code == 0, done.err
    pictures = [[part for part in request.content if part["type"] == "image_url"] for request in server.requests]
    whole = [shown for shown in pictures if all(part["image_url"] for part in shown)]
    by_id = [shown for shown in pictures if not any(part["image_url"] for part in shown)]
    assert (len(whole), len(by_id)) == (2, N - 2)
    assert {part["uuid"] for shown in by_id for part in shown} == {part["uuid"] for shown in whole for part in shown}


def test_a_request_without_media_is_text_alone(tmp_path):
    """As a judge of reports asks it."""
    request = Request(
        id="id",
        task="judge",
        item="item",
        subject="report",
        clip=Clip("", 0.0, 0.0, (), 0),
        prompt="What does it say?",
        system="You read reports.",
    )

    async def ask(url: str) -> Response:
        async with OpenAIBackend(ModelCard("some-model"), {"base_url": url}, MediaStore(tmp_path)) as backend:
            return await backend.generate(request)

    with Misbehaving() as server:
        response = asyncio.run(ask(server.url))
    assert (response.text, response.status) == (ANSWER, "ok")
    assert server.requests[0].json["messages"] == [
        {"role": "system", "content": "You read reports."},
        {"role": "user", "content": [{"type": "text", "text": "What does it say?"}]},
    ]

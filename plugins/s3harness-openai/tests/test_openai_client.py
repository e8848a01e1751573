"""OpenAI's own client, as its users know it: variables, Azure, headers; and each clip at one replica of a server."""

from __future__ import annotations

from collections import defaultdict

import pytest
from misbehaving import Misbehaving, Reaction, ReceivedRequest
from openai_runs import CARD

KEY = "sk-live-2718281828459045"
PAPER = """
protocols:
  paper:
    samplers:
      sliding_windows: {window_s: 30, stride_s: 25, frames: 4, max_pixels: 8192}
"""


@pytest.fixture(autouse=True)
def no_account(monkeypatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "AZURE_OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_the_variables_of_openai_s_client_count_for_the_address_that_they_name(run, monkeypatch):
    with Misbehaving() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
        monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")
        done = run("", "--limit", 1)
    assert done.code == 0, done.err
    names = ("authorization", "openai-organization", "openai-project")
    assert {tuple(map(each.headers.get, names)) for each in server.requests} == {(f"Bearer {KEY}", "org-1", "proj-1")}
    assert KEY not in done.everything()


def test_another_server_gets_nothing_of_that_account(run, monkeypatch):
    with Misbehaving() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
        assert run(server.url, "--limit", 1).code == 0
    sent = " ".join(name for each in server.requests + server.other_requests for name in each.headers)
    assert "authorization" not in sent
    assert "openai-organization" not in sent


def test_organization_project_and_headers_are_options(run):
    with Misbehaving() as server:
        options = {"organization": "org-2", "project": "proj-2", "headers": "{X-Team: epilepsy}"}
        assert run(server.url, "--limit", 1, **options).code == 0
    names = ("openai-organization", "openai-project", "x-team")
    assert {tuple(map(each.headers.get, names)) for each in server.requests} == {("org-2", "proj-2", "epilepsy")}


@pytest.mark.parametrize("header", ["Authorization", "api-key", "Cookie"])
def test_a_key_among_the_headers_is_a_wrong_call(header, run):
    done = run("http://127.0.0.1:9/v1", headers=f"{{{header}: {KEY}}}")
    assert (done.code, "-o api_key_env=NAME" in done.err) == (2, True)


def test_azure_is_called_by_deployment_version_and_its_own_header(run, monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    with Misbehaving(lambda each: Reaction(b"", 404) if each.method == "GET" else None) as server:
        address = f"http://127.0.0.1:{server.port}"
        done = run(address, "--limit", 1, api_version="2025-04-01-preview", model="clinic", answers_as="gpt-4o")
    assert done.code == 0, done.err
    path = "/openai/deployments/clinic/chat/completions?api-version=2025-04-01-preview"
    assert {(each.path, each.headers["api-key"]) for each in server.requests} == {(path, KEY)}
    assert KEY not in done.everything()


def test_azure_without_a_key_or_a_deployment_is_a_wrong_call(run):
    for more, words in (({}, "-o model=DEPLOYMENT"), ({"model": "clinic"}, "-o api_key_env=NAME")):
        done = run("http://127.0.0.1:9", api_version="2025-04-01-preview", **more)
        assert (done.code, words in done.err) == (2, True), done.err


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_a_clip_stays_with_one_replica_of_a_server_that_has_several(engine, run):
    """Each replica has a cache of its own; the server tells how many there are."""
    run.card.write_text(CARD + PAPER)
    told = {
        "/metrics": b"".join(b'vllm:num_requests_running{engine="%d",model_name="m"} 0.0\n' % rank for rank in (0, 1)),
        "/get_server_info": b'{"version": "0.5.3", "dp_size": 2}',
    }

    def behave(request: ReceivedRequest) -> Reaction | None:
        return Reaction(told[request.path]) if request.path in told else None

    with Misbehaving(behave, owned_by=engine, latency_s=0.02) as server:
        done = run(server.url, "--protocol", "paper", in_flight=2)
    assert (done.code, done.statuses()) == (0, {"ok": 36}), done.err
    ranks = defaultdict(set)
    for request in server.requests:
        if len(request.content[0].get("text", "")) != 1:  # not the two grey frames that test the server
            rank = request.headers.get("x-data-parallel-rank") or request.json.get("routed_dp_rank")
            medium = next(part for part in request.content if part["type"].endswith("_url"))
            ranks[medium.get("uuid") or str(medium)].add(str(rank))
    ranks = {clip: each for clip, each in ranks.items() if each != {"None"}}
    assert len(ranks) == 2
    assert sorted(ranks.values(), key=str) == [{"0"}, {"1"}]

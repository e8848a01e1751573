"""Plugins with faults: each is told by name, and nothing else suffers of it.

Every one is a real package, installed as pip leaves one, and used as a user would.
"""

from __future__ import annotations

import json
import time

import pytest

BACKEND = """
    import asyncio, math, os, sys, time
    import s3harness

    class Bad(s3harness.Backend):
        \"\"\"A backend with a fault.\"\"\"
        modalities = ("video",)
        uses_media = False
        limits = s3harness.Limits(in_flight=8, timeout_s=0.4, attempts=1)

{body}

    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.backend("bad", "bad_plugin:Bad")
"""
ANSWERS = "async def generate(self, request):\n    return s3harness.Response(request.id, 'ES')\n"
NEVER = {
    "on import": "import time; time.sleep(600)",
    "while it registers": """
        import time, s3harness
        @s3harness.hookimpl
        def s3harness_register(registry):
            time.sleep(600)
    """,
    "on import, and holds on to it": """
        import time
        while True:
            try:
                time.sleep(600)
            except Exception:
                pass
    """,
    "in a loop without end": "while True: pass",
}


def _install(site, body: str) -> None:
    indented = "\n".join(f"        {line}" for line in body.splitlines())
    site.install("bad-plugin", BACKEND.format(body=indented))


def _run(site, dataset, out, *more: str):
    return site.run("run", "--backend", "bad", "--data", str(dataset), "--tasks", "7", "--out", str(out), *more)


def _broken(site, kind: str = "backend", limit_s: float = 1.0):
    """The promises that the check finds broken, and what it says."""
    found = site.verdict(kind, "bad", limit_s)
    return {finding.promise for finding in found.findings}, "\n".join(map(str, found.findings))


@pytest.mark.parametrize("source", NEVER.values(), ids=NEVER)
def test_a_plugin_that_never_loads_is_given_up_and_the_others_are_there(site, source):
    site.install("bad-plugin", source)
    site.registering("good-plugin", "registry.backend('friendly', 'good_plugin:Backend')")
    started = time.monotonic()
    states = site.states(S3HARNESS_PLUGINS_LIMIT_S="0.3")
    assert time.monotonic() - started < 300
    assert "not done after 0.3 s; fix it, or pip uninstall bad-plugin" in states["plugin", "bad_plugin", "bad-plugin"]
    assert states["backend", "friendly", "good-plugin"] == "registered"


def test_an_observer_that_hangs_is_told_and_the_run_goes_on(site, dataset, tmp_path):
    site.install(
        "bad-plugin",
        """
        import time, s3harness
        @s3harness.hookimpl
        def s3harness_run_started(run):
            time.sleep(600)
        """,
    )
    arguments = ("run", "--backend", "floors", "--data", str(dataset), "--tasks", "7", "--out", str(tmp_path / "run"))
    ended = site.run(*arguments, S3HARNESS_PLUGINS_LIMIT_S="0.3")
    assert ended.returncode == 0, ended.stderr
    assert "bad-plugin" in ended.stderr
    assert "not done after 0.3 s" in ended.stderr


# what its class holds; what the run says of its requests; the promise that the check finds broken
BODIES = {
    "takes too little": ("async def generate(self):\n    return None", "TypeError", "answers"),
    "returns nothing": ("async def generate(self, request):\n    return None", "NoneType", "answers"),
    "never answers": (
        "async def generate(self, request):\n    await asyncio.sleep(600)",
        "no answer within",
        "answers",
    ),
    "blocks": (
        "async def generate(self, request):\n    time.sleep(600)",
        "blocked the event loop",
        "in time",
    ),
    "hangs in a thread": (
        "async def generate(self, request):\n    await asyncio.to_thread(time.sleep, 600)",
        "no answer within",
        "answers",
    ),
    "swallows cancellation": (
        """\
async def generate(self, request):
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            pass
""",
        "ignored its cancellation",
        "answers",
    ),
    "gives no number": (
        """\
async def generate(self, request):
    return s3harness.Response(request.id, "ES", choice_probabilities={"ES": math.nan})
""",
        "cannot be written",
        "answers",
    ),
    "leaves Python": ("async def generate(self, request):\n    sys.exit(3)", "tried to end the process", "answers"),
}


@pytest.mark.parametrize(("body", "said", "promise"), BODIES.values(), ids=BODIES)
def test_requests_that_a_backend_fails_are_failures_and_the_run_ends(site, dataset, tmp_path, body, said, promise):
    _install(site, body)
    started = time.monotonic()
    ended = _run(site, dataset, tmp_path / "run", "--limit", "1")
    assert time.monotonic() - started < 300
    assert ended.returncode == 1
    entries = [json.loads(line) for line in (tmp_path / "run" / "responses.jsonl").read_text().splitlines()]
    assert {entry["status"] for entry in entries} == {"failed"}
    assert all(said in entry["error"] for entry in entries), entries[0]["error"]
    broken, notes = _broken(site, limit_s=0.5)
    assert promise in broken, notes


def test_what_a_backend_prints_is_no_part_of_the_result(site, dataset, tmp_path):
    _install(
        site, "async def generate(self, request):\n    print('hello')\n    return s3harness.Response(request.id, '')"
    )
    ended = _run(site, dataset, tmp_path / "run", "--json")
    assert json.loads(ended.stdout)["scores"]
    assert "hello" in ended.stderr
    assert "quiet" in _broken(site)[0]


def test_a_backend_that_does_not_close_has_answered_all_the_same(site, dataset, tmp_path):
    _install(site, ANSWERS + "async def __aexit__(self, *exc):\n    raise RuntimeError('stuck')\n")
    ended = _run(site, dataset, tmp_path / "run")
    assert ended.returncode == 0
    assert "Bad did not close: RuntimeError: stuck" in ended.stderr
    broken, notes = _broken(site, limit_s=10)
    assert broken == {"enters"}, notes
    assert "leaving: RuntimeError: stuck" in notes


# what its class holds beside an answer; the promise that the check finds broken, and what it says
FLAWS = {
    "cannot be made": ("def __init__(self):\n    pass", "cheap", "TypeError"),
    "hangs in setup": ("async def __aenter__(self):\n    await asyncio.sleep(600)", "enters", "not done after 1 s"),
    "blocks in setup": ("async def __aenter__(self):\n    time.sleep(600)", "in time", "entering: not done"),
    "says nothing of its hosts": ("remote = True", "remote", "hosts names none"),
    "has odd limits": ("limits = 8", "form", "limits is 8"),
    "is nobody that can be written": ("def identity(self):\n    return {'v': object()}", "identity", "not JSON"),
    "says what is no JSON": ("def facts(self):\n    return {'version': object()}", "facts", "not JSON serializable"),
    "calls home": (
        """\
def facts(self):
    import socket
    try:
        socket.create_connection(("192.0.2.7", 80), 1)
    except OSError:
        pass
    return {}
""",
        "offline",
        "192.0.2.7",
    ),
    "looks a name up": (
        """\
def facts(self):
    import socket
    try:
        socket.getaddrinfo("secret.tracker.invalid", 80)
    except OSError:
        pass
    return {}
""",
        "offline",
        "secret.tracker.invalid",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "promise", "said"), FLAWS.values(), ids=FLAWS)
def test_the_check_says_what_is_wrong_with_a_backend_that_answers(site, body, promise, said):
    _install(site, f"{ANSWERS}\n{body}")
    broken, notes = _broken(site)
    assert promise in broken, notes
    assert said in notes


@pytest.mark.parametrize(
    ("fault", "said"), [("os._exit(3)", "ended with 3"), ("os.kill(os.getpid(), 11)", "SIGSEGV"), ("pass", "")]
)
def test_what_ends_its_process_is_told_all_the_same(site, fault, said):
    _install(site, f"{ANSWERS}\ndef facts(self):\n    {fault}\n    return {{}}")
    ended = site.run("plugins", "check", "backend:bad", "--json")
    (found,) = json.loads(ended.stdout)
    assert ended.returncode == bool(said)
    assert {finding["promise"] for finding in found["findings"]} == ({"alive"} if said else set())
    assert said in str(found["findings"])


def test_a_package_that_is_broken_is_told_as_such_and_the_others_are_checked(site):
    site.install("bad-plugin", "raise RuntimeError('no driver')")
    site.registering("good-plugin", "registry.parser('upper', 'good_parser:upper')")
    (site.folder / "good_parser.py").write_text(
        'import s3harness\n\n\ndef upper(text: str):\n    """In capitals."""\n'
        "    made = s3harness.Reading\n"
        "    return made.clean(text.upper()) if text.strip() else made.unparsable('nothing')\n"
    )
    ended = site.run("plugins", "check", "bad-plugin", "good-plugin", "--json")
    found = {verdict["name"]: verdict for verdict in json.loads(ended.stdout)}
    assert ended.returncode == 1
    assert "no driver" in str(found["bad-plugin"]["findings"])
    assert found["upper"]["passed"], found["upper"]
    assert site.run("plugins", "check", "bad-plugin").returncode == 1


def test_what_is_registered_and_not_there_is_listed_as_broken_and_so_checked(site):
    site.registering("bad-plugin", "registry.metric('gone', 'no_such_module:f')")
    assert site.states()["metric", "gone", "bad-plugin"] == (
        "broken: there is no module no_such_module; reinstall bad-plugin"
    )
    ended = site.run("plugins", "check", "metric:gone")
    assert ended.returncode == 1
    assert "No module named 'no_such_module'" in ended.stdout


@pytest.mark.parametrize("names", [(), ("--all", "floors"), ("nothing-of-that-name",), ("backend:nothing",)])
def test_a_check_of_nothing_is_a_wrong_call(site, names):
    assert site.run("plugins", "check", *names).returncode == 2


def test_a_taken_name_is_told_with_both_packages(site):
    for package in ("a-plugin", "b-plugin"):
        site.registering(package, f"registry.backend('mine', '{package[0]}_plugin:y')")
    ended = site.run("plugins", "check", "backend:mine")
    assert ended.returncode == 1
    assert "'a-plugin'" in ended.stdout
    assert "'b-plugin'" in ended.stdout


PENALTIES = {
    "gives no number": ("s3harness.Penalty(float('nan'))", "bounds", "a multiplier of nan"),
    "has a cap that is none": ("s3harness.Penalty(1.0, (), float('nan'))", "bounds", "a cap of nan"),
    "gives a number": ("0.5", "form", "an s3harness.Penalty is expected"),
    "raises": ("context.nothing", "answers", "of package 'bad-plugin' failed: AttributeError"),
}


@pytest.mark.parametrize(("result", "promise", "said"), PENALTIES.values(), ids=PENALTIES)
def test_a_penalty_that_is_wrong_is_named_where_it_is_used(site, tmp_path, result, promise, said):
    site.install(
        "bad-plugin",
        f"""
        import s3harness

        def bad(context):
            \"\"\"A penalty with a fault.\"\"\"
            print("hello")
            return {result}

        @s3harness.hookimpl
        def s3harness_register(registry):
            registry.rqi_penalty("bad", "bad_plugin:bad")
        """,
    )
    (tmp_path / "report.txt").write_text("The head turns to the left.")
    score = ("rqi", "score", "--report", str(tmp_path / "report.txt"), "--expert", str(tmp_path / "report.txt"))
    assert site.run(*score).stdout == "100.0\n"
    ended = site.run(*score, "--preset", "strict+bad")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "'bad'" in ended.stderr
    assert said in ended.stderr
    broken, notes = _broken(site, "rqi_penalty", 10)
    assert {promise, "quiet"} <= broken, notes

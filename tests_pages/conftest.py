"""A headless browser, and pages made from a small run; what is missing is named, not skipped."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from s3harness_synth.dataset import synthesize

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SCRIPT = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        path = next((found for name in (*BROWSERS, own) if (found := shutil.which(name))), None)
        if path is None:
            remedy = "apt-get install chromium, or playwright install chromium where its download can be reached"
            pytest.fail(f"the page tests need Chromium, and none of {', '.join(BROWSERS)} is on the PATH: {remedy}")
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


def _call(*arguments: object) -> None:
    """In a process of its own: the browser's driver keeps an event loop in this one."""
    subprocess.run([sys.executable, "-m", "s3harness", *map(str, arguments)], check=True)


_BUILD = """
import sys
from pathlib import Path
from s3harness.leaderboard.entries import entry_of, published
from s3harness.leaderboard.site import build_site
from s3harness.package_data import published_directory
submissions, out = map(Path, sys.argv[1:])
entries = [entry_of(path, "re-scored") for path in sorted(submissions.iterdir())]
build_site(entries, published(published_directory()), out)
"""


def _build(submissions: Path, out: Path) -> None:
    """Build pages of all submissions as verified ones: verifying would hold back copies, and names with scripts."""
    subprocess.run([sys.executable, "-c", _BUILD, str(submissions), str(out)], check=True)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report, a comparison and a site; a model wrote a script into every answer of one video."""
    out = tmp_path_factory.mktemp("pages")
    synthesize(out / "data", videos=4, seed=4, resolution=(96, 54), fps=2, duration_s=36.0)
    for backend in ("oracle", "floors"):
        _call("run", "--backend", backend, "--data", out / "data", "--out", out / backend)
        _call("submit", "pack", out / backend, "--out", out / "submissions" / backend)
    about = json.loads((out / "submissions" / "floors" / "submission.json").read_text())
    about |= {"notes": SCRIPT, "submitter": SCRIPT, "model": about["model"] | {"title": SCRIPT}}
    (out / "submissions" / "floors" / "submission.json").write_text(json.dumps(about))
    _build(out / "submissions", out / "site")
    lines = [json.loads(line) for line in (out / "floors" / "responses.jsonl").read_text().splitlines()]
    lines = [line | {"text": SCRIPT} if line["clip"]["video_id"] == "v0001" else line for line in lines]
    (out / "floors" / "responses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    _call("report", out / "floors", "--data", out / "data")
    _call("compare", out / "floors", out / "oracle", "--html", out / "compare.html")
    return out


@pytest.fixture(scope="session")
def crowded(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Path:
    """A board of 120 entries."""
    submissions = tmp_path_factory.mktemp("crowded")
    for n in range(120):
        shutil.copytree(made / "submissions" / "oracle", submissions / f"entry-{n:03d}")
    _build(submissions, submissions.parent / "crowded-site")
    return submissions.parent / "crowded-site"


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desktop", "phone"])
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page that notes every error and every request beyond the disk."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    opened = context.new_page()
    opened.troubles = []
    opened.on("pageerror", lambda error: opened.troubles.append(str(error)))
    opened.on("request", lambda asked: asked.url.startswith("file:") or opened.troubles.append(asked.url))
    yield opened
    assert opened.troubles == []
    assert opened.title() != "owned"
    context.close()

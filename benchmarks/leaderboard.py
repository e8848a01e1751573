"""How long the pages of a thousand submissions take to build, and how quick they are in a browser.

``python benchmarks/leaderboard.py --submissions 1000 --work /tmp/boards`` asks one small data set all seven tasks,
changes the answers at random into so many different runs, each scored and packed as any other, and submits every one of
these under many names, with a signed verdict: verifying is not what is measured. What is in the work folder already is
not made again. The browser is Chromium, through
playwright (``make test-pages`` installs that); ``--no-browser`` leaves it out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from s3harness_synth.dataset import synthesize

from s3harness.files import write_json
from s3harness.leaderboard.folder import MANIFEST, SCORES, SUBMISSION
from s3harness.leaderboard.pack import About, pack
from s3harness.leaderboard.verdicts import Verdict, write_verdict
from s3harness.scoring.score_run import score_run

VIDEOS = 8
DISTINCT = 40
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def main() -> None:
    """Make the submissions, build the pages in a process of its own, and open them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--no-browser", action="store_true")
    asked = parser.parse_args()
    submissions = _submissions(asked.work, asked.submissions)
    _build(submissions, asked.work / "site")
    if not asked.no_browser:
        _browse(asked.work / "site")


def _submissions(work: Path, number: int) -> Path:
    folder = work / f"submissions-{number}"
    if not folder.is_dir():
        packed, key = [_packed(work, n) for n in range(min(DISTINCT, number))], _key(work)
        for n in range(number):
            out = folder / f"model-{n:04d}"
            _renamed(packed[n % len(packed)], out)
            write_verdict(out, Verdict(tier="re-scored"), key)
    return folder


def _key(work: Path) -> Path:
    """A key to sign with, and the file that allows it."""
    key = work / "key"
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
        (work / "allowed_signers").write_text(f"benchmark {key.with_name('key.pub').read_text()}")
    return key


def _packed(work: Path, number: int) -> Path:
    """A submission of a run whose answers are partly those to the same question about another video."""
    out, run = work / "packed" / f"{number:02d}", work / "runs" / f"{number:02d}"
    if not out.is_dir():
        shutil.copytree(_asked(work), run, dirs_exist_ok=True)
        lines = [json.loads(line) for line in (run / "responses.jsonl").read_text().splitlines()]
        _shuffle(lines, share=number / DISTINCT, seed=number)
        (run / "responses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        score_run(run)
        pack(run, out, About(submitter="benchmark"), work / "data")
    return out


def _asked(work: Path) -> Path:
    run = work / "kinematics"
    if not (run / "scores.json").is_file():
        synthesize(work / "data", videos=VIDEOS, seed=4, resolution=(96, 54), fps=2, duration_s=36.0)
        told = ["run", "--backend", "kinematics", "--data", work / "data", "--out", run]
        subprocess.run([sys.executable, "-m", "s3harness", *map(str, told)], check=True)
    return run


def _shuffle(lines: list[dict[str, Any]], *, share: float, seed: int) -> None:
    """Give a share of the requests the answer to the same question about a video drawn at random."""
    draw = random.Random(seed)
    texts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for line in lines:
        texts[line["task"], line["subject"]].append(line["text"])
    for line in lines:
        if draw.random() < share:
            line["text"] = draw.choice(texts[line["task"], line["subject"]])


def _renamed(source: Path, out: Path) -> None:
    """A copy of a submission under another model's name, its hashes made anew."""
    shutil.copytree(source, out)
    documents = {name: json.loads((out / name).read_text()) for name in (MANIFEST, SCORES, SUBMISSION)}
    documents[MANIFEST]["run"]["model"]["name"] = documents[SCORES]["model"] = out.name
    documents[SUBMISSION]["model"] |= {"name": out.name, "title": out.name}
    for name in (MANIFEST, SCORES):
        write_json(out / name, documents[name])
        documents[SUBMISSION]["files"][name] = hashlib.sha256((out / name).read_bytes()).hexdigest()
    write_json(out / SUBMISSION, documents[SUBMISSION])


def _build(submissions: Path, site: Path) -> None:
    signers = submissions.parent / "allowed_signers"
    told = ["leaderboard", "build", "--submissions", submissions, "--allowed-signers", signers, "--out", site]
    before, began = _used(), time.perf_counter()
    subprocess.run([sys.executable, "-m", "s3harness", *map(str, told)], check=True)
    wall, after = time.perf_counter() - began, _used()
    print("| submissions | build, wall s | CPU s | index MB | site MB |\n|---:|---:|---:|---:|---:|")
    sizes = [path.stat().st_size for path in site.rglob("*") if path.is_file()]
    numbers = (wall, after - before, (site / "index.html").stat().st_size / 1e6, sum(sizes) / 1e6)
    cells = [f"{number:.1f}" for number in numbers]
    print(f"| {sum(path.is_dir() for path in submissions.iterdir())} | {' | '.join(cells)} |\n")


def _used() -> float:
    """CPU seconds of the processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _browse(site: Path) -> None:
    from playwright.sync_api import sync_playwright

    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    print("| page | rows | opened, ms | slowest sort, ms | filtered, ms |\n|---|---:|---:|---:|---:|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name in ("index.html", "task1-features.html", "task6-report.html"):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            began = time.perf_counter()
            page.goto((site / name).as_uri())
            opened = 1000 * (time.perf_counter() - began)
            rows = page.locator("[data-count]").inner_text().rpartition(" ")[2]
            sorts, filtered = page.evaluate(_SORTS), page.evaluate(_FILTER)
            print(f"| {name} | {rows} | {opened:.0f} | {max(sorts):.0f} | {filtered:.0f} |")
        browser.close()


# Reading the height has the browser lay the page out, so that the time of that counts as well.
_SORTS = """() => [...document.querySelectorAll("table.board th button")].map((button) => {
  const began = performance.now();
  button.click();
  document.body.offsetHeight;
  return performance.now() - began;
})"""
_FILTER = """() => {
  const field = document.querySelector("[data-filter=text]"), began = performance.now();
  field.value = "7";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  document.body.offsetHeight;
  return performance.now() - began;
}"""

if __name__ == "__main__":
    main()

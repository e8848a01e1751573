"""How fast the reading room opens, how large a table it bears, and what it takes of a core while a run goes on.

    python benchmarks/reading_room.py [--items 10000] [--idle 30] [--browser]

A run of the floors on three synthetic videos is repeated until it has the items wanted. The time to the first page is
from the start of the command to the table of runs; a second run looks as if it still went on, and is asked about every
two seconds, as the page does. ``--browser`` filters and sorts the table of items in Chromium (``make .venv/.pages``).
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from s3harness_synth.dataset import synthesize

TICKS = os.sysconf("SC_CLK_TCK")


SCROLL = """() => new Promise((done) => {
  const box = document.querySelector(".items"), frames = [];
  let last = performance.now();
  const step = (now) => {
    frames.push(now - last); last = now; box.scrollTop += 500;
    frames.length < 300 ? requestAnimationFrame(step) : done(frames.slice(1));
  };
  requestAnimationFrame(step);
})"""
"""Scrolls a table by 500 pixels a frame; resolves to the milliseconds of each frame."""
LATE_MS = 34.0
"""Two frames of a screen of 60 Hz: whoever scrolls sees a jump."""


class Room:
    """A process of ``s3harness view``, and its cookie."""

    def __init__(self, *runs: Path) -> None:
        self.started = time.perf_counter()
        command = [sys.executable, "-m", "s3harness", "view", *map(str, runs)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = next(match[0] for line in self.process.stdout if (match := re.search(r"http://\S+", line)))
        self.cookie = ""
        path = self.address[self.address.index("/?") :]
        self.cookie = self.ask(path)[0].getheader("set-cookie", "").split(";")[0]

    def ask(self, path: str) -> tuple[http.client.HTTPResponse, bytes]:
        """Return the response to a request, and its body."""
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(self.address).port or 0)
        connection.request("GET", path, headers={"Cookie": self.cookie})
        response = connection.getresponse()
        return response, response.read()

    def cpu_s(self) -> float:
        """Return the CPU seconds of the process so far."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / TICKS


def repeated(run: Path, out: Path, n: int) -> Path:
    """Copy a run with its items again and again under other videos."""
    shutil.copytree(run, out)
    items = [json.loads(line) for line in (run / "items.jsonl").read_text().splitlines()]
    with (out / "items.jsonl").open("w") as file:
        for number in range(n):
            item = items[number % len(items)]
            video = f"v{number // len(items):03d}{item['video_id'][1:]}"
            name = f"{item['task']}/{video}/{item['subject']}"
            file.write(json.dumps(item | {"item": name, "video_id": video}) + "\n")
    return out


def going_on(data: Path, out: Path) -> subprocess.Popen[bytes]:
    """Begin a run of the kinematics baseline, and return its process once it has answers."""
    command = [
        sys.executable,
        "-m",
        "s3harness",
        "run",
        "--backend",
        "kinematics",
        "--data",
        str(data),
        "--out",
        str(out),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (out / "responses.jsonl").exists():
        time.sleep(0.1)
    return process


def in_browser(room: Room, run: str) -> None:
    """Print what filtering and sorting the table take in Chromium, in milliseconds."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(room.address)
        page.goto(f"{room.address.split('/?')[0]}/#/items?run={run}")
        page.wait_for_selector(".items .body .row")
        took = []
        for action in ("wrong", "sort", "wrong", "sort"):
            if action == "sort":
                page.get_by_role("button", name="truth").click()
            else:
                page.keyboard.press("w")
            took.append(float(page.locator(".items").get_attribute("data-took-ms") or "nan"))
        print(f"filter and sort in Chromium: {min(took):.1f}–{max(took):.1f} ms")
        frames = sorted(page.evaluate(SCROLL))
        late = sum(frame > LATE_MS for frame in frames)
        print(f"scrolling: a frame every {frames[len(frames) // 2]:.1f} ms, the longest {frames[-1]:.1f}; {late} late")
        browser.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--idle", type=float, default=30.0)
    parser.add_argument("--browser", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        synthesize(folder / "data", videos=3, seed=4, resolution=(96, 54), fps=4, duration_s=36.0)
        command = [sys.executable, "-m", "s3harness", "run", "--backend", "floors", "--data", folder / "data"]
        subprocess.run([*map(str, command), "--out", str(folder / "floors")], check=True, capture_output=True)
        many = repeated(folder / "floors", folder / "many", chosen.items)
        synthesize(folder / "other", videos=30, seed=5, resolution=(320, 180), fps=10, duration_s=36.0)
        run = going_on(folder / "other", folder / "live")
        room = Room(many, folder / "live")
        room.ask("/")
        room.ask("/api/runs")
        print(f"first page: {time.perf_counter() - room.started:.2f} s, {room.cpu_s():.2f} s of CPU")
        before, cpu = time.perf_counter(), room.cpu_s()
        table = room.ask("/api/items?run=many")[1]
        print(
            f"table of {chosen.items:,} items: {time.perf_counter() - before:.2f} s, {room.cpu_s() - cpu:.2f} s of CPU"
        )
        print(f"its size: {len(table) / 1e6:.1f} MB")
        if chosen.browser:
            in_browser(room, "many")
        cpu, end, answered = room.cpu_s(), time.perf_counter() + chosen.idle, list[int]()
        while time.perf_counter() < end:
            time.sleep(2)
            runs = json.loads(room.ask("/api/runs")[1])["runs"]
            answered += [one["answered"] for one in runs if one["name"] == "live"]
        goes_on = "goes on" if run.poll() is None else "went on, and ended"
        print(f"while a run {goes_on}: {100 * (room.cpu_s() - cpu) / chosen.idle:.1f} % of a core")
        print(f"its answers as they were told every two seconds: {', '.join(map(str, answered))}")
        run.kill()
        run.wait()
        room.process.terminate()
        room.process.wait(10)


if __name__ == "__main__":
    main()

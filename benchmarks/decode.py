"""What decoding a video costs in the harness, against one plain sequential decode of the same frames with PyAV.

    python benchmarks/decode.py [--seconds 120] [--size 1920x1080] [--rounds 3]

Renders one noisy H.264 video of 30 pictures a second with sound, and prepares clips of it in the ways of the tasks: the
whole video at 2 frames a second, a few frames of all of it, and one window late in it. The plain decode opens the file
with one thread, decodes every picture up to the last wanted one and scales those that are wanted to the same size. The
harness besides hashes the file, picks the nearest pictures and writes them to its cache. Both take turns; CPU seconds
and the fastest round count. The second table is two videos at once, by how many workers and threads decode them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from s3harness.media import MediaStore
from s3harness.media.geometry import Size, fit
from s3harness.media.options import MediaOptions
from s3harness.types import Clip, Video

FPS = 30
MAX_PIXELS = 448 * 252


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    width, height = map(int, chosen.size.split("x"))
    with tempfile.TemporaryDirectory(prefix="decode-") as folder:
        work = Path(folder)
        paths = [rendered(work / f"{n}.mp4", chosen.seconds, Size(width, height), seed=n) for n in (1, 2)]
        print(f"{chosen.seconds} s of {chosen.size}, {paths[0].stat().st_size / 1e6:.0f} MB\n")
        by_sampling(work, paths[0], chosen.seconds, chosen.rounds)
        by_threads(work, paths, chosen.seconds)


def by_sampling(work: Path, path: Path, seconds: int, rounds: int) -> None:
    """Print what each way of sampling costs."""
    print("| frames | plain decode, CPU s | harness, CPU s | ratio | second run, CPU s |\n|---|---:|---:|---:|---:|")
    end = float(seconds)
    ways = {
        "2 a second": np.arange(0, end - 0.1, 0.5),
        "2 a second, with sound": np.arange(0, end - 0.1, 0.5),
        "8 of all": (np.arange(8) + 0.5) * end / 8,
        "2 a second of the last 30 s": np.arange(end - 30, end - 0.1, 0.5),
    }
    for name, times in ways.items():
        clip = Clip("v1", 0.0, end, tuple(map(float, times)), MAX_PIXELS, audio="sound" in name)
        taken: dict[str, list[float]] = {"plain": [], "harness": [], "again": []}
        for n in range(rounds):
            taken["plain"].append(cpu(lambda: plain(path, clip)))  # noqa: B023
            store = MediaStore(work / f"{name}-{n}")
            taken["harness"].append(cpu(lambda: prepared(store, path, clip)))  # noqa: B023
            store.release("v1")
            taken["again"].append(cpu(lambda: prepared(store, path, clip)))  # noqa: B023
        least = {what: min(values) for what, values in taken.items()}
        ratio = least["harness"] / least["plain"]
        print(
            f"| {name} | {least['plain']:.2f} | {least['harness']:.2f} | {ratio:.2f} | {least['again']:.3f} |",
            flush=True,
        )


def by_threads(work: Path, paths: Sequence[Path], seconds: int) -> None:
    """Print what two videos take, at once or one after the other, with more threads each or fewer."""
    print("\n| workers | threads each | wall s | CPU s |\n|---:|---:|---:|---:|")
    times = tuple(map(float, np.arange(0, seconds - 0.1, 0.5)))
    for workers, threads in ((1, 1), (1, 2), (1, 0), (2, 1), (2, 2)):
        store = MediaStore(work / f"{workers}-{threads}", options=MediaOptions(threads=threads))
        began, used = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(workers) as pool:
            jobs = [
                pool.submit(prepared, store, path, Clip(f"v{n}", 0.0, seconds, times, MAX_PIXELS), f"v{n}")
                for n, path in enumerate(paths)
            ]
            for job in jobs:
                job.result()
        wall, used = time.perf_counter() - began, time.process_time() - used
        print(f"| {workers} | {threads or 'FFmpeg’s choice'} | {wall:.1f} | {used:.1f} |", flush=True)


def plain(path: Path, clip: Clip) -> np.ndarray:
    """The wanted frames, by decoding one after the other."""
    frames = []
    wanted = list(clip.timestamps)
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        video.codec_context.thread_count = 1
        size = fit(Size(video.width, video.height), clip.max_pixels)
        for frame in container.decode(video):
            while wanted and frame.time >= wanted[0] - 0.5 / FPS:
                frames.append(frame.to_ndarray(width=size.width, height=size.height, format="rgb24"))
                wanted.pop(0)
            if not wanted:
                break
    if clip.audio:
        with av.open(str(path)) as container:
            resampler = av.AudioResampler(format="flt", layout="mono", rate=24_000)
            samples = [
                np.asarray(out.to_ndarray()) for sound in container.decode(audio=0) for out in resampler.resample(sound)
            ]
            np.concatenate(samples, axis=1)
    return np.stack(frames)


def prepared(store: MediaStore, path: Path, clip: Clip, video_id: str = "v1") -> None:
    """The same by the media store."""
    store.prepare(Video(video_id, "p1", path, clip.end_s), [clip])
    if len(store.frames(clip).pixels) != len(clip.timestamps):
        raise SystemExit("frames are missing")


def cpu(work: Callable[[], object]) -> float:
    """How many CPU seconds something takes in this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


def rendered(path: Path, seconds: int, size: Size, seed: int) -> Path:
    """A video of moving noise on a moving ground, with a group of 250 pictures, and sound."""
    random = np.random.default_rng(seed)
    grain = random.integers(0, 24, (size.height + 64, size.width + 64, 1), np.uint8)
    ground = np.linspace(40, 200, size.width * 2, dtype=np.uint8)[None, :, None]
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "26"})
        video.width, video.height, video.pix_fmt, video.codec_context.thread_count = *size, "yuv420p", 0
        sound = container.add_stream("aac", rate=48_000, layout="stereo")
        heard = 0
        for n in range(seconds * FPS):
            x, y, left = (n * 3) % 64, (n * 5) % 64, n % size.width
            picture = grain[y : y + size.height, x : x + size.width] + ground[:, left : left + size.width]
            pixels = np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], 3)))
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels)))
            while heard < n * 48_000 // FPS:
                block = (random.standard_normal((2, 1024)) * 0.1).astype(np.float32)
                frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
                frame.sample_rate, frame.pts, frame.time_base = 48_000, heard, Fraction(1, 48_000)
                container.mux(sound.encode(frame))
                heard += 1024
        container.mux([*video.encode(None), *sound.encode(None)])
    return path


if __name__ == "__main__":
    main()

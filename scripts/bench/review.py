"""How the review page does with 50 hours, 10,000 hits of one sign and videos of three hours.

    python scripts/bench/review.py [--work FOLDER] [--hours 51] [--hits 10000]

The corpus is made up: random unit vectors as the encoder would store them, so its size is right and its hits mean
nothing; the videos are one of three hours under many names. A real server, a real Chromium. Printed are: memory of the
server and of its process for searches, milliseconds from a key press to the end of its work and to the next picture of
the page, seconds from choosing a hit late in a three-hour video to its first picture, decisions a second.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.encoders import load_encoder
from gallery import Gallery
from spotter import Detection
from spotter.corpus.folder import Corpus
from spotter.corpus.indexing import settings_for
from spotter.corpus.video import write_stored
from spotter.project.folder import Project

TAPE = 3 * 3600.0
"""Seconds of a video."""
PIECE = 250
"""Frames that are encoded; a video repeats them."""
FPS = 25
SIGNS = ("HOUSE", "TREE", "WATER")


def long_video(path: Path) -> Path:
    """Three hours of H.264 with a key frame every ten seconds, made of one piece."""
    import av

    rng = np.random.default_rng(0)
    texture = rng.integers(0, 60, (480, 640, 3)).astype(np.uint8)
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as out:
        stream: Any = out.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        stream.codec_context.gop_size = PIECE
        stream.options = {"crf": "32", "preset": "veryfast", "bf": "0"}
        packets = []
        for number in range(PIECE):
            frame = texture + np.uint8(60)
            frame[200:280, 2 * number : 2 * number + 80] = 230
            packets += stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24"))
        packets += stream.encode()
        pieces = [(bytes(p), p.is_keyframe) for p in packets]
        for number in range(int(TAPE * FPS)):
            content, key = pieces[number % PIECE]
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, FPS)
            packet.pts = packet.dts = number
            packet.duration, packet.is_keyframe = 1, key
            out.mux(packet)
    return path


def made_project(folder: Path, hours: float, hits: int) -> Project:
    """A project with so many hours and hits."""
    encoder = load_encoder()
    project = Project.create(folder / "project", "Fifty hours")
    source = long_video(folder / "tape.mp4")
    names = [f"tape-{k + 1:02d}" for k in range(round(hours * 3600 / TAPE))]
    for name in names:
        os.link(source, folder / f"{name}.mp4")
    project.add_videos([folder / f"{name}.mp4" for name in names])
    settings = settings_for(encoder)
    Corpus.create(project.at.corpus, settings)
    frames, rng = int(TAPE * settings.fps), np.random.default_rng(1)
    width = encoder.config.width  # type: ignore[attr-defined]
    rows = -(-frames // settings.stride)
    for name in names:
        vectors = rng.normal(size=(rows, settings.dim)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        features = rng.normal(size=(frames, width)).astype(np.float16)
        facts = {
            "name": name, "source": str(folder / f"{name}.mp4"), "stamp": "made", "fps": settings.fps, "frames": frames,
            "duration": TAPE, "encoder": settings.encoder, "lengths": list(settings.lengths), "stride": settings.stride,
        }  # fmt: skip
        corpus = Corpus.open(project.at.corpus)
        write_stored(corpus.path_of(name), vectors.astype(np.float16), features, facts)
    Corpus.open(project.at.corpus).write_table()
    gallery = Gallery(settings.dim, settings.encoder)
    for sign in SIGNS:
        vector = rng.normal(size=(1, settings.dim)).astype(np.float32)
        example = rng.normal(size=(16, width)).astype(np.float32)
        gallery.add(vector / np.linalg.norm(vector), [sign], facts=[{"source": f"{sign}.mp4"}], features=[example])
    gallery.save(project.at.gallery)
    found = []
    for k in range(hits):
        start = float(rng.uniform(0, TAPE - 2))
        sign = SIGNS[0] if k % 10 else SIGNS[1]
        found.append(Detection(names[k % len(names)], sign, start, start + 0.6, float(rng.uniform(0.01, 1))))
    project.record("search", found, settings.encoder, {"signs": list(SIGNS)}, "made")
    project.close()
    return project


class Server:
    """`spotter review` as a process."""

    def __init__(self, project: Project) -> None:
        command = [sys.executable, "-m", "spotter", "review", str(project.folder), "--no-prepare", "--no-browser"]
        path = str(Path(__file__).resolve().parents[2])
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
        )
        self.url = ""
        for line in self.process.stdout or ():
            if address := re.search(r"http://\S+token=[\w-]+", line):
                self.url = address.group(0)
                break

    def memory(self) -> tuple[float, float]:
        """Most megabytes so far of the server, and of the processes that it started."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        children = [int(pid) for task in tasks for pid in task.read_text().split()]
        return peak(self.process.pid), sum(map(peak, children))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


def peak(pid: int) -> float:
    said = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", said)
    return int(found.group(1)) / 1024 if found else 0.0


TIMED = """
(() => {
  const rows = window.pressed = [];
  addEventListener("keydown", () => {
    const begun = performance.now();
    setTimeout(() => {
      const worked = performance.now() - begun;
      requestAnimationFrame(() => setTimeout(() => rows.push([worked, performance.now() - begun])));
    });
  }, true);
})()
"""


def page_figures(url: str) -> dict[str, str]:
    """What the page measures of itself."""
    from playwright.sync_api import sync_playwright

    figures = {}
    with sync_playwright() as driver:
        program = os.environ.get("SPOTTER_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.set_default_timeout(300_000)
        begun = time.perf_counter()
        page.goto(url)
        page.wait_for_selector("html[data-ready=yes]")
        figures["page with the list, s"] = f"{time.perf_counter() - begun:.1f}"
        figures["hits in the list"] = str(page.evaluate("spotter.store.queue.length"))
        figures["late hit, first picture, s"] = f"{np.median([late_picture(page, k) for k in range(5)]):.2f}"
        page.evaluate(TIMED)
        for keys in (["ArrowDown"], ["a", "r", "u"]):
            page.evaluate("window.pressed.length = 0")
            for k in range(100):
                page.keyboard.press(keys[k % len(keys)])
                page.wait_for_timeout(60)
            page.wait_for_timeout(1000)
            rows = np.array(page.evaluate("window.pressed"))
            worked, painted = np.median(rows, axis=0)
            slow = np.percentile(rows, 95, axis=0)
            figures[f"{' '.join(keys)}: work, ms (median, 95 %)"] = f"{worked:.0f}, {slow[0]:.0f}"
            figures[f"{' '.join(keys)}: until painted, ms (median, 95 %)"] = f"{painted:.0f}, {slow[1]:.0f}"
        begun = time.perf_counter()
        for k in range(100):
            page.keyboard.press("aru"[k % 3])
        while page.evaluate("spotter.outbox.waiting.length > 0 || spotter.outbox.sending"):
            time.sleep(0.02)
        figures["decisions a second, until on disk"] = f"{100 / (time.perf_counter() - begun):.0f}"
        browser.close()
    return figures


def late_picture(page: Any, number: int) -> float:
    """Seconds from choosing a hit in the last half hour of a video until its picture is there."""
    script = """async (number) => {
      const late = spotter.store.queue.map((id, k) => [spotter.store.hits.get(id), k]).filter(([h]) => h.start > 9500);
      const [hit, at] = late[number * 7];
      const begun = performance.now();
      spotter.store.go(at);
      const video = document.querySelector("#view-hit video");
      for (;;) {
        await new Promise((go) => setTimeout(go, 10));
        const here = Math.abs(video.currentTime - hit.start) < 3;
        if (video.readyState >= 2 && here && !video.seeking) break;
        if (performance.now() - begun > 60000) break;
      }
      return (performance.now() - begun) / 1000;
    }"""
    return float(page.evaluate(script, number))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="a folder for some gigabytes (default: a temporary one)")
    parser.add_argument("--hours", type=float, default=51.0)
    parser.add_argument("--hits", type=int, default=10_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.work, prefix="review-") as folder:
        project = made_project(Path(folder), args.hours, args.hits)
        server = Server(project)
        try:
            figures = page_figures(server.url)
            own, others = server.memory()
        finally:
            server.stop()
    figures |= {"server, MB at most": f"{own:.0f}", "its process for searches, MB at most": f"{others:.0f}"}
    print("| what | value |\n|---|---|")
    for name, value in figures.items():
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()

"""How large and how quick the HTML report is: 20 videos × 50 signs, and 10,000 detections.

    PYTHONPATH=. python scripts/bench/report.py [--work FOLDER] [--pictures FOLDER]

The detections and similarity tracks are made up, the videos are one of three hours under many names: sizes and times
are right, hits mean nothing. A real Chromium opens each page from the disk. Printed are: seconds to write, megabytes,
elements in the page, milliseconds until the first row can be used, to the next page of rows, to a filter, to a video's
page with its timeline. `--pictures` saves screenshots, also of a phone.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from scripts.bench.review import long_video
from spotter import Detection
from spotter.report.page import write_report
from spotter.results import SpottingResult
from spotter.search.track import SimilarityTrack

SIZES = ((20, 50, 1500), (20, 50, 3000), (20, 50, 10_000))
"""Videos, signs, detections."""
MINUTES = 30


def results(videos: int, signs: int, hits: int, seed: int = 0) -> list[SpottingResult]:
    """Detections by a steep distribution of signs, and a track of every sign in every video."""
    rng = np.random.default_rng(seed)
    glosses = tuple(f"SIGN-{n:03}" for n in range(signs))
    weights = 1 / np.arange(1, signs + 1) ** 0.7
    found: list[list[Detection]] = [[] for _ in range(videos)]
    for _ in range(hits):
        video, start = int(rng.integers(videos)), float(rng.uniform(0, 60 * MINUTES - 2))
        sign = glosses[rng.choice(signs, p=weights / weights.sum())]
        found[video].append(
            Detection(f"talk-{video:03}", sign, start, start + float(rng.uniform(0.3, 1.2)), float(rng.beta(5, 3)))
        )
    centres = np.arange(0, 25 * 60 * MINUTES, 3.0)
    made = []
    for video, detections in enumerate(found):
        noise = rng.normal(0.3, 0.1, (len(centres) + 20, signs)).astype(np.float32)
        smooth = np.stack([noise[k : k + len(centres)] for k in range(20)]).mean(axis=0) * 2
        track = SimilarityTrack(f"talk-{video:03}", 25.0, centres, glosses, smooth, np.full_like(smooth, 16))
        made.append(SpottingResult(f"talk-{video:03}", detections, track, duration=60.0 * MINUTES, calibrated=True))
    return made


NEXT = "[...document.querySelectorAll('.pager button')].find(b => b.textContent.startsWith('Next'))"
STEPS = (
    ("next page ms", f"{NEXT}.click()", "document.querySelector('.pager span').textContent.startsWith('51')"),
    (
        "filter ms",
        "const least = document.querySelector('[name=least]'); least.value = '0.9';"
        " least.dispatchEvent(new Event('input', {bubbles: true}))",
        "[...document.querySelectorAll('#hits tbody tr')].every(r => r.dataset.score >= 0.9)",
    ),
    (
        "video ms",
        "document.querySelector('.map .turned button').click()",
        "document.querySelector('svg.timeline .curve')",
    ),
)  # fmt: skip
"""What is measured, what is done for it, and what holds when it is done."""


def measured(browser: Any, page_file: Path, pictures: Path | None, name: str) -> dict[str, float]:
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(page_file.as_uri())
    page.wait_for_selector("#hits tbody tr")
    figures = {
        "open ms": page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"),
        "elements": page.evaluate("document.querySelectorAll('*').length"),
    }
    if pictures is not None:
        page.screenshot(path=str(pictures / f"{name}-overview.png"))
    for what, act, holds in STEPS:
        figures[what] = page.evaluate(
            f"async () => {{ const begun = performance.now(); {act};"
            f" while (!({holds})) await new Promise(requestAnimationFrame);"
            " await new Promise(requestAnimationFrame); return performance.now() - begun; }"
        )
    if pictures is not None:
        page.screenshot(path=str(pictures / f"{name}-video.png"))
        size = {"width": 390, "height": 844}
        phone = browser.new_page(viewport=size, device_scale_factor=2, is_mobile=True, has_touch=True)
        phone.goto(page_file.as_uri())
        phone.wait_for_selector("#hits tbody tr")
        phone.screenshot(path=str(pictures / f"{name}-phone.png"))
        phone.evaluate("document.querySelector('#hits tbody tr').scrollIntoView()")
        phone.screenshot(path=str(pictures / f"{name}-phone-hits.png"))
        phone.close()
    page.close()
    assert not wrong, wrong
    return figures


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="folder for the video (made once) and the pages")
    parser.add_argument("--pictures", type=Path, help="folder for screenshots")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as program:
        work = given.work if given.work is not None else Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        if given.pictures is not None:
            given.pictures.mkdir(parents=True, exist_ok=True)
        film = work / "tape.mp4"
        if not film.exists():
            long_video(film)
        browser = program.chromium.launch(
            executable_path=os.environ.get("SPOTTER_CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        columns = (
            "videos × signs, detections",
            "seconds to write",
            "MB",
            "elements",
            "open ms",
            *(s[0] for s in STEPS),
        )
        print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
        for videos, signs, hits in SIZES:
            found = results(videos, signs, hits)
            begun = time.perf_counter()
            page = write_report(work / f"{videos}-{signs}-{hits}.html", found, {r.video: film for r in found})
            wrote = time.perf_counter() - begun
            f = measured(browser, page, given.pictures, page.stem)
            row = [f"{videos} × {signs}, {hits:,}", f"{wrote:.1f}", f"{page.stat().st_size / 1e6:.2f}"]
            row += [f"{f[name]:.0f}" for name in columns[3:]]
            print(f"| {' | '.join(row)} |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()

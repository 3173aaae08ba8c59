"""The report as a person uses it: overview, a video's page, pages of detections, keys, the player, a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.video import write_video
from spotter import Detection, write_report
from spotter.results import SpottingResult
from spotter.search.track import SimilarityTrack

from ..review.browsing import holds, opened_browser

pytestmark = pytest.mark.timeout(600)
PATIENCE = 120_000
"""Milliseconds that a click or a page may take on a machine with much else to do."""
ROWS = "document.querySelectorAll('#hits tbody tr')"
SHOWN = "document.querySelector('#video h2').textContent"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three videos, the second without a file, 130 detections of 20 signs; scores fall with the number."""
    folder = tmp_path_factory.mktemp("my report")
    frames = (np.full((48, 64, 3), min(250, 20 + 2 * k), np.uint8) for k in range(100))
    film = write_video(folder / "film.mp4", frames, fps=10)
    rows = [Detection(f"talk {i % 3}", f"SIGN-{i % 20:02}", i / 15, i / 15 + 0.6, 1 - i / 200) for i in range(130)]
    signs = tuple(f"SIGN-{i:02}" for i in range(25))
    centres = np.arange(0, 250, 3.0)
    values = np.random.default_rng(0).random((len(centres), len(signs)), np.float32)
    results = [
        SpottingResult(name, [d for d in rows if d.video == name],
                       SimilarityTrack(name, 25.0, centres, signs, values, values), duration=10.0, calibrated=True)
        for name in ("talk 0", "talk 1", "talk 2")
    ]  # fmt: skip
    return write_report(folder / "r.html", results, {"talk 0": film, "talk 2": film})


@pytest.fixture
def page(browser: Any, report: Path) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1300, "height": 900})
    opened.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.goto(report.as_uri())
    yield opened
    opened.close()
    assert wrong == []


def test_an_overview_leads_to_a_videos_page_and_back(page: Any) -> None:
    holds(page, f"{ROWS}.length === 50")
    assert page.locator(".map thead .turned").count() == 3
    assert page.locator(".map tbody tr").count() == 12
    page.get_by_role("button", name="All 20 signs").click()
    holds(page, "document.querySelectorAll('.map tbody tr').length === 20")
    assert page.locator("#hits tbody tr").first.get_attribute("data-score") == "1.0000"  # surest first
    page.get_by_role("button", name="SIGN-03 in talk 0: 3 found").click()
    holds(
        page,
        f"{ROWS}.length === 3 && [...{ROWS}].every(r => r.dataset.sign === 'SIGN-03' && r.dataset.video === 'talk 0')",
    )
    holds(
        page,
        "document.querySelector('#video h2').textContent === 'talk 0' && document.querySelector('#overview').hidden",
    )
    page.select_option("[name=sign]", "")
    holds(page, f"{ROWS}.length === 44")
    holds(page, "document.querySelectorAll('svg.timeline .curve').length === 6")  # six signs at a time
    page.get_by_role("button", name="More signs (14)").click()
    holds(page, "document.querySelectorAll('svg.timeline .curve').length === 12")
    page.get_by_role("button", name="Tracks of the 5 other signs").click()
    page.get_by_role("button", name="More signs (19)").click()
    holds(page, "document.querySelectorAll('.names div').length === 12")
    page.get_by_role("button", name="Next video").click()
    holds(page, f"{SHOWN} === 'talk 1' && !document.querySelector('#video video')")
    page.go_back()
    holds(page, f"{SHOWN} === 'talk 0' && document.querySelector('#video video')")
    page.keyboard.press("o")
    holds(page, f"!document.querySelector('#overview').hidden && {ROWS}.length === 50")


def test_pages_order_and_filters(page: Any) -> None:
    page.get_by_role("button", name="Next ›").click()
    holds(page, f"{ROWS}[0].dataset.hit && document.querySelector('.pager span').textContent === '51–100 of 130'")
    assert page.locator("#hits tbody tr").first.get_attribute("data-score") == "0.7500"
    page.get_by_role("button", name="Last »").click()
    holds(page, f"{ROWS}.length === 30")
    page.select_option("[name=order]", "start")
    holds(page, f"{ROWS}.length === 50 && {ROWS}[0].dataset.start === '0.000'")
    page.locator("#hits th button", has_text="Score").click()
    page.locator("#hits th button", has_text="Score").click()
    holds(page, f"{ROWS}[0].dataset.score === '0.3550'")  # the least sure first
    page.fill("[name=text]", "talk 2")
    holds(page, "document.querySelector('.count').textContent === '43 of 130 detections'")


def test_a_detection_loops_at_half_speed_and_steps_by_frames(page: Any) -> None:
    page.locator("#hits tr[data-video='talk 2'] .seek").first.click()
    holds(page, "!document.querySelector('#dock').hidden && !document.querySelector('#dock video').paused")
    start = float(page.locator("#hits tr.current").get_attribute("data-start"))
    page.evaluate("window.turns = 0; document.querySelector('video').addEventListener('seeked', () => { turns += 1; })")
    holds(page, "window.turns >= 2")  # it begins anew, more than once
    page.keyboard.press("h")
    holds(page, "document.querySelector('video').playbackRate === 0.5")
    page.keyboard.press(",")
    holds(page, "document.querySelector('video').paused")
    at = page.evaluate("document.querySelector('video').currentTime")
    page.keyboard.press(".")
    holds(page, f"Math.abs(document.querySelector('video').currentTime - {at} - 0.1) < 1e-6")
    assert start - 0.2 <= at <= start + 0.8
    page.keyboard.press("j")
    holds(page, f"document.querySelector('#hits tr.current').dataset.start !== '{start:.3f}'")
    page.get_by_role("button", name="Close the player").click()
    holds(page, "document.querySelector('#dock').hidden && document.querySelector('video').paused")


def test_on_a_phone_detections_are_cards(browser: Any, report: Path) -> None:
    phone = browser.new_page(viewport={"width": 390, "height": 800}, is_mobile=True, has_touch=True)
    phone.set_default_timeout(PATIENCE)
    phone.goto(report.as_uri())
    holds(phone, f"{ROWS}.length === 50")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    box = phone.locator("#hits tbody tr").first.bounding_box()
    assert box["width"] <= 390
    assert phone.locator("#hits thead").is_hidden()
    assert phone.locator("#hits .decide button").first.bounding_box()["height"] >= 40
    phone.close()

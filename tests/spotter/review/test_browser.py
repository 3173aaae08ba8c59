"""The review page in a real browser: a person's way through it, by keys, with everything that may go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from spotter.formats.elan_own import own_annotations
from spotter.project.folder import Project
from spotter.project.log import Line
from spotter.project.matching import overlap

from .browsing import Server, holds, opened_browser, ready, until

pytestmark = pytest.mark.timeout(900)

BITS = """(view) => {
  const video = document.querySelector(`#view-${view} video`);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  let number = 0;
  for (let bit = 0; bit < 12; bit++) {
    number = number * 2 + (context.getImageData(10 * bit + 9, 72, 1, 1).data[0] > 128 ? 1 : 0);
  }
  return number;
}"""
"""Reads the number that a frame of the test videos shows."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def server(project: Project) -> Iterator[Server]:
    running = Server("review", project.folder, "--no-prepare")
    yield running
    running.stop()


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.set_default_timeout(120_000)
    made = ready(context.new_page(), server.url)
    yield made
    assert made.wrong == []
    context.close()


def saved(page: Any) -> None:
    holds(page, "spotter.outbox.waiting.length === 0 && !spotter.outbox.sending")


def hit(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("({...spotter.store.hit})")
    return found


def test_a_way_through_the_page_that_outlives_a_kill(page: Any, server: Server, project: Project) -> None:
    """Ten hits judged, an edge nudged, the server killed in the middle, an exemplar drawn, searched again, exported."""
    sign = page.evaluate("spotter.store.sign")
    first = hit(page)
    holds(page, "spotter.stage.hitView.frames?.times.length > 0")
    page.keyboard.press("d")
    assert first["start"] - hit(page)["start"] == pytest.approx(0.04, abs=0.021)
    for key in "araua":
        page.keyboard.press(key)
    saved(page)
    other = next(s["sign"] for s in page.evaluate("spotter.store.signs") if s["new"] >= 5 and s["sign"] != sign)
    page.click(f'[data-sign="{other}"]')
    holds(page, f"spotter.store.sign === '{other}'")
    server.kill()
    for key in "rraaa":
        page.keyboard.press(key)
    page.wait_for_selector("#alarm:not([hidden])")
    assert "5 not yet saved" in page.inner_text("#saved")
    server.start()
    saved(page)
    page.wait_for_selector("#alarm", state="hidden")
    lines = project.log.lines()
    said = "span accept reject accept unsure accept reject reject accept accept accept"
    assert [line.action for line in lines] == said.split()
    assert len({line.hit for line in lines}) == 10
    state = project.state()
    assert state.hits[first["id"]].start == pytest.approx(first["start"] - 0.04, abs=0.021)

    # an occurrence is selected on the timeline, and more like it found
    box = page.locator("#timeline").bounding_box()
    page.evaluate("spotter.timeline.view(0, 4)")
    x = [box["x"] + page.evaluate(f"spotter.timeline.x({seconds})") for seconds in (1.0, 1.6)]
    page.mouse.move(x[0], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(x[1], box["y"] + 60, steps=4)
    page.mouse.up()
    page.keyboard.press("e")
    page.keyboard.type("<script>alert('x')</script>")
    page.keyboard.press("Enter")
    page.wait_for_selector("#changes[open]", timeout=300_000)
    page.keyboard.press("Enter")
    assert page.evaluate("spotter.store.sign") == "<script>alert('x')</script>"
    drawn = next(iter(project.state().exemplars.values()))
    assert (drawn.start, drawn.end) == (pytest.approx(1.0, abs=0.02), pytest.approx(1.6, abs=0.02))
    assert page.evaluate("spotter.store.queue.length") > 3
    # what is an example is an accepted hit as well, and no question
    accepted = [h for h in project.state().hits.values() if h.sign == drawn.sign and h.status == "accepted"]
    assert [overlap((h.start, h.end), (drawn.start, drawn.end)) for h in accepted] == [1.0]
    assert page.evaluate("document.querySelectorAll('#signs script').length") == 0

    # with everything decided so far the first sign is searched again
    page.click(f'[data-sign="{sign}"]')
    holds(page, f"spotter.store.sign === '{sign}'")
    page.click("#again")
    page.keyboard.press("Enter")
    page.wait_for_selector("#changes[open]", timeout=300_000)
    page.keyboard.press("Enter")
    assert project.log.searches()[-1].detail["decisions"][sign] == [3, 1]
    page.click("#export")
    page.click("#export-go")
    page.wait_for_selector("#exported a")
    files = sorted(project.at.exports.glob("*.eaf"))
    kept = [a for path in files for a in own_annotations(path.read_bytes())]
    assert len(kept) == sum(h.status == "accepted" for h in project.state().hits.values()) == 7


def test_frame_by_frame_is_exact_and_the_loop_stays_in_the_hit(page: Any) -> None:
    """The frames show their numbers; what is read from the picture is what the page says."""
    holds(page, "spotter.stage.hitView.frames?.times.length > 0")
    now = hit(page)
    page.keyboard.press(" ")
    page.evaluate(f"spotter.stage.goTo({now['start']})")
    settle = (
        "(() => { const v = spotter.stage.hitView.video; return !v.element.seeking && v.media !== undefined && "
        "Math.abs(v.media - v.element.currentTime) < 0.03; })()"
    )
    holds(page, settle)
    page.wait_for_timeout(300)
    first = page.evaluate(BITS, "hit")
    assert first == pytest.approx(now["start"] * 25, abs=1)
    for key, expected in [("ArrowRight", n) for n in range(1, 6)] + [("ArrowLeft", n) for n in (4, 3, 2)]:
        page.keyboard.press(key)
        # the picture comes a moment after the player says that it is there
        until(lambda expected=expected: page.evaluate(BITS, "hit") == first + expected)
        holds(page, settle)
        assert page.evaluate(BITS, "hit") == first + expected
    # the caption follows the picture with the browser's next frame callback
    until(lambda: f"frame {first + 2}" in page.inner_text("#view-hit .now"))
    # half a minute of watching at four times the speed would be the same: the pictures never leave the hit
    page.keyboard.press(" ")
    numbers = set()
    looks = 0
    while looks < 40 or (len(numbers) <= 4 and looks < 2000):
        page.wait_for_timeout(35)
        numbers.add(page.evaluate(BITS, "hit"))
        looks += 1
    assert min(numbers) >= int(now["start"] * 25) - 1
    assert max(numbers) <= int(now["end"] * 25) + 1
    assert len(numbers) > 4


def test_the_example_runs_in_step(page: Any) -> None:
    """Where the hit stands still, the example stands at the frame that belongs to it."""
    holds(page, "spotter.stage.path !== null")
    page.keyboard.press(" ")
    now = hit(page)
    for share in (0.0, 0.5, 0.9):
        seconds = now["start"] + share * (now["end"] - now["start"])
        page.evaluate(f"spotter.stage.goTo({seconds})")
        holds(
            page,
            "(() => { const s = spotter.stage; const [w] = s.counterpart(s.time); "
            "return Math.abs(s.exampleView.source.clock - w) < 0.05 && !s.exampleView.video.element.seeking; })()",
        )
    path = page.evaluate("spotter.stage.path")
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(path))


def test_two_tabs_at_once(browser: Any, server: Server, project: Project) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    anna, ben = (ready(context.new_page(), server.url) for _ in range(2))
    for page, name in ((anna, "anna"), (ben, "ben")):
        page.fill("#who", name)
        page.locator("#who").blur()
    same = hit(anna)["id"]
    assert hit(ben)["id"] == same
    for page in (anna, ben):  # neither hears of the other before both have decided
        page.evaluate("spotter.store.take = async () => {}")
    anna.keyboard.press("a")
    ben.keyboard.press("r")
    for page in (anna, ben):
        saved(page)
    assert project.state().hits[same].conflict == (1, 2)
    third = ready(context.new_page(), server.url)
    third.select_option("#show", "conflict")
    holds(third, "spotter.store.queue.length === 1")
    text = third.inner_text("#conflict")
    assert "anna" in text
    assert "ben" in text
    third.keyboard.press("a")
    saved(third)
    until(lambda: project.state().hits[same].conflict == ())
    assert len(project.log.lines()) == 3
    # a tab that was only looking hears of it
    fourth = ready(context.new_page(), server.url)
    project.log.append([Line("unsure", fourth.evaluate("spotter.store.queue[1]"), "cleo", "from elsewhere")])
    holds(fourth, "spotter.store.hits.get(spotter.store.queue[1]).status === 'unsure'")
    assert [page.wrong for page in (anna, ben, third, fourth)] == [[], [], [], []]
    context.close()


def test_a_hundred_decisions_as_fast_as_keys_come(page: Any, project: Project) -> None:
    page.select_option("#show", "all")
    page.evaluate("spotter.store.arrange()")
    count = page.evaluate("spotter.store.queue.length")
    for k in range(100):
        page.keyboard.press("aru"[k % 3])
        if (k + 1) % count == 0:
            page.evaluate("spotter.store.go(0)")
    saved(page)
    lines = project.log.lines()
    assert len(lines) == 100
    assert len({line.token for line in lines}) == 100
    shown = page.evaluate("[...spotter.store.hits.values()].map((h) => [h.id, h.status])")
    state = project.state()
    assert {name: state.hits[name].status for name, _ in shown} == dict(shown)


def test_cutting_joining_relabelling_and_taking_back(page: Any, project: Project) -> None:
    holds(page, "spotter.stage.hitView.frames?.times.length > 0")
    page.keyboard.press(" ")
    now = hit(page)
    page.evaluate(f"spotter.stage.goTo({(now['start'] + now['end']) / 2})")
    page.keyboard.press("s")
    saved(page)
    end = hit(page)["end"]
    assert now["start"] < end < now["end"]
    assert round(end * 25, 3) == round(end * 25)  # cut between two frames
    page.keyboard.press("m")
    saved(page)
    assert hit(page)["end"] == now["end"]
    page.keyboard.press("z")
    page.keyboard.press("z")
    saved(page)
    holds(page, f"spotter.store.hits.get('{now['id']}').end === {now['end']}")
    assert sum(h.status == "withdrawn" for h in project.state().hits.values()) == 1
    page.keyboard.press("Shift+Z")
    saved(page)
    assert project.state().hits[now["id"]].end == end
    page.keyboard.press("l")
    page.keyboard.type("BARN")
    page.keyboard.press("Enter")
    until(lambda: project.state().hits[now["id"]].status == "accepted")
    changed = project.state().hits[now["id"]]
    assert (changed.sign, changed.status, changed.found_sign) == ("BARN", "accepted", now["sign"])
    page.keyboard.press("z")
    saved(page)
    back = project.state().hits[now["id"]]
    assert (back.sign, back.status) == (now["sign"], "new")


def test_everything_can_be_reached_by_keyboard_and_is_named(page: Any) -> None:
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    assert page.locator("#keys kbd").count() > 25
    page.keyboard.press("Escape")
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, select, input, video, canvas[tabindex]')]"
        ".filter((e) => e.offsetParent !== null)"
        ".filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label') || e.title))"
        ".map((e) => e.outerHTML)"
    )
    assert nameless == []
    page.focus("#sign-filter")
    page.keyboard.type("aaa")  # letters typed into a field decide nothing
    assert page.evaluate("spotter.outbox.waiting.length") == 0
    # single keys can be switched off (WCAG 2.1.4)
    page.locator("#sign-filter").blur()
    page.keyboard.press("?")
    page.uncheck("#single-keys")
    page.keyboard.press("Escape")
    before = page.evaluate("spotter.store.left")
    page.keyboard.press("a")
    page.wait_for_timeout(100)
    assert page.evaluate("spotter.store.left") == before
    assert page.evaluate("document.querySelectorAll('audio').length") == 0
    assert page.evaluate("[...document.querySelectorAll('video')].every((v) => v.muted)")


def test_german_words_and_the_language_of_the_page(browser: Any, server: Server) -> None:
    context = browser.new_context(locale="de-DE", viewport={"width": 820, "height": 1180})
    page = ready(context.new_page(), server.url + "&lang=de")
    assert page.evaluate("document.documentElement.lang") == "de"
    assert "Annehmen" in page.inner_text(".decide")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.wrong == []
    context.close()

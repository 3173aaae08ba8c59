"""Decisions taken in the static report, without a server, come into a project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spotter import Detection, write_report
from spotter.project.exchange import import_log
from spotter.project.folder import Project

from .browsing import holds, opened_browser

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


def test_decisions_of_a_report_are_kept_downloaded_and_taken_into_a_project(
    browser: Any, project: Project, tmp_path: Path
) -> None:
    hits = sorted(project.state().hits.values(), key=lambda h: (h.video, h.start))[:5]
    rows = [Detection(h.video, h.sign, h.start, h.end, h.score or 0.0) for h in hits]
    strange = Detection("elsewhere", "<script>", 1.0, 1.5, -0.5)  # the least sure comes last
    report = write_report(tmp_path / "a report #1.html", [*rows, strange])
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(report.as_uri())
    assert page.is_disabled(".download")
    page.fill("[name=who]", "anna")
    table = page.locator("#hits tbody tr")
    first = table.nth(0)
    first.locator("button[value=accept]").click()
    page.keyboard.press("u")  # the current row's decision changes, and the next row's turn comes
    page.keyboard.press("r")
    page.reload()
    assert page.input_value("[name=who]") == "anna"
    assert [row.get_attribute("data-decision") for row in table.all()[:3]] == ["unsure", "reject", None]
    page.locator("#hits tr[data-sign='<script>'] button[value=reject]").click()
    page.select_option("[name=decision]", "open")
    holds(page, "document.querySelectorAll('#hits tbody tr:not([hidden])').length === 3")
    with page.expect_download() as waiting:
        page.click(".download")
    waiting.value.save_as(tmp_path / "decisions.json")
    assert wrong == []
    context.close()

    done = import_log(project, tmp_path / "decisions.json")
    assert (done.added, done.refused) == (3, [])
    state = project.state()
    by_row = [(state.hits[h.id].status, state.hits[h.id].who) for h in hits]
    assert sorted(x for x in by_row if x[0] != "new") == [("rejected", "anna"), ("unsure", "anna")]
    (new,) = [h for h in state.hits.values() if h.video == "elsewhere"]
    assert (new.sign, new.status, new.start) == ("<script>", "rejected", 1.0)
    again = import_log(project, tmp_path / "decisions.json")
    assert (again.added, again.already) == (0, 3)

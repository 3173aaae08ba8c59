"""The search page: what it refuses, what it finds, and that nothing of a clip stays."""

from __future__ import annotations

import gc
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from embeddings.video import write_video
from spotter.cli.app import app
from spotter.project.folder import Project
from spotter.review.serve_tasks import in_memory
from spotter.review.server import Address
from spotter.review.serving import LARGEST, WAITING, SearchDesk, search_app, served

from .browsing import Server, holds, opened_browser
from .conftest import numbered_frames

pytestmark = pytest.mark.timeout(600)
HOME = "http://127.0.0.1:8377"
BYTES = {"content-type": "application/octet-stream"}


@pytest.fixture
def desk(project: Project, tmp_path: Path) -> Iterator[SearchDesk]:
    shutil.copytree(project.at.corpus, tmp_path / "archive" / "corpus")
    made = SearchDesk(served([project.folder, tmp_path / "archive" / "corpus"]))
    yield made
    made.close()


@pytest.fixture
def user(desk: SearchDesk) -> TestClient:
    address = Address("127.0.0.1", 8377, "s" * 40)
    client = TestClient(search_app(desk, address), base_url=HOME)
    assert client.get("/").status_code == 401
    assert client.get(f"/?token={address.token}").status_code == 200
    return client


def person(path: Path) -> Path:
    """A rendered signer: a sign of a world, filmed."""
    from embeddings.synthetic import Camera, SignWorld
    from embeddings.synthetic.filming.render import render_video

    world = SignWorld(41, 8)
    size, distance = 240, 2.2
    camera = Camera(
        size=(size, size), distance=distance, focal=size * distance / 1.22, target=(0.0, -0.16, 0.05)
    )  # fmt: skip
    performance = world.perform(world.signs[0], signer=0, fps=12.0)
    render_video(path, performance, camera=camera)
    return path


def ended(user: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    end = time.monotonic() + 240
    while job["state"] == "running" and time.monotonic() < end:
        time.sleep(0.1)
        job = user.get(f"/api/jobs/{job['id']}").json()
    return job


def test_corpora_of_projects_and_folders_have_names_of_their_own(user: TestClient, desk: SearchDesk) -> None:
    facts = user.get("/api/corpora").json()
    assert [(c["name"], c["videos"]) for c in facts["corpora"]] == [("A project", 2), ("archive", 2)]
    page = user.get("/?lang=de").text
    assert "Ihre Gebärde" in page
    assert "Your sign" not in page.partition("</script>")[2]
    # the project's videos can be played, the folder's poses cannot
    assert sorted(f.name.partition(chr(0))[0] for f in desk.media.files.values()) == ["A project"] * 2


def test_what_is_no_clip_is_refused(user: TestClient, tmp_path: Path) -> None:
    assert "0 bytes" in user.post("/api/search", content=b"", headers=BYTES).json()["error"]
    assert user.post("/api/search", content=b"x", headers={"content-type": "text/plain"}).status_code == 415
    large = {**BYTES, "content-length": str(LARGEST + 1)}
    assert user.post("/api/search", content=b"x", headers=large).status_code == 413
    assert "no corpus other" in user.post("/api/search?corpus=other", content=b"x", headers=BYTES).json()["error"]
    assert "most is" in user.post("/api/search?most=all", content=b"x", headers=BYTES).json()["error"]
    foreign = {**BYTES, "origin": "http://elsewhere.example"}
    assert user.post("/api/search", content=b"x", headers=foreign).status_code == 403
    for method in ("/api/lines", "/api/export", "/api/find"):  # it changes nothing
        assert user.post(method, json={}).status_code in (404, 405)
    job = user.post("/api/search", content=b"no video at all", headers=BYTES).json()
    long = write_video(tmp_path / "long.mp4", numbered_frames(32 * 5, 90), 5.0)
    other = user.post("/api/search", content=long.read_bytes(), headers=BYTES).json()
    assert "not a readable video" in ended(user, job)["error"]
    assert "/proc" not in ended(user, job)["error"]
    assert "expected at most 30 s" in ended(user, other)["error"]


def test_too_many_searches_at_once_are_asked_to_come_again(user: TestClient) -> None:
    answers = [user.post("/api/search", content=b"no video", headers=BYTES) for _ in range(WAITING + 1)]
    assert [a.status_code for a in answers] == [200] * WAITING + [503]
    for answer in answers[:WAITING]:
        ended(user, answer.json())


def test_a_clips_bytes_have_a_path_for_a_moment_only() -> None:
    with in_memory(b"some bytes") as path:
        assert path.read_bytes() == b"some bytes"
    assert not path.exists()


@pytest.mark.slow
def test_a_colleagues_search_in_the_browser(project: Project, tmp_path: Path) -> None:
    """A clip is chosen, its hits play in a loop; nothing of it stays on the disk, the project is as it was."""
    clip = person(tmp_path / "sign.mp4")
    before = {p: p.stat().st_mtime_ns for p in project.folder.rglob("*") if p.is_file()}
    running = Server("serve", project.folder)
    try:
        with opened_browser() as browser:
            context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
            context.set_default_timeout(240_000)
            page = context.new_page()
            wrong: list[str] = []
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.goto(running.url)
            page.wait_for_selector("html[data-ready=yes]")
            page.set_input_files("#file", clip)
            page.click("#go")
            page.wait_for_selector("#hits button")
            assert "Searched for what is signed from" in page.inner_text("#said")
            page.keyboard.press("ArrowRight")
            holds(page, "document.querySelectorAll('#hits li')[1].getAttribute('aria-current') === 'true'")
            holds(page, "document.querySelector('#hit').currentTime > 0")
            assert wrong == []
            context.close()
    finally:
        running.stop()
    assert {p: p.stat().st_mtime_ns for p in project.folder.rglob("*") if p.is_file()} == before
    gc.collect()


def test_what_users_may_do_wrong(tmp_path: Path, project: Project) -> None:
    runner = CliRunner()
    for words, why in [
        ((str(tmp_path),), "corpus"),
        ((str(project.folder), "--host", "0.0.0.0"), "--name"),
        ((str(project.folder), "--certificate", "x.pem"), "belong together"),
        ((str(project.folder), "--language", "fr"), "en or de"),
    ]:
        done = runner.invoke(app, ["serve", *words])
        assert done.exit_code == 1
        assert why in str(done.exception), words

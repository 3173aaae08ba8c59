"""The server without a browser: who gets in, what is answered, what stays whole when things go wrong."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from spotter.project.folder import Project
from spotter.project.log import Line
from spotter.review.desk import Desk
from spotter.review.media import media_id
from spotter.review.server import Address, review_app

HOME = "http://127.0.0.1:8231"


@pytest.fixture
def desk(project: Project) -> Iterator[Desk]:
    made = Desk(project)
    yield made
    made.close()


@pytest.fixture
def address() -> Address:
    return Address("127.0.0.1", 8231, "a-session-that-nobody-guesses")


@pytest.fixture
def stranger(desk: Desk, address: Address) -> TestClient:
    """Somebody without the token."""
    return TestClient(review_app(desk, address), base_url=HOME, follow_redirects=False)


@pytest.fixture
def user(stranger: TestClient, address: Address) -> TestClient:
    assert stranger.get(f"/?token={address.token}").status_code == 303
    return stranger


def lines(user: TestClient, *rows: dict[str, Any], who: str = "anna", client: str = "tab") -> dict[str, Any]:
    answer = user.post("/api/lines", json={"who": who, "client": client, "lines": list(rows)})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def some_hits(user: TestClient) -> list[dict[str, Any]]:
    start = user.get("/api/start").json()
    hits: list[dict[str, Any]] = user.get("/api/hits", params={"sign": start["signs"][0]["sign"]}).json()["hits"]
    return hits


def test_only_the_token_lets_in_and_then_the_cookie(stranger: TestClient, address: Address) -> None:
    for path in ("/", "/api/start", "/static/review.js", "/media/0"):
        assert stranger.get(path).status_code == 401, path
    assert stranger.get("/?token=wrong").status_code == 403
    welcome = stranger.get(f"/?token={address.token}&lang=de")
    assert (welcome.status_code, welcome.headers["location"]) == (303, "/?lang=de")
    cookie = welcome.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert cookie.startswith("spotter-8231=")
    assert stranger.get("/api/start").status_code == 200
    assert '<html lang="de">' in stranger.get("/?lang=de").text
    assert '<html lang="de">' in stranger.get("/").text  # remembered


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example:8231"}, 421),
        ({"host": "127.0.0.1:9999"}, 421),
        ({"host": "localhost:8231"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": HOME}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_requests_from_elsewhere(user: TestClient, headers: dict[str, str], status: int) -> None:
    given = {"content-type": "application/json", **headers}
    body = json.dumps({"lines": []})
    # a cookie is sent by name only when the client thinks it is the same host
    cookie = {"cookie": f"spotter-8231={user.cookies['spotter-8231']}"}
    assert user.post("/api/lines", content=body, headers={**given, **cookie}).status_code == status


def test_forms_of_other_pages_and_large_bodies_are_refused(user: TestClient) -> None:
    assert user.post("/api/lines", data={"lines": "x"}).status_code == 415
    assert user.post("/api/lines", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    large = b'{"lines": [' + b" " * (5 << 20) + b"]}"
    assert user.post("/api/lines", content=large, headers={"content-type": "application/json"}).status_code == 413


def test_every_answer_carries_the_policy(user: TestClient, stranger: TestClient) -> None:
    for path in ("/", "/static/review.css", "/api/start", "/nowhere"):
        headers = user.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    page = user.get("/").text
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert " on" + "click=" not in page
    assert "style=" not in page


def test_media_by_id_in_pieces_and_never_by_path(user: TestClient, project: Project) -> None:
    id = media_id("video", "talk one")
    whole = project.videos["talk one"].read_bytes()
    answer = user.get(f"/media/{id}", headers={"range": "bytes=100-199"})
    assert (answer.status_code, answer.content) == (206, whole[100:200])
    assert answer.headers["content-range"] == f"bytes 100-199/{len(whole)}"
    assert user.get(f"/media/{id}", headers={"range": "bytes=-50"}).content == whole[-50:]
    assert user.get(f"/media/{id}", headers={"range": f"bytes={len(whole)}-"}).status_code == 416
    for wrong in ("0", "..%2f..%2fspotter.toml", "%2e%2e/spotter.toml", "talk%20one", f"{id}/../../spotter.toml"):
        answer = user.get(f"/media/{wrong}")
        assert answer.status_code in (404, 405), wrong
        assert b"[project]" not in answer.content
    for wrong in ("..%2fspotter.toml", "%2e%2e%2fdecisions.sqlite", "nothing"):
        assert user.get(f"/export/{wrong}").status_code == 404
    assert user.get("/static/../strings.json").status_code in (404, 401)
    assert user.get("/static/%2e%2e/server.py").status_code == 404


def test_pictures_frames_and_skeletons(user: TestClient, desk: Desk) -> None:
    id = media_id("video", 'talk "two"')
    facts = user.get(f"/api/videos/{id}").json()
    assert (facts["width"], facts["height"], facts["ready"], facts["fps"]) == (128, 96, True, 25.0)
    picture = user.get(f"/picture/{id}?at=1.0&height=60")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content[:3] == b"\xff\xd8\xff"
    times = user.get(f"/api/videos/{id}/frames?from=0.5&to=1.0").json()["times"]
    assert times == pytest.approx([round(0.52 + k / 25, 6) for k in range(12)], abs=1e-6)
    answer = user.get(f"/api/videos/{id}/skeleton?from=0.2&to=0.4")
    (length,) = struct.unpack("<I", answer.content[:4])
    head = json.loads(answer.content[4 : 4 + length])
    values = np.frombuffer(answer.content[4 + length :], "<u2").reshape(-1, head["joints"], 2)
    assert head["fps"] == 25
    assert head["first"] == 5
    assert len(values) == 7
    assert (values < 65535).mean() > 0.5
    exemplar = media_id("exemplar", next(iter(desk.project.exemplar_clips)))
    assert user.get(f"/api/videos/{exemplar}/skeleton?from=0&to=1").status_code == 204


@pytest.mark.parametrize(
    "path",
    [
        "/api/videos/{id}/frames", "/api/videos/{id}/frames?from=x&to=1", "/api/videos/{id}/frames?from=2&to=1",
        "/api/videos/{id}/frames?from=nan&to=1", "/api/videos/{id}/track?from=0&to=1&bins=5", "/api/changes?since=-1",
        "/picture/{id}?at=inf&height=50", "/api/alignment", "/api/queue", "/api/jobs/none", "/api/videos/none",
        "/api/hits?video=none",
    ],
)  # fmt: skip
def test_mistakes_are_one_line(user: TestClient, path: str) -> None:
    answer = user.get(path.replace("{id}", media_id("video", "talk one")))
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]
    assert "Traceback" not in answer.text


def test_decisions_are_written_once_and_refused_one_by_one(user: TestClient, project: Project) -> None:
    first, second, third = some_hits(user)[:3]
    rows = [
        {"token": "t1", "action": "accept", "hit": first["id"], "base": 0},
        {"token": "t2", "action": "accept", "hit": "nowhere", "base": 0},
        {"token": "t3", "action": "span", "hit": second["id"], "base": 0, "detail": {"start": 1.0, "end": 0.5}},
        {
            "token": "t4",
            "action": "note",
            "hit": third["id"],
            "base": 0,
            "detail": {"text": "<script>alert(1)</script>"},
        },
        {"action": "accept", "hit": first["id"]},
        {"token": "t5", "action": "explode", "hit": first["id"]},
    ]
    said = lines(user, *rows)
    assert [row["token"] for row in said["written"]] == ["t1", "t4"]
    assert [row["token"] for row in said["refused"]] == ["t2", "t3", "", "t5"]
    again = lines(user, *rows[:1])
    assert again["written"] == [{"token": "t1", "n": 1}]
    (kept, _) = project.log.lines()
    assert (kept.who, kept.client, kept.hit) == ("anna", "tab", first["id"])
    assert kept.search.startswith("learned-")
    assert kept.weights.startswith("sign-tcn")
    counts = next(s for s in user.get("/api/start").json()["signs"] if s["sign"] == first["sign"])
    assert counts["accepted"] == 1
    lines(user, {"token": "t6", "action": "undo", "detail": {"token": "t1"}})
    assert user.get("/api/hits", params={"sign": first["sign"]}).json()["hits"][0]["status"] == "new"
    refused = lines(user, {"token": "t7", "action": "undo", "detail": {"token": "unknown"}})["refused"]
    assert "no line has the token" in refused[0]["why"]


@pytest.mark.parametrize("body", ["", "[]", "{", '{"lines": 3}', '{"lines": [3]}', '{"lines": [[]]}'])
def test_broken_bodies(user: TestClient, body: str) -> None:
    answer = user.post("/api/lines", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_two_tabs_see_each_other_and_their_conflicts(user: TestClient) -> None:
    hit = some_hits(user)[0]
    searches = len(user.get("/api/start").json()["searches"])
    lines(user, {"token": "a", "action": "accept", "hit": hit["id"], "base": 0}, who="anna", client="one")
    seen = user.get("/api/changes", params={"since": 0, "searches": searches}).json()
    assert [(h["id"], h["status"], h["who"]) for h in seen["hits"]] == [(hit["id"], "accepted", "anna")]
    said = lines(user, {"token": "b", "action": "reject", "hit": hit["id"], "base": 0}, who="ben", client="two")
    assert [(c["who"], c["action"]) for c in said["hits"][0]["conflict"]] == [("anna", "accept"), ("ben", "reject")]
    said = lines(user, {"token": "c", "action": "reject", "hit": hit["id"], "base": 2}, who="anna", client="one")
    assert said["hits"][0]["conflict"] == []
    quiet = user.get("/api/changes", params={"since": 3, "searches": searches}).json()
    assert quiet["hits"] == []


def test_what_another_program_writes_is_seen(user: TestClient, project: Project) -> None:
    hit = some_hits(user)[0]
    other = Project.open(project.folder)
    other.log.append([Line("reject", hit["id"], "the command line", "x1")])
    other.close()
    searches = len(user.get("/api/start").json()["searches"])
    assert user.get("/api/hits", params={"sign": hit["sign"]}).json()["hits"][0]["status"] == "rejected"
    assert (
        user.get("/api/changes", params={"since": 0, "searches": searches}).json()["hits"][0]["who"]
        == "the command line"
    )


def finished(user: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    for _ in range(600):
        if job["state"] != "running":
            break
        time.sleep(0.1)
        job = user.get(f"/api/jobs/{job['id']}").json()
    assert job["state"] == "done", job
    result: dict[str, Any] = job["result"]
    return result


def test_draw_a_span_and_find_more_like_it(desk: Desk, address: Address) -> None:
    """With the encoder, in its own process: exemplar, search, track, alignment, informative order, sample."""
    with TestClient(review_app(desk, address), base_url=HOME) as user:
        user.get(f"/?token={address.token}")
        id = media_id("video", "talk one")
        place = {"video": id, "start": 0.6, "end": 1.3, "sign": "<script>"}
        said = lines(user, {"token": "e", "action": "exemplar", "hit": "x1", "base": 0, "detail": place})
        assert said["exemplars"]["<script>"][0]["media"] == id
        result = finished(user, user.post("/api/find", json={"signs": ["<script>"], "who": "anna"}).json())
        (change,) = result["changes"]
        hits = user.get("/api/hits", params={"sign": "<script>"}).json()["hits"]
        assert len(change["new"]) == len(hits) > 5
        assert hits[0]["score"] == max(h["score"] for h in hits)
        track = user.get(f"/api/videos/{id}/track", params={"sign": "<script>", "from": 0, "to": 3, "bins": 60}).json()
        best = int(np.argmax([v or 0 for v in track["values"]]))
        assert 0.6 < best * 3 / 60 < 1.3
        where = {"exemplar": "x1", "video": id, "from": 0.6, "to": 1.3}
        path = user.get("/api/alignment", params=where).json()["path"]
        assert path[0] == pytest.approx([0.6, 0.6], abs=0.03)
        assert path[-1] == pytest.approx([1.3, 1.3], abs=0.03)
        assert all(abs(a - b) < 0.05 for a, b in path)
        queue = user.get("/api/queue", params={"sign": "<script>"}).json()["hits"]
        assert sorted(queue) == sorted(h["id"] for h in hits)
        drawn = user.post("/api/sample", json={"sign": "<script>", "who": "anna"}).json()
        assert 0 < len(drawn["hits"]) <= 40
        sample = {"sample": drawn["name"]}
        lines(user, *({"token": f"s{h}", "action": "reject", "hit": h, "detail": sample} for h in drawn["hits"]))
        said = user.get("/api/estimates", params={"sign": "<script>"}).json()
        assert said["sample"]["judged"] == len(drawn["hits"])
        assert said["missed"][0] == 0
        assert said["missed"][1] <= said["missed"][2]


def test_a_task_that_kills_the_worker_fails_alone(desk: Desk) -> None:
    import os
    import signal

    first = desk.worker.submit("warm")
    first.result.result(120)
    pid = desk.worker.pid
    assert pid is not None
    doomed = desk.worker.submit("find", signs=None, until=0)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(RuntimeError, match="died on this task"):
        doomed.result.result(120)
    place = {"video": "talk one", "start": 0.1, "end": 0.5}
    asked = desk.worker.submit("alignment", exemplar="nobody", place=place, until=0).result
    with pytest.raises(ValueError, match="no exemplar 'nobody'"):
        asked.result(120)
    assert desk.worker.pid not in (None, pid)

"""Accepted hits as a dictionary: frame-exact clips with poses, a table that enrolment reads, copies for browsers."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from embeddings.pose import read_pose
from embeddings.video import probe, read_frames
from spotter import enroll
from spotter.cli.app import app
from spotter.project.clips import write_clips
from spotter.project.folder import Project
from spotter.project.log import Line
from spotter.review.media import Media, MediaError, frame_times, make_playable, media_id, picture, plays_in_browsers

from .conftest import numbered_frames


def number_of(frame: np.ndarray) -> int:
    """The number that a frame of the test videos shows."""
    bits = [int(frame[len(frame) * 3 // 4, 10 * bit + 9, 0] > 128) for bit in range(12)]
    return int("".join(map(str, bits)), 2)


def accept(project: Project, count: int) -> list:
    hits = sorted(project.state().hits.values(), key=lambda h: -(h.score or 0))[:count]
    project.log.append([Line("accept", h.id, "anna", f"t{h.id}") for h in hits])
    return hits


def test_clips_show_the_very_frames(project: Project, tmp_path: Path) -> None:
    hits = accept(project, 3)
    project.log.append([Line("relabel", hits[0].id, "anna", "r", detail={"sign": "A/B: <c>"})])
    done = CliRunner().invoke(app, ["clips", str(project.folder), "-o", str(tmp_path / "my clips"), "--margin", "0.2"])
    assert done.exit_code == 0, done.output
    with (tmp_path / "my clips" / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["hit"]: row for row in csv.DictReader(file)}
    assert rows[hits[0].id]["label"] == "A/B: <c>"
    for hit in hits:
        row = rows[hit.id]
        frames = [number_of(f) for _, f in read_frames(tmp_path / "my clips" / row["file"])]
        first = round(max(0.0, hit.start - 0.2) * 25)
        assert frames[0] == pytest.approx(first, abs=1)
        assert frames == list(range(frames[0], frames[0] + len(frames)))
        assert frames[-1] == pytest.approx((hit.end + 0.2) * 25 - 1, abs=1)
        pose = read_pose(tmp_path / "my clips" / row["pose"])
        whole = read_pose(project.at.poses / f"{hit.video}.h5")
        np.testing.assert_allclose(pose.xy[2], whole.xy[first + 2], atol=0.51)
    page = (tmp_path / "my clips" / "index.html").read_text(encoding="utf-8")
    assert "A/B: &lt;c&gt;" in page
    assert "<c>" not in page
    gallery = enroll(tmp_path / "my clips" / "index.csv", poses=None) if False else None
    assert gallery is None
    again = write_clips(project, tmp_path / "my clips")
    assert (len(again.rows), again.kept) == (3, 3)


def test_the_table_is_read_by_enrolment(project: Project, tmp_path: Path) -> None:
    from spotter.enrolment import find_exemplars

    hits = accept(project, 2)
    write_clips(project, tmp_path / "clips")
    found = {(e.label, e.span) for e in find_exemplars(tmp_path / "clips" / "index.csv")}
    spans = {
        (h.sign, (round(h.start - max(0.0, h.start - 0.2), 3), round(h.end - max(0.0, h.start - 0.2), 3))) for h in hits
    }
    assert found == spans


def test_a_video_that_is_gone_is_named_and_the_others_are_cut(project: Project, tmp_path: Path) -> None:
    hits = sorted(project.state().hits.values(), key=lambda h: -(h.score or 0))
    mine = [next(h for h in hits if h.video == video) for video in ("talk one", 'talk "two"')]
    project.log.append([Line("accept", h.id, "anna", h.id) for h in mine])
    project.videos["talk one"].unlink()
    made = write_clips(project, tmp_path / "clips")
    assert len(made.rows) == 1
    assert "talk one" in made.failed[0][0]
    with pytest.raises(ValueError, match="margin is -1"):
        write_clips(project, tmp_path / "clips", margin=-1)


def odd_video(path: Path, codec: str, pixels: str, times: list[int], base: Fraction = Fraction(1, 1000)) -> Path:
    """A video of numbered frames in a form that browsers do not play, at times of its own."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = 96, 128, pixels
        stream.codec_context.time_base = base
        for time, frame in zip(times, numbered_frames(len(times), 90), strict=True):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = time, base
            out.mux(stream.encode(picture))
        out.mux(stream.encode())
    return path


def test_a_copy_that_browsers_play_keeps_every_frame_and_its_time(tmp_path: Path) -> None:
    """Frames at uneven times, as telephones film them, in Motion JPEG."""
    times = [0, 40, 80, 140, 150, 300, 330, 400, 480, 520]
    video = odd_video(tmp_path / "odd.mkv", "mjpeg", "yuvj420p", times)
    assert not plays_in_browsers(video)
    shares: list[float] = []
    make_playable(video, tmp_path / "copy.mp4", shares.append)
    assert plays_in_browsers(tmp_path / "copy.mp4")
    with av.open(str(tmp_path / "copy.mp4")) as copy:
        assert copy.streams.video[0].codec_context.name == "h264"
        assert not copy.streams.audio
    shown = list(read_frames(tmp_path / "copy.mp4"))
    assert [number_of(f) for _, f in shown] == list(range(10))
    assert [t for t, _ in shown] == pytest.approx([t / 1000 for t in times], abs=1e-3)
    assert frame_times(tmp_path / "copy.mp4", 0.0, 10.0) == pytest.approx([t / 1000 for t in times], abs=1e-3)
    assert shares == sorted(shares)
    assert shares[-1] <= 1


def test_what_is_played_as_it_is_and_what_is_not(built_project: Path, tmp_path: Path) -> None:
    project = Project.open(built_project)
    assert plays_in_browsers(project.videos["talk one"])
    late = odd_video(tmp_path / "late.mp4", "libx264", "yuv420p", [400 + 40 * k for k in range(5)])
    strange = odd_video(tmp_path / "strange.mp4", "libx264", "yuv444p", [40 * k for k in range(5)])
    assert not plays_in_browsers(strange)
    assert frame_times(late, 0, 1) == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16], abs=2e-3)
    project.close()


def test_copies_are_made_once_and_pictures_kept(tmp_path: Path) -> None:
    video = odd_video(tmp_path / "odd.avi", "mjpeg", "yuvj420p", [40 * k for k in range(30)], Fraction(1, 25 * 40))
    media = Media(tmp_path / "cache")
    media.add("video", {"odd": video})
    id = media_id("video", "odd")
    with pytest.raises(MediaError, match="cannot be played yet"):
        media.playable(id)
    for _ in range(300):
        if media.facts(id)["ready"]:
            break
        import time

        time.sleep(0.1)
    path, kind = media.playable(id)
    assert (kind, path.parent.name) == ("video/mp4", "playable")
    made = path.stat().st_mtime_ns
    again = Media(tmp_path / "cache")
    again.add("video", {"odd": video})
    assert again.playable(id)[0].stat().st_mtime_ns == made
    first = media.picture(id, 0.5, 48)
    assert media.picture(id, 0.5, 48) == first
    assert len(list((tmp_path / "cache" / "pictures").iterdir())) == 1
    assert picture(video, 99.0, 48)[:3] == b"\xff\xd8\xff"  # beyond the end: the last frame
    with pytest.raises(MediaError, match="no video has the id"):
        media.facts("nothing")
    video.unlink()
    gone = Media(tmp_path / "other")
    gone.add("video", {"odd": video})
    with pytest.raises(MediaError, match="no such file"):
        gone.facts(id)


def test_a_copy_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    import threading

    video = odd_video(tmp_path / "odd.avi", "mjpeg", "yuvj420p", [40 * k for k in range(30)], Fraction(1, 1000))
    stop = threading.Event()
    stop.set()
    with pytest.raises(MediaError, match="stopped"):
        make_playable(video, tmp_path / "cache" / "copy.mp4", stop=stop)
    assert list((tmp_path / "cache").iterdir()) == []
    assert probe(video).width == 128

"""Estimating: rows by time, pieces of long videos, damaged files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from embeddings.pose import estimate, estimate_frames
from embeddings.pose.estimate import ESTIMATORS, make_estimator
from embeddings.video import VideoError, read_frames, write_video

from ..small_videos import numbered, write_timed
from .planted import Planted

ROOM = sys.modules["embeddings.pose.estimate"]


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ESTIMATORS, "planted", "tests.embeddings.pose.planted:Planted")


@pytest.fixture
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ROOM, "PIECE_SECONDS", 2.0)
    monkeypatch.setattr(ROOM, "WARM_UP_SECONDS", 0.2)


def test_rows_are_the_frames_in_order(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", (numbered(i) for i in range(40)), 25)
    shares: list[float] = []
    pose = estimate(path, "planted", progress=shares.append)
    np.testing.assert_array_equal(pose.xy[:, 0, 0], np.arange(40))
    assert (pose.fps, pose.size, pose.source, pose.estimator) == (25.0, (64, 48), "a.mp4", "planted 1")
    assert np.isnan(pose.xy[:, 1:]).all()
    assert (pose.confidence[:, 1:] == 0).all()
    assert pose.z is not None
    assert pose.z[3, 0] == 1
    assert shares == sorted(shares)
    assert len(shares) == 0 or shares[-1] <= 1


def test_variable_rate_and_part_by_time(tmp_path: Path) -> None:
    path = write_timed(tmp_path / "v.mkv", [0, 40, 200, 240, 280, 900, 940, 1500])
    np.testing.assert_array_equal(estimate(path, "planted", fps=10, end=0.6).xy[:, 0, 0], [0, 1, 2, 4, 4, 4])
    np.testing.assert_array_equal(estimate(path, "planted", fps=10, start=0.85, end=1.1).xy[:, 0, 0], [4, 6, 6])


@pytest.mark.usefixtures("short_pieces")
@pytest.mark.parametrize("count", [1, 49, 50, 51, 99, 101, 180])
def test_pieces_join_without_a_seam(tmp_path: Path, count: int) -> None:
    path = write_video(tmp_path / "a.mp4", (numbered(i) for i in range(count)), 25)
    pose = estimate(path, "planted")
    np.testing.assert_array_equal(pose.xy[:, 0, 0], np.arange(count))
    # each later piece's estimator has watched five frames before its first row
    for first in range(50, count - 25, 50):
        assert pose.xy[first, 0, 1] == 6


@pytest.mark.usefixtures("short_pieces")
def test_pieces_of_a_part_join_too(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", (numbered(i) for i in range(180)), 29.97)
    pose = estimate(path, "planted", fps=29.97, start=10 / 29.97, end=150 / 29.97)
    np.testing.assert_array_equal(pose.xy[:, 0, 0], np.arange(10, 150))


@pytest.mark.usefixtures("short_pieces")
def test_a_truncated_long_video_keeps_its_beginning(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", (numbered(i) for i in range(200)), 25)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * 0.6)])
    with pytest.warns(UserWarning, match=r"a\.mp4: .*kept"):
        pose = estimate(path, "planted")
    with pytest.warns(UserWarning, match="kept"):
        assert len(pose) == sum(1 for _ in read_frames(path, fps=25))
    assert 50 < len(pose) < 150
    np.testing.assert_array_equal(pose.xy[:, 0, 0], np.arange(len(pose)))


def test_an_estimator_that_is_already_made_is_used_and_left_open(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [numbered(1)] * 3, 25)
    made = Planted(offset=0.5)
    assert estimate(path, made).xy[0, 0, 0] == 1.5
    assert estimate(path, made).xy[-1, 0, 1] == 6
    assert estimate(path, "planted", offset=0.25).xy[0, 0, 0] == 1.25


def test_a_stream_of_frames() -> None:
    def frames() -> Iterator[np.ndarray]:
        yield from (numbered(i) for i in range(4))

    pose = estimate_frames(frames(), 12.5, Planted(), source="camera")
    assert (len(pose), pose.fps, pose.source) == (4, 12.5, "camera")
    with pytest.raises(VideoError, match="camera: no frames"):
        estimate_frames(iter(()), 12.5, Planted(), source="camera")


def test_clear_errors(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [numbered(1)] * 3, 25)
    with pytest.raises(
        ValueError, match=r"'openpoze' is not known; expected one of holistic, mediapipe, mmpose, rtmlib"
    ):
        make_estimator("openpoze")
    with pytest.raises(VideoError, match="no frame between 7"):
        estimate(path, "planted", start=7.0)
    with pytest.raises(VideoError, match="no such file"):
        estimate(tmp_path / "nope.mp4", "planted")


def test_import_is_light() -> None:
    heavy = ("av", "torch", "h5py", "mediapipe", "cv2", "pose_format", "rtmlib", "mmpose")
    code = f"import sys, embeddings.pose; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"

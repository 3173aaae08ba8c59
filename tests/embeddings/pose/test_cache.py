"""The cache: a video is estimated once, wherever it lies and whoever asks."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.pose import estimate, estimate_videos, read_pose
from embeddings.pose.cache import cache_folder, cached_poses, clear_cache
from embeddings.pose.estimate import ESTIMATORS
from embeddings.recordings import PoseSource, find_recordings, write_poses
from embeddings.video import write_video

from ..small_videos import numbered


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ESTIMATORS, "planted", "tests.embeddings.pose.planted:Planted")


def film(path: Path, first: int = 0, count: int = 5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_video(path, (numbered(first + i) for i in range(count)), 25)


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPOTTER_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own" / "poses"
    monkeypatch.delenv("SPOTTER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    assert cache_folder() == tmp_path / "shared" / "spotter" / "poses"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative paths are to be ignored")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "spotter" / "poses"
    monkeypatch.setenv("SPOTTER_CACHE", "off")
    assert cache_folder() is None
    assert not PoseSource().keeps


def test_a_copy_is_not_estimated_again_and_another_setting_is(tmp_path: Path) -> None:
    one = film(tmp_path / "one.mp4")
    (tmp_path / "two.mp4").write_bytes(one.read_bytes())
    source = PoseSource("planted", cache=tmp_path / "cache")
    results = list(source.estimated([one, tmp_path / "two.mp4", film(tmp_path / "three.mp4", 9)], workers=1))
    assert [r.video.stem for r in results] == ["one", "two", "three"]
    assert results[0].output == results[1].output != results[2].output
    again = PoseSource("planted", cache=tmp_path / "cache", settings={"offset": 2.0})
    assert [r.skipped for r in source.estimated([tmp_path / "two.mp4"], workers=1)] == [True]
    assert [r.skipped for r in again.estimated([one], workers=1)] == [False]
    np.testing.assert_array_equal(source.pose(one).xy[:, 0, 0], np.arange(5))
    np.testing.assert_array_equal(again.pose(one).xy[:, 0, 0], np.arange(5) + 2)
    assert len(list(cached_poses(tmp_path / "cache"))) == 3


def test_a_folder_takes_from_the_cache_and_pose_files_fill_it(tmp_path: Path) -> None:
    cache, talk = tmp_path / "cache", film(tmp_path / "talk.mp4")
    source = PoseSource("planted", tmp_path / "poses", cache=cache)
    assert [o.skipped for _, o in write_poses(find_recordings([talk], ("frames",)), source, workers=1)] == [False]
    (entry,) = cached_poses(cache)
    assert (entry.source, entry.estimator) == ("talk.mp4", "planted 1")
    (taken,) = estimate_videos([talk], tmp_path / "others", "planted", workers=1, cache=cache)
    assert taken.skipped
    assert taken.output == tmp_path / "others" / "talk.pose"
    np.testing.assert_array_equal(read_pose(taken.output).xy[:, 0], read_pose(entry.path).xy[:, 0])


def test_a_warning_about_the_video_stays_with_its_pose(tmp_path: Path) -> None:
    path = film(tmp_path / "cut.mp4", count=100)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    source = PoseSource("planted", cache=tmp_path / "cache")
    (first,), (second,) = (list(source.estimated([path], workers=1)) for _ in range(2))
    assert (first.skipped, second.skipped) == (False, True)
    assert "cut.mp4" in first.warning
    assert second.warning == first.warning
    with pytest.warns(UserWarning, match=r"cut\.mp4"):
        source.pose(path)


def test_cleaned_files_are_the_folders_own_and_readers_take_them(tmp_path: Path) -> None:
    talk = film(tmp_path / "talk.mp4")
    recordings = find_recordings([talk], ("frames",))
    source = PoseSource("planted", tmp_path / "poses", cache=tmp_path / "cache")
    for skipped in (False, True):
        ((_, made),) = write_poses(recordings, source, workers=1, cleaning={"min_confidence": 0.9})
        assert made.skipped is skipped
    assert made.output is not None
    assert np.isnan(read_pose(made.output).xy).all(), "its one point has the confidence 0.5"
    (entry,) = cached_poses(tmp_path / "cache")
    assert not np.isnan(read_pose(entry.path).xy[:, 0]).any(), "the cache has what was estimated"
    assert np.isnan(source.pose(talk).xy).all(), "--poses takes the cleaned pose"
    ((_, raw),) = write_poses(recordings, source, workers=1)
    assert raw.output == made.output
    assert not np.isnan(read_pose(raw.output).xy[:, 0]).any()


def test_a_long_video_goes_on_where_its_estimate_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["embeddings.pose.estimate"]
    monkeypatch.setattr(module, "PIECE_SECONDS", 0.2)
    talk, source = film(tmp_path / "talk.mp4", count=20), PoseSource("planted", cache=tmp_path / "cache")
    whole, begun = estimate(talk, "planted"), []
    real = module._estimate_piece  # type: ignore[attr-defined]

    def stopped(piece: Any, *rest: Any) -> Any:
        begun.append(piece.first)
        if piece.first == 10 and begun.count(10) == 1:
            raise KeyboardInterrupt
        return real(piece, *rest)

    monkeypatch.setattr(module, "_estimate_piece", stopped)
    with pytest.raises(KeyboardInterrupt):
        source.pose(talk)
    again = source.pose(talk)
    assert begun == [0, 5, 10, 10, 15], "the first two pieces were there"
    np.testing.assert_array_equal(again.xy[:, 0, 0], whole.xy[:, 0, 0])
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".h5"]


def test_clearing(tmp_path: Path) -> None:
    source = PoseSource("planted", cache=tmp_path / "cache")
    old, new = (film(tmp_path / f"{k}.mp4", k) for k in (1, 2))
    (made,) = source.estimated([old], workers=1)
    source.pose(new)
    assert made.output is not None
    os.utime(made.output, (time.time() - 40 * 86400,) * 2)
    assert clear_cache(tmp_path / "cache", unused_days=30)[0] == 1
    assert [entry.source for entry in cached_poses(tmp_path / "cache")] == ["2.mp4"]
    assert clear_cache(tmp_path / "cache")[0] == 1
    assert not list(cached_poses(tmp_path / "cache"))

"""The HDF5 store and packed folders: round trips, killed writers, resuming."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.pose import PoseFileError, read_pose
from embeddings.pose.formats.openpose import read_openpose
from embeddings.pose.formats.store import (
    pack_folders,
    read_packed,
    read_store,
    stored_videos,
    write_packed,
    write_store,
)


def make_pose(frames: int = 4, seed: int = 0, depth: bool = True) -> Pose:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 500, (frames, 75, 2)).astype(np.float32)
    confidence = rng.uniform(0.1, 1, (frames, 75)).astype(np.float32)
    xy[:1, 5], confidence[:1, 5] = np.nan, 0
    z = rng.normal(size=(frames, 75)).astype(np.float32) if depth else None
    return Pose(xy, confidence, "mediapipe-holistic", 29.97, (640, 360), z, "mediapipe-holistic 0.10.21", "a.mp4")


def same(a: Pose, b: Pose) -> None:
    np.testing.assert_array_equal(a.xy, b.xy)
    np.testing.assert_array_equal(a.confidence, b.confidence)
    assert (a.z is None) == (b.z is None)
    if a.z is not None and b.z is not None:
        np.testing.assert_array_equal(a.z, b.z)
    assert (a.skeleton, a.fps, a.size, a.estimator, a.source) == (b.skeleton, b.fps, b.size, b.estimator, b.source)


def test_round_trip_and_replacement(tmp_path: Path) -> None:
    path = tmp_path / "poses.h5"
    write_store(path, {"b": make_pose(seed=1), "a": make_pose(seed=2, depth=False)})
    write_store(path, iter([("c", make_pose(frames=0)), ("b", make_pose(seed=3))]))
    found = dict(read_store(path))
    assert list(found) == stored_videos(path) == ["a", "b", "c"]
    same(found["a"], make_pose(seed=2, depth=False))
    same(found["b"], make_pose(seed=3))
    assert len(found["c"]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["poses.h5"]
    with pytest.raises(PoseFileError, match="holds 3 videos"):
        read_pose(path)


def test_a_writer_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    path = write_store(tmp_path / "poses.h5", {"a": make_pose()})
    before = path.read_bytes()

    def breaks() -> Iterator[tuple[str, Pose]]:
        yield "b", make_pose()
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write_store(path, breaks())
    with pytest.raises(ValueError, match="'b/c' cannot be stored"):
        write_store(path, {"b/c": make_pose()})
    assert path.read_bytes() == before
    assert stored_videos(tmp_path / "none.h5") == []


def test_a_killed_writer_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    path = write_store(tmp_path / "poses.h5", {"a": make_pose()})
    code = f"""
import time
from embeddings.pose.formats.store import write_store
from tests.embeddings.pose.formats.test_store import make_pose
def poses():
    for k in range(10_000):
        yield f"v{{k}}", make_pose(200, seed=k)
        print(k, flush=True)
write_store({str(path)!r}, poses())
"""
    root = Path(__file__).resolve().parents[4]
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root)
    assert process.stdout is not None
    assert process.stdout.readline() == "0\n"
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert stored_videos(path) == ["a"]
    write_store(path, {"b": make_pose(seed=1)})
    assert stored_videos(path) == ["a", "b"]


def test_damaged_stores_are_named(tmp_path: Path) -> None:
    path = tmp_path / "poses.h5"
    for content, reason in ((b"", "empty"), (b"no store" * 100, "not a readable HDF5")):
        path.write_bytes(content)
        for attempt in (lambda: list(read_store(path)), lambda: write_store(path, {}), lambda: read_pose(path)):
            with pytest.raises(PoseFileError, match=reason):
                attempt()
    path.unlink()
    write_store(path, {"a": make_pose(), "b": make_pose()})
    with h5py.File(path, "a") as file:
        del file["b"]["xy"]
    with pytest.raises(PoseFileError, match=r"poses\.h5: video 'b' is damaged"):
        list(read_store(path))
    with h5py.File(path, "a") as file:
        file["b"].attrs["complete"] = False
    assert [name for name, _ in read_store(path)] == ["a"]


def openpose_folder(root: Path, name: str, frames: int, seed: int = 0) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for i in range(frames):
        body = np.concatenate([rng.uniform(1, 500, (25, 2)), np.full((25, 1), 0.8)], axis=1)
        hands = [np.concatenate([rng.uniform(1, 500, (21, 2)), np.full((21, 1), 0.5)], axis=1) for _ in range(2)]
        person = {
            "pose_keypoints_2d": body.ravel().tolist(),
            "hand_left_keypoints_2d": hands[0].ravel().tolist(),
            "hand_right_keypoints_2d": hands[1].ravel().tolist(),
        }
        people = [] if i == 1 else [person]
        (folder / f"{name}_{i:012d}_keypoints.json").write_text(json.dumps({"people": people}))
    return folder


def test_folders_are_packed_with_a_row_for_every_frame(tmp_path: Path) -> None:
    for k in range(3):
        openpose_folder(tmp_path / "json", f"v{k}", 4 + k, seed=k)
    packed = tmp_path / "packed.h5"
    assert pack_folders(tmp_path / "json", packed, fps=30, size=(512, 512), batch=2) == []
    with h5py.File(packed) as file:
        assert sorted(file) == ["v0", "v1", "v2"]
        data = file["v2"][:]
    assert data.shape == (6, 150)
    assert data.dtype == np.float32
    assert (data[1] == 0).all(), "nobody was there: a row of zeros, not a row less"
    raw = json.loads((tmp_path / "json" / "v2" / "v2_000000000002_keypoints.json").read_text())["people"][0]
    np.testing.assert_allclose(data[2, :24], raw["pose_keypoints_2d"][:24], rtol=1e-6)
    np.testing.assert_allclose(data[2, 24:87], raw["hand_left_keypoints_2d"], rtol=1e-6)
    np.testing.assert_allclose(data[2, 87:], raw["hand_right_keypoints_2d"], rtol=1e-6)
    found = dict(read_packed(packed))
    expected = read_openpose(tmp_path / "json" / "v2", fps=30, size=(512, 512))
    np.testing.assert_array_equal(found["v2"].xy, expected.xy)
    np.testing.assert_allclose(found["v2"].confidence, expected.confidence)
    assert (found["v2"].fps, found["v2"].size, found["v2"].skeleton) == (30, (512, 512), "openpose-50")


def test_packing_goes_on_where_it_was_and_names_the_broken(tmp_path: Path) -> None:
    root, packed = tmp_path / "json", tmp_path / "packed.h5"
    openpose_folder(root, "a", 3)
    (openpose_folder(root, "bad", 3) / "bad_000000000002_keypoints.json").write_text('{"people": [')
    ((name, reason),) = pack_folders(root, packed)
    assert name == "bad"
    assert "bad_000000000002_keypoints.json" in reason
    (root / "a" / "a_000000000000_keypoints.json").write_text("now broken, but already packed")
    openpose_folder(root, "c", 2)
    assert [n for n, _ in pack_folders(root, packed)] == ["bad"]
    assert [n for n, _ in read_packed(packed)] == ["a", "c"]
    with pytest.raises(PoseFileError, match="holds no folders"):
        pack_folders(root / "a", packed)


def test_foreign_packed_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "foreign.h5"
    rng = np.random.default_rng(0)
    values = rng.uniform(1, 400, (7, 50, 3)).astype(np.float32)
    values[..., 2] = 0.5
    values[3, 20] = 0
    with h5py.File(path, "w") as file:
        file["sample"] = values.reshape(7, 150)
    ((name, pose),) = read_packed(path, fps=30)
    assert (name, pose.fps, len(pose)) == ("sample", 30, 7)
    assert np.isnan(pose.xy[3, 20]).all()
    np.testing.assert_array_equal(pose.xy[0, pose.joint("right_hand_pinky_tip")], values[0, 49, :2])
    write_packed(tmp_path / "back.h5", [(name, pose)])
    with h5py.File(tmp_path / "back.h5") as file:
        np.testing.assert_array_equal(file["sample"][:], values.reshape(7, 150))
    with h5py.File(path, "a") as file:
        file["wrong"] = np.zeros((3, 99), np.float32)
    with pytest.raises(PoseFileError, match=r"'wrong' is \(3, 99\); expected an array \(T, 150\)"):
        list(read_packed(path))

"""FrankMocap's output: the joints that the 3D encoder takes, missing frames, and pickles that would run code."""

from __future__ import annotations

import contextlib
import json
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.pose.formats.frankmocap import FrankMocapError, read_rotations


def person(frame: int, hands: bool = True) -> dict[str, Any]:
    """Joint j of the 54 has the rotation (j, frame, 0); hands carry an orientation of their own in front."""
    joints = np.stack([np.arange(54.0), np.full(54, frame), np.zeros(54)], axis=1)
    own = np.full((1, 3), 99.0)
    return {
        "pred_body_pose": joints[:24].reshape(1, 72),
        "pred_left_hand_pose": np.concatenate([own, joints[24:39]]).reshape(1, 48) if hands else None,
        "pred_right_hand_pose": np.concatenate([own, joints[39:]]).reshape(1, 48) if hands else None,
    }


WANTED = [9, 13, 16, 18, 20, 14, 17, 19, 21, *range(24, 54)]


def as_lists(frame: dict[str, Any]) -> dict[str, Any]:
    return {key: None if value is None else value.tolist() for key, value in frame.items()}


@pytest.mark.parametrize("ending", [".json", ".npz", ".pkl"])
def test_a_folder_of_frames_gives_the_39_joints_in_order(tmp_path: Path, ending: str) -> None:
    for frame in (3, 4, 6):
        path = tmp_path / f"clip_{frame:05d}_prediction_result{ending}"
        if ending == ".json":
            path.write_text(json.dumps({"pred_output_list": [as_lists(person(frame))]}))
        elif ending == ".npz":
            np.savez(path, **person(frame))
        else:
            path.write_bytes(pickle.dumps({"pred_output_list": [person(frame)], "smpl_type": "smplx"}))
    rotations = read_rotations(tmp_path)
    assert rotations.shape == (4, 39, 3)  # frame 5 is missing and still a row
    np.testing.assert_array_equal(rotations[0, :, 0], WANTED)
    np.testing.assert_array_equal(rotations[[0, 1, 3], 0, 1], [3, 4, 6])
    assert np.isnan(rotations[2]).all()


def test_one_file_of_many_frames(tmp_path: Path) -> None:
    frames = [as_lists(person(0)), None, {"pred_output_list": []}, as_lists(person(3, hands=False))]
    (tmp_path / "clip.json").write_text(json.dumps(frames))
    rotations = read_rotations(tmp_path / "clip.json")
    assert np.isnan(rotations[1:3]).all()
    assert np.isfinite(rotations[3, :9]).all()
    assert np.isnan(rotations[3, 9:]).all()
    whole = {key: np.concatenate([person(k)[key] for k in range(5)]) for key in person(0)}
    np.savez(tmp_path / "clip.npz", **whole)
    np.testing.assert_array_equal(read_rotations(tmp_path / "clip.npz")[:, 5, 1], range(5))


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "owned",))

    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"pred_output_list": [Evil()]}))
    with pytest.raises(FrankMocapError, match="only plain data and NumPy arrays"):
        read_rotations(path)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"pred_body_pose": [[0.0] * 70]}, "70 numbers"),
        ({"joints": [[0.0]]}, "no pred_body_pose"),
        ({"pred_body_pose": [["a"] * 72]}, "other than numbers"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: dict[str, Any], message: str) -> None:
    (tmp_path / "x.json").write_text(json.dumps(content))
    with pytest.raises(FrankMocapError, match=message):
        read_rotations(tmp_path / "x.json")


@pytest.mark.parametrize(
    "content",
    [3, "text", None, [1], {"frames": 5}, {"pred_body_pose": [[1, 2], [3]]}, {"pred_body_pose": np.zeros((0, 72))}],
)
def test_other_values_in_a_pickle_are_named(tmp_path: Path, content: Any) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(FrankMocapError, match=r"x\.pkl"):
        read_rotations(tmp_path / "x.pkl")


def test_damaged_pickles_end_in_rotations_or_one_error(tmp_path: Path) -> None:
    raw, draw, path = pickle.dumps({"pred_output_list": [person(1)]}), random.Random(0), tmp_path / "x.pkl"
    for _ in range(1000):
        damaged = bytearray(raw)
        for _ in range(draw.choice((1, 2, 4))):
            damaged[draw.randrange(len(raw) // draw.choice((1, 8)))] = draw.randrange(256)
        path.write_bytes(damaged)
        with contextlib.suppress(FrankMocapError):
            assert read_rotations(path).shape[1:] == (39, 3)


def test_an_empty_folder_and_another_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(FrankMocapError, match="holds no frame"):
        read_rotations(tmp_path)
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(FrankMocapError, match="expected a folder"):
        read_rotations(tmp_path / "x.txt")
    (tmp_path / "cut.npz").write_bytes(b"PK")
    with pytest.raises(FrankMocapError, match="cannot be read"):
        read_rotations(tmp_path / "cut.npz")


def test_the_3d_encoder_takes_them(tmp_path: Path) -> None:
    from embeddings.encoders.sl_gcn import SLGCN3D, SLGCN3DConfig
    from embeddings.recordings import read_recording

    for frame in range(20):
        path = tmp_path / f"{frame:03d}.json"
        path.write_text(json.dumps(as_lists(person(frame))))
    encoder = SLGCN3D(SLGCN3DConfig(widths=(16,) * 4, part_dim=4, groups=8))
    clip = read_recording(tmp_path, encoder.required_inputs)
    rows = encoder.embed(encoder.prepare(clip), np.array([[0.0, 16.0]]))
    assert rows.shape == (1, 39 * 4)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)

"""Landmark packs: planted ones, and the real ones where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embeddings.pose import PoseFileError
from embeddings.pose.formats.packs import read_pack
from embeddings.skeletons import SKELETONS


def planted(path: Path, points: int = 75, **more: object) -> np.ndarray:
    rng = np.random.default_rng(0)
    frames = rng.uniform(0.1, 0.9, (9, points, 4)).astype(np.float16)
    frames[1, 33:54] = 0
    np.savez(path, frames=frames, offsets=np.array([0, 4, 9], np.int32), **more)  # type: ignore[arg-type]
    return frames.astype(np.float32)


def test_sequences_in_pixels_with_their_facts(tmp_path: Path) -> None:
    path = tmp_path / "pack.npz"
    frames = planted(path, label=["YES", "NO"], signer=["s1", "s2"], seq_id=["q0", "q1"], fps=[29.97, 15.0])
    one, two = read_pack(path, size=(640, 360))
    assert (one.label, one.signer, one.id, len(one.pose), one.pose.fps) == ("YES", "s1", "q0", 4, 29.97)
    assert (two.label, len(two.pose), two.pose.fps, two.pose.source) == ("NO", 5, 15.0, "q1")
    assert two.pose.size == (640, 360)
    np.testing.assert_allclose(two.pose.xy, frames[4:, :, :2] * (640, 360), rtol=1e-5)
    np.testing.assert_allclose(two.pose.confidence, frames[4:, :, 3], rtol=1e-5)
    assert two.pose.z is not None
    np.testing.assert_allclose(two.pose.z, frames[4:, :, 2] * 640, rtol=1e-5)
    hand = one.pose.xy[1, 33:54]
    assert np.isnan(hand).all()
    assert (one.pose.confidence[1, 33:54] == 0).all()


def test_points_are_matched_by_name_not_by_place(tmp_path: Path) -> None:
    joints = SKELETONS["mediapipe-holistic"].joints
    names = [
        *(f"POSE_{j.upper().removesuffix('_KNUCKLE')}" for j in joints[:33]),
        *(j.upper().replace("INDEX_", "INDEX_FINGER_") for j in joints[33:]),
    ]
    order = np.random.default_rng(1).permutation(75)
    path = tmp_path / "pack.npz"
    frames = planted(path, point_names=[names[i] for i in order])
    pose = next(read_pack(path, size=(1, 1))).pose
    np.testing.assert_allclose(pose.xy[0, order], frames[0, :, :2], rtol=1e-5)


def test_what_is_no_pack_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(PoseFileError, match=r"x\.npz: not a readable"):
        next(read_pack(path))
    np.savez(path, frames=np.zeros((2, 75, 4)))
    with pytest.raises(PoseFileError, match="lacks offsets; it holds frames"):
        next(read_pack(path))
    np.savez(path, frames=np.zeros((2, 75, 4)), offsets=[0, 3])
    with pytest.raises(PoseFileError, match="do not fit together"):
        next(read_pack(path))
    np.savez(path, frames=np.zeros((2, 11, 4)), offsets=[0, 2])
    with pytest.raises(PoseFileError, match="11 points without names"):
        next(read_pack(path))
    with pytest.raises(PoseFileError, match="no such"):
        next(read_pack(tmp_path / "none.npz"))


@pytest.mark.real
@pytest.mark.parametrize(
    ("pack", "count", "skeleton"),
    [
        ("ksl13_apache/ksl13.npz", 754, "mediapipe-holistic"),
        ("traduttore_asl_mit/traduttore_asl_3signers.npz", 899, "mediapipe-holistic"),
        ("sts_fingerspelling/fingerspelling.npz", 626, "mediapipe-upper-67"),
        ("signsuisse_unlabelled/signsuisse.npz", 198, "mediapipe-upper-67"),
        ("ksl77_koala_videos/mediapipe_holistic.npz", 61, "mediapipe-holistic"),
    ],
)
def test_the_real_packs(real_data: Path, pack: str, count: int, skeleton: str) -> None:
    sequences = list(read_pack(real_data / pack))
    assert len(sequences) == count
    assert {s.pose.skeleton for s in sequences} == {skeleton}
    shoulders = np.concatenate([s.pose.xy[:, 11:13] for s in sequences])
    # the signer's left is on the right of the picture
    assert np.nanmean(shoulders[:, 0, 0] > shoulders[:, 1, 0]) > 0.97
    # a seen hand's wrist lies at the body's own wrist of the same side, in shoulder widths
    width = np.nanmedian(np.abs(shoulders[:, 0, 0] - shoulders[:, 1, 0]))
    for side in ("left", "right"):
        hand, body = (
            np.concatenate([s.pose.xy[:, s.pose.joint(f"{side}_{which}")] for s in sequences])
            for which in ("hand_wrist", "wrist")
        )
        assert np.nanmedian(np.linalg.norm(hand - body, axis=1)) < 0.25 * width

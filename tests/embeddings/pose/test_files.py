"""`.pose` files: ours, the published ones and their reduced forms; what other tools read; damage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pose_format import Pose as DotPose
from pose_format.numpy import NumPyPoseBody
from pose_format.pose_header import PoseHeader, PoseHeaderComponent, PoseHeaderDimensions

from embeddings.clip import Pose
from embeddings.pose import PoseFileError, read_pose, write_pose
from embeddings.pose.formats.dot_pose import read_header
from embeddings.skeletons import SKELETONS

from .published import holistic_components


def make_pose(skeleton: str = "mediapipe-holistic", frames: int = 6, depth: bool = True, fps: float = 29.97) -> Pose:
    rng = np.random.default_rng(0)
    joints = len(SKELETONS[skeleton].joints)
    xy = rng.uniform(0, 500, (frames, joints, 2)).astype(np.float32)
    confidence = rng.uniform(0.1, 1, (frames, joints)).astype(np.float32)
    xy[2, 5:9], confidence[2, 5:9] = np.nan, 0
    xy[3], confidence[3] = np.nan, 0  # nobody there
    z = rng.normal(size=(frames, joints)).astype(np.float32) if depth else None
    if z is not None:
        z[confidence == 0] = np.nan
    return Pose(xy, confidence, skeleton, fps, (640, 360), z, "mediapipe-holistic 0.10.21", "größe.mp4")


@pytest.mark.parametrize("ending", [".pose", ".h5", ".hdf5", ".POSE"])
@pytest.mark.parametrize("depth", [True, False])
@pytest.mark.parametrize("skeleton", sorted(SKELETONS))
def test_every_layout_comes_back_exactly(tmp_path: Path, skeleton: str, depth: bool, ending: str) -> None:
    pose = make_pose(skeleton, depth=depth)
    path = write_pose(tmp_path / f"a{ending}", pose, stamp="abc")
    back = read_pose(path)
    np.testing.assert_array_equal(back.xy, pose.xy)
    np.testing.assert_array_equal(back.confidence, pose.confidence)
    assert back.fps == pytest.approx(29.97, rel=1e-6)
    assert (back.skeleton, back.size, back.estimator, back.source) == (
        skeleton,
        (640, 360),
        pose.estimator,
        pose.source,
    )
    assert (back.z is None) == (pose.z is None)
    if back.z is not None and pose.z is not None:
        np.testing.assert_array_equal(back.z, pose.z)
    assert read_header(path)["stamp"] == "abc"


def test_published_names_are_those_of_the_library() -> None:
    pytest.importorskip("mediapipe")
    from pose_format.utils.holistic import holistic_components as theirs

    assert [(c.name, c.points) for c in theirs("XYZC")] == [(c.name, c.points) for c in holistic_components("XYZC")]


def test_other_tools_understand_the_file(tmp_path: Path) -> None:
    pose = make_pose()
    path = write_pose(tmp_path / "a.pose", pose)
    read = DotPose.read(path.read_bytes())
    published = {c.name: c.points for c in holistic_components("XYZC")}
    for component in read.header.components:
        assert component.points == published[component.name], "names and order of the published component"
    assert read.body.fps == pytest.approx(29.97)
    assert read.body.data.shape == (6, 1, 75, 3)
    column = read.header._get_point_index("RIGHT_HAND_LANDMARKS", "INDEX_FINGER_TIP")
    ours = pose.joint("right_hand_index_tip")
    np.testing.assert_allclose(read.body.data[0, 0, column, :2], pose.xy[0, ours])
    assert np.ma.getmaskarray(read.body.data)[3].all()
    normalised = read.normalize()  # a function of theirs that finds the shoulders by name
    assert np.isfinite(np.ma.filled(normalised.body.data, 0)).all()


def published(path: Path, drop: tuple[str, ...] = (), people: int = 1, frames: int = 5) -> DotPose:
    """A holistic file as other tools write it, with the face, without the named points."""
    components, kept = [], []
    for c in holistic_components("XYZC"):
        points = [p for p in c.points if p not in drop]
        components.append(PoseHeaderComponent(c.name, points, [], [(0, 0, 0)], "XYZC"))
        kept += [(c.name, p) for p in points]
    rng = np.random.default_rng(1)
    data = rng.uniform(1, 400, (frames, people, len(kept), 3)).astype(np.float32)
    confidence = np.full(data.shape[:3], 0.5, np.float32)
    confidence[:, -1] = 0.9
    confidence[1, :, 3] = 0
    header = PoseHeader(0.1, PoseHeaderDimensions(400, 300, 400), components)
    body = NumPyPoseBody(25, np.ma.MaskedArray(data, mask=np.zeros(data.shape, bool)), confidence)
    written = DotPose(header, body)
    with path.open("wb") as file:
        written.write(file)
    return written


def test_published_holistic_files_with_faces(tmp_path: Path) -> None:
    theirs = published(tmp_path / "a.pose")
    pose = read_pose(tmp_path / "a.pose")
    assert (pose.skeleton, pose.fps, pose.size) == ("mediapipe-holistic", 25, (400, 300))
    for part, point, joint in (
        ("POSE_LANDMARKS", "LEFT_PINKY", "left_pinky_knuckle"),
        ("POSE_LANDMARKS", "MOUTH_RIGHT", "mouth_right"),
        ("LEFT_HAND_LANDMARKS", "WRIST", "left_hand_wrist"),
        ("RIGHT_HAND_LANDMARKS", "PINKY_DIP", "right_hand_pinky_dip"),
        ("RIGHT_HAND_LANDMARKS", "THUMB_CMC", "right_hand_thumb_cmc"),
        ("LEFT_HAND_LANDMARKS", "MIDDLE_FINGER_MCP", "left_hand_middle_mcp"),
    ):
        column = theirs.header._get_point_index(part, point)
        np.testing.assert_array_equal(pose.xy[0, pose.joint(joint)], theirs.body.data[0, 0, column, :2])
    assert np.isnan(pose.xy[1, 3]).all()
    assert pose.confidence[1, 3] == 0


def test_reduced_files_are_matched_by_name(tmp_path: Path) -> None:
    legs = tuple(f"{s}_{p}" for s in ("LEFT", "RIGHT") for p in ("KNEE", "ANKLE", "HEEL", "FOOT_INDEX"))
    theirs = published(tmp_path / "a.pose", drop=(*legs, "LEFT_EYE"))
    pose = read_pose(tmp_path / "a.pose")
    assert pose.skeleton == "mediapipe-upper-67"
    assert np.isnan(pose.xy[:, pose.joint("left_eye")]).all()
    column = theirs.header._get_point_index("POSE_LANDMARKS", "RIGHT_HIP")
    np.testing.assert_array_equal(pose.xy[:, pose.joint("right_hip")], theirs.body.data[:, 0, column, :2])


def test_of_several_people_the_best_seen(tmp_path: Path) -> None:
    theirs = published(tmp_path / "a.pose", people=3)
    np.testing.assert_array_equal(read_pose(tmp_path / "a.pose").xy[0, 0], theirs.body.data[0, 2, 0, :2])


def test_the_note_beside_a_pose_file_may_be_lost(tmp_path: Path) -> None:
    path = write_pose(tmp_path / "a.pose", make_pose())
    (tmp_path / "a.pose.json").unlink()
    back = read_pose(path)
    assert (back.estimator, back.skeleton) == ("", "mediapipe-holistic")
    assert read_header(path) == {}


def test_what_is_no_pose_file_is_named(tmp_path: Path) -> None:
    empty, text, other = tmp_path / "e.pose", tmp_path / "t.pose", tmp_path / "a.bvh"
    empty.write_bytes(b"")
    text.write_text("hello " * 300)
    other.write_text("x")
    for path, reason in (
        (empty, r"e\.pose: the file is empty"),
        (text, r"t\.pose: not a readable \.pose file"),
        (other, r"\.bvh is not a pose file; expected \.pose"),
        (tmp_path / "none.pose", "no such pose file"),
        (tmp_path, r"no \*\.json keypoint files"),
    ):
        with pytest.raises(PoseFileError, match=reason):
            read_pose(path)
    whole = write_pose(tmp_path / "w.pose", make_pose())
    whole.write_bytes(whole.read_bytes()[:-500])
    with pytest.raises(PoseFileError, match=r"w\.pose: not a readable"):
        read_pose(whole)
    with pytest.raises(PoseFileError, match=r"cannot write \.csv"):
        write_pose(tmp_path / "a.csv", make_pose())


def test_files_of_other_layouts_are_refused_by_their_components(tmp_path: Path) -> None:
    header = PoseHeader(0.1, PoseHeaderDimensions(1, 1, 1), [PoseHeaderComponent("FINGERS", ["A"], [], [], "XYC")])
    body = NumPyPoseBody(25, np.ma.MaskedArray(np.zeros((2, 1, 1, 2)), mask=False), np.ones((2, 1, 1)))
    with (tmp_path / "a.pose").open("wb") as file:
        DotPose(header, body).write(file)
    with pytest.raises(PoseFileError, match="holds the components FINGERS"):
        read_pose(tmp_path / "a.pose")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_pose(tmp_path / "a.pose", make_pose())
    before = path.read_bytes()
    with pytest.raises(PoseFileError, match=r"a\.pose: .*65535"):
        write_pose(path, replace(make_pose(), size=(70000, 10)))
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pose", "a.pose.json"]


def test_an_empty_pose_is_a_pose(tmp_path: Path) -> None:
    for ending in (".pose", ".h5"):
        assert len(read_pose(write_pose(tmp_path / f"a{ending}", make_pose()[:0]))) == 0

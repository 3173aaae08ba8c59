from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.clip import Clip
from embeddings.encoders.table import encoder_class
from embeddings.pose import write_pose
from embeddings.prepared import load_clip
from embeddings.recordings import source_name

from ...spotter.worlds import small_world


def test_names_come_from_files_clips_and_poses() -> None:
    w = small_world()
    pose = w.queries[0].pose
    assert pose is not None
    assert source_name("/a/b/talk.one.mp4") == "talk.one"
    assert source_name(Path("talk.pose")) == "talk"
    assert source_name(w.queries[0]) == "query-1"
    assert source_name(replace(pose, source="/x/lecture.mp4")) == "lecture"
    assert source_name(replace(pose, source="")) == "pose"


def test_poses_and_clips_pass_through() -> None:
    w = small_world()
    clip = w.queries[0]
    assert load_clip(clip, w.encoder) is clip
    assert clip.pose is not None
    wrapped = load_clip(replace(clip.pose, source="a.mp4"), w.encoder)
    assert (wrapped.name, wrapped.fps, len(wrapped)) == ("a", 25.0, len(clip))


@pytest.mark.parametrize("ending", [".pose", ".h5"])
def test_pose_files_are_read(tmp_path: Path, ending: str) -> None:
    w = small_world()
    pose = w.queries[0].pose
    assert pose is not None
    write_pose(tmp_path / f"talk{ending}", pose)
    clip = load_clip(tmp_path / f"talk{ending}", w.encoder)
    assert clip.name == "talk"
    assert clip.pose is not None
    assert len(clip.pose) == len(pose)
    wrist = pose.joint("right_wrist")
    np.testing.assert_allclose(clip.pose.xy[:, clip.pose.joint("right_wrist")], pose.xy[:, wrist], atol=0.1)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    w = small_world()
    for name in ("none.pose", "none.mp4"):
        with pytest.raises((ValueError, OSError), match=name):
            load_clip(tmp_path / name, w.encoder)


def test_an_encoder_of_pictures_refuses_a_pose_file(tmp_path: Path) -> None:
    w = small_world()
    pose = w.queries[0].pose
    assert pose is not None
    path = tmp_path / "talk.pose"
    write_pose(path, pose[:4])

    class Pictures(encoder_class("pose-cosine")):  # type: ignore[misc]
        name = "pictures"
        required_inputs = ("frames",)

    with pytest.raises(
        ValueError,
        match=r"talk\.pose \(\.pose file\): holds a pose, and encoder 'pictures' needs pictures; give the video",
    ):
        load_clip(path, Pictures())


def test_frames_and_pose_of_a_video_have_one_rate(tmp_path: Path) -> None:
    """A video at 30 frames a second for an encoder at 25 that looks at pictures and poses."""
    from embeddings.video import write_video

    w = small_world()
    pose = w.queries[0].pose
    assert pose is not None
    frames = np.full((30, 64, 64, 3), 90, np.uint8)
    write_video(tmp_path / "talk.mp4", frames, 30.0)

    class Both(encoder_class("pose-cosine")):  # type: ignore[misc]
        name = "both"
        required_inputs = ("frames", "pose")

    given = Clip("talk", 30.0, pose=replace(pose[:30], fps=30.0), path=tmp_path / "talk.mp4")
    clip = load_clip(given, Both())
    assert clip.fps == 25.0
    assert clip.frames is not None
    assert clip.pose is not None
    assert len(clip.frames) == len(clip.pose) == 25

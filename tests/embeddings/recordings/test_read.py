"""Reading a recording: what is needed is read, decoded, estimated or completed, or the error says what to give."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.clip import Clip
from embeddings.encoders.table import encoder_class
from embeddings.encoders.vtn import VTNPF, VTNConfig
from embeddings.pose import ESTIMATORS, write_pose
from embeddings.prepared import load_clip
from embeddings.recordings import PoseSource, RecordingError, find_recordings, parts_needed, read_recording

from ...spotter.worlds import small_world
from ..small_videos import write_timed


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


def test_a_part_is_cut_in_seconds_from_every_kind(tmp_path: Path) -> None:
    from embeddings.video import write_video

    pose = small_world().exemplars[0].pose
    assert pose is not None
    write_pose(tmp_path / "talk.pose", pose)
    part = read_recording(tmp_path / "talk.pose", start=0.4, end=0.8)
    np.testing.assert_allclose(part.pose.xy, read_recording(tmp_path / "talk.pose").pose.xy[10:20])  # type: ignore[union-attr]
    with pytest.raises(RecordingError, match=r"talk: is \d\.\d\d s long and has no part from 90 s on"):
        read_recording(tmp_path / "talk.pose", start=90)
    frames = np.repeat(np.arange(0, 200, 10, dtype=np.uint8), 16 * 16 * 3).reshape(20, 16, 16, 3)
    write_video(tmp_path / "film.mp4", frames, 25.0, crf=0)
    seen = read_recording(tmp_path / "film.mp4", ("frames",), start=0.2, end=0.4).frames
    assert seen is not None
    np.testing.assert_allclose(seen[:, 8, 8, 0], [50, 60, 70, 80, 90], atol=4)
    np.savez(tmp_path / "film.npz", frames=frames, fps=25.0)
    (tmp_path / "images").mkdir()
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / "images" / f"{i}.png")
    for source in (tmp_path / "film.npz", tmp_path / "images"):
        seen = read_recording(source, ("frames",), start=0.2, end=0.4).frames
        assert seen is not None
        assert seen[:, 8, 8, 0].tolist() == [50, 60, 70, 80, 90]


def test_images_have_the_rate_that_is_said(tmp_path: Path) -> None:
    for i in range(4):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{i}.png")
    clip = read_recording(tmp_path, ("frames",), PoseSource(fps=10.0))
    assert (clip.fps, len(clip), clip.path) == (10.0, 4, tmp_path)


def test_a_pose_is_estimated_from_frames_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ESTIMATORS, "planted", "tests.embeddings.pose.planted:Planted")
    frames = np.zeros((3, 32, 48, 3), np.uint8)
    clip = read_recording(Clip("x", 12.5, frames=frames), poses=PoseSource("planted"))
    assert clip.pose is not None
    assert (len(clip.pose), clip.pose.fps, clip.pose.size) == (3, 12.5, (48, 32))
    assert clip.frames is frames


def test_a_clip_is_completed_from_its_file(tmp_path: Path) -> None:
    pose = small_world().exemplars[0].pose
    assert pose is not None
    path = write_pose(tmp_path / "talk.pose", pose)
    clip = read_recording(Clip("named", 25.0, path=path, label="X"))
    assert clip.pose is not None
    assert (clip.name, clip.label, len(clip)) == ("named", "X", len(pose))


def test_an_own_encoders_input_is_an_array_of_that_name_or_else_made_from_poses(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", gaze=np.ones((4, 2)))
    assert read_recording(tmp_path / "a.npz", ("gaze",)).extra["gaze"].shape == (4, 2)
    assert parts_needed(("gaze",)) == {"pose"}
    assert parts_needed(("left_hand", "flow")) == {"frames", "pose"}
    with pytest.raises(RecordingError, match=r"a\.npz \(arrays \(\.npz\)\): holds gaze, and this command needs a pose"):
        read_recording(tmp_path / "a.npz", ("pose",))


def test_pictures_in_arrays_are_rgb_bytes(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", frames=np.zeros((4, 8, 8), np.uint8))
    with pytest.raises(RecordingError, match=r"frames are uint8 \(4, 8, 8\); expected uint8 \(T, H, W, 3\)"):
        read_recording(tmp_path / "a.npz", ("frames",))


def write_openpose_frames(folder: Path, frames: int) -> None:
    """OpenPose's files of a body that stands still; shoulders 100 px apart, both hands seen."""
    body = np.zeros((25, 3))
    for index, place in {0: (160, 40), 1: (160, 100), 2: (110, 100), 3: (90, 150), 4: (90, 200), 5: (210, 100),
                         6: (230, 150), 7: (230, 200)}.items():  # fmt: skip
        body[index] = (*place, 0.9)
    hand = np.concatenate([np.arange(42.0).reshape(21, 2) + np.array([80, 195]), np.full((21, 1), 0.8)], axis=1)
    parts = {"pose": body, "hand_left": hand + np.array([140, 0, 0]), "hand_right": hand}
    person = {f"{name}_keypoints_2d": values.ravel().tolist() for name, values in parts.items()}
    folder.mkdir(parents=True)
    for i in range(frames):
        (folder / f"talk_{i:012d}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": [person]}))


@pytest.mark.parametrize("place", ["talk", "poses/talk", "poses/talk_json"])
def test_openposes_output_reaches_networks_over_pictures(tmp_path: Path, place: str) -> None:
    """Beside the video, or in the folder of poses: no pose is estimated."""
    write_timed(tmp_path / "talk.mp4", [40 * k for k in range(6)])
    write_openpose_frames(tmp_path / place, 6)
    network = VTNPF(VTNConfig(backbone="mobilenet_v3_small", layers=1, heads=4, window=4, size=32))
    source = PoseSource("nobody", tmp_path / "poses" if "poses" in place else None)
    recording = find_recordings([tmp_path], network.required_inputs)[0]
    assert recording.path.name == "talk.mp4"
    clip = read_recording(recording, network.required_inputs, source)
    assert clip.pose is not None
    assert clip.pose.skeleton.startswith("openpose")
    inputs = network.prepare(clip)
    assert inputs["left_hand"].shape[0] == inputs["flow"].shape[0] == 6
    np.testing.assert_allclose(inputs["flow"], 0, atol=1e-5)


def test_openposes_output_in_the_folder_of_poses_is_not_estimated_again(tmp_path: Path) -> None:
    write_timed(tmp_path / "talk.mp4", [40 * k for k in range(6)])
    write_openpose_frames(tmp_path / "poses" / "talk", 6)
    (result,) = PoseSource("nobody", tmp_path / "poses").estimated([tmp_path / "talk.mp4"], workers=1)
    assert (result.skipped, result.output) == (True, tmp_path / "poses" / "talk")

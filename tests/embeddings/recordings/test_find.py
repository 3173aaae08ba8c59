"""Which recordings a name stands for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from embeddings.clip import Clip, Pose
from embeddings.pose import write_pose
from embeddings.pose.formats.spoter_csv import write_spoter_csv
from embeddings.pose.formats.store import write_store
from embeddings.recordings import Recording, RecordingError, find_recordings, one_recording, read_recording, source_name
from embeddings.recordings.find import refuse_same_names


def pose(frames: int = 3) -> Pose:
    xy = np.arange(frames * 150, dtype=np.float32).reshape(frames, 75, 2) + 1
    return Pose(xy, np.ones((frames, 75), np.float32), "mediapipe-holistic", 25.0, (640, 480))


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def names(found: list[Recording]) -> list[tuple[str, str]]:
    return [(r.name, r.kind) for r in found]


def image(path: Path, value: int = 0, size: tuple[int, int] = (8, 6)) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(path)


def test_a_folder_stands_for_what_lies_in_it(tmp_path: Path) -> None:
    touch(tmp_path, "b.MP4", "a.pose", "notes.txt", "table.csv", ".hidden.mp4", "deeper/c.mov")
    assert names(find_recordings([tmp_path])) == [("a", ".pose file"), ("b", "video")]
    deep = find_recordings([tmp_path], recursive=True)
    assert [r.name_in(tmp_path) for r in deep] == ["a", "b", "deeper/c"]
    assert [r.media for r in deep] == [None, tmp_path / "b.MP4", tmp_path / "deeper/c.mov"]


def test_a_pose_file_stands_for_the_video_beside_it_where_a_pose_is_enough(tmp_path: Path) -> None:
    touch(tmp_path, "talk.mp4", "talk.pose", "talk.h5")
    (one,) = find_recordings([tmp_path])
    assert (one.path.name, one.media) == ("talk.pose", tmp_path / "talk.mp4")
    (one,) = find_recordings([tmp_path], ("frames",))
    assert (one.path.name, one.filmed) == ("talk.mp4", True)
    (one,) = find_recordings([tmp_path], ("left_hand", "right_hand", "flow"))
    assert one.path.name == "talk.mp4"


def test_of_a_folder_those_are_taken_that_have_what_is_needed(tmp_path: Path) -> None:
    touch(tmp_path, "talk.mp4")
    np.savez(tmp_path / "track.npz", values=np.ones((4, 2)))
    np.savez(tmp_path / "B.npz", pred_body_pose=np.zeros((4, 72)))
    assert names(find_recordings([tmp_path])) == [("talk", "video")]
    assert names(find_recordings([tmp_path], ("rotations",))) == [("B", "FrankMocap file")]
    # nothing has it: all stand there, and each says why it cannot
    assert len(find_recordings([tmp_path], ("hand",))) == 3


def test_a_damaged_file_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"no HDF5")
    (tmp_path / "b.pose").write_bytes(b"")
    (tmp_path / "c.npz").write_bytes(b"no zip")
    found = find_recordings([tmp_path])
    reasons = {"a.h5": r"a\.h5: not a readable HDF5", "b.pose": r"b\.pose: the file is empty"}
    assert [r.path.name for r in found] == [*reasons, "c.npz"]
    for one, reason in zip(found, reasons.values(), strict=False):
        with pytest.raises(ValueError, match=reason):
            read_recording(one)
    with pytest.raises(RecordingError, match=r"c\.npz: not a readable \.npz"):
        read_recording(found[2], ("rotations",))


def test_clips_of_a_file_of_many(tmp_path: Path) -> None:
    store = write_store(tmp_path / "po#ses.h5", {"HOUSE~1": pose(3), "TREE": pose(4)})
    first, second = find_recordings([store])
    assert (first.name, str(first), first.path) == ("HOUSE~1", f"{store}#HOUSE~1", store)
    assert len(read_recording(second)) == 4
    (chosen,) = find_recordings([f"{store}#TREE"])
    assert chosen == second
    assert source_name(f"{store}#TREE") == "TREE"
    with pytest.raises(RecordingError, match=r"has no clip 'BOAT'; it has HOUSE~1, TREE"):
        find_recordings([f"{store}#BOAT"])
    with pytest.raises(RecordingError, match=r"holds 2 recordings \(HOUSE~1, TREE\); name one, e\.g\. .*#HOUSE~1"):
        one_recording(store)


def test_a_store_of_one_video_is_that_video(tmp_path: Path) -> None:
    write_store(tmp_path / "talk.h5", {"another name": pose()})
    clip = read_recording(tmp_path / "talk.h5")
    assert (clip.name, clip.path, clip.label) == ("talk", tmp_path / "talk.h5", None)


def test_rows_of_spoters_csv_have_their_labels(tmp_path: Path) -> None:
    path = write_spoter_csv(tmp_path / "train.csv", [(pose(2), "1"), (pose(3), "7")])
    assert [(r.name, r.label) for r in find_recordings([path])] == [("train-2", "1"), ("train-3", "7")]
    clip = read_recording(f"{path}#3")
    assert (clip.name, clip.label, len(clip), clip.path) == ("train-3", "7", 3, None)
    (tmp_path / "other.csv").write_text("file,label\na.mp4,A\n")
    with pytest.raises(RecordingError, match=r"other\.csv: of no kind that is known here; expected a video"):
        find_recordings([tmp_path / "other.csv"])


def test_sequences_of_a_pack_have_labels_signers_and_names_that_files_can_bear(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).uniform(0.1, 0.9, (6, 75, 4))
    np.savez(tmp_path / "p.npz", frames=frames, offsets=[0, 1, 3, 6], label=["A", "A", "B"], signer=["x", "y", "x"],
             seq_id=["d/A:0", "d/A:0", "d/B"])  # fmt: skip
    found = find_recordings([tmp_path / "p.npz"])
    assert [(r.name, r.part, r.label, r.signer) for r in found] == [
        ("d_A_0.0", "d/A:0.0", "A", "x"), ("d_A_0.1", "d/A:0.1", "A", "y"), ("d_B", "d/B", "B", "x"),
    ]  # fmt: skip
    assert [len(read_recording(r)) for r in found] == [1, 2, 3]
    assert len(read_recording(f"{tmp_path}/p.npz#d/A:0.1")) == 2


def test_folders_of_frames_are_one_recording_each(tmp_path: Path) -> None:
    person = {"pose_keypoints_2d": np.ones(75).tolist()}
    for i in range(2):
        for name in ("v.1", "v.2"):
            file = tmp_path / "json" / name / f"{i}_keypoints.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"people": [person]}))
    found = find_recordings([tmp_path / "json"])
    assert names(found) == [("v.1", "OpenPose folder"), ("v.2", "OpenPose folder")]
    assert names(find_recordings([tmp_path / "json" / "v.1"])) == [("v.1", "OpenPose folder")]
    mocap = tmp_path / "mocap" / "HOUSE"
    mocap.mkdir(parents=True)
    for i, people in enumerate(([], [{"pred_body_pose": [[0.0] * 72]}])):
        (mocap / f"{i}.json").write_text(json.dumps({"pred_output_list": people}))
    assert names(find_recordings([tmp_path / "mocap"], ("rotations",))) == [("HOUSE", "FrankMocap folder")]


def test_files_of_whole_clips_are_no_frames_of_one(tmp_path: Path) -> None:
    for name in ("HOUSE", "TREE"):
        np.savez(tmp_path / f"{name}.npz", pred_body_pose=np.zeros((4, 72)))
        (tmp_path / f"{name}-2.json").write_text(json.dumps([{"pred_body_pose": [0.0] * 72}] * 3))
    found = find_recordings([tmp_path], ("rotations",))
    assert [r.name for r in found] == ["HOUSE-2", "HOUSE", "TREE-2", "TREE"]
    assert [len(read_recording(r, ("rotations",))) for r in found] == [3, 4, 3, 4]
    (tmp_path / "frames").mkdir()
    for i in range(2):
        np.savez(tmp_path / "frames" / f"{i}.npz", pred_body_pose=np.zeros((1, 72)))
    (one,) = find_recordings([tmp_path / "frames"], ("rotations",))
    assert (one.kind, len(read_recording(one, ("rotations",)))) == ("FrankMocap folder", 2)


def test_pictures_beside_recordings_are_not_a_recording(tmp_path: Path) -> None:
    touch(tmp_path, "talks/talk.mp4")
    for i in range(3):
        image(tmp_path / "talks" / "thumbnails" / f"{i}.png")
        image(tmp_path / "dictionary" / "HOUSE" / f"{i}.jpg")
    assert names(find_recordings([tmp_path / "talks"], ("frames",))) == [("talk", "video")]
    assert names(find_recordings([tmp_path / "dictionary"])) == [("HOUSE", "folder of images")]
    touch(tmp_path, "dictionary/TREE/anna.mp4")  # in a folder of its own: the images are a sign still
    both = find_recordings([tmp_path / "dictionary"], recursive=True)
    assert [r.name_in(tmp_path / "dictionary") for r in both] == ["HOUSE", "TREE/anna"]
    image(tmp_path / "album" / "cover.png")
    with pytest.raises(RecordingError, match="no recording in this folder; expected a video"):
        find_recordings([tmp_path / "album"])


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nowhere\.mp4: no such file or folder"):
        find_recordings([tmp_path / "nowhere.mp4"])
    with h5py.File(tmp_path / "keyframes.h5", "w") as file:
        file["talk"] = np.arange(4)
    with pytest.raises(RecordingError, match=r"keyframes\.h5: an HDF5 file without poses.* \(it holds talk: array\)"):
        find_recordings([tmp_path / "keyframes.h5"])
    (tmp_path / "notes.txt").write_text("no video")
    with pytest.raises(RecordingError, match=r"notes\.txt: of no kind that is known here"):
        find_recordings([tmp_path / "notes.txt"])
    touch(tmp_path, "talk.mp4")
    (tmp_path / "talk.pose").write_bytes(b"")
    with pytest.raises(RecordingError, match=r"has no clip|holds one clip; name it without #x"):
        find_recordings([f"{tmp_path}/talk.pose#x"])


def test_a_video_of_another_ending_is_tried(tmp_path: Path) -> None:
    from embeddings.video import write_video

    write_video(tmp_path / "talk.mp4", [np.zeros((16, 16, 3), np.uint8)] * 3, 25.0)
    (tmp_path / "talk.mp4").rename(tmp_path / "talk.3gp")
    (one,) = find_recordings([tmp_path / "talk.3gp"], ("frames",))
    assert (one.kind, len(read_recording(one, ("frames",)))) == ("video", 3)


def test_two_of_one_name_are_refused_where_names_tell_them_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_pose(tmp_path / folder / "talk.pose", pose())
    both = [tmp_path / "a", tmp_path / "b"]
    assert len(find_recordings(both)) == 2
    with pytest.raises(RecordingError, match=r"a/talk\.pose and .*b/talk\.pose are both called 'talk'"):
        find_recordings(both, unique=True)
    refuse_same_names([])


def test_names_come_from_files_clips_and_poses() -> None:
    assert source_name("/a/b/talk.one.mp4") == "talk.one"
    assert source_name(Path("talk.pose")) == "talk"
    assert source_name(Clip("query-1", 25.0)) == "query-1"
    assert source_name(replace(pose(), source="/x/lecture.mp4")) == "lecture"
    assert source_name(pose()) == "pose"

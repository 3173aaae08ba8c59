"""Poses of recordings as files: estimated from pictures, converted from other files, kept where they are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.pose import ESTIMATORS, read_pose, write_pose
from embeddings.pose.formats.store import write_store
from embeddings.recordings import PoseSource, RecordingError, find_recordings, write_poses

from ..small_videos import write_timed
from .test_find import pose


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ESTIMATORS, "planted", "tests.embeddings.pose.planted:Planted")


def results(folder: Path, *named: Path) -> dict[str, tuple[str, bool, str]]:
    source = PoseSource("planted", folder, fps=10.0)
    found = find_recordings(named, ("frames",))
    return {
        r.name: (o.output.name if o.output else "", o.skipped, o.error)
        for r, o in write_poses(found, source, workers=1)
    }


def test_films_are_estimated_and_files_converted(tmp_path: Path) -> None:
    (tmp_path / "in" / "images").mkdir(parents=True)
    write_timed(tmp_path / "in" / "talk.mp4", [0, 40, 80])
    for i in range(4):
        Image.new("RGB", (64, 48), (8 * i,) * 3).save(tmp_path / "in" / "images" / f"{i}.png")
    store = write_store(tmp_path / "s.h5", {"a": pose(2), "b": pose(5)})
    named = (tmp_path / "in" / "talk.mp4", tmp_path / "in" / "images", store)
    first = results(tmp_path / "out", *named)
    assert first == {name: (f"{name}.pose", False, "") for name in ("talk", "images", "a", "b")}
    lengths = {name: (len(read), read.fps) for name in first for read in [read_pose(tmp_path / "out" / f"{name}.pose")]}
    assert lengths == {"talk": (3, 25.0), "images": (4, 10.0), "a": (2, 25.0), "b": (5, 25.0)}
    assert all(skipped for _, skipped, _ in results(tmp_path / "out", *named).values())
    write_store(tmp_path / "s.h5", {"a": pose(3)})
    assert not results(tmp_path / "out", store)["a"][1]  # its file has changed
    assert len(read_pose(tmp_path / "out" / "a.pose")) == 3


def test_a_pose_file_is_not_written_over_itself(tmp_path: Path) -> None:
    file = write_pose(tmp_path / "a.pose", pose())
    before = file.read_bytes()
    assert results(tmp_path, file) == {"a": ("a.pose", True, "")}
    assert file.read_bytes() == before


def test_what_has_no_pose_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    np.savez(tmp_path / "B.npz", pred_body_pose=np.zeros((4, 72)))
    write_pose(tmp_path / "a.pose", pose())
    done = results(tmp_path / "out", tmp_path / "B.npz", tmp_path / "a.pose")
    assert done["a"] == ("a.pose", False, "")
    assert done["B"][2].endswith("(FrankMocap file): holds joint rotations, and a pose file needs a pose; give the "
                                 "video or a pose file of it (spotter pose VIDEO)")  # fmt: skip


def test_two_of_one_name_are_refused_and_a_folder_is_needed(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_pose(tmp_path / folder / "talk.pose", pose())
    with pytest.raises(RecordingError, match="both called 'talk'"):
        results(tmp_path / "out", tmp_path / "a", tmp_path / "b")
    write_timed(tmp_path / "talk.mp4", [0])
    with pytest.raises(ValueError, match="are estimated into a folder; name one"):
        list(write_poses(find_recordings([tmp_path / "talk.mp4"], ("frames",)), PoseSource("planted")))
    with pytest.raises(ValueError, match="into a folder or the cache; name one"):
        list(PoseSource("planted", cache=None).estimated([tmp_path / "talk.mp4"]))


def test_commands_estimate_beforehand_only_where_poses_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spotter.cli.options import Poses

    monkeypatch.setitem(ESTIMATORS, "holistic", ESTIMATORS["planted"])
    films = [write_timed(tmp_path / f"{i}.mp4", [0, 40]) for i in range(2)]
    recordings = find_recordings(films, ("frames",))
    assert Poses(tmp_path / "kept").source(recordings, ("frames",)).folder == tmp_path / "kept"
    assert not (tmp_path / "kept").exists()
    monkeypatch.setenv("SPOTTER_CACHE", str(tmp_path / "cache"))
    assert Poses(workers=1).source(recordings, ("left_hand",)).folder is None
    assert len(list((tmp_path / "cache" / "poses").glob("*.h5"))) == 1, "both films have the same content"
    monkeypatch.setenv("SPOTTER_CACHE", "off")
    kept = Poses(workers=1).source(recordings, ("left_hand",))
    assert kept.folder is not None
    assert kept.folder.name.startswith("spotter-poses-")
    assert sorted(file.name for file in kept.folder.glob("*.pose")) == ["0.pose", "1.pose"]


def test_kept_poses_of_videos_of_one_name_do_not_take_turns(tmp_path: Path) -> None:
    """HOUSE/anna.mp4 and TREE/anna.mp4: each has its own pose, found again by the next run, whatever its order."""
    films = []
    for sign, times in (("HOUSE", [0, 40]), ("TREE", [0, 40, 80])):
        (tmp_path / sign).mkdir()
        films.append(write_timed(tmp_path / sign / "anna.mp4", times))
    source = PoseSource("planted", tmp_path / "kept")
    assert [len(source.pose(film)) for film in films] == [2, 3]
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").glob("*.pose")}
    assert len(files) == 2
    again = {r.video: r for r in source.estimated(films[::-1], workers=1)}
    assert all(result.skipped for result in again.values())
    assert [len(source.pose(film)) for film in films] == [2, 3]
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").glob("*.pose")} == files


def test_a_pose_file_that_nobody_estimated_is_not_written_over(tmp_path: Path) -> None:
    film = write_timed(tmp_path / "talk.mp4", [0, 40])
    own = write_pose(tmp_path / "kept" / "talk.pose", pose(9))
    assert len(PoseSource("planted", tmp_path / "kept").pose(film)) == 2
    assert len(read_pose(own)) == 9

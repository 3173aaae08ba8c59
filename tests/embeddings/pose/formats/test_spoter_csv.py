"""SPOTER's CSV: names, axes, missing joints, damaged cells."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.pose import PoseFileError
from embeddings.pose.formats.spoter_csv import (
    SPOTER_COLUMNS,
    is_spoter_csv,
    labels_of_rows,
    read_spoter_csv,
    write_spoter_csv,
)


def write(path: Path, header: list[str], *rows: list[object]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_the_columns_are_the_published_ones() -> None:
    assert SPOTER_COLUMNS[:12] == (
        "nose", "neck", "rightEye", "leftEye", "rightEar", "leftEar", "rightShoulder", "leftShoulder",
        "rightElbow", "leftElbow", "rightWrist", "leftWrist",
    )  # fmt: skip
    assert SPOTER_COLUMNS[12:33] == (
        "wrist_0", "indexTip_0", "indexDIP_0", "indexPIP_0", "indexMCP_0", "middleTip_0", "middleDIP_0", "middlePIP_0",
        "middleMCP_0", "ringTip_0", "ringDIP_0", "ringPIP_0", "ringMCP_0", "littleTip_0", "littleDIP_0", "littlePIP_0",
        "littleMCP_0", "thumbTip_0", "thumbIP_0", "thumbMP_0", "thumbCMC_0",
    )  # fmt: skip
    assert SPOTER_COLUMNS[33] == "wrist_1"
    assert len(SPOTER_COLUMNS) == 54


def test_by_hand(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        ["nose_X", "nose_Y", "thumbMP_1_X", "thumbMP_1_Y", "leftElbow_X", "leftElbow_Y", "labels"],
        ["[0.5, 0.25]", "[0.9, 0]", "[0, 0.1]", "[0, 1]", "[0, 0]", "[0, 0.5]", "7"],
    )
    ((pose, label),) = read_spoter_csv(path, fps=30, size=(200, 100))
    assert (label, pose.fps, pose.size, pose.skeleton, len(pose)) == ("7", 30, (200, 100), "spoter-54", 2)
    np.testing.assert_allclose(pose.xy[:, pose.joint("nose")], [[100, 10], [50, 100]], rtol=1e-5)  # y turned over
    thumb = pose.joint("right_hand_thumb_mcp")
    np.testing.assert_allclose(pose.xy[:, thumb], [[np.nan, np.nan], [20, 0]], atol=1e-4)
    assert pose.confidence[:, thumb].tolist() == [0, 1]
    np.testing.assert_allclose(pose.xy[1, pose.joint("left_elbow")], [0, 50])
    assert np.isnan(pose.xy[:, pose.joint("neck")]).all()


def test_round_trip(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    xy = rng.uniform(1, 350, (5, 54, 2)).astype(np.float32)
    xy[2, 20] = np.nan
    pose = Pose(xy, (~np.isnan(xy[..., 0])).astype(np.float32), "spoter-54", 29.97, (640, 360))
    path = write_spoter_csv(tmp_path / "a.csv", [(pose, "1"), (pose[:2], "hello, world")])
    (back, one), (short, other) = read_spoter_csv(path)
    np.testing.assert_allclose(back.xy, xy, atol=1e-3)
    assert (one, other, len(short)) == ("1", "hello, world", 2)
    assert (back.fps, back.size) == (29.97, (640, 360))
    np.testing.assert_array_equal(back.confidence, pose.confidence)


def test_poses_of_other_layouts_are_written_by_name(tmp_path: Path) -> None:
    xy = np.random.default_rng(0).uniform(1, 350, (3, 75, 2)).astype(np.float32)
    pose = Pose(xy, np.ones((3, 75), np.float32), "mediapipe-holistic", 25, (640, 360))
    ((back, _),) = read_spoter_csv(write_spoter_csv(tmp_path / "a.csv", [(pose, "1")]))
    tip = pose.joint("right_hand_index_tip")
    np.testing.assert_allclose(back.xy[:, back.joint("right_hand_index_tip")], xy[:, tip], atol=1e-3)
    np.testing.assert_allclose(back.xy[:, back.joint("neck")], (xy[:, 11] + xy[:, 12]) / 2, atol=1e-3)


def test_sides_by_word(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["wrist_left_X", "wrist_left_Y", "labels"], ["[0.5]", "[0.5]", "1"])
    ((pose, _),) = read_spoter_csv(path)
    assert pose.xy[0, pose.joint("left_hand_wrist")].tolist() == [500, 500]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("__import__('os').getcwd()", "row 3, column nose_X: .*not a list of numbers"),
        ("[0.1, 'a']", "not a list of numbers"),
        ("[0.1", "not a list of numbers"),
        ("3.5", "expected one list of numbers"),
        ("[0.1, 0.2, 0.3]", r"row 3: tracks have \[1, 3\] frames"),
    ],
)
def test_damaged_cells_are_named(tmp_path: Path, cell: str, reason: str) -> None:
    good = ["[0.5]", "[0.5]", "1"]
    path = write(tmp_path / "a.csv", ["nose_X", "nose_Y", "labels"], good, [cell, "[0.5]", "1"])
    rows = read_spoter_csv(path)
    next(rows)
    with pytest.raises(PoseFileError, match=reason):
        next(rows)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PoseFileError, match="no such file"):
        next(read_spoter_csv(tmp_path / "none.csv"))
    with pytest.raises(PoseFileError, match="none of SPOTER's columns"):
        next(read_spoter_csv(write(tmp_path / "b.csv", ["gloss", "url"], ["a", "b"])))


def test_rows_are_read_by_their_numbers(tmp_path: Path) -> None:
    """A BOM, a blank line, Windows line ends, a quoted label with a line break: rows are found all the same."""
    rows = ["nose_X,nose_Y,labels", "[0.1],[0.5],first", "", '"[0.2, 0.2]","[0.5, 0.5]","two\r\nlines"']
    text = "\ufeff" + "\r\n".join([*rows, "[0.3],[0.5],é", ""])
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    assert is_spoter_csv(path)
    assert {row: label.replace("\r", "") for row, label in labels_of_rows(path).items()} == {
        2: "first", 3: "two\nlines", 4: "é",
    }  # fmt: skip
    assert [round(float(p.xy[0, 0, 0])) for p, _ in read_spoter_csv(path)] == [100, 200, 300]
    ((pose, label),) = read_spoter_csv(path, rows=[4])
    assert (float(pose.xy[0, 0, 0]), label) == (pytest.approx(300), "é")
    path.write_bytes(path.read_bytes().replace(b"[0.3]", b"[0.9]"))  # another file under the same name
    assert float(next(read_spoter_csv(path, rows=[4]))[0].xy[0, 0, 0]) == pytest.approx(900)
    assert not is_spoter_csv(write(tmp_path / "b.csv", ["gloss", "url"], ["a", "b"]))
    assert not is_spoter_csv(tmp_path / "none.csv")

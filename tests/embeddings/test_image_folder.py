"""A folder of images read like a video: order, time, size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.image_folder import image_files
from embeddings.pose.files import source_stamp
from embeddings.video import VideoError, probe, read_clip, read_frames


def write(folder: Path, count: int, name: str = "frame-{}.png") -> Path:
    """Image i is of the grey 10 i."""
    folder.mkdir()
    for i in range(count):
        Image.new("RGB", (8, 6), (10 * i,) * 3).save(folder / name.format(i))
    return folder


def greys(rows: list[tuple[float, np.ndarray]]) -> list[int]:
    return [int(frame[0, 0, 0]) // 10 for _, frame in rows]


def test_images_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", 12)
    (folder / ".hidden-3.png").write_bytes(b"")
    (folder / "notes.txt").write_text("x")
    rows = list(read_frames(folder))
    assert greys(rows) == list(range(12))
    assert rows[0][1].shape == (6, 8, 3)
    assert [seconds for seconds, _ in rows[:3]] == pytest.approx([0, 0.04, 0.08])


def test_the_rate_is_the_images_own(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", 10)
    rows = list(read_frames(folder, fps=10.0, start=0.2, end=0.5))
    assert greys(rows) == [2, 3, 4]
    assert [seconds for seconds, _ in rows] == pytest.approx([0.2, 0.3, 0.4])
    info = probe(folder)
    assert (info.width, info.height, info.fps, info.duration) == (8, 6, 25.0, 0.4)
    clip = read_clip(folder, 10.0)
    assert (clip.name, clip.fps, len(clip)) == ("a", 10.0, 10)


def test_images_of_other_sizes_and_turned_ones_are_brought_to_the_first(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", 2)
    Image.new("RGB", (16, 12), (200,) * 3).save(folder / "frame-2.png")
    turned = Image.new("RGB", (6, 8), (30,) * 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90°
    turned.save(folder / "frame-3.jpg", exif=exif)
    Image.new("L", (8, 6), 40).save(folder / "frame-4.png")
    shapes = {frame.shape for _, frame in read_frames(folder)}
    assert shapes == {(6, 8, 3)}
    assert {frame.shape for _, frame in read_frames(folder, size=(4, 3))} == {(3, 4, 3)}


def test_what_is_no_folder_of_images(tmp_path: Path) -> None:
    assert image_files(write(tmp_path / "one", 1)) == []
    with pytest.raises(VideoError, match="without two or more numbered images"):
        list(read_frames(tmp_path / "one"))
    folder = write(tmp_path / "a", 3)
    (folder / "frame-1.png").write_bytes(b"no image")
    with pytest.raises(VideoError, match=r"frame-1\.png: not a readable image"):
        list(read_frames(folder))


def test_a_stamp_tells_folders_apart(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a", 3), write(tmp_path / "b", 3)
    assert source_stamp(first, 25.0) == source_stamp(second, 25.0) != source_stamp(second, 30.0)
    Image.new("RGB", (8, 6), (1, 2, 3)).save(second / "frame-3.png")
    assert source_stamp(first, 25.0) != source_stamp(second, 25.0)

"""Key-frames and depth maps beside recordings: the right rows, and a network trained on each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from embeddings.encoders.checkpoint import load_checkpoint
from embeddings.pose import write_pose
from embeddings.pose.files import source_stamp
from embeddings.training.recipes import read_recipe
from embeddings.training.sources import DataError, open_source
from embeddings.training.train import train
from embeddings.video import write_video
from safe_files import GroupedHDF5

from ..encoders.overfitting import eight_films

FPS, ROWS = 12.5, 12


def numbered(name: str) -> np.ndarray:
    """Grey pictures whose value says which frame they are: 10, 20, …"""
    values = 10 * np.arange(1, ROWS + 1, dtype=np.uint8)
    return np.broadcast_to(values[:, None, None, None], (ROWS, 32, 32, 3)).copy()


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Two recordings of a sign each, with pictures alone."""
    for label in ("HOUSE", "TREE"):
        (tmp_path / "clips" / label).mkdir(parents=True)
        np.savez(tmp_path / "clips" / label / f"{label}-1.npz", frames=numbered(label), fps=FPS)
    return tmp_path / "clips"


def test_keyframes_are_the_frames_of_their_numbers(clips: Path, tmp_path: Path) -> None:
    """Numbers count at the poses' 25 frames a second, the clip has 12.5: 2, 9 and 21 are its frames 1, 4 and 10."""
    with GroupedHDF5(tmp_path / "k.h5") as store:
        store.put("HOUSE-1", np.array([2, 9, 21]), {"fps": 25.0})
        store.put("TREE-1", np.array([0, 0, 99]), {"fps": 25.0})
    items = open_source(f"{clips}?keyframes={tmp_path / 'k.h5'}", ("frames",), fps=20.0)
    house, tree = (item.load() for item in items)
    assert house.frames is not None
    assert tree.frames is not None
    assert house.frames[:, 0, 0, 0].tolist() == [20, 50, 110]
    assert tree.frames[:, 0, 0, 0].tolist() == [10, 10, 120]  # a number beyond the end is the last frame
    assert house.fps == 20.0  # the network's, so that each is one of its frames


def test_a_recording_without_keyframes_and_a_part_of_one_are_refused(clips: Path, tmp_path: Path) -> None:
    with GroupedHDF5(tmp_path / "k.h5") as store:
        store.put("HOUSE-1", np.array([2]), {"fps": 25.0})
    with pytest.raises(DataError, match="holds nothing of 'TREE-1'; it holds HOUSE-1"):
        open_source(f"{clips}?keyframes={tmp_path / 'k.h5'}", ("frames",))
    with pytest.raises(DataError, match="no such file; spotter phonology keyframes makes one"):
        open_source(f"{clips}?keyframes={tmp_path / 'none.h5'}", ("frames",))
    (clips / "part.csv").write_text("path,label,start,end\nHOUSE/HOUSE-1.npz,HOUSE,0.1,0.5\n")
    with pytest.raises(DataError, match="of whole recordings; this clip is none"):
        open_source(f"{clips}/part.csv?keyframes={tmp_path / 'k.h5'}", ("frames",))


@pytest.mark.parametrize("form", ["store", "arrays", "videos"])
def test_depth_is_taken_at_the_clips_rate(form: str, clips: Path, tmp_path: Path) -> None:
    """Maps at 25 frames a second of a clip at 12.5: every second one."""
    maps = np.broadcast_to(5 * np.arange(1, 2 * ROWS + 1, dtype=np.uint8)[:, None, None], (2 * ROWS, 32, 32))
    place = tmp_path / ("depth.h5" if form == "store" else "depth")
    for name in ("HOUSE-1", "TREE-1"):
        if form == "store":
            with GroupedHDF5(place) as store, store.add(name) as group:
                group["depth"] = maps
                group.attrs["fps"] = 25.0
        elif form == "arrays":
            place.mkdir(exist_ok=True)
            np.savez(place / f"{name}.npz", depth=maps, fps=25.0)
        else:
            write_video(place / f"{name}_depth.mp4", maps[..., None].repeat(3, axis=-1), 25.0)
    item = open_source(f"{clips}?depth={place}", ("frames", "depth"))[0]
    depth = item.load().extra["depth"]
    assert (depth.shape, depth.dtype) == ((ROWS, 32, 32), np.uint8)
    expected = 5 * np.arange(1, 2 * ROWS + 1, 2)
    np.testing.assert_allclose(depth.mean(axis=(1, 2)), expected, atol=6 if form == "videos" else 0)


def test_the_depth_recipe_trains_on_videos_with_depth_beside_them(tmp_path: Path) -> None:
    rows = ["path,label,signer,split"]
    for number, film in enumerate(eight_films(64)[:4]):
        assert film.frames is not None
        assert film.pose is not None
        name = f"signer{number}_sample1"
        video = write_video(tmp_path / "films" / f"{name}_color.mp4", film.frames, film.fps)
        pose = replace(film.pose, estimator="holistic")
        write_pose(tmp_path / "poses" / f"{name}_color.pose", pose, source_stamp(video, None))
        write_video(tmp_path / "depth" / f"{name}_depth.mp4", film.frames.mean(-1, keepdims=True).astype(np.uint8)
                    .repeat(3, axis=-1), film.fps)  # fmt: skip
        rows.append(f"{name}_color.mp4,sign-{number % 2},s{number},{'train' if number < 2 else 'validation'}")
    (tmp_path / "films" / "manifest.csv").write_text("\n".join(rows))
    changes = ["config.backbone=mobilenet_v3_small", "config.layers=1", "config.window=2", "config.size=32",
               "batch.size=2", "batch.accumulate=1", "schedule.epochs=0", "schedule.steps=2",
               "run.init=random"]  # fmt: skip
    recipe = read_recipe("vtn-pf-depth-autsl", changes)
    source = f"{tmp_path}/films/manifest.csv?depth={tmp_path}/depth"
    result = train(recipe, tmp_path / "run", source, poses=tmp_path / "poses")
    assert result.clips == (2, 2)
    assert load_checkpoint(result.checkpoint).label_set == ("sign-0", "sign-1")
    with pytest.raises(ValueError, match="depth"):
        train(recipe, tmp_path / "without", f"{tmp_path}/films/manifest.csv", poses=tmp_path / "poses")


def test_a_store_of_depth_names_what_is_wrong(clips: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "depth.h5", "w") as file:
        for name in ("HOUSE-1", "TREE-1"):
            file[f"{name}/depth"] = np.zeros((4, 8, 8), np.float32)
    item = open_source(f"{clips}?depth={tmp_path / 'depth.h5'}", ("frames", "depth"))[0]
    with pytest.raises(ValueError, match=r"depth is float32 \(4, 8, 8\); expected uint8"):
        item.load()

"""Crops while a film is decoded: whose pixels they are, what stands in for missing ones, what is kept, the memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from embeddings.clip import Clip, Film, Pose
from embeddings.crops import VIEWS, StoredPictures, View, stored_views, write_crops
from embeddings.crops.film import pictures
from embeddings.encoders.i3d import I3D, I3DConfig
from embeddings.encoders.vtn import VTN, VTNPF, VTNConfig
from embeddings.handedness import right_handed
from embeddings.prepared import load_clip, prepared
from embeddings.recordings import PoseSource
from embeddings.skeletons import SKELETONS
from embeddings.video import write_video

from ..small_videos import number_of, numbered, write_timed

JOINTS = SKELETONS["openpose-50"]
SIZE = (96, 64)


def standing(frames: int, left_handed: bool = False) -> Pose:
    """Someone whose right wrist wanders 1 px a frame."""
    xy = np.zeros((frames, 50, 2), np.float32)
    places = {
        "head": (48, 12), "neck": (48, 20), "left_shoulder": (60, 20), "right_shoulder": (36, 20),
        "left_elbow": (64, 34), "left_wrist": (64, 50), "right_elbow": (32, 34), "right_wrist": (32, 40),
    }  # fmt: skip
    for name, place in places.items():
        xy[:, JOINTS.index(name)] = place
    xy[:, JOINTS.index("right_wrist"), 0] += np.arange(frames) % 10
    pose = Pose(xy, np.ones((frames, 50), np.float32), "openpose-50", 25.0, SIZE, estimator="holistic")
    return pose.mirrored() if left_handed else pose


def ramp(frames: int) -> np.ndarray:
    """Smooth pictures that differ from each other: what H.264 keeps nearly as it is."""
    picture = np.zeros((frames, SIZE[1], SIZE[0], 3), np.uint8)
    picture[...] = np.linspace(20, 200, SIZE[0]).astype(np.uint8)[None, None, :, None]
    picture[...] = picture + np.arange(frames, dtype=np.uint8)[:, None, None, None] % 40
    return picture


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_video(tmp_path / "a talk.mp4", ramp(60), 25.0, crf=4)


def networks() -> list[I3D | VTN]:
    torch.manual_seed(0)
    small, vtn = {"width": 0.125, "size": 32}, {"backbone": "mobilenet_v3_small", "layers": 1, "heads": 2, "size": 32}
    return [
        *(I3D(I3DConfig(crop=crop, **small)).eval() for crop in ("centre", "nose", "body")),  # type: ignore[arg-type]
        VTN(VTNConfig(**vtn)).eval(), VTNPF(VTNConfig(**vtn)).eval(),  # type: ignore[arg-type]
    ]  # fmt: skip


@pytest.mark.parametrize(("number", "left_handed"), [(0, False), (1, True), (2, False), (3, False), (4, True)])
def test_streamed_inputs_are_those_of_pictures_in_memory(film: Path, number: int, left_handed: bool) -> None:
    network = networks()[number]
    clip = Clip("a talk", 25.0, standing(60, left_handed), path=film)
    if number in (0, 3):
        clip = replace(clip, pose=None)  # whole frames need no pose
    streamed = prepared(clip, network)
    whole = network.prepare(right_handed(load_clip(clip, network)))
    assert set(streamed.inputs) == set(whole)
    for name, values in whole.items():
        assert streamed.inputs[name].shape == values.shape
        assert np.abs(streamed.inputs[name][:].astype(float) - values).mean() < 2.5, name
    windows = np.array([[0, 16], [20, 33.0], [40, 70]])
    agreement = (streamed.embed(windows) * network.embed(whole, windows)).sum(axis=1)
    assert agreement.min() > 0.999
    assert streamed.duration == pytest.approx(60 / 25)


def test_a_part_of_a_film_is_its_own_frames(tmp_path: Path) -> None:
    path = write_timed(tmp_path / "long.mp4", [40 * i for i in range(100)])
    shown = [number_of(p) for p in pictures(Film(path, start=1.0, end=2.0), 25.0)]
    assert shown == list(range(25, 50))
    cut = Clip("long", 25.0, standing(100), film=Film(path)).cut(30, 40)
    assert [number_of(p) for p in pictures(cut.film, 25.0)] == list(range(30, 40))  # type: ignore[arg-type]
    mirrored = next(iter(pictures(Film(path, start=1.2, mirrored=True), 25.0)))
    assert number_of(np.ascontiguousarray(mirrored[:, ::-1])) == 30


def test_missing_hands_take_the_nearest_crop_and_unseen_ones_the_whole_picture(tmp_path: Path, film: Path) -> None:
    pose = standing(60)
    pose.xy[10:20, JOINTS.index("right_wrist")] = np.nan
    pose.xy[:, JOINTS.index("left_elbow")] = np.nan
    clip = Clip("a talk", 25.0, pose, film=Film(film, crops=tmp_path / "kept"))
    views = {"left": View("left_hand", 32), "right": View("right_hand", 32)}
    stored = stored_views(clip, views, 25.0)
    assert stored["right"].shape == (60, 32, 32, 3)
    np.testing.assert_array_equal(stored["right"][10:15], np.repeat(stored["right"][9:10], 5, axis=0))
    np.testing.assert_array_equal(stored["right"][15:20], np.repeat(stored["right"][20:21], 5, axis=0))
    # the whole picture: darker on the left, with the film's whole range
    assert int(stored["left"][0].max()) - int(stored["left"][0].min()) > 120


def test_crops_are_kept_and_found_again(tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = Clip("a talk", 25.0, standing(60), film=Film(film, crops=tmp_path / "kept"))
    view = {"hand": View("right_hand", 32)}
    first = stored_views(clip, view, 25.0)["hand"]
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()}
    assert len(times) == 1
    again = stored_views(clip, view, 25.0)["hand"]
    np.testing.assert_array_equal(first[:], again[:])
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()} == times
    # another pose cuts other squares, another part shows other frames: each has a file of its own
    moved = standing(60)
    moved.xy[:, JOINTS.index("right_wrist"), 1] -= 9
    stored_views(replace(clip, pose=moved), view, 25.0)
    stored_views(clip.cut(0, 30), view, 25.0)
    assert len(list((tmp_path / "kept").iterdir())) == 3
    # a damaged one is made again
    first.path.write_bytes(first.path.read_bytes()[:2000])
    np.testing.assert_array_equal(stored_views(clip, view, 25.0)["hand"][:], again[:])


def test_any_frames_in_any_order(tmp_path: Path) -> None:
    shown = [numbered(i, 32, 32) if i % 7 else None for i in range(130)]
    write_crops([tmp_path / "v.h5"], ([one] for one in shown), [32], 25.0, [{}])
    stored = StoredPictures(tmp_path / "v.h5")
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 130, (4, 9))
    expected = [r if r % 7 else max(r - 1, 1) for r in rows.ravel().tolist()]
    assert [number_of(p) for p in stored[rows].reshape(-1, 32, 32, 3)] == expected
    assert stored[5].shape == (32, 32, 3)
    assert [number_of(p) for p in stored[100:104]] == [100, 101, 102, 103]
    assert np.asarray(stored).shape == (130, 32, 32, 3)


def test_the_memory_does_not_grow_with_the_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole they would be 2.5 and 10 MB."""
    monkeypatch.setattr("embeddings.crops.store.HELD", 1 << 20)
    picture = numbered(85, 64, 64)
    peaks = []
    for frames in (200, 800):
        write_crops([tmp_path / "v.h5"], ([picture if i % 25 else None] for i in range(frames)), [64], 25.0, [{}])
        stored = StoredPictures(tmp_path / "v.h5")
        tracemalloc.start()
        for first in range(0, frames, 16):
            stored[np.arange(first, min(first + 16, frames))]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] < 8e6


def test_what_cannot_be_cut_says_why(tmp_path: Path, film: Path) -> None:
    with pytest.raises(ValueError, match=r"view 'feet' is not known; expected one of centre, nose, body"):
        View("feet", 32)
    for kind in set(VIEWS) - {"centre"}:
        with pytest.raises(ValueError, match="is cut by the pose; estimate it first"):
            stored_views(Clip("x", 25.0, film=Film(film)), {"x": View(kind, 32)}, 25.0)
    (tmp_path / "bad.h5").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="no readable file of crops"):
        StoredPictures(tmp_path / "bad.h5")
    with pytest.raises(ValueError, match="crop is 'feet'; expected one of centre, nose, body"):
        I3D(I3DConfig(crop="feet"))  # type: ignore[arg-type]


def test_a_network_says_what_it_reads_of_a_recording(tmp_path: Path) -> None:
    film = write_video(tmp_path / "in" / "a.mp4", ramp(40), 25.0)
    from embeddings.pose import write_pose

    write_pose(tmp_path / "in" / "a.pose", standing(40))
    from embeddings.recordings import find_recordings

    network = networks()[1]
    (recording,) = find_recordings([tmp_path / "in"], network.required_inputs)
    assert recording.pose_file is not None
    one = prepared(recording, network, PoseSource(crops=tmp_path / "kept"))
    assert set(one.inputs) == {"nose_frames"}
    assert [p.name.split(".")[:2] for p in (tmp_path / "kept").iterdir()] == [["a", "nose-32"]]
    assert one.clip.film is not None
    assert one.clip.film.path == film

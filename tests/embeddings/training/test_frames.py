"""Single frames: which are used, what stands beside them, and that the phonology's frames are what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from embeddings.clip import Clip
from embeddings.phonology.depth import OUTPUTS, depth_features
from embeddings.phonology.locations import LOCATIONS
from embeddings.pose.files import write_pose
from embeddings.training.batches import Draw
from embeddings.training.frame_network import DepthNetwork, FrameNetworkConfig, LocationNetwork
from embeddings.training.frames import FrameSet
from embeddings.training.items import Item
from embeddings.training.performances import shots
from embeddings.training.phonology_frames import depth_frames, location_frames, true_depth
from embeddings.training.recipes import read_recipe
from embeddings.training.train import train


def item(name: str, **extra: object) -> Item:
    arrays = {key: np.asarray(value) for key, value in extra.items()}
    return Item(name, "", lambda: Clip(name, 25.0, extra=arrays), name)


def numbered(start: int, frames: int) -> np.ndarray:
    """(T, 2, 1): left hands 100 more than right ones'."""
    return (np.arange(start, start + frames)[:, None, None] + np.array([100, 0])[None, :, None]).astype(np.float32)


def test_the_later_frame_is_of_the_same_track_and_its_last_near_the_end() -> None:
    values = [numbered(0, 5), numbered(10, 4)]
    items = [item(f"c{k}", features=v, target=np.repeat(v, 2, axis=2)) for k, v in enumerate(values)]
    data = FrameSet(items, later=3)
    batch = data.batch(Draw(0, 0, 0, np.arange(len(data))))
    now, later = batch["features"][:, 0, 0].tolist(), batch["features"][:, 1, 0].tolist()
    assert now == [100, 101, 102, 103, 104, 0, 1, 2, 3, 4, 110, 111, 112, 113, 10, 11, 12, 13]
    assert later == [103, 104, 104, 104, 104, 3, 4, 4, 4, 4, 113, 113, 113, 113, 13, 13, 13, 13]
    assert batch["target"].shape == (18, 2, 2)
    assert batch["weight"].tolist() == [1.0] * 18


def test_frames_without_a_class_are_left_out_and_weights_average_to_one() -> None:
    classes = np.array([[0, -1], [2, 1], [-1, -1]])
    items = [item("a", features=numbered(0, 3), **{"class": classes}),
             item("b", features=numbered(7, 1), weight=[2.0], **{"class": [[1, -1]]})]  # fmt: skip
    data = FrameSet(items)
    batch = data.batch(Draw(0, 0, 0, np.arange(len(data))))
    assert batch["label"].tolist() == [0, 2, 1, 1]
    assert batch["features"][:, 0, 0].tolist() == [100, 101, 1, 107]
    assert batch["features"].shape == (4, 1, 1)
    np.testing.assert_allclose(batch["weight"], np.array([1, 1, 1, 2]) / 1.25)


def test_what_cannot_be_used_is_named() -> None:
    with pytest.raises(ValueError, match="a: needs the arrays 'features' and 'class' or 'target'; it has hand"):
        FrameSet([item("a", hand=numbered(0, 3))])
    with pytest.raises(ValueError, match=r"features \(3, 2, 1\) and target \(2, 2, 1\) do not fit"):
        FrameSet([item("a", features=numbered(0, 3), target=numbered(0, 2))])
    with pytest.raises(ValueError, match="no frame of 1 clips"):
        FrameSet([item("a", features=numbered(0, 2), **{"class": np.full((2, 2), -1)})])
    with pytest.raises(ValueError, match="features have 1 values; network 'depth' takes 137"):
        DepthNetwork().normalise_by(torch.zeros(3, 1))


def test_figures_by_hand() -> None:
    network = LocationNetwork(FrameNetworkConfig(dropout=(0.9, 0.9)))
    torch.nn.init.zeros_(network.layers[2].weight)
    with torch.no_grad():
        network.layers[2].bias.copy_(torch.arange(15.0))
    features = np.zeros((4, 1, 116), np.float32)
    data = FrameSet([item("a", features=features, **{"class": [[14], [14], [14], [0]]})])
    figures = data.figures(network)
    assert figures.top1 == 0.75
    log = np.log(np.exp(np.arange(15.0)).sum())
    assert figures.loss == pytest.approx((3 * (log - 14) + log) / 4, rel=1e-5)


def test_true_depth_is_of_the_figure() -> None:
    """A wrist in the figure against what the target says, in its own units."""
    shot = shots(3, 5)[2]
    performance = shot.perform()
    exact = shot.camera.project(performance.figure)
    (one,) = [item for item in depth_frames(5, 3, 0, 0, None) if item.id == "shot-5-2"]
    clip = one.load()
    assert clip.extra["features"].shape == (len(exact), 2, 137)
    assert clip.extra["target"].shape == (len(exact), 2, len(OUTPUTS))
    assert exact.z is not None
    left, right = exact.joint("left_shoulder"), exact.joint("right_shoulder")
    half = np.median(np.linalg.norm(exact.xy[:, left] - exact.xy[:, right], axis=1)) / 2
    middle = (exact.z[:, left] + exact.z[:, right]) / 2
    for hand, side in enumerate(("left", "right")):
        ahead = (middle - exact.z[:, exact.joint(f"{side}_hand_wrist")]) / half
        np.testing.assert_allclose(clip.extra["target"][:, hand, OUTPUTS.index("wrist")], ahead, atol=1e-4)
    with pytest.raises(ValueError, match="exact poses have depth"):
        true_depth(replace(exact, z=None))


def test_locations_are_those_of_held_postures() -> None:
    shot = shots(2, 9)[1]
    truth = shot.perform().truth
    clip = location_frames(9, 2, 0, 0, None)[1].load()
    classes = clip.extra["class"]
    used = classes >= 0
    assert 0 < used.sum() < truth.hold.sum()
    assert truth.hold[used].all()
    assert [LOCATIONS[k] for k in classes[used]] == truth.location[used].tolist()


def test_estimated_poses_are_found_again_and_count_double(tmp_path: Path) -> None:
    """The pose of a rendered video comes from the folder where it was kept."""
    shot = shots(1, 7001)[0]
    pose = shot.camera.project(shot.perform().figure).to("openpose-50")
    write_pose(tmp_path / "holistic-seed-7001-clip-000.h5", pose)
    (one,) = depth_frames(5, 0, 1, 7001, tmp_path)
    clip = one.load()
    np.testing.assert_allclose(clip.extra["features"], depth_features(pose), atol=1e-5)
    assert set(clip.extra["weight"]) == {2.0}
    ids = [item.id for item in location_frames(5, 0, 1, 7001, tmp_path)]
    assert ids == ["shot-7001-0", "shot-7001-0-again"]
    assert (location_frames(5, 0, 1, 7001, tmp_path)[0].load().extra["class"] >= 0).any()


@pytest.mark.parametrize("name", ["depth", "locations"])
def test_they_learn_and_can_be_validated(name: str, tmp_path: Path) -> None:
    changes = [f"data.source={name}:5?clips=24&videos=0", "batch.size=64", "schedule.epochs=0", "schedule.steps=60",
               "schedule.validate=20", "data.validation=0.25", "schedule.watch=loss"]  # fmt: skip
    result = train(read_recipe(name, changes), tmp_path)
    from embeddings.training.log import read_log

    losses = [row["validation_loss"] for row in read_log(tmp_path / "log.csv") if "validation_loss" in row]
    assert min(losses) == pytest.approx(-result.progress.best)
    assert losses[-1] < 0.9 * losses[0]
    if name == "locations":
        assert result.figures.top1 > 0.3
    again = train(read_recipe(name, [*changes, "schedule.steps=1"]), tmp_path / "more", init=str(result.checkpoint))
    assert again.figures.loss < losses[0]
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"\x00" * 20)
    with pytest.raises(ValueError, match=f"not weights of the network '{name}'"):
        train(read_recipe(name, changes), tmp_path / "bad", init=str(other))

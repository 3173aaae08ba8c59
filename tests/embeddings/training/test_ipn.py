"""IPN Hand's class query: 13 classes, from its compacted table or from clips; a run without normalisation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embeddings.clip import Clip, Pose
from embeddings.encoders.checkpoint import load_checkpoint
from embeddings.encoders.spoter import ClassQuery, ClassQueryConfig
from embeddings.pose import write_pose
from embeddings.skeletons import SKELETONS
from embeddings.training.items import Item
from embeddings.training.recipes import read_recipe
from embeddings.training.settings import DataPart
from embeddings.training.sources import open_source
from embeddings.training.splits import split_items
from embeddings.training.train import train
from eval.datasets import Sample, ipn_compact
from eval.datasets.ipn import GESTURES

TINY = ["config.layers=1", "config.inner=8", "schedule.epochs=0", "schedule.steps=2"]


def hand(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.2, 0.8, (rows, 21, 2))


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    """Compacted tables of two videos a side: every gesture once, rows without a gesture between them."""
    for name, videos in (("train", ("one", "two")), ("val", ("three",))):
        samples = []
        for video in videos:
            for number, label in enumerate([x for gesture in GESTURES for x in ("D0X", gesture)]):
                samples.append(Sample(f"{video}^{number}", label, f"{video}.avi", "", "", video, 6 * number,
                                      6 * number + 6, fps=30.0, number=1))  # fmt: skip
        count = ipn_compact.compact(tmp_path / f"{name}.csv", samples, lambda video: hand(200, len(video)))
        assert count == 13 * len(videos)
    return tmp_path / "train.csv", tmp_path / "val.csv"


def test_the_compacted_table_trains_thirteen_classes(tables: tuple[Path, Path], tmp_path: Path) -> None:
    source = f"ipn-table:{tables[0]}?validation=ipn-table:{tables[1]}"
    result = train(read_recipe("class-query-ipn", TINY), tmp_path / "run", source)
    assert result.clips == (26, 13)
    assert load_checkpoint(result.checkpoint).label_set == GESTURES


def test_the_network_sees_the_landmarks_of_the_table(tables: tuple[Path, Path]) -> None:
    """One window is a gesture's every frame; without normalisation the landmarks themselves, y upwards, minus .5."""
    item = open_source(f"ipn-table:{tables[0]}", ("pose",))[3]
    assert item.label == GESTURES[3]
    first = hand(200, 3)[6 * 7 : 6 * 7 + 6]  # the fourth gesture is the eighth row of the video
    recipe = read_recipe("class-query-ipn", ["config.normalise=false"])
    values = ClassQuery(ClassQueryConfig(**recipe.config, classes=13)).prepare(item.load())["pose"]
    expected = np.stack([first[..., 0], 1 - first[..., 1]], axis=-1) - 0.5
    np.testing.assert_allclose(values, expected.reshape(6, 42), atol=1e-5)


def test_without_normalisation_a_missing_joint_is_as_before_and_others_stay() -> None:
    xy = np.zeros((1, 54, 2), np.float32)
    xy[0, :] = (50, 25)
    xy[0, 3] = np.nan
    pose = Pose(xy, np.isfinite(xy).all(-1).astype(np.float32), "spoter-54", 25.0, (200, 100))
    values = ClassQuery(ClassQueryConfig(normalise=False)).prepare(Clip("a", 25.0, pose))["pose"].reshape(54, 2)
    np.testing.assert_allclose(values[0], (-0.25, 0.25))
    np.testing.assert_allclose(values[3], (-0.5, -0.5))


def test_clips_without_a_gesture_are_no_class(tmp_path: Path) -> None:
    rows = ["path,label,signer,split"]
    skeleton = "mediapipe-holistic"
    for number, label in enumerate(["D0X", "G01", "G02", "D0X", "G01", "G02"]):
        xy = np.full((6, len(SKELETONS[skeleton].joints), 2), np.nan, np.float32)
        xy[:, SKELETONS[skeleton].hand("right")] = 100 * hand(6, number)
        pose = Pose(xy, np.isfinite(xy).all(-1).astype(np.float32), skeleton, 30.0, (100, 100))
        write_pose(tmp_path / f"{number}.pose", pose)
        rows.append(f"{number}.pose,{label},s{number},{'train' if number < 3 else 'validation'}")
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    result = train(read_recipe("class-query-ipn", TINY), tmp_path / "run", str(tmp_path / "clips.csv"))
    assert result.clips == (2, 2)
    assert load_checkpoint(result.checkpoint).label_set == ("G01", "G02")


def test_few_clips_of_each_sign_make_a_split_all_the_same() -> None:
    items = [Item(f"{k}", f"G{k % 3}", lambda: Clip("a", 25.0), f"signer-{k % 4}") for k in range(9)]
    training, validation, _ = split_items(items, DataPart(validation=0.2), 0)
    assert training
    assert validation
    assert {i.signer for i in training}.isdisjoint({i.signer for i in validation})


def test_without_signers_a_source_video_is_on_one_side() -> None:
    items = [Item(f"{v}-{k}", f"G{k}", lambda: Clip("a", 25.0), source=f"v{v}") for v in range(5) for k in range(3)]
    with pytest.warns(UserWarning, match="by source video"):
        training, validation, _ = split_items(items, DataPart(), 0)
    assert {i.source for i in training}.isdisjoint({i.source for i in validation})
    assert len(training) + len(validation) == 15
    assert len(validation) == 3

"""`spotter convert` and the comparison of several files of detections, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from embeddings.clip import Pose
from embeddings.encoders import load_encoder
from embeddings.pose import read_pose, write_pose
from embeddings.skeletons import SKELETONS
from embeddings.video import read_clip, write_video
from eval.datasets import ipn_compact
from eval.datasets.landmark_table import read_table
from spotter.cli.app import app
from tests.embeddings.encoders.test_i3d import published


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Two samples in a folder with a space: four grey frames, and a video that is not there."""
    media = tmp_path / "my videos"
    media.mkdir()
    frames = (np.full((64, 96, 3), 60 * k, np.uint8) for k in range(4))
    write_video(media / "a.mp4", frames, 25.0)
    path = media / "manifest.csv"
    path.write_text("path,label,split\na.mp4,HOUSE,train\ngone.mp4,TREE,train\n", "utf-8")
    return path


def test_frames_of_a_manifest(manifest: Path, tmp_path: Path) -> None:
    made = run("convert", "frames", manifest, "--media", manifest.parent, "-o", tmp_path / "frames", "-j", "1")
    assert made.exit_code == 1
    assert "frames of 1 of 2 samples" in made.output
    assert "gone" in made.output
    pictures = sorted((tmp_path / "frames" / "train" / "HOUSE" / "a").iterdir())
    assert [p.name for p in pictures] == [f"{k:05d}.jpg" for k in range(4)]
    means = [np.asarray(Image.open(p)).mean() for p in pictures]
    np.testing.assert_allclose(means, [0, 60, 120, 180], atol=8)


def test_landmarks_of_pictures(manifest: Path, tmp_path: Path) -> None:
    """Grey pictures hold nobody: the estimator really runs, and all is missing."""
    manifest.write_text("path,label\na.mp4,HOUSE\n", "utf-8")
    made = run("convert", "landmarks", manifest, "--media", manifest.parent, "-o", tmp_path / "table.csv", "-j", "1")
    assert made.exit_code == 0, made.output
    ((sample, values),) = read_table(tmp_path / "table.csv")
    assert sample.label == "HOUSE"
    assert values.shape == (4, 75, 3)
    assert np.isnan(values).all()
    assert not (tmp_path / "table.csv.parts").exists()


def test_parts_of_videos_have_no_landmark_table(manifest: Path, tmp_path: Path) -> None:
    manifest.write_text("path,label,start,end\na.mp4,HOUSE,0.1,0.2\n", "utf-8")
    refused = run("convert", "landmarks", manifest, "-o", tmp_path / "table.csv")
    assert refused.exit_code != 0
    assert "convert frames" in str(refused.exception)


def test_gestures_take_the_hand_that_works(tmp_path: Path) -> None:
    """The right hand travels, the left one rests; a landmark at (x, y) px of 200 × 100 px is (x/200, y/100)."""
    skeleton = SKELETONS["mediapipe-holistic"]
    xy = np.full((10, len(skeleton.joints), 2), 50.0, np.float32)
    xy[:, skeleton.index("left_shoulder")], xy[:, skeleton.index("right_shoulder")] = (120, 30), (80, 30)
    xy[:, 33:54] = (130, 90)
    for frame in range(10):
        xy[frame, 54:75] = [(60 + 2 * frame + point, 40) for point in range(21)]
        xy[frame, skeleton.index("right_wrist")] = (60 + 2 * frame, 40)
    xy[:, skeleton.index("left_wrist")] = (130, 90)
    pose = Pose(xy, np.ones(xy.shape[:2], np.float32), skeleton.name, 30.0, (200, 100))
    write_pose(tmp_path / "poses" / "v1.pose", pose)
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "trainlistall.txt").write_text("./frames/v1 1 1 2\n./frames/v1 2 3 5\n", "utf-8")
    made = run("convert", "gestures", lists, "--poses", tmp_path / "poses", "-o", tmp_path / "ipn.csv")
    assert made.exit_code == 0, (made.output, made.exception)
    ((sample, points),) = ipn_compact.read(tmp_path / "ipn.csv")
    assert (sample.label, sample.start, sample.end) == ("B0A", 2, 5)
    np.testing.assert_allclose(points[0, 3], [(60 + 2 * 2 + 3) / 200, 0.4], atol=1e-3)
    lacking = run("convert", "gestures", lists, "--poses", tmp_path, "-o", tmp_path / "ipn.csv")
    assert "holds no pose of 'v1'" in str(lacking.exception)


def test_videos_and_poses_are_aligned_by_the_nose(tmp_path: Path) -> None:
    layout = SKELETONS["coco-wholebody-133"]
    xy = np.full((6, 133, 2), 40.0, np.float32)
    xy[:, layout.index("nose")] = [(30 + 4 * k, 20) for k in range(6)]
    own = Pose(xy, np.ones((6, 133), np.float32), layout.name, 25.0, (96, 64))
    write_video(tmp_path / "in" / "a.mp4", (np.full((64, 96, 3), 200, np.uint8) for _ in range(6)), 25.0)
    write_pose(tmp_path / "in" / "a.h5", own)
    done = run("convert", "aligned", tmp_path / "in", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    moved = read_pose(tmp_path / "out" / "a.pose")
    nose = moved.xy[:, SKELETONS[moved.skeleton].index("nose")]
    np.testing.assert_allclose(nose, [(256, 150)] * 6, atol=0.1)
    pictures = read_clip(tmp_path / "out" / "a.mp4").frames
    assert pictures is not None
    assert pictures.shape == (6, 512, 512, 3)
    assert pictures[0, 300, 256, 0] > 180
    before = (tmp_path / "out" / "a.mp4").stat().st_mtime_ns
    again = run("convert", "aligned", tmp_path / "in", "-o", tmp_path / "out")
    assert again.exit_code == 0
    assert (tmp_path / "out" / "a.mp4").stat().st_mtime_ns == before


def test_a_published_i3d_becomes_an_encoder(tmp_path: Path) -> None:
    torch.save({"state_dict": published(head=True)}, tmp_path / "bsl5k.pth.tar")
    made = run("convert", "i3d", tmp_path / "bsl5k.pth.tar", "-o", tmp_path / "i3d.safetensors")
    assert made.exit_code == 0, made.output
    assert load_encoder(str(tmp_path / "i3d.safetensors")).name == "i3d"


def test_several_systems_side_by_side(tmp_path: Path) -> None:
    rows = {
        "truth": ["a,A,1,2", "a,B,3,4", "b,A,1,2", "b,B,5,6"],
        "good": ["a,A,1,2,.9", "a,B,3,4,.8", "b,A,1,2,.9", "b,B,5,6,.7"],
        "poor": ["a,A,1,2,.9", "a,B,8,9,.8", "b,B,1,2,.9", "b,A,5,6,.7"],
    }
    for name, lines in rows.items():
        head = "video,label,start,end" + ("" if name == "truth" else ",score")
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *lines]) + "\n", "utf-8")
    files = [tmp_path / f"{name}.csv" for name in ("truth", "poor", "good")]
    compared = run("eval", "spotting", *files, "--plots", tmp_path / "both.svg", "--json")
    assert compared.exit_code == 0, compared.output
    best, worst = json.loads(compared.stdout)
    assert (best["method"], best["F1@0.5"], best["TP"], best["FP"], best["FN"]) == ("good", 1.0, 4, 0, 0)
    assert (worst["method"], worst["F1@0.5"], worst["TP"], worst["FP"], worst["FN"]) == ("poor", 0.25, 1, 3, 3)
    assert "<svg" in (tmp_path / "both.svg").read_text("utf-8")
    official = run("eval", "spotting", *files, "--official")
    assert "poor: F1" in official.output

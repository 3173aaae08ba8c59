"""Quality of a video by its pose: planted faults, hand-computed shares, and the advice that follows."""

from __future__ import annotations

import json
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from embeddings.clip import Pose
from embeddings.pose import advice, measure_quality, quality_of, write_pose
from embeddings.pose.quality import as_text
from embeddings.skeletons import SKELETONS
from spotter.cli.app import app

JOINTS = SKELETONS["mediapipe-holistic"].joints
FRAMES = 100


def pose() -> Pose:
    """100 frames of somebody who keeps still: shoulders 100 px apart, both hands raised, confidence .8."""
    xy = np.full((FRAMES, 75, 2), 200.0, np.float32)
    for name, place in {"nose": (200, 60), "left_shoulder": (250, 100), "right_shoulder": (150, 100),
                        "left_wrist": (250, 150), "right_wrist": (150, 150)}.items():  # fmt: skip
        xy[:, JOINTS.index(name)] = place
    return Pose(xy, np.full((FRAMES, 75), 0.8, np.float32), "mediapipe-holistic", 25.0, (400, 300))


def with_wrist(side: str, frames: slice, place: tuple[float, float]) -> Pose:
    made = pose()
    made.xy[frames, JOINTS.index(f"{side}_wrist")] = place
    return made


def without_hand(side: str, frames: slice) -> Pose:
    made = pose()
    rows = slice(33, 54) if side == "left" else slice(54, 75)
    made.xy[frames, rows], made.confidence[frames, rows] = np.nan, 0
    return made


def test_a_good_film_needs_no_advice() -> None:
    found = measure_quality(pose())
    assert (found.frames, found.fps, found.body, found.shoulders) == (100, 25.0, 1.0, 100.0)
    assert (found.left_raised, found.right_raised, found.left_hand, found.right_hand) == (1, 1, 1, 1)
    assert found.left_sure == pytest.approx(0.8)
    assert (found.cropped, found.jitter) == (0.0, 0.0)
    assert advice(found) == []


def test_a_hand_that_is_lost_counts_only_while_it_is_raised() -> None:
    lost = without_hand("right", slice(0, 31))
    found = measure_quality(lost)
    assert found.right_hand == pytest.approx(0.69)
    assert found.left_hand == 1
    text = (
        "the right hand is lost in 31% of the frames in which it is raised: more light and a shorter exposure may help"
    )
    assert advice(found) == [text]
    # 1.25 shoulder widths below the shoulders are 225 px: a wrist at 226 rests
    lowered = with_wrist("right", slice(0, 31), (150, 226))
    lowered.xy[:31, 54:], lowered.confidence[:31, 54:] = np.nan, 0
    resting = measure_quality(lowered)
    assert (resting.right_hand, resting.right_raised) == (1.0, pytest.approx(0.69))
    assert measure_quality(with_wrist("right", slice(0, 31), (150, 224))).right_raised == 1


def test_a_small_signer_should_be_filmed_closer() -> None:
    lost = without_hand("left", slice(0, 20))
    small = replace(lost, xy=lost.xy / 2, size=(200, 150))
    assert advice(measure_quality(small)) == [
        "the left hand is lost in 20% of the frames in which it is raised: film closer, or at a higher resolution"
    ]
    assert "the shoulders are 50 pixels apart" in advice(measure_quality(replace(pose(), xy=pose().xy / 2)))[0]


def test_what_leaves_the_picture_is_counted_once() -> None:
    out = with_wrist("left", slice(0, 10), (401, 150))
    out.xy[5:20, JOINTS.index("nose")] = (200, -1)
    found = measure_quality(out)
    assert found.cropped == pytest.approx(0.2)
    assert found.left_raised == pytest.approx(0.9)  # outside it is not to be had
    assert any("20% of the frames: film wider" in line for line in advice(found))


def test_trembling_and_slow_film() -> None:
    shaky = pose()
    shaky.xy[::2, [0, 11, 12], 0] += 2.0  # changes of speed of 4 px in 100
    found = measure_quality(shaky)
    assert found.jitter == pytest.approx(0.04)
    assert "tremble" in advice(found)[0]
    assert "12.5 frames a second are few" in advice(measure_quality(replace(pose(), fps=12.5)))[0]


def test_nobody_and_half_of_somebody() -> None:
    empty = replace(pose(), xy=np.full_like(pose().xy, np.nan), confidence=np.zeros((FRAMES, 75), np.float32))
    assert advice(measure_quality(empty)) == ["nobody is seen: is this a video of a signer?"]
    half = pose()
    half.xy[:50] = np.nan
    assert measure_quality(half).body == 0.5
    assert "the signer is lost in 50% of the frames" in advice(measure_quality(half))[0]


@pytest.mark.parametrize("ending", ["pose", "h5"])
def test_it_travels_with_the_file_or_is_measured(tmp_path: Path, ending: str) -> None:
    measured = measure_quality(without_hand("left", slice(0, 20)))
    told = write_pose(tmp_path / f"told.{ending}", pose(), quality=as_text(measured))
    assert astuple(quality_of(told)) == pytest.approx(astuple(measured), abs=1e-6)
    silent = write_pose(tmp_path / f"silent.{ending}", without_hand("left", slice(0, 40)))
    assert quality_of(silent).left_hand == pytest.approx(0.6)


def test_the_command_prints_figures_and_advice(tmp_path: Path) -> None:
    (tmp_path / "some talks").mkdir()
    file = write_pose(tmp_path / "some talks" / "lost.h5", without_hand("right", slice(0, 31)))
    arguments = ["pose", str(file), "-o", str(tmp_path / "poses"), "--quality"]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    plain = " ".join(shown.output.split())
    assert "lost: 100 frames at 25 a second, body in 100%" in plain
    assert "right hand in 69% of where it is raised" in plain
    assert "the right hand is lost in 31% of the frames" in plain
    told = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    (facts,) = told["quality"].values()
    assert facts["right_hand"] == pytest.approx(0.69)
    assert len(facts["advice"]) == 1

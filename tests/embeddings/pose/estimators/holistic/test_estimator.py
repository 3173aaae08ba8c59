"""The real networks on rendered and real signers: what is found, whom it follows, that it is quiet and light."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.pose import estimate
from embeddings.pose.estimate import estimate_frames, make_estimator
from embeddings.pose.estimators.holistic.estimator import Holistic
from embeddings.pose.formats.packs import read_pack
from embeddings.synthetic import Camera, SignWorld
from embeddings.synthetic.filming.render import render_frames
from embeddings.video import write_video

ROOT = Path(__file__).resolve().parents[5]
HANDS = (slice(33, 54), slice(54, 75))


@pytest.fixture(scope="module")
def filmed() -> tuple[list[np.ndarray], Pose]:
    """Over a second of signing, 320 px high, and its exact pose."""
    performance = SignWorld(seed=1, signs=2).perform([0], signer=0, fps=25)
    camera = Camera(size=(320, 320), focal=320 * 2.2 / 1.22, distance=2.2, target=(0.0, -0.16, 0.05))
    return list(islice(render_frames(performance.figure, camera=camera), 30)), camera.project(performance.figure)[:30]


@pytest.fixture(scope="module")
def pose(filmed: tuple[list[np.ndarray], Pose]) -> Pose:
    return estimate_frames(filmed[0], 25.0, Holistic())


def test_a_rendered_signer_is_followed(filmed: tuple[list[np.ndarray], Pose], pose: Pose) -> None:
    truth = filmed[1]
    width = float(np.linalg.norm(truth.xy[0, 11] - truth.xy[0, 12]))
    assert len(pose) == 30
    assert np.isfinite(pose.xy[:, :25]).all()
    body = np.linalg.norm(pose.xy - truth.xy, axis=-1)[:, [11, 12, 13, 14, 15, 16]] / width
    assert np.median(body) < 0.08
    wrist = truth.xy[:, 16]
    raised = wrist[:, 1] < truth.xy[:, 12, 1] + 1.2 * width
    hand = np.linalg.norm(pose.xy - truth.xy, axis=-1)[raised][:, HANDS[1]] / width
    assert raised.sum() > 8
    assert np.isfinite(hand).mean() > 0.9
    assert np.nanmedian(hand) < 0.1


def test_hands_are_also_given_in_metres(pose: Pose) -> None:
    assert pose.hand_metres is not None
    assert pose.hand_metres.shape == (30, 2, 21, 3)
    for side, rows in enumerate(HANDS):
        there = ~np.isnan(pose.xy[:, rows, 0]).any(axis=1)
        np.testing.assert_array_equal(there, ~np.isnan(pose.hand_metres[:, side]).any(axis=(1, 2)))
        palm = np.linalg.norm(pose.hand_metres[there, side, 9] - pose.hand_metres[there, side, 0], axis=-1)
        assert ((palm > 0.05) & (palm < 0.13)).all()  # wrist to knuckle
        # x and y run along the picture's
        flat = pose.hand_metres[there, side, :, :2] - pose.hand_metres[there, side, :1, :2]
        seen = pose.xy[there][:, rows] - pose.xy[there][:, rows][:, :1]
        assert np.corrcoef(flat.ravel(), seen.ravel())[0, 1] > 0.8


def test_confidence_is_no_constant(pose: Pose) -> None:
    assert ((pose.confidence >= 0) & (pose.confidence <= 1)).all()
    hands = pose.confidence[:, 33:][~np.isnan(pose.xy[:, 33:, 0])]
    assert hands.std() > 0
    assert hands.min() > 0


def test_a_mirrored_film_gives_the_mirrored_pose(filmed: tuple[list[np.ndarray], Pose], pose: Pose) -> None:
    turned = estimate_frames([f[:, ::-1] for f in filmed[0]], 25.0, Holistic()).mirrored()
    width = float(np.linalg.norm(pose.xy[0, 11] - pose.xy[0, 12]))
    away = np.linalg.norm(turned.xy - pose.xy, axis=-1) / width
    assert np.nanmedian(away[:, :25]) < 0.06
    assert np.nanmedian(away[:, 33:]) < 0.08
    assert turned.hand_metres is not None
    assert pose.hand_metres is not None
    assert np.nanmedian(abs(turned.hand_metres - pose.hand_metres)) < 0.01


def test_of_two_signers_the_one_that_is_meant(filmed: tuple[list[np.ndarray], Pose]) -> None:
    frames = filmed[0][:8]
    both = [np.concatenate([f, np.pad(f[::2, ::2], ((160, 0), (0, 0), (0, 0)), mode="edge")], axis=1) for f in frames]
    middles = {}
    for person in ("left", "right", "largest", 1, "2"):
        found = estimate_frames(both, 25.0, Holistic(person=person))
        middles[person] = float(np.nanmedian(found.xy[:, [11, 12], 0]))
    assert middles["left"] == middles["largest"] == middles[1] < 320
    assert middles["right"] == middles["2"] > 320


def test_a_long_film_of_two_is_told_once_who_is_meant(tmp_path: Path, filmed: tuple[list[np.ndarray], Pose]) -> None:
    frames = filmed[0][:6]
    video = write_video(tmp_path / "two.mp4", [np.concatenate([f, f], axis=1) for f in frames], 25)
    settings = Holistic.settled(video, {"person": "right"}, 0.0, 0.24)
    assert settings["person"] == "right"
    assert settings["near"][0] > 320
    alone = write_video(tmp_path / "one.mp4", frames, 25)
    assert Holistic.settled(alone, {"hands": "lite"}, 0.0, 0.24) == {"hands": "lite"}


def test_a_forgetful_estimator_is_a_new_one(filmed: tuple[list[np.ndarray], Pose]) -> None:
    frames, used = filmed[0][:4], Holistic()
    used.detect(filmed[0][20])
    used.forget(frames[0])
    first, second = (estimate_frames(frames, 25.0, estimator) for estimator in (used, Holistic()))
    np.testing.assert_array_equal(first.xy, second.xy)
    np.testing.assert_array_equal(first.confidence, second.confidence)


def test_nobody_in_the_picture_is_a_row_of_missing_and_nothing_is_printed() -> None:
    code = """
import numpy as np
from embeddings.pose.estimate import make_estimator
e = make_estimator("holistic", hands="lite")
for _ in range(3): found = e.detect(np.full((120, 160, 3), 90, np.uint8))
print(e.name, found.xy.shape, np.isnan(found.xy).all(), (found.confidence == 0).all())
print(np.isnan(found.hand_metres).all())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "holistic 1 lite (75, 2) True True\nTrue"
    assert done.stderr == ""


def test_without_litert_the_error_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "ai_edge_litert").mkdir()
    (tmp_path / "ai_edge_litert" / "__init__.py").write_text("raise ImportError('no wheel')")
    video = str(tmp_path / "v.mp4")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nfrom embeddings.pose import estimate\nestimate({video!r})"
    )
    write_video(tmp_path / "v.mp4", [np.zeros((32, 32, 3), np.uint8)], 25)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "pip install 'ai-edge-litert>=2.1'" in done.stderr.strip().splitlines()[-1]


def test_settings_of_another_estimator_are_refused() -> None:
    with pytest.raises(ValueError, match=r"estimator 'holistic' does not take these settings .*'config'"):
        make_estimator("holistic", config="model.py")


@pytest.mark.real
@pytest.mark.parametrize("name", ["again_example1", "you_example2"])
def test_real_signers_agree_with_an_independent_extraction(real_data: Path, name: str) -> None:
    """Landmarks beside the videos were made by others with MediaPipe 0.10.14."""
    folder = real_data / "ksl77_koala_videos"
    found = estimate(folder / f"{name}.mp4")
    (beside,) = (s.pose for s in read_pack(folder / "mediapipe_holistic.npz", size=found.size) if s.id == name)
    assert len(found) == len(beside)
    width = float(np.nanmedian(np.linalg.norm(beside.xy[:, 11] - beside.xy[:, 12], axis=1)))
    away = np.linalg.norm(found.xy - beside.xy, axis=-1) / width
    assert np.nanmedian(away[:, :25]) < 0.05
    assert np.nanmedian(away[:, 33:]) < 0.05

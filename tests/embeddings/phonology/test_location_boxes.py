"""Location vectors against values worked out by hand from the published boxes, in picture coordinates (minus is up)."""

from dataclasses import replace

import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.phonology.location_boxes import location_vectors
from embeddings.phonology.locations import LOCATIONS
from embeddings.skeletons import SKELETONS

SKELETON = SKELETONS["coco-wholebody-133"]
# h = neck to left shoulder = 100 px, the neck at (500, 400)
BODY = {
    "left_shoulder": (600, 400), "right_shoulder": (400, 400), "left_elbow": (640, 560), "right_elbow": (360, 560),
    "left_wrist": (640, 720), "right_wrist": (360, 720), "left_hip": (560, 800), "right_hip": (440, 800),
    "nose": (500, 280), "left_eye": (520, 255), "right_eye": (480, 255), "left_ear": (570, 270),
    "right_ear": (430, 270), "face_27": (500, 255), "face_3": (430, 310), "face_13": (570, 310), "face_8": (500, 345),
    "face_48": (480, 310), "face_54": (520, 310), "face_30": (500, 280),
}  # fmt: skip


def pose(right: tuple[float, float], **moved: tuple[float, float]) -> Pose:
    """One frame with the 21 joints of the right hand in one point; no left hand."""
    xy = np.full((1, len(SKELETON.joints), 2), np.nan, np.float32)
    for name, place in {**BODY, **moved}.items():
        xy[0, SKELETON.index(name)] = place
    xy[0, SKELETON.hand("right")] = right
    confidence = np.isfinite(xy[..., 0]).astype(np.float32)
    return Pose(xy, confidence, SKELETON.name, 25.0, size=(1000, 1000))


def vector(of: Pose, hand: int = 1, literal: bool = False) -> dict[str, float]:
    row = location_vectors(of, literal)[0, hand]
    return {name: round(float(value), 4) for name, value in zip(LOCATIONS, row, strict=True) if value > 1e-6}


def test_above_the_head_is_above_the_bridge_of_the_nose() -> None:
    # centre (500, 255 − 150), 200 × 200
    assert vector(pose((500, 105))) == {"above head": 1}
    assert vector(pose((500, 4))) == {"neutral space": 1}


def test_the_upper_face_touches_the_box_above_the_head() -> None:
    # 1 px above its centre (500, 255 − 50), half-diagonal 55.902: 0.98211; 99 px from that above the head: 0.29996
    assert vector(pose((500, 204))) == pytest.approx({"upper face": 0.76604, "above head": 0.23396}, abs=1e-4)


def test_a_hand_at_the_throat_is_at_the_neck_and_not_at_the_chin() -> None:
    assert vector(pose((500, 400 - 100 / 3))) == {"neck": 1}  # centre (500, 366.67), y 341.67 to 391.67


def test_the_chins_box_lies_above_the_chin() -> None:
    # centre (500, 345 − 10), y 310 to 360
    assert vector(pose((500, 335))) == {"chin": 1}
    # 14 px above its centre: 1 − 14 / 55.902; the mouth's box (y 300 to 320): 11 px below, half-diagonal 36.401
    assert vector(pose((500, 321))).keys() == {"chin"}
    scores = {"chin": 1 - 24 / np.hypot(50, 25), "mouth": 1 - 1 / np.hypot(35, 10)}
    expected = {name: value / sum(scores.values()) for name, value in scores.items()}
    assert vector(pose((500, 311))) == pytest.approx(expected, abs=1e-4)


def test_cheeks_are_a_sixth_of_h_inside_the_contour() -> None:
    # right cheek (430 + 16.67, 310); the ear's box about (440, 290): 6.67 and 20 px away, half-diagonal 42.72
    ear = 1 - np.hypot(100 / 6 - 10, 20) / np.hypot(15, 40)
    expected = {"cheeks": 1 / (1 + ear), "ears": ear / (1 + ear)}
    assert vector(pose((430 + 100 / 6, 310))) == pytest.approx(expected, abs=1e-4)


def test_ears_are_a_tenth_of_h_below_the_nose() -> None:
    found = vector(pose((560, 290)))  # left ear (500 + 60, 280 + 10)
    cheek = 1 - np.hypot(570 - 100 / 6 - 560, 20) / np.hypot(15, 40)
    assert found == pytest.approx({"ears": 1 / (1 + cheek), "cheeks": cheek / (1 + cheek)}, abs=1e-4)


def test_the_chest_is_below_the_neck_and_the_waist_at_the_hips() -> None:
    assert vector(pose((500, 450))) == {"chest": 1}
    assert vector(pose((500, 800))) == {"waist": 1}


def test_the_arm_is_the_other_upper_arm_and_forearm() -> None:
    # in the middle of the left upper arm; the chest's box (250 × 150 about (500, 450)): 120 and 30 px away
    chest = 1 - np.hypot(120, 30) / np.hypot(125, 75)
    assert vector(pose((620, 480))) == pytest.approx({"arm": 1 / (1 + chest), "chest": chest / (1 + chest)}, abs=1e-4)
    assert vector(pose((640, 650))) == {"arm": 1}
    assert vector(pose((655, 650))) == {"arm": 1}  # half of the reach of 30 px: 0.5, and nothing else
    assert vector(pose((671, 650))) == {"neutral space": 1}
    assert vector(pose((380, 640))) == {"neutral space": 1}  # at its own arm


def test_the_arms_end_or_go_on_as_published() -> None:
    beyond = pose((640, 800), left_hip=(540, 900), right_hip=(460, 900))  # 80 px below the left wrist
    assert vector(beyond) == {"neutral space": 1}
    assert vector(beyond, literal=True) == {"arm": 1}


def test_the_other_hand_is_the_mean_of_its_joints() -> None:
    both = pose((700, 640))
    both.xy[0, SKELETON.hand("left")] = (700, 730)
    both.xy[0, SKELETON.index("left_hand_middle_tip")] = (700, 730 + 21 * 10)  # the mean moves by 10 px
    both.confidence[0, SKELETON.hand("left")] = 1
    # 100 px above the mean, outside of the 180 px box; 10 px nearer it is inside
    assert vector(both) == {"neutral space": 1}
    both.xy[0, SKELETON.hand("right")] = (700, 652)
    assert vector(both) == {"other hand": 1}


def test_the_tip_counts_alone_when_the_index_points_and_not_at_all_when_the_hand_is_unsure() -> None:
    tip, rest = (500.0, 800.0), (380.0, 640.0)  # the waist, and nowhere
    pointing = pose(rest)
    pointing.xy[0, SKELETON.index("right_hand_index_tip")] = tip
    assert vector(pointing) == {"waist": 1}
    # two fingers up are no pointing: half the middle of the box (440, 720), half the tip
    two = pose(rest)
    for name in ("index", "middle"):
        two.xy[0, SKELETON.index(f"right_hand_{name}_tip")] = tip
    assert vector(two) == {"waist": 1}  # neutral space has no score of its own to share with
    unsure = replace(pointing, confidence=pointing.confidence.copy())
    unsure.confidence[0, SKELETON.hand("right")] = 0.25
    assert vector(unsure) == {"neutral space": 1}


def test_a_lost_face_spreads_over_the_five_places_of_the_face() -> None:
    hidden = {name: (np.nan, np.nan) for name in BODY if name not in ("left_shoulder", "right_shoulder")}
    near = pose((500, 300), **hidden)  # where a standard head has its nose
    five = dict.fromkeys(("eyes", "nose", "mouth", "chin", "cheeks"), 0.2)
    assert vector(near).keys() == five.keys()
    low = pose((500, 900), **hidden)
    assert vector(low) == {"neutral space": 1}
    assert vector(low, literal=True) == pytest.approx(five)


def test_a_hand_not_seen_is_nan() -> None:
    assert np.isnan(location_vectors(pose((500, 300)))[0, 0]).all()

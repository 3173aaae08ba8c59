from __future__ import annotations

import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.skeletons import HAND_EDGES, HAND_JOINTS, SKELETONS, hand_joints


def planted(skeleton: str) -> Pose:
    """One frame in which joint i lies at (i, 2i)."""
    joints = len(SKELETONS[skeleton].joints)
    xy = np.stack([np.arange(joints), 2 * np.arange(joints)], axis=-1)[None].astype(np.float32)
    return Pose(xy, np.full((1, joints), 0.5, np.float32), skeleton, 25.0, (640, 480))


@pytest.mark.parametrize(
    ("name", "joints"),
    [
        ("coco-wholebody-133", 133), ("mediapipe-holistic", 75), ("openpose-body135", 135), ("openpose-50", 50),
        ("sl-gcn-27", 27), ("smplx-39", 39), ("spoter-54", 54),
    ],
)  # fmt: skip
def test_sizes(name: str, joints: int) -> None:
    skeleton = SKELETONS[name]
    assert len(skeleton.joints) == len(set(skeleton.joints)) == joints
    assert max(max(edge) for edge in skeleton.edges) < joints


@pytest.mark.parametrize("name", SKELETONS)
def test_mirror_order_is_its_own_inverse(name: str) -> None:
    order = SKELETONS[name].mirror_order
    np.testing.assert_array_equal(order[order], np.arange(len(order)))


def test_sl_gcn_mirror_order_is_the_published_one() -> None:
    expected = [0, 2, 1, 4, 3, 6, 5, *range(17, 27), *range(7, 17)]
    assert SKELETONS["sl-gcn-27"].mirror_order.tolist() == expected


def test_sl_gcn_takes_the_published_coco_indexes() -> None:
    mapped = planted("coco-wholebody-133").to("sl-gcn-27")
    expected = [0, 5, 6, 7, 8, 9, 10, 91, 95, 96, 99, 100, 103, 104, 107, 108, 111]
    assert mapped.xy[0, :17, 0].astype(int).tolist() == expected
    assert mapped.xy[0, 17:, 0].astype(int).tolist() == [i + 21 for i in expected[7:]]


def test_openpose_joints_stand_where_the_facts_say() -> None:
    big, small = SKELETONS["openpose-body135"], SKELETONS["openpose-50"]
    assert [big.joints[i] for i in (5, 6, 7, 8, 9, 10, 17, 18)] == [
        "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "neck", "head_top",
    ]  # fmt: skip
    assert big.joints[25:45] == hand_joints("left")[1:]
    assert big.joints[45:65] == hand_joints("right")[1:]
    assert small.joints[8:29] == hand_joints("left")
    assert small.joints[1:5] == ("neck", "right_shoulder", "right_elbow", "right_wrist")


def test_the_neck_is_derived_from_the_shoulders_with_the_lower_confidence() -> None:
    pose = planted("mediapipe-holistic")
    left, right = pose.joint("left_shoulder"), pose.joint("right_shoulder")
    pose.confidence[0, left] = 0.2
    mapped = pose.to("openpose-50")
    neck = mapped.joint("neck")
    np.testing.assert_allclose(mapped.xy[0, neck], (pose.xy[0, left] + pose.xy[0, right]) / 2)
    assert mapped.confidence[0, neck] == pytest.approx(0.2)


def test_a_joint_without_counterpart_is_missing() -> None:
    mapped = planted("sl-gcn-27").to("coco-wholebody-133")
    knee = mapped.joint("left_knee")
    assert np.isnan(mapped.xy[0, knee]).all()
    assert mapped.confidence[0, knee] == 0


def test_there_and_back_keeps_what_both_have() -> None:
    pose = planted("spoter-54")
    back = pose.to("openpose-50").to("spoter-54")
    for name in ("nose", "neck", "left_wrist", "right_hand_index_tip", "left_hand_thumb_cmc"):
        np.testing.assert_array_equal(back.xy[0, back.joint(name)], pose.xy[0, pose.joint(name)])


def test_hand_edges_form_five_chains_from_the_wrist() -> None:
    assert len(HAND_JOINTS) == 21
    assert len(HAND_EDGES) == 20
    assert sorted(child for _, child in HAND_EDGES) == list(range(1, 21))
    assert [child for parent, child in HAND_EDGES if parent == 0] == [1, 5, 9, 13, 17]


def test_an_unknown_joint_is_named() -> None:
    with pytest.raises(KeyError, match="no joint 'left_knee'"):
        SKELETONS["sl-gcn-27"].index("left_knee")


def test_a_mirror_swaps_the_corners_of_the_mouth() -> None:
    holistic = SKELETONS["mediapipe-holistic"]
    left, right = holistic.index("mouth_left"), holistic.index("mouth_right")
    assert (holistic.mirror_order[left], holistic.mirror_order[right]) == (right, left)

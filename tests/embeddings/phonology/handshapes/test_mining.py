"""Mining hands for known handshapes: planted hands come back under their name; distances worked out by hand."""

import numpy as np
import pytest

from embeddings.phonology.handshapes.mining import MINING_WEIGHTS, mine_references


def turned(hand: np.ndarray, angle: float, size: float) -> np.ndarray:
    c, s = size * np.cos(angle), size * np.sin(angle)
    return hand @ np.array([[c, s], [-s, c]]) + [50, 80]


def test_planted_hands_are_found_under_their_name_the_nearest_first() -> None:
    rng = np.random.default_rng(0)
    fist, flat = rng.normal(size=(2, 21, 2))
    candidates = np.stack([
        turned(fist, 0.4, 3),
        turned(flat, 1.0, 2),
        turned(fist, 2.0, 9) + rng.normal(0, 0.1, (21, 2)),  # the first, somewhat changed
        rng.normal(size=(21, 2)) * 40,  # like nothing
        turned(flat, -1.0, 5),  # not sure enough
    ])  # fmt: skip
    found = mine_references({"fist": fist[None], "flat": flat[None]}, candidates, np.array([0.9, 0.9, 0.9, 0.9, 0.5]))
    assert sorted((hand.handshape, hand.row) for hand in found[:3]) == [("fist", 0), ("fist", 2), ("flat", 1)]
    assert found[2].row == 2
    assert 4 not in {hand.row for hand in found}
    assert [hand.distance for hand in found] == sorted(hand.distance for hand in found)


def plane_hand() -> np.ndarray:
    """A wrist at (0, 0), knuckles on the palm, and the tip of the middle finger 100 px from the wrist: its size."""
    hand = np.stack([np.linspace(-20, 20, 21), np.linspace(10, 50, 21)], axis=1)
    hand[0], hand[12] = (0, 0), (0, 100)
    return hand


def test_the_distance_is_the_published_one_worked_out_by_hand() -> None:
    # weights: 5 tips of 8, 5 of 4, 4 of 1.5, 7 of 1: sum 73, mean 73/21
    assert MINING_WEIGHTS[[4, 3, 6, 0]] == pytest.approx(np.array([8, 4, 1.5, 1]) * 21 / 73)
    reference, candidate = plane_hand(), plane_hand()
    candidate[8] += (0, 10)  # the index tip alone: the palm does not move, so the residual is 10 px
    (found,) = mine_references({"flat": reference[None]}, candidate[None], np.ones(1))
    assert found.distance == pytest.approx(10 * 8 * 21 / 73 / 100)  # weight times residual, over the size of 100 px
    # in the space of the reference: a candidate three times as large has the same distance
    (large,) = mine_references({"flat": reference[None]}, turned(candidate, 1.0, 3)[None], np.ones(1))
    assert large.distance == pytest.approx(found.distance)


def test_limits_are_those_of_the_arguments() -> None:
    reference, candidate = plane_hand(), plane_hand()
    candidate[8] += (0, 10)  # distance 0.2301
    assert mine_references({"a": reference[None]}, candidate[None], np.ones(1), most=0.23) == []
    assert len(mine_references({"a": reference[None]}, candidate[None], np.ones(1), most=0.24)) == 1
    # a second reference 0.2301 from the first counts only when references may be that alike
    both = {"a": np.stack([reference, candidate])}
    for same, distance in ((0.3, 0.2301), (0.2, 0.0)):
        (found,) = mine_references(both, candidate[None], np.ones(1), same=same)
        assert found.distance == pytest.approx(distance, abs=1e-4)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="at least one reference"):
        mine_references({}, np.zeros((1, 21, 2)), np.ones(1))

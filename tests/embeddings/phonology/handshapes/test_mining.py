"""Mining hands for known handshapes: planted hands come back once, under their name."""

import numpy as np
import pytest

from embeddings.phonology.handshapes.distance import PALM
from embeddings.phonology.handshapes.mining import MINING_WEIGHTS, mine_references
from tests import naive_phonology as naive


def turned(hand: np.ndarray, angle: float, size: float) -> np.ndarray:
    c, s = size * np.cos(angle), size * np.sin(angle)
    return hand @ np.array([[c, s], [-s, c]]) + [50, 80]


def test_planted_hands_are_found_once_and_under_their_name() -> None:
    rng = np.random.default_rng(0)
    fist, flat = rng.normal(size=(2, 21, 2))
    candidates = np.stack([
        turned(fist, 0.4, 3),
        turned(flat, 1.0, 2),
        turned(fist, 2.0, 9) + rng.normal(0, 1e-3, (21, 2)),  # the first again
        rng.normal(size=(21, 2)) * 40,  # like nothing
        turned(flat, -1.0, 5),  # not sure enough
    ])  # fmt: skip
    found = mine_references({"fist": fist[None], "flat": flat[None]}, candidates, np.array([0.9, 0.9, 0.9, 0.9, 0.5]))
    assert sorted((hand.handshape, hand.row) for hand in found) == [("fist", 0), ("flat", 1)]
    assert [hand.distance for hand in found] == sorted(hand.distance for hand in found)


def test_the_distance_is_the_weighted_one() -> None:
    rng = np.random.default_rng(1)
    hand, other = rng.normal(0, 20, (2, 21, 2))
    (found,) = mine_references({"x": hand[None]}, other[None], np.ones(1), most=1e9)
    residual = naive.similarity_residual(hand, other, list(PALM))
    palm = other[list(PALM)] - other[list(PALM)].mean(axis=0)
    scale = np.sqrt((palm**2).sum(axis=1).mean())
    assert found.distance == pytest.approx(np.sqrt((MINING_WEIGHTS * (residual**2).sum(axis=1)).sum()) / scale)
    assert MINING_WEIGHTS.mean() == pytest.approx(1)
    assert MINING_WEIGHTS[8] / MINING_WEIGHTS[0] == pytest.approx(8)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="at least one reference"):
        mine_references({}, np.zeros((1, 21, 2)), np.ones(1))

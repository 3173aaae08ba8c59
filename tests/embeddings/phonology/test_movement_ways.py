"""Whole ways instead of frames, and symmetry of which half is not seen: planted answers."""

from dataclasses import replace

import numpy as np
import pytest

from embeddings.phonology.locations import Located
from embeddings.phonology.movements import movements, symmetric_frames
from embeddings.phonology.signer_space import SignerSpace, signer_space
from embeddings.synthetic import SignWorld

FPS = 25.0


@pytest.fixture(scope="module")
def still() -> SignerSpace:
    """One frame of a signer, again and again."""
    pose = SignWorld(seed=99, signs=1).clip(0).pose
    assert pose is not None
    space = signer_space(pose)
    seen = int(np.flatnonzero(space.seen.all(axis=1))[0])
    rows = np.full(40, seen)
    return replace(space, xyz=space.xyz[rows], hands=space.hands[rows], confidence=space.confidence[rows])


def shifted(space: SignerSpace, ways: np.ndarray) -> SignerSpace:
    """Both hands moved by (T, 2, 3)."""
    return replace(space, hands=space.hands + ways[:, :, None])


def nowhere(length: int) -> Located:
    index = np.zeros((length, 2), np.int64)
    return Located(index, np.zeros((length, 2)), np.zeros((length, 2, 15)), np.zeros((length, 2), bool))


def test_a_way_that_bends_has_the_direction_of_the_whole_where_depth_is_judged(still: SignerSpace) -> None:
    """Right and up, ending mostly up; on the whole it leads to the right. Exact depth tells the bend."""
    ways = np.zeros((40, 2, 3))
    share = np.clip((np.arange(40) - 10) / 12, 0, 1)
    ways[:, 1, 0] = -2.2 * np.sin(share * np.pi / 2) ** 0.5
    ways[:, 1, 1] = 1.2 * share
    moved = movements(replace(shifted(still, ways), judged=True), nowhere(40))
    assert {s.kind for s in moved.segments if s.hand == "right"} == {"hold", "right"}
    bent = movements(shifted(still, ways), nowhere(40))
    assert {s.kind for s in bent.segments if s.hand == "right"} == {"hold", "right", "up"}
    assert {s.kind for s in moved.segments if s.hand == "left"} == {"hold"}


def test_there_and_back_are_two_ways(still: SignerSpace) -> None:
    ways = np.zeros((40, 2, 3))
    ways[:, 0, 2] = np.interp(np.arange(40), [5, 15, 25], [0, 1.5, 0])
    moved = movements(replace(shifted(still, ways), judged=True), nowhere(40))
    assert [s.kind for s in moved.segments if s.hand == "left"] == ["hold", "away", "body", "hold"]


def mirrored_pair(space: SignerSpace, phase: float) -> SignerSpace:
    """The left hand is the right one's mirror image; both go up and down, the left one `phase` later."""
    hands = space.hands.copy()
    hands[:, 0] = hands[:, 1] * [-1, 1, 1]
    at = np.arange(len(hands)) / FPS * 2 * np.pi * 1.5
    hands[:, 1, :, 1] += 0.3 * np.sin(at)[:, None]
    hands[:, 0, :, 1] += 0.3 * np.sin(at + phase)[:, None]
    return replace(space, hands=hands)


def test_hands_in_turn_are_not_symmetric(still: SignerSpace) -> None:
    assert symmetric_frames(mirrored_pair(still, 0.0)).all()
    assert not symmetric_frames(mirrored_pair(still, np.pi)).any()


def test_a_hand_lost_for_a_while_leaves_the_sign_symmetric(still: SignerSpace) -> None:
    space = mirrored_pair(still, 0.0)
    hands = space.hands.copy()
    hands[8:24:2, 0] = np.nan
    hands[16:22, 0] = np.nan
    assert symmetric_frames(replace(space, hands=hands)).all()
    hands[:, 0] = np.nan
    assert not symmetric_frames(replace(space, hands=hands)).any()


def test_rest_at_both_ends_does_not_make_hands_in_turn_symmetric(still: SignerSpace) -> None:
    space, turns = mirrored_pair(still, 0.0), mirrored_pair(still, np.pi)
    hands = np.concatenate(
        [np.repeat(space.hands[:1], 20, axis=0), turns.hands, np.repeat(space.hands[:1], 20, axis=0)]
    )
    many = np.zeros(len(hands), int)
    long = replace(space, xyz=space.xyz[many], hands=hands, confidence=space.confidence[many])
    assert not symmetric_frames(long)[20:60].any()

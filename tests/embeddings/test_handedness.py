from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embeddings.clip import Clip
from embeddings.handedness import left_share, right_handed
from embeddings.synthetic import SignWorld


@pytest.fixture(scope="module")
def world() -> SignWorld:
    return SignWorld(7, 8)


def signer(world: SignWorld, left: bool, nth: int = 0) -> int:
    return [i for i in range(1, 120) if world.signer(i).left_handed == left][nth]


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("nth", [0, 1, 2])
def test_who_is_left_handed_shows_in_continuous_signing(world: SignWorld, left: bool, nth: int) -> None:
    who = signer(world, left, nth)
    clip = world.continuous(world.signs[:6], who, who)
    assert clip.pose is not None
    assert (left_share(clip.pose) >= 0.6) == left
    turned = right_handed(clip)
    assert (turned is clip) == (not left)
    assert turned.pose is not None
    assert left_share(turned.pose) < 0.6


def test_turning_around_mirrors_pictures_too(world: SignWorld) -> None:
    who = signer(world, True)
    clip = world.continuous(world.signs[:4], who, who)
    frames = np.random.default_rng(0).integers(0, 255, (len(clip), 6, 8, 3), dtype=np.uint8)
    turned = right_handed(replace(clip, frames=frames))
    assert turned.frames is not None
    np.testing.assert_array_equal(turned.frames[:, :, 0], frames[:, :, -1])


def test_an_estimators_jumps_are_not_work(world: SignWorld) -> None:
    clip = world.clip(world.signs[0])
    assert clip.pose is not None
    before = left_share(clip.pose)
    xy = clip.pose.xy.copy()
    xy[::6, clip.pose.joint("left_wrist")] += 400  # a swapped or lost hand every few frames
    assert left_share(replace(clip.pose, xy=xy)) == pytest.approx(before, abs=0.1)


def test_a_wrist_guessed_outside_the_picture_does_no_work(world: SignWorld) -> None:
    who = signer(world, left=False)
    clip = world.continuous(world.signs[:4], who, who)
    assert clip.pose is not None
    xy, wrist = clip.pose.xy.copy(), clip.pose.joint("left_wrist")
    width = float(np.linalg.norm(xy[0, clip.pose.joint("left_shoulder")] - xy[0, clip.pose.joint("right_shoulder")]))
    # below the lower edge, to and fro by a fifth of a shoulder width a frame: no single step is a jump
    xy[:, wrist] = [clip.pose.size[0] / 2, clip.pose.size[1] + width]
    xy[::2, wrist, 0] += 0.2 * width
    guessed = replace(clip, pose=replace(clip.pose, xy=xy))
    assert guessed.pose is not None
    assert left_share(guessed.pose) == 0.0
    assert right_handed(guessed) is guessed
    xy[:, wrist, 1] -= 2 * width  # the same way inside the picture is work
    assert left_share(guessed.pose) > 0.3


def test_nobody_moves_or_nobody_is_seen(world: SignWorld) -> None:
    clip = world.clip(world.signs[0])
    assert clip.pose is not None
    still = replace(clip.pose[:5], xy=np.repeat(clip.pose.xy[:1], 5, axis=0))
    assert left_share(still) == pytest.approx(0.5, abs=0.05)  # both hands lie in the lap
    unseen = replace(clip.pose, xy=np.full_like(clip.pose.xy, np.nan))
    assert left_share(unseen) == 0.5
    blind = Clip("x", 25.0)
    assert right_handed(blind) is blind

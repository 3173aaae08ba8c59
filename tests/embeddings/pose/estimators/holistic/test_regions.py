"""Regions of the picture: where they lie, what is cut out of them, and how hands and bodies get theirs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from embeddings.pose.estimators.holistic.body import Body
from embeddings.pose.estimators.holistic.hands import region_from_body, region_of, shoulder_width
from embeddings.pose.estimators.holistic.regions import Crops, Region


def body(**places: tuple[float, float]) -> Body:
    """A body whose shoulders are 40 px apart and 60 px above the hips, with some points elsewhere."""
    rows = {"left_shoulder": 11, "right_shoulder": 12, "left_wrist": 15, "right_wrist": 16, "left_pinky": 17,
            "right_pinky": 18, "left_index": 19, "right_index": 20, "left_hip": 23, "right_hip": 24}  # fmt: skip
    xy = np.zeros((33, 2), np.float32)
    xy[[11, 12, 23, 24]] = [(120, 100), (80, 100), (115, 160), (85, 160)]
    for name, place in places.items():
        xy[rows[name]] = place
    return Body(1.0, xy, np.zeros(33, np.float32), np.ones(33, np.float32), Region(100, 160, 200, 0))


def test_corners_of_an_upright_and_of_a_turned_square() -> None:
    corners = np.array([[0, 0], [1, 1], [0.5, 0]], np.float32)
    np.testing.assert_allclose(Region(10, 20, 4, 0).to_picture(corners), [[8, 18], [12, 22], [10, 18]])
    # a quarter turn clockwise: what was above is to the right
    np.testing.assert_allclose(
        Region(10, 20, 4, math.pi / 2).to_picture(corners), [[12, 18], [8, 22], [12, 20]], atol=1e-6
    )


def test_a_shift_follows_the_squares_own_axes() -> None:
    moved = Region(10, 20, 40, math.pi / 2).shifted(0.0, -0.1)
    assert (moved.x, moved.y) == pytest.approx((14, 20))
    assert Region(10, 20, 40, 0).shifted(0.25, 0.5)[:2] == (20, 40)


def test_distance_is_in_sides_of_the_larger() -> None:
    assert Region(0, 0, 10, 0).away_from(Region(3, 4, 20, 1)) == 0.25


def test_what_is_cut_lies_where_the_landmarks_say() -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[18:23, 28:33] = 255  # about x 30, y 20
    for region in (
        Region(32, 24, 32, 0),
        Region(32, 24, 32, math.pi / 2),
        Region(28, 22, 16, math.pi),
        Region(30, 20, 64, 0),
    ):
        crop = Crops(picture).cut(region, 32)[..., 0]
        rows, columns = np.nonzero(crop)
        weight = crop[rows, columns].astype(float)
        middle = np.array([[np.average(columns + 0.5, weights=weight), np.average(rows + 0.5, weights=weight)]]) / 32
        np.testing.assert_allclose(region.to_picture(middle.astype(np.float32)), [[30, 20]], atol=0.3)


def test_pixels_are_copied_where_nothing_is_scaled_or_turned() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    np.testing.assert_array_equal(Crops(picture).cut(Region(19.5, 15.5, 8, 0), 8), picture[12:20, 16:24])
    half = Crops(picture).cut(Region(0, 15.5, 8, 0), 8)
    assert (half[:, :3] == 0).all()  # beyond the left edge
    assert half[:, 5:].any()


def test_large_regions_keep_the_mean_of_fine_patterns() -> None:
    board = np.indices((256, 256)).sum(axis=0) % 2 * 255
    picture = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    crop = Crops(picture).cut(Region(127.5, 127.5, 200, 0.1), 32)
    assert abs(float(crop.mean()) - 127.5) < 3
    assert crop.std() < 10  # without the smaller copy it would be black and white pixels by chance


def test_a_hands_region_from_the_bodys_points() -> None:
    person = body(left_wrist=(0, 0), left_index=(0, -10), left_pinky=(6, -10))
    region = region_from_body(person, 0)
    # middle (2, -10); 1.36807 · |(2, -10)| + 0.57733 · 6 = 17.4156; times 2.7
    assert region.side == pytest.approx(47.022, abs=0.01)
    assert region.angle == pytest.approx(math.atan2(2, 10))
    # a tenth of the side towards the fingers
    assert (region.x, region.y) == pytest.approx((2 + 4.7022 * 0.19612, -10 - 4.7022 * 0.98058), abs=0.01)


def test_a_small_hand_gets_a_region_by_the_shoulders() -> None:
    person = body(right_wrist=(50, 50), right_index=(50, 51), right_pinky=(50, 51))
    region = region_from_body(person, 1)
    assert shoulder_width(person) == 40
    assert region.side == 30
    assert abs(region.angle) == pytest.approx(math.pi)  # the fingers point down


def test_shoulders_seen_from_the_side_do_not_shrink_the_signer() -> None:
    assert shoulder_width(body(left_shoulder=(100, 100), right_shoulder=(100, 100))) == 20  # a third of the trunk


def upright_hand() -> np.ndarray:
    xy = np.zeros((21, 2), np.float32)
    xy[[1, 2, 3]] = [(-20, -10), (-20, -20), (-20, -30)]
    xy[[5, 9, 13, 17]] = [(-10, -40), (0, -40), (10, -40), (20, -40)]
    xy[[6, 10, 14, 18]] = [(-10, -60), (0, -60), (10, -60), (20, -50)]
    xy[[4, 7, 8, 11, 12, 15, 16, 19, 20]] = (300, 300)  # fingertips do not count
    return xy


def test_a_hands_region_from_its_landmarks() -> None:
    region = region_of(upright_hand())
    # the box is x -20 … 20, y -60 … 0: side 2 · 60 about (0, -30), a tenth towards the fingers
    assert region == pytest.approx((0, -42, 120, 0), abs=1e-4)


@pytest.mark.parametrize("angle", [0.3, 1.5, 3.0, -2.0])
def test_a_turned_hand_has_a_turned_region(angle: float) -> None:
    sin, cos = math.sin(angle), math.cos(angle)
    turned = (upright_hand() @ np.array([[cos, sin], [-sin, cos]], np.float32)).astype(np.float32)  # clockwise as seen
    region = region_of(turned)
    assert region.side == pytest.approx(120, abs=1e-3)
    assert math.remainder(region.angle - angle, 2 * math.pi) == pytest.approx(0, abs=1e-5)
    assert (region.x, region.y) == pytest.approx((42 * sin, -42 * cos), abs=1e-3)

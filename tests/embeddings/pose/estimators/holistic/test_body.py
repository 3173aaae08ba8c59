"""The body's detector and landmarks, taken apart, and who of several is followed."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings.pose.estimators.holistic.body import Body, Person, _anchors, _merged, _sharpened, _upright, between
from embeddings.pose.estimators.holistic.estimator import Holistic, _same_person, _steady
from embeddings.pose.estimators.holistic.people import check_choice, chosen, nearest
from embeddings.pose.estimators.holistic.regions import Region

from .test_regions import body


def test_anchors_are_two_a_cell_then_six() -> None:
    """28 × 28 × 2 + 14 × 14 × 2 + 7 × 7 × 6 = 2254, row by row."""
    anchors = _anchors()
    assert anchors.shape == (2254, 2)
    np.testing.assert_allclose(anchors[[0, 1, 2]], [[0.5 / 28, 0.5 / 28], [0.5 / 28, 0.5 / 28], [1.5 / 28, 0.5 / 28]])
    np.testing.assert_allclose(anchors[56], [0.5 / 28, 1.5 / 28])  # 28 cells, twice
    np.testing.assert_allclose(anchors[1568], [0.5 / 14, 0.5 / 14])
    np.testing.assert_allclose(anchors[-1], [6.5 / 7, 6.5 / 7])


def test_boxes_of_one_person_are_averaged_by_their_scores() -> None:
    rows = np.zeros((3, 12), np.float32)
    rows[:, :4] = [(0.50, 0.5, 0.2, 0.2), (0.54, 0.5, 0.2, 0.2), (0.9, 0.5, 0.2, 0.2)]
    merged = _merged(rows, np.array([0.5, 0.75, 0.6], np.float32))
    # shared .16 · .2 of .4 · .2 - .032: .667; the third is apart
    assert [score for _, score in merged] == pytest.approx([0.75, 0.6])
    assert merged[0][0][0] == pytest.approx((0.5 * 0.5 + 0.54 * 0.75) / 1.25)


def test_the_region_goes_through_the_second_point_and_a_quarter_more() -> None:
    region = _upright(np.array([100.0, 200.0]), np.array([100.0, 120.0]))
    assert region == pytest.approx((100, 200, 200, 0))
    assert _upright(np.array([0.0, 0.0]), np.array([10.0, 0.0])).angle == pytest.approx(np.pi / 2)


def test_heat_maps_move_a_point_to_their_middle() -> None:
    heat = np.full((64, 64, 39), -60.0, np.float32)
    heat[20, 30, 0] = heat[20, 32, 0] = 60.0  # two cells, equally sure
    heat[20, 30, 1] = -1.0  # less than half sure
    points = np.tile(np.array([[29 / 64, 21 / 64]], np.float32), (39, 1))
    sharp = _sharpened(points, heat)
    np.testing.assert_allclose(sharp[0], [31 / 64, 20 / 64], atol=1e-5)
    np.testing.assert_array_equal(sharp[1], points[1])


def test_between_two_bodies_points_lie_on_straight_lines() -> None:
    first, last = body(left_wrist=(0, 0)), body(left_wrist=(10, 20))
    last = last._replace(presence=0.7, visibility=np.zeros(33, np.float32))
    third = between(first, last, 1 / 4)
    np.testing.assert_allclose(third.xy[15], [2.5, 5])
    assert third.visibility[0] == 0.75
    assert third.presence == 0.7


def test_a_cut_is_no_movement() -> None:
    first = body()
    assert _same_person(first, body(left_shoulder=(139, 100)))  # half of 40 px
    assert not _same_person(first, body(left_shoulder=(145, 100)))
    assert _steady(Region(100, 100, 100, 0), Region(130, 100, 100, 0))
    assert not _steady(Region(100, 100, 100, 0), Region(136, 100, 100, 0))
    assert not _steady(Region(100, 100, 100, 0), Region(100, 100, 55, 0))
    assert not _steady(Region(100, 100, 100, 0), Region(float("nan"), 100, 100, 0))


def person(x: float, side: float, y: float = 100) -> Person:
    return Person(0.9, Region(x, y, side, 0.0))


@pytest.mark.parametrize(
    ("choice", "x"),
    [("largest", 250), ("nearest-centre", 140), ("left", 30), ("right", 250), (1, 30), (2, 140), (3, 250)],
)
def test_who_is_meant(choice: str | int, x: float) -> None:
    people = [person(250, 120), person(30, 80), person(140, 90)]
    meant = chosen(people, choice, (320, 200))
    assert meant is not None
    assert meant.region.x == x


def test_there_may_be_nobody_of_that_number() -> None:
    assert chosen([person(1, 1)], 2, (320, 200)) is None
    assert chosen([], "largest", (320, 200)) is None
    assert check_choice("3") == 3
    for wrong in ("0", "middle", "-1", "1.5"):
        with pytest.raises(ValueError, match=r"person .* is not known; expected largest, nearest-centre, left, right"):
            check_choice(wrong)


def test_a_lost_person_is_found_again_near_by_only() -> None:
    people = [person(30, 80), person(140, 80)]
    again = nearest(people, Region(120, 100, 80, 0))
    assert again is not None
    assert again.region.x == 140
    assert nearest(people, Region(400, 100, 80, 0)) is None


@pytest.mark.parametrize(
    ("setting", "words"),
    [({"hands": "huge"}, "'huge'"), ({"min_presence": 2.0}, "min_presence 2.0"), ({"body_seconds": -1.0}, "-1.0"),
     ({"person": "both"}, "'both'")],
)  # fmt: skip
def test_settings_out_of_range_are_named(setting: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Holistic(**setting)  # type: ignore[arg-type]


class Planted(Holistic):
    """Follows numbers instead of pictures: the body's place is what the picture's first pixel says."""

    def __init__(self, fps_step: float) -> None:
        super().__init__(body_seconds=fps_step)
        self.read: list[int] = []

    def _body(self, crops) -> Body | None:  # type: ignore[no-untyped-def]
        value = int(crops.frame[0, 0, 0])
        self.read.append(value)
        return None if value == 255 else body(left_wrist=(value, value))

    def _glimpse(self, crops, regions) -> Body | None:  # type: ignore[no-untyped-def]
        return None


def frames(*values: int) -> list[np.ndarray]:
    return [np.full((8, 8, 3), value, np.uint8) for value in values]


def test_every_picture_gets_its_row_and_the_body_between_readings_is_interpolated() -> None:
    estimator = Planted(0.08)
    rows = list(estimator.follow(frames(0, 99, 20, 99, 40, 50), 25.0))  # two pictures a reading
    assert estimator.read == [0, 20, 40, 50]
    np.testing.assert_allclose([row.xy[15, 0] for row in rows], [0, 10, 20, 30, 40, 50])
    assert len(list(Planted(0.08).follow(frames(1), 25.0))) == 1
    slow = Planted(0.08)
    list(slow.follow(frames(1, 2, 3), 15.0))  # 67 ms apart: each is read
    assert slow.read == [1, 2, 3]


def test_pictures_beside_one_without_anybody_are_not_invented() -> None:
    rows = list(Planted(0.08).follow(frames(0, 10, 255, 10, 20), 25.0))
    assert [bool(np.isnan(row.xy[15]).any()) for row in rows] == [False, True, True, True, False]
    assert rows[2].confidence.max() == 0

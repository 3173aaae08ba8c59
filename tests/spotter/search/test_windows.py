from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotter.search.windows import SHORTEST, centres, length_grid, lengths_for, windows_at


@given(st.integers(0, 400), st.integers(1, 40))
def test_every_frame_is_near_a_centre_and_the_last_one_is_a_centre(frames: int, stride: int) -> None:
    middle = centres(frames, stride)
    if frames == 0:
        assert len(middle) == 0
        return
    assert middle[0] == 0.5
    assert middle[-1] == frames - 0.5
    assert (np.diff(middle) > 0).all()
    assert np.diff(middle).max(initial=0) <= stride
    for frame in range(frames):
        assert np.abs(middle - (frame + 0.5)).min() <= stride / 2


def test_a_stride_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="stride is 0"):
        centres(10, 0)


def test_windows_lie_around_their_centres_and_reach_beyond_the_clip() -> None:
    np.testing.assert_array_equal(windows_at(np.array([0.5, 4.5]), 8.0), [[-3.5, 4.5], [0.5, 8.5]])


@given(st.lists(st.floats(1, 300), min_size=1, max_size=60))
def test_the_grid_holds_a_length_near_each_one_wanted(wanted: list[float]) -> None:
    grid = length_grid(wanted)
    assert (np.diff(grid) > 0).all()
    for length in wanted:
        nearest = np.abs(np.log(grid / max(length, SHORTEST))).min()
        # half a step, and half a frame of rounding
        assert nearest <= np.log(1.12) / 2 + 0.5 / max(length, SHORTEST) + 0.02


def test_lengths_of_many_signs_share_a_few_windows() -> None:
    rng = np.random.default_rng(0)
    assert len(length_grid(rng.uniform(10, 60, 1000))) <= 18
    assert len(length_grid([])) == 0


def test_an_exemplar_is_compared_with_windows_of_its_ratios() -> None:
    grid = np.array([4, 8, 12, 16, 24, 32])
    assert grid[lengths_for(16, grid, (0.5, 1.0, 1.5))].tolist() == [8, 16, 24]
    assert grid[lengths_for(5, grid, (0.1, 0.2))].tolist() == [4]  # never shorter than the shortest
    assert grid[lengths_for(16, grid, (0.99, 1.01))].tolist() == [16]  # unique

"""Paths that the eye can follow, and skeletons as the page draws them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotter.review.tasks import _smooth_path


def test_equal_spans_run_evenly() -> None:
    x, y = _smooth_path(np.stack([np.arange(20.0)] * 2, axis=1), 20, 20)
    np.testing.assert_allclose(x, y, atol=1e-9)


def test_a_jump_becomes_a_slope_in_its_place() -> None:
    """The other span stands still in its first half, then runs through all of it within one frame."""
    path = [(i, 0) for i in range(10)] + [(10, j) for j in range(30)] + [(i, 29) for i in range(11, 20)]
    x, y = _smooth_path(np.array(path, float), 20, 30)
    assert y[np.searchsorted(x, 0.3)] < 0.1
    assert y[np.searchsorted(x, 0.75)] > 0.9
    assert np.diff(y).max() < 0.3


steps = st.lists(st.sampled_from([(1, 0), (0, 1), (1, 1)]), min_size=0, max_size=60)


@settings(max_examples=100, deadline=None)
@given(steps)
def test_every_path_rises_from_corner_to_corner(steps: list[tuple[int, int]]) -> None:
    path = np.cumsum([(0, 0), *steps], axis=0).astype(float)
    x, y = _smooth_path(path, int(path[-1, 0]) + 1, int(path[-1, 1]) + 1)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) >= -1e-12).all()
    assert len(x) == path[-1, 0] + 3
    assert y == pytest.approx(np.clip(y, 0, 1))

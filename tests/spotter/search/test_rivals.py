from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spotter.search.rivals import BestTwo


@given(st.integers(1, 8), st.integers(1, 4), st.integers(0, 10_000))
def test_the_best_other_sign_is_what_holding_all_scores_gives(exemplars: int, signs: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # few different numbers, so that there are ties
    scores, of = rng.integers(0, 4, (exemplars, 5)).astype(np.float32), rng.integers(0, signs, exemplars)
    two = BestTwo((5,), -1.0)
    for sign, row in zip(of.tolist(), scores, strict=True):
        two.add(sign, row)
    for sign in range(signs):
        others = scores[of != sign]
        expected = others.max(axis=0) if len(others) else np.full(5, -1.0)
        got = two.without(np.full(5, sign), (np.arange(5),))
        np.testing.assert_array_equal(got, expected)

from __future__ import annotations

import numpy as np
import pytest

from eval.significance import accuracy_of, bootstrap_interval, f1_of, holm, paired_bootstrap, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe 1998, Table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_newcombes_published_intervals(successes: int, trials: int, low: float, high: float) -> None:
    interval = wilson(successes, trials)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


def test_wilson_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="3 successes of 2 trials"):
        wilson(3, 2)
    with pytest.raises(ValueError, match="trials > 0"):
        wilson(0, 0)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        right = generator.binomial(10, 0.7, size=40)
        interval = bootstrap_interval(np.stack([right, np.full(40, 10)], axis=1), accuracy_of, 500, seed=seed)
        covered += interval.low <= 0.7 <= interval.high
    assert 180 <= covered <= 200


def test_clusters_that_vary_give_a_wider_interval_than_their_sum_would() -> None:
    steady = bootstrap_interval([[50, 100]] * 10, accuracy_of)
    uneven = bootstrap_interval([[0, 100], [100, 100]] * 5, accuracy_of)
    assert steady.value == uneven.value == 0.5
    assert steady.high == steady.low == 0.5
    assert uneven.high - uneven.low > 0.4


def test_a_seed_repeats_and_equal_systems_do_not_differ() -> None:
    counts = np.random.default_rng(1).integers(0, 9, (30, 3))
    assert bootstrap_interval(counts, f1_of, seed=3) == bootstrap_interval(counts, f1_of, seed=3)
    assert paired_bootstrap(counts, counts, f1_of).p_value == 1.0


def test_p_values_of_equally_good_systems_are_even() -> None:
    generator = np.random.default_rng(2)
    small = 0
    for seed in range(200):
        first, second = (np.stack([generator.binomial(10, 0.6, 50), np.full(50, 10)], axis=1) for _ in range(2))
        small += paired_bootstrap(first, second, accuracy_of, 500, seed=seed).p_value < 0.1
    assert 8 <= small <= 36  # a tenth of 200, give or take three standard deviations


def test_a_clear_difference_is_seen_and_pairing_sees_more() -> None:
    base = np.random.default_rng(3).integers(0, 90, 40)
    worse = np.stack([base, np.full(40, 100)], axis=1)
    better = np.stack([base + 2, np.full(40, 100)], axis=1)
    result = paired_bootstrap(better, worse, accuracy_of)
    assert result.p_value < 0.001
    assert result.difference.value == pytest.approx(0.02)
    assert result.difference.low > 0
    assert bootstrap_interval(better, accuracy_of).low < bootstrap_interval(worse, accuracy_of).high


def test_shapes_and_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match="the same videos in the same order"):
        paired_bootstrap([[1, 2]], [[1, 2], [3, 4]], accuracy_of)
    with pytest.raises(ValueError, match="at least 2"):
        bootstrap_interval([[1, 2]], accuracy_of)


def test_several_p_values_are_corrected_as_holm_published_it() -> None:
    # sorted: .01 × 4, .02 × 3, .03 × 2 = .06 (no lower than the one before), .5 × 1
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([0.6, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []

from __future__ import annotations

import numpy as np
import pytest

from gallery import signing_span
from gallery.trim import TrimOptions

FPS = 25.0
WIDTH = 100.0
REST, UP = 450.0, 250.0  # wrist heights in pixels; the shoulders are at 200


def clip(right: list[tuple[int, float]], left: list[tuple[int, float]] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Wrists (T, 2, 2) and shoulders from (frames, height) stretches per hand; the left one rests by default."""
    rows = np.concatenate([np.full(n, y) for n, y in right])
    other = np.full(len(rows), REST) if left is None else np.concatenate([np.full(n, y) for n, y in left])
    wrists = np.zeros((len(rows), 2, 2))
    wrists[:, 0] = np.stack([np.full(len(rows), 360.0), other], axis=1)
    wrists[:, 1] = np.stack([np.full(len(rows), 240.0), rows], axis=1)
    shoulders = np.zeros_like(wrists)
    shoulders[:, 0], shoulders[:, 1] = (350.0, 200.0), (250.0, 200.0)
    return wrists, shoulders


def ramp(frames: int, start: float, end: float) -> list[tuple[int, float]]:
    return [(1, start + (end - start) * (i + 1) / (frames + 1)) for i in range(frames)]


def one_sign(rest: int = 20, raise_: int = 6, sign: int = 30) -> list[tuple[int, float]]:
    return [(rest, REST), *ramp(raise_, REST, UP), (sign, UP), *ramp(raise_, UP, REST), (rest, REST)]


def assert_close(span: tuple[int, int], start: int, end: int, tolerance: int = 2) -> None:
    assert abs(span[0] - start) <= tolerance, span
    assert abs(span[1] - end) <= tolerance, span


def test_the_raising_and_the_lowering_are_left_out() -> None:
    wrists, shoulders = clip(one_sign())
    assert_close(signing_span(wrists, shoulders, FPS), 26, 56)


def test_left_and_right_hands_are_treated_alike() -> None:
    wrists, shoulders = clip(one_sign())
    assert signing_span(wrists[:, ::-1], shoulders[:, ::-1], FPS) == signing_span(wrists, shoulders, FPS)


def test_of_two_hands_the_first_up_and_the_last_down_count() -> None:
    right = [(20, REST), *ramp(6, REST, UP), (24, UP), *ramp(6, UP, REST), (26, REST)]
    left = [(30, REST), *ramp(6, REST, UP), (20, UP), *ramp(6, UP, REST), (20, REST)]
    wrists, shoulders = clip(right, left)
    assert_close(signing_span(wrists, shoulders, FPS), 26, 56)


def test_place_and_size_of_the_signer_do_not_matter() -> None:
    wrists, shoulders = clip(one_sign())
    expected = signing_span(wrists, shoulders, FPS)
    assert signing_span(wrists * 0.2 + 31, shoulders * 0.2 + 31, FPS) == expected


def test_hands_resting_in_the_lap_of_a_seated_signer() -> None:
    lap = 330.0
    right = [(15, lap), *ramp(4, lap, UP), (25, UP), *ramp(4, UP, lap), (15, lap)]
    wrists, shoulders = clip(right, [(63, lap)])
    assert_close(signing_span(wrists, shoulders, FPS), 19, 44)


def test_a_low_sign_is_found_by_its_own_rise() -> None:
    low = 390.0
    wrists, shoulders = clip([(20, REST), *ramp(4, REST, low), (25, low), *ramp(4, low, REST), (20, REST)])
    assert_close(signing_span(wrists, shoulders, FPS), 24, 49)


def test_a_dip_within_the_sign_does_not_end_it() -> None:
    right = [(20, REST), *ramp(5, REST, UP), (15, UP), (4, 330.0), (15, UP), *ramp(5, UP, REST), (20, REST)]
    wrists, shoulders = clip(right)
    assert_close(signing_span(wrists, shoulders, FPS), 25, 59)


def test_a_clip_that_starts_with_the_hands_up_is_cut_at_the_end_only() -> None:
    wrists, shoulders = clip([(30, UP), *ramp(6, UP, REST), (20, REST)])
    assert_close(signing_span(wrists, shoulders, FPS), 0, 30)


def test_a_tight_clip_is_taken_whole() -> None:
    wrists, shoulders = clip([(30, UP)], [(30, UP)])
    assert signing_span(wrists, shoulders, FPS) == (0, 30)


def test_a_clip_cut_close_to_a_sign_that_moves_upwards_is_not_cut_again() -> None:
    # begins and ends with the hand in front of the belly, not at rest
    wrists, shoulders = clip([(4, 270.0), *ramp(10, 270.0, 190.0), (12, 190.0), *ramp(10, 190.0, 270.0), (4, 270.0)])
    assert signing_span(wrists, shoulders, FPS) == (0, 40)
    assert signing_span(wrists, shoulders, FPS, TrimOptions(rest=0.0)) != (0, 40)


def test_hands_that_never_rise_leave_the_clip_whole() -> None:
    wrists, shoulders = clip([(40, REST)])
    assert signing_span(wrists, shoulders, FPS) == (0, 40)


def test_a_sign_that_begins_half_way_up_begins_where_the_hand_first_stops() -> None:
    half_way = 350.0  # half of the way from the rest (450) to where the hand is for most of the sign (250)
    raised = [(20, REST), *ramp(5, REST, half_way), (6, half_way), *ramp(5, half_way, UP), (30, UP)]
    wrists, shoulders = clip([*raised, *ramp(6, UP, REST), (20, REST)])
    assert_close(signing_span(wrists, shoulders, FPS), 25, 66)
    assert_close(signing_span(wrists, shoulders, FPS, TrimOptions(stop_share=0.9)), 36, 66)


def test_a_small_movement_of_the_other_hand_does_not_set_the_span() -> None:
    right = one_sign()
    fidget = [(8, REST), (6, REST - 45.0), (68, REST)]
    wrists, shoulders = clip(right, fidget)
    assert_close(signing_span(wrists, shoulders, FPS), 26, 56)


@pytest.mark.parametrize("lost", [slice(0, 20), slice(30, 36), slice(70, 82)])
def test_missing_wrists_are_bridged(lost: slice) -> None:
    wrists, shoulders = clip(one_sign())
    wrists[lost] = np.nan
    assert_close(signing_span(wrists, shoulders, FPS), 26, 56, 6)


def test_a_hand_or_a_body_never_seen() -> None:
    wrists, shoulders = clip(one_sign())
    wrists[:, 0] = np.nan
    assert_close(signing_span(wrists, shoulders, FPS), 26, 56)
    assert signing_span(np.full_like(wrists, np.nan), shoulders, FPS) == (0, len(wrists))
    assert signing_span(wrists, np.full_like(shoulders, np.nan), FPS) == (0, len(wrists))


def test_jitter_of_an_estimator_moves_the_span_little() -> None:
    wrists, shoulders = clip(one_sign())
    for seed in range(10):
        rng = np.random.default_rng(seed)
        noisy = wrists + rng.normal(0, 3, wrists.shape)
        assert_close(signing_span(noisy, shoulders, FPS), 26, 56, 4)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(T, 2, 2\)"):
        signing_span(np.zeros((0, 2, 2)), np.zeros((0, 2, 2)), FPS)
    with pytest.raises(ValueError, match=r"\(5, 2\)"):
        signing_span(np.zeros((5, 2)), np.zeros((5, 2, 2)), FPS)


def test_spans_of_procedural_exemplars_are_found() -> None:
    """Against exact truth: most spans overlap it by more than .6, and none is empty."""
    from embeddings.synthetic import SignWorld
    from spotter.enrolment import exemplar_span

    world = SignWorld(71, 20)
    overlaps = []
    for i, sign in enumerate(world.signs):
        made = world.clip(sign, signer=i % 4, camera=i % 3)
        start, end = exemplar_span(made)
        truth = made.spans[0]
        inner = max(0, min(end, truth.end) - max(start, truth.start))
        overlaps.append(inner / (max(end, truth.end) - min(start, truth.start)))
        assert 0 <= start < end <= len(made)
    assert np.mean(overlaps) > 0.7
    assert np.mean(np.array(overlaps) > 0.5) > 0.8

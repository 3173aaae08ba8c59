"""One seed, one world: determinism, exact spans of continuous signing, samples for training."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from embeddings.clip import Clip
from embeddings.synthetic import CANONICAL, Camera, Noise, SignWorld, differences

WORLD = SignWorld(7, 40)


def same(first: Clip, second: Clip) -> bool:
    assert first.pose is not None
    assert second.pose is not None
    return first.pose.xy.shape == second.pose.xy.shape and bool(
        np.array_equal(first.pose.xy, second.pose.xy, equal_nan=True)
        and np.array_equal(first.pose.confidence, second.pose.confidence)
    )


def test_seed_repeats_a_world_bit_for_bit() -> None:
    other = SignWorld(7, 40)
    assert other.signs == WORLD.signs
    other.clip(5, 2, 2, Noise())  # what was made before does not matter
    assert same(other.clip(3, 1, 2, Noise()), WORLD.clip(3, 1, 2, Noise()))
    assert other.signer(9) == WORLD.signer(9)
    assert other.camera(9) == WORLD.camera(9)
    assert SignWorld(8, 40).signs != WORLD.signs


def test_a_bigger_world_begins_like_the_smaller() -> None:
    assert SignWorld(7, 45).signs[:40] == WORLD.signs


def test_signs_are_distinct_and_some_are_minimal_pairs() -> None:
    labels = [s.label for s in WORLD.signs]
    assert labels[7] == "sign-007"
    assert len(set(labels)) == 40
    counts = [len(differences(a, b)) for i, a in enumerate(WORLD.signs) for b in WORLD.signs[:i]]
    assert min(counts) >= 1
    assert counts.count(1) >= 3


def test_first_signer_and_camera_are_plain() -> None:
    assert WORLD.camera(0) == Camera()
    assert WORLD.signer(0).upper_arm == CANONICAL.upper_arm
    assert not WORLD.signer(0).left_handed
    assert len({WORLD.signer(i).tempo for i in range(20)}) == 20


def test_clip_says_what_it_is() -> None:
    clip = WORLD.clip("sign-011", signer=2, camera=3, skeleton="sl-gcn-27", fps=30)
    assert (clip.label, clip.signer, clip.fps) == ("sign-011", "signer-2", 30)
    assert clip.pose is not None
    assert clip.pose.skeleton == "sl-gcn-27"
    assert [s.label for s in clip.spans] == ["sign-011"]
    slow = WORLD.clip("sign-011", signer=2, camera=3, fps=60)
    assert len(slow) / 60 == pytest.approx(len(clip) / 30, rel=0.1)


def test_takes_differ() -> None:
    assert not same(WORLD.clip(0, 1, take=0), WORLD.clip(0, 1, take=1))


def test_continuous_spans_are_exact() -> None:
    labels = [f"sign-{i:03d}" for i in (3, 1, 4, 1, 5)]
    performance = WORLD.perform(labels, 2)
    assert [s.label for s in performance.spans] == labels
    ends = 0
    for span in performance.spans:
        assert ends < span.start < span.end
        ends = span.end
        assert (performance.truth.sign[span.start : span.end] == span.label).all()
        assert performance.truth.sign[span.start - 1] != span.label
        assert performance.truth.sign[span.end] != span.label


def test_continuous_clip_with_fillers_and_pauses() -> None:
    labels = [f"sign-{i:03d}" for i in range(12)]
    plain = WORLD.continuous(labels, 1, 2)
    filled = WORLD.continuous(labels, 1, 2, fillers=1.5, pauses=0.3, noise=Noise())
    assert [s.label for s in plain.spans] == labels
    assert [s.label for s in filled.spans] == labels
    assert len(filled) > 1.6 * len(plain)
    assert filled.spans[-1].end < len(filled)
    assert same(filled, WORLD.continuous(labels, 1, 2, fillers=1.5, pauses=0.3, noise=Noise()))


def test_running_signs_are_shorter_than_dictionary_signs() -> None:
    labels = [s.label for s in WORLD.signs]
    running = np.mean([s.end - s.start for s in WORLD.continuous(labels, 0).spans])
    alone = np.mean([WORLD.clip(s, 0).spans[0].end - WORLD.clip(s, 0).spans[0].start for s in labels])
    assert 0.3 < running / alone < 0.8


def test_samples_are_varied_and_repeat() -> None:
    first = list(islice(WORLD.samples(3, signs=WORLD.signs[:5]), 20))
    second = list(islice(WORLD.samples(3, signs=WORLD.signs[:5]), 20))
    assert all(same(a, b) and a.label == b.label for a, b in zip(first, second, strict=True))
    assert {c.label for c in first} <= {s.label for s in WORLD.signs[:5]}
    assert len({c.signer for c in first}) == 20
    assert any(c.pose is not None and np.isnan(c.pose.xy).any() for c in first)
    exact = next(WORLD.samples(3, severity=None))
    assert exact.pose is not None
    assert np.isfinite(exact.pose.xy).all()


def test_signers_repeat_themselves_more_than_others() -> None:
    """A signer's habits: two takes of one signer are nearer to each other than to another signer's."""
    nearer = 0
    for i in range(20):
        angles = [WORLD.perform(i, s, take=t).angles for s, t in ((5, 0), (5, 1), (6, 0))]
        shapes = [np.median(a[len(a) // 3 : -len(a) // 3, int(not WORLD.signer(s).left_handed)], axis=0)
                  for a, s in zip(angles, (5, 5, 6), strict=True)]  # fmt: skip
        nearer += np.linalg.norm(shapes[0] - shapes[1]) < np.linalg.norm(shapes[0] - shapes[2])
    assert nearer >= 13


def test_mistakes_are_named() -> None:
    with pytest.raises(KeyError, match="no sign 'hello' in this world"):
        WORLD.clip("hello")
    with pytest.raises(ValueError, match="a world of 0 signs"):
        SignWorld(1, 0)


def test_figure_is_that_of_the_performance() -> None:
    figure, spans, truth = WORLD.figure("sign-002", 3)
    performance = WORLD.perform("sign-002", 3)
    np.testing.assert_array_equal(figure.xyz, performance.figure.xyz)
    assert spans == performance.spans
    assert len(truth.sign) == len(figure)

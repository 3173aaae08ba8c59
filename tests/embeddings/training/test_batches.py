"""Batches follow from seed and number alone; P × K holds; a shuffled epoch sees every clip."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from embeddings.training.batches import PKSampler, ShuffleSampler


def test_a_batch_holds_k_clips_of_p_signs() -> None:
    labels = np.repeat(np.arange(9), 5).tolist()
    sampler = PKSampler(labels, classes=4, each=3, seed=1)
    for number in range(20):
        batch = sampler.batch(number)
        counts = Counter(labels[i] for i in batch)
        assert len(counts) == 4
        assert set(counts.values()) == {3}
        assert len(set(batch.tolist())) == 12  # five clips are enough for three different ones


def test_a_batch_is_the_same_whatever_came_before() -> None:
    labels = np.repeat(np.arange(6), 4).tolist()
    first, second = (PKSampler(labels, 3, 2, seed=7) for _ in range(2))
    in_order = [first.batch(n).tolist() for n in range(10)]
    assert second.batch(9).tolist() == in_order[9]
    assert second.batch(3).tolist() == in_order[3]
    assert len({tuple(b) for b in in_order}) > 5
    assert PKSampler(labels, 3, 2, seed=8).batch(0).tolist() != in_order[0]


def test_the_librarys_generator_is_left_as_it_was() -> None:
    np.random.seed(3)  # noqa: NPY002 (the library's own generator is the old one)
    wanted = np.random.rand()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    PKSampler([0, 0, 1, 1], 2, 2, seed=0).batch(5)
    assert np.random.rand() == wanted  # noqa: NPY002


def test_every_sign_comes_up() -> None:
    labels = np.repeat(np.arange(10), 3).tolist()
    sampler = PKSampler(labels, 5, 2, seed=0)
    seen = Counter(labels[i] for n in range(60) for i in sampler.batch(n))
    assert len(seen) == 10
    assert min(seen.values()) > 20  # 60 expected


def test_too_few_signs_are_named() -> None:
    with pytest.raises(ValueError, match="batches of 3 signs, but the data has 2"):
        PKSampler([0, 0, 1, 1], 3, 2, seed=0)


def test_an_epoch_holds_every_clip_once() -> None:
    sampler = ShuffleSampler(10, 5, seed=2)
    assert sampler.epoch == 2
    for epoch in range(3):
        clips = np.concatenate([sampler.batch(2 * epoch + k) for k in range(2)])
        assert sorted(clips.tolist()) == list(range(10))
    assert sampler.batch(0).tolist() != sampler.batch(2).tolist()
    odd = ShuffleSampler(7, 3, seed=2)
    assert odd.epoch == 3
    assert Counter(i for k in range(3) for i in odd.batch(k).tolist()).total() == 9

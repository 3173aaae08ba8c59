"""Batches follow from seed and number alone; P × K holds; a shuffled epoch sees every clip."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

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


def test_a_sign_with_too_few_clips_gives_some_twice() -> None:
    batch = PKSampler([0, 1, 1, 1], 2, 3, seed=0).batch(0)
    assert sorted(batch.tolist()) == [0, 0, 0, 1, 2, 3]


def test_half_of_the_signs_are_neighbours_of_the_others() -> None:
    """Class vectors on a circle: the two nearest signs are those beside."""
    signs = 40
    angles = torch.arange(signs) * (2 * torch.pi / signs)
    vectors = torch.stack([angles.cos(), angles.sin()], dim=1) * torch.linspace(1, 9, signs)[:, None]
    labels = (100 + np.repeat(np.arange(signs), 3)).tolist()  # the part's signs need not be the first classes
    table = torch.cat([torch.randn(100, 2), vectors])
    sampler = PKSampler(labels, 10, 2, seed=3, neighbours=2)
    more = 0
    for number in range(30):
        anchors = {labels[i] for i in sampler.batch(number)[::2][:5]}
        chosen = [labels[i] for i in sampler.batch(number, table)[::2]]
        assert chosen == sorted(set(chosen))
        assert anchors <= set(chosen)
        beside = {100 + (anchor - 100 + way) % signs for anchor in anchors for way in (-1, 1)}
        assert set(chosen) - anchors <= beside
        more += len(chosen) - 5
    assert more > 100  # of 150; a neighbour may be an anchor, or another's neighbour
    plain = PKSampler(labels, 10, 2, seed=3)
    assert plain.batch(4, table).tolist() == plain.batch(4).tolist()


def test_parts_of_a_mixture_draw_for_themselves() -> None:
    labels = np.repeat(np.arange(6), 4).tolist()
    batches = [[PKSampler(labels, 3, 2, 7, part=part).batch(n).tolist() for n in range(5)] for part in (0, 1)]
    assert batches[0] != batches[1]
    assert ShuffleSampler(50, 5, 2, 0).batch(1).tolist() != ShuffleSampler(50, 5, 2, 1).batch(1).tolist()


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

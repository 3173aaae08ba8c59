"""Which clips are trained on and which are for validation."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from eval.datasets import Sample, refuse_leaks
from eval.splits import Split, split_by_signer

from .items import Item
from .settings import DataPart
from .source_kinds import DataError

__all__ = ["split_items"]


def split_items(
    items: list[Item], data: DataPart, seed: int, validation_items: Sequence[Item] = (), further: Sequence[Item] = ()
) -> tuple[list[Item], list[Item], Split]:
    """Training and validation; a test split is never touched.

    The data's own splits where it has one for validation, else by signer (stratified by sign), else by source video or,
    where that is not known either, by clip, both with a warning. Leaks are refused as the recipe says.

    Args:
        validation_items: clips for validation from elsewhere; then all the others are for training.
        further: clips of a mixture, which are trained on too; they must not leak either.

    Raises:
        eval.splits.LeakError: a signer or a source video is on both sides.
        DataError: one side is empty.
    """
    items = [item for item in items if item.split != "test" and item.label not in data.exclude]
    validation_items = [item for item in validation_items if item.label not in data.exclude]
    if validation_items:
        items = [replace(i, split="train") for i in items] + [replace(i, split="validation") for i in validation_items]
    by_id = {item.id: item for item in items}
    if len(by_id) < len(items):
        raise DataError("two clips have the same id; expected each once")
    own = [item.id for item in items if item.split == "validation"]
    groups = {item.id: item.signer if item.signer else item.source for item in items}
    if data.validation == 0 and not validation_items:
        split = Split(tuple(sorted(by_id)), ())
    elif own:
        split = Split(tuple(sorted(set(by_id) - set(own))), tuple(sorted(own)))
    elif all(groups.values()) and len(set(groups.values())) > 1:
        if not all(item.signer for item in items):
            warnings.warn("signers are not known: the split is by source video", stacklevel=2)
        # with few signers, or few clips of each sign, one of them is more than the share asked for
        most = max(Counter(item.label for item in items).values())
        share = min(0.5, max(data.validation, 1 / len(set(groups.values())), 1 / most))
        split = split_by_signer({i.id: i.label for i in items}, groups, share, seed)
    else:
        warnings.warn("signers are not known: clips of one signer may be on both sides of the split", stacklevel=2)
        split = _by_clip(by_id, data.validation, seed)
    if not split.train or (data.validation and not split.validation):
        raise DataError(f"{len(split.train)} clips to train on and {len(split.validation)} for validation")
    sides = [[by_id[i] for i in side] for side in (split.train, split.validation)]
    samples = [
        [Sample(i.id, i.label, signer=i.signer, source=i.source) for i in side]
        for side in ([*sides[0], *further], sides[1])
    ]
    refuse_leaks(samples[0], samples[1], signers=data.leaks == "refuse", sources=data.leaks != "allow")
    return sides[0], sides[1], split


def _by_clip(items: Mapping[str, Item], share: float, seed: int) -> Split:
    """Of each sign's clips the share, at least one where it has two."""
    rng = np.random.default_rng([seed, 4])
    held: list[str] = []
    for label in sorted({item.label for item in items.values()}):
        own = sorted(i for i, item in items.items() if item.label == label)
        count = min(len(own) - 1, max(1, round(share * len(own))))
        held += [str(i) for i in rng.permutation(own)[:count]]
    return Split(tuple(sorted(set(items) - set(held))), tuple(sorted(held)), seed)

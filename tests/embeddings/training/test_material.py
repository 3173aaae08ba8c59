"""Several materials in one batch: rows one after another, windows without a sign as classes of their own, shares that
processes divide."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from embeddings.training.batches import Draw, PKSampler, ShuffleSampler
from embeddings.training.loop import Loop
from embeddings.training.losses import CrossEntropy, Objective
from embeddings.training.material import Mixture, samplers
from embeddings.training.networks import TrainingError
from embeddings.training.settings import MixturePart
from embeddings.training.train import train
from embeddings.training.validation import Figures

from .small_training import SMALL


class Letters:
    """Items whose input is their own number."""

    def __init__(self, labels: list[int], first: int) -> None:
        self.labels, self.first = labels, first

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, draw: Draw) -> dict[str, Tensor]:
        rows = torch.from_numpy(draw.items) + self.first
        label = torch.tensor([self.labels[k] for k in draw.items] + [-1] * draw.background)
        return {"x": torch.cat([rows, torch.full((draw.background,), -7)]), "label": label}

    def figures(self, network: object) -> Figures:
        return Figures()


def test_windows_without_a_sign_get_classes_of_their_own() -> None:
    mixture = Mixture([Letters([0, 1, 2], 0), Letters([3, 4], 50)], classes=5)
    batch = mixture[[Draw(0, 0, 0, np.array([2, 0]), 2), Draw(0, 0, 2, np.array([1]), 1)]]
    assert batch["x"].tolist() == [2, 0, -7, -7, 51, -7]
    assert batch["label"].tolist() == [2, 0, 5, 6, 4, 7]
    assert batch["sign"].tolist() == [True, True, False, False, True, False]


def test_each_part_has_its_share_and_processes_divide_it() -> None:
    parts = [Letters([0, 0, 1, 1, 2, 2, 3, 3], 0), Letters([4, 4, 5, 5], 50)]
    recipe = replace(
        SMALL, batch=replace(SMALL.batch, classes=3, each=2, accumulate=1),
        mixture={"more": MixturePart("x", classes=2, each=1, background=3)},
        loss={"cross_entropy": CrossEntropy()},
    )  # fmt: skip
    kinds = samplers(recipe, parts)
    assert [type(sampler) for sampler in kinds] == [PKSampler, PKSampler]
    objective = Objective(torch.nn.Linear(1, 1), recipe.loss, 6, 0)

    def draws(rank: int, world: int) -> list[Draw]:
        fabric = SimpleNamespace(global_rank=rank, world_size=world)
        loop = Loop(fabric, objective, parts, None, 6, recipe, Path(), "", {})  # type: ignore[arg-type]
        return next(loop.draws())

    whole, halves = draws(0, 1), [draws(rank, 2) for rank in (0, 1)]
    assert [len(draw.items) for draw in whole] == [6, 2]
    assert [(draw.slot, draw.background) for draw in whole] == [(0, 0), (6, 3)]
    for part in (0, 1):
        both = np.concatenate([half[part].items for half in halves])
        assert both.tolist() == whole[part].items.tolist()
        assert sum(half[part].background for half in halves) == whole[part].background
    assert [[draw.slot for draw in half] for half in halves] == [[0, 6], [3, 7]]
    with pytest.raises(TrainingError, match="a batch of 6 clips cannot be shared by 4 processes"):
        draws(0, 4)
    shuffled = samplers(replace(recipe, batch=replace(recipe.batch, sampler="shuffle")), parts)
    assert [type(sampler) for sampler in shuffled] == [ShuffleSampler, ShuffleSampler]
    with pytest.raises(ValueError, match="batches of 2 signs, but the data has 1"):
        samplers(recipe, [parts[0], Letters([4, 4], 0)])


def test_signs_of_one_name_are_one_class_wherever_they_come_from(tmp_path: Path) -> None:
    """The same signs by other signers, as windows: four classes, not eight; their clips must not leak."""
    more = MixturePart("procedural:5?signs=4&signers=7-8&only=2-3", classes=2, each=1)
    recipe = replace(SMALL, mixture={"more": more}, schedule=replace(SMALL.schedule, steps=2, validate=2))
    result = train(recipe, tmp_path)
    assert result.clips == (16 + 4, 4)
    from embeddings.encoders.checkpoint import load_checkpoint

    assert len(load_checkpoint(result.checkpoint).label_set) == 4
    leaking = replace(more, source="procedural:5?signs=4&signers=0-4&takes=2&only=2-3")
    with pytest.raises(ValueError, match="on both sides of the split"):
        train(replace(recipe, mixture={"more": leaking}), tmp_path / "leaking")


def test_a_figure_that_validation_lacks_is_refused(tmp_path: Path) -> None:
    """Other signs for validation, and classes watched: nothing would ever be better than the first weights."""
    other = replace(SMALL.data, validate_on="signing:6?signs=3&utterances=6&length=2")
    with pytest.raises(ValueError, match="validation gives no top1"):
        train(replace(SMALL, data=other), tmp_path)

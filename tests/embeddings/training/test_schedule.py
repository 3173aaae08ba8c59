"""Rates and momenta at each step; one cycle is torch's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from embeddings.training.schedule import make_optimiser, pace_at, set_pace
from embeddings.training.settings import Recipe

from .small_training import SMALL


def scheduled(**values: object) -> Recipe:
    return replace(SMALL, schedule=replace(SMALL.schedule, **values))  # type: ignore[arg-type]


def test_rates_follow_the_schedule() -> None:
    step = scheduled(kind="step", every=2, factor=0.1, warmup=0)
    rates = [pace_at(step, k, 10, 100).rate for k in (0, 19, 20, 40)]
    np.testing.assert_allclose(rates, [5e-3, 5e-3, 5e-4, 5e-5])
    cosine = scheduled(kind="cosine", warmup=4)
    rates = [pace_at(cosine, k, 10, 100).rate for k in (0, 1, 50)]
    np.testing.assert_allclose(rates, [1.25e-3, 5e-3 * 0.5 * 0.99975328, 2.5e-3], rtol=1e-3)
    floored = scheduled(kind="cosine", warmup=0, floor=0.01)
    np.testing.assert_allclose(pace_at(floored, 50, 10, 100).rate, 5e-3 * 0.51)
    milestones = scheduled(kind="milestones", milestones=(300, 400), factor=0.1, warmup=0)
    rates = [pace_at(milestones, k, 10, 500).rate for k in (0, 299, 300, 399, 400, 499)]
    np.testing.assert_allclose(rates, [5e-3, 5e-3, 5e-4, 5e-4, 5e-5, 5e-5])
    assert pace_at(scheduled(kind="constant", warmup=0), 7, 10, 100) == (5e-3, None)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
@pytest.mark.parametrize("total", [1, 2, 3, 10, 57])
def test_one_cycle_is_torchs(name: str, total: int) -> None:
    recipe = replace(scheduled(kind="one-cycle", warmup=0), optimiser=replace(SMALL.optimiser, name=name, rate=0.004))
    ours, theirs = (make_optimiser([torch.nn.Parameter(torch.zeros(1))], recipe) for _ in range(2))
    schedule = torch.optim.lr_scheduler.OneCycleLR(theirs, 0.004, total_steps=total)
    for step in range(total):
        set_pace(ours, pace_at(recipe, step, 5, total))
        for key in ("lr", "betas" if name == "adamw" else "momentum"):
            assert ours.param_groups[0][key] == pytest.approx(theirs.param_groups[0][key], rel=1e-12), (step, key)
        theirs.step()
        if step + 1 < total:
            schedule.step()

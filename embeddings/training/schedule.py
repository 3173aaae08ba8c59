"""The optimiser of a recipe, and its rate and momentum at each step: functions of the step alone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import nn

from .settings import Recipe

__all__ = ["Pace", "make_optimiser", "pace_at", "set_pace"]

PEAK = 0.3
"""Share of a one-cycle training in which the rate rises."""
START, END = 25.0, 1e4
"""The rate begins one cycle divided by the first, and ends it divided by both."""
CALM, FAST = 0.95, 0.85
"""Momentum at the ends of one cycle, and at its peak."""


class Pace(NamedTuple):
    """Learning rate, and momentum (Adam's first beta) where the schedule changes it, else None."""

    rate: float
    momentum: float | None = None


def make_optimiser(parameters: Iterable[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser over those of the parameters that are trained."""
    o = recipe.optimiser
    trained = [p for p in parameters if p.requires_grad]
    if o.name == "sgd":
        return torch.optim.SGD(trained, o.rate, o.momentum, weight_decay=o.weight_decay, nesterov=o.nesterov)
    kind = torch.optim.Adam if o.name == "adam" else torch.optim.AdamW
    return kind(trained, o.rate, o.betas, o.eps, o.weight_decay)


def pace_at(recipe: Recipe, step: int, epoch: int, total: int) -> Pace:
    """Rate and momentum of an optimiser step; `epoch` is the number of steps of one."""
    schedule, rate = recipe.schedule, recipe.optimiser.rate
    warm = min(1.0, (step + 1) / schedule.warmup) if schedule.warmup else 1.0
    if schedule.kind == "one-cycle":
        cycle = _one_cycle(rate, step, total)
        return Pace(cycle.rate * warm, cycle.momentum)
    share = 1.0
    if schedule.kind == "step":
        share = schedule.factor ** (step // epoch // schedule.every)
    elif schedule.kind == "milestones":
        share = schedule.factor ** sum(step >= milestone for milestone in schedule.milestones)
    elif schedule.kind == "cosine":
        share = 0.5 * (1 + math.cos(math.pi * (step / total))) + schedule.floor
    return Pace(rate * warm * share)


def _one_cycle(peak: float, step: int, total: int) -> Pace:
    top, last = PEAK * total - 1, total - 1
    if step <= top:
        share, rates, momenta = step / top if top else 1.0, (peak / START, peak), (CALM, FAST)
    else:
        share, rates, momenta = (step - top) / (last - top), (peak, peak / START / END), (FAST, CALM)
    bend = math.cos(math.pi * share) + 1
    rate, momentum = (after + (before - after) / 2 * bend for before, after in (rates, momenta))
    return Pace(rate, momentum)


def set_pace(optimiser: torch.optim.Optimizer, pace: Pace) -> None:
    """Gives rate and momentum to an optimiser."""
    for group in optimiser.param_groups:
        group["lr"] = pace.rate
        if pace.momentum is not None:
            if "betas" in group:
                group["betas"] = (pace.momentum, group["betas"][1])
            else:
                group["momentum"] = pace.momentum

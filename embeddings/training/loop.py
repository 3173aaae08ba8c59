"""The training loop: Lightning Fabric underneath, one optimiser step after another.

All that is drawn at random follows from (seed, step): which clips, their augmentation, dropout. So a training that was
killed goes on from its last state and ends with the same weights, bit for bit on one machine with one number of
threads (on a CPU; GPU kernels add in no fixed order).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ..encoders.base import Encoder, EncoderOutput
from ..encoders.checkpoint import save_checkpoint
from .batches import PKSampler, ShuffleSampler, numbers
from .log import TrainingLog, draw_losses
from .losses import TripletCrossEntropy
from .recipes import Recipe
from .state import Progress, read_state, restore, write_state
from .validation import Figures, better, validate
from .windows import Place, WindowSet, stack

__all__ = ["BEST", "STATE", "Loop", "TrainingError", "make_optimiser", "rate_at"]

BEST, STATE = "best.safetensors", "state.safetensors"
LOG_EVERY = 10
RUNAWAY = 1e6
"""A weight this large is none (comparisons with NaN are false, so those count too)."""
Tell = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and a line about the last validation."""


class TrainingError(ValueError):
    """A training that cannot go on or cannot begin."""


def make_optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser over the network's trainable parameters."""
    o = recipe.optimiser
    parameters = [p for p in network.parameters() if p.requires_grad]
    if o.name == "sgd":
        return torch.optim.SGD(parameters, o.rate, o.momentum, weight_decay=o.weight_decay, nesterov=o.nesterov)
    kind = torch.optim.Adam if o.name == "adam" else torch.optim.AdamW
    return kind(parameters, o.rate, o.betas, o.eps, o.weight_decay)


def rate_at(recipe: Recipe, step: int, epoch: int, total: int) -> float:
    """Learning rate of an optimiser step; `epoch` is the number of steps of one."""
    schedule, rate = recipe.schedule, recipe.optimiser.rate
    if schedule.kind == "step":
        rate *= schedule.factor ** (step // epoch // schedule.every)
    elif schedule.kind == "cosine":
        rate *= 0.5 * (1 + np.cos(np.pi * step / total))
    return float(rate * min(1.0, (step + 1) / schedule.warmup) if schedule.warmup else rate)


@dataclass
class Loop:
    """One training; `run` goes on from the folder's state where there is one.

    Attributes:
        facts: goes into the checkpoints.
        fingerprint: of recipe and data; a state with another one is refused.
        save_every: seconds between states; each validation saves one too.
        workers: processes that prepare batches; their number changes nothing but speed.
    """

    fabric: Fabric
    encoder: Encoder
    training: WindowSet
    validation: WindowSet | None
    recipe: Recipe
    folder: Path
    fingerprint: str
    facts: Mapping[str, Any]
    save_every: float = 30.0
    workers: int = 0
    tell: Tell | None = None

    def __post_init__(self) -> None:
        r, world = self.recipe, self.fabric.world_size
        if r.batch.clips() % world:
            raise TrainingError(f"a batch of {r.batch.clips()} clips cannot be shared by {world} processes")
        labels, seed = self.training.labels, r.run.seed
        self.sampler = (
            PKSampler(labels, r.batch.classes, r.batch.each, seed) if r.batch.sampler == "pk"
            else ShuffleSampler(len(labels), r.batch.size, seed)
        )  # fmt: skip
        self.epoch = r.schedule.epoch if r.schedule.epoch else max(1, -(-self.sampler.epoch // r.batch.accumulate))
        self.total = r.schedule.steps if r.schedule.steps else r.schedule.epochs * self.epoch
        self.loss = TripletCrossEntropy(r.loss)
        self.progress = Progress()
        self.figures = Figures()

    def run(self) -> Progress:
        """Trains to the end; returns where it ended. The best network is in `BEST`."""
        optimiser = make_optimiser(self.encoder, self.recipe)
        model, optimiser = self.fabric.setup(self.encoder, optimiser)
        self._resume(optimiser)
        begun = time.perf_counter()
        if not self.fabric.is_global_zero:
            self._steps(model, optimiser, None, begun)
            return self.progress
        with TrainingLog(self.folder, self.progress.step) as log:
            self._steps(model, optimiser, log, begun - log.seconds)
        draw_losses(self.folder / "log.csv", self.folder / "loss.png", f"{self.recipe.name}: {self.recipe.encoder}")
        return self.progress

    def _resume(self, optimiser: Any) -> None:
        path = self.folder / STATE
        if not path.exists():
            return
        state = read_state(path, self.fingerprint)
        restore(state, self.encoder, optimiser.optimizer if hasattr(optimiser, "optimizer") else optimiser)
        self.progress = state.progress
        if state.scaler:
            self.fabric.strategy.precision.load_state_dict(state.scaler)

    def _steps(self, model: Any, optimiser: Any, log: TrainingLog | None, begun: float) -> None:
        done, saved = self.progress, time.perf_counter()
        schedule = self.recipe.schedule
        every = schedule.validate if schedule.validate else self.epoch
        batches = self._batches()
        model.train()
        while done.step < self.total and not done.stopped:
            values = self._step(model, optimiser, batches)
            done.step += 1
            if log is not None and (done.step % LOG_EVERY == 0 or done.step == 1):
                log.add({"step": done.step, **values, "seconds": time.perf_counter() - begun})
            last = done.step == self.total
            if done.step % every == 0 or last:
                self._validate(log, begun)
            if self.tell is not None:
                self.tell(done.step, self.total, _line(self.figures))
            if done.step % every == 0 or last or time.perf_counter() - saved >= self.save_every:
                self._save(optimiser)
                saved = time.perf_counter()

    def _batches(self) -> Iterator[dict[str, Tensor]]:
        loader = DataLoader(
            self.training, batch_sampler=_Places(self), collate_fn=stack, num_workers=self.workers,  # type: ignore[arg-type]
            persistent_workers=False,
        )  # fmt: skip
        return iter(loader)

    def _step(self, model: Any, optimiser: Any, batches: Iterator[dict[str, Tensor]]) -> dict[str, float]:
        """One optimiser step over `accumulate` batches; the mean of its terms."""
        r, step = self.recipe, self.progress.step
        rate = rate_at(r, step, self.epoch, self.total)
        for group in optimiser.param_groups:
            group["lr"] = rate
        rng = numbers(r.run.seed, 5, step, self.fabric.global_rank)
        torch.manual_seed(int(rng.integers(2**62)))  # dropout and DropGraph
        sums: dict[str, float] = {}
        for turn in range(r.batch.accumulate):
            batch = {name: v.to(self.fabric.device) for name, v in next(batches).items()}
            labels = batch.pop("label")
            with self.fabric.no_backward_sync(model, enabled=turn < r.batch.accumulate - 1):
                terms = self._terms(model, batch, labels, step)
                self.fabric.backward(terms["loss"] / r.batch.accumulate)
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach()) / r.batch.accumulate
        if r.optimiser.clip:
            norm = self.fabric.clip_gradients(model, optimiser, max_norm=r.optimiser.clip, error_if_nonfinite=False)
            sums["gradient"] = float(norm) if norm is not None else float("nan")
        optimiser.step()
        optimiser.zero_grad()
        return {"epoch": step // self.epoch, "rate": rate, **sums}

    def _terms(self, model: Any, batch: dict[str, Tensor], labels: Tensor, step: int) -> dict[str, Tensor]:
        """The loss and its terms; a training that has run away is stopped before it overwrites its state."""
        try:
            terms = self.loss(self._compared(model(batch), step), labels)
            wrong = None if torch.isfinite(terms["loss"]) else f"the loss is {float(terms['loss'])}"
        except RuntimeError:
            if all(float(p.detach().abs().amax()) < RUNAWAY for p in self.encoder.parameters()):
                raise
            wrong = "the loss is nan"  # such weights break a network in many ways
        if wrong:
            raise TrainingError(
                f"{wrong} at step {step}; lower optimiser.rate, clip gradients (optimiser.clip), "
                "or train in 32 bits (run.precision)"
            )
        return terms

    def _compared(self, output: EncoderOutput, step: int) -> EncoderOutput:
        """The output with as many of its parts as the recipe's triplets compare, drawn per step."""
        count, parts = self.recipe.loss.parts, output.parts.shape[1]
        if not count or count >= parts:
            return output
        chosen = numbers(self.recipe.run.seed, 6, step).choice(parts, count, replace=False)
        return output._replace(parts=output.parts[:, torch.from_numpy(np.sort(chosen)).to(output.parts.device)])

    def _validate(self, log: TrainingLog | None, begun: float) -> None:
        done = self.progress
        if self.validation is None:
            if self.fabric.is_global_zero and done.step == self.total:
                self._keep()
            return
        if self.fabric.is_global_zero:
            self.figures = validate(self.encoder, self.validation)
        self.figures = self.fabric.broadcast(self.figures)
        value = self.figures.value(self.recipe.schedule.watch)
        if better(value, done.best) or not done.best_step:
            done.best, done.best_step, done.stale = value, done.step, 0
            if self.fabric.is_global_zero:
                self._keep()
        else:
            done.stale += 1
            done.stopped = 0 < self.recipe.schedule.patience <= done.stale
        if log is not None:
            f = self.figures
            log.add({"step": done.step, "validation_loss": f.loss, "top1": f.top1, "one_shot": f.one_shot,
                     "seconds": time.perf_counter() - begun})  # fmt: skip

    def _keep(self) -> None:
        known = {k: v for k, v in self.figures.as_dict().items() if v == v}
        save_checkpoint(self.folder / BEST, self.encoder, {**self.facts, "step": self.progress.step, **known})

    def _save(self, optimiser: Any) -> None:
        if self.fabric.is_global_zero:
            plain = optimiser.optimizer if hasattr(optimiser, "optimizer") else optimiser
            scaler = self.fabric.strategy.precision.state_dict()
            write_state(self.folder / STATE, self.encoder, plain, self.progress, self.fingerprint, scaler)
        self.fabric.barrier()


class _Places:
    """The batches from the loop's present step on, this process's share of each, for a DataLoader."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop

    def __iter__(self) -> Iterator[list[Place]]:
        loop = self.loop
        turns, seed = loop.recipe.batch.accumulate, loop.recipe.run.seed
        rank, world = loop.fabric.global_rank, loop.fabric.world_size
        for number in range(loop.progress.step * turns, loop.total * turns):
            items = loop.sampler.batch(number)
            share = range(rank * len(items) // world, (rank + 1) * len(items) // world)
            yield [Place(seed, number, slot, int(items[slot])) for slot in share]


def _line(figures: Figures) -> str:
    shown = {"loss": figures.loss, "top-1": figures.top1, "one-shot": figures.one_shot}
    return "  ".join(f"{name} {value:.3f}" for name, value in shown.items() if value == value)

"""The training loop of every network: Lightning Fabric underneath, one optimiser step after another.

All that is drawn at random follows from (seed, step): which items, their augmentation, dropout. So a training that was
killed goes on from its last state and ends with the same weights, bit for bit on one machine with one number of
threads (on a CPU; GPU kernels add in no fixed order).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ..extras import extra
from .batches import Draw, numbers
from .log import TrainingLog, draw_losses
from .losses import Objective
from .material import Material, Mixture, samplers
from .networks import TrainingError, save_network
from .schedule import make_optimiser, pace_at, set_pace
from .settings import Recipe
from .state import Progress, read_state, restore, write_state
from .validation import Figures, better

with extra("train", "training"):
    from lightning.fabric import Fabric

__all__ = ["BEST", "STATE", "Loop", "OnStep"]

BEST, STATE = "best.safetensors", "state.safetensors"
LOG_EVERY = 10
RUNAWAY = 1e6
"""A weight this large is none (comparisons with NaN are false, so those count too)."""
OnStep = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and a line about the last validation."""


@dataclass
class Loop:
    """One training; `run` goes on from the folder's state where there is one.

    Attributes:
        objective: the network and its losses.
        parts: the recipe's own material, then those of its mixture.
        validation: material for validation; None keeps the last weights.
        facts: goes into the checkpoints.
        fingerprint: of recipe and data; a state with another one is refused.
        save_every: seconds between states; each validation saves one too.
        workers: processes that prepare batches; their number changes nothing but speed.
    """

    fabric: Fabric
    objective: Objective
    parts: Sequence[Material]
    validation: Material | None
    classes: int
    recipe: Recipe
    folder: Path
    fingerprint: str
    facts: Mapping[str, Any]
    save_every: float = 30.0
    workers: int = 0
    on_step: OnStep | None = None

    def __post_init__(self) -> None:
        batch, schedule, world = self.recipe.batch, self.recipe.schedule, self.fabric.world_size
        if batch.clips() % world:
            raise TrainingError(f"a batch of {batch.clips()} clips cannot be shared by {world} processes")
        self.samplers = samplers(self.recipe, self.parts)
        self.epoch = schedule.epoch if schedule.epoch else max(1, -(-self.samplers[0].epoch // batch.accumulate))
        self.total = schedule.steps if schedule.steps else schedule.epochs * self.epoch
        self.network: Any = self.objective.network
        self.progress, self.figures = Progress(), Figures()
        self._vectors: Tensor | None = None

    def run(self) -> Progress:
        """Trains to the end; returns where it ended. The network to use is in `BEST`."""
        optimiser = make_optimiser(self.objective.parameters(), self.recipe)
        model, optimiser = self.fabric.setup(self.objective, optimiser)
        self._resume(optimiser)
        start_time = time.perf_counter()
        if not self.fabric.is_global_zero:
            self._steps(model, optimiser, None, start_time)
            return self.progress
        with TrainingLog(self.folder, self.progress.step, tuple(self.objective.terms)) as log:
            self._steps(model, optimiser, log, start_time - log.seconds)
        draw_losses(self.folder / "log.csv", self.folder / "loss.png", f"{self.recipe.name}: {self.recipe.network}")
        return self.progress

    def _resume(self, optimiser: Any) -> None:
        path = self.folder / STATE
        if not path.exists():
            return
        state = read_state(path, self.fingerprint)
        restore(state, self.objective, _plain(optimiser))
        self.progress = state.progress
        vectors = state.part("further").get("class_vectors")
        self._vectors = None if vectors is None else vectors.to(self.fabric.device)
        if state.scaler:
            self.fabric.strategy.precision.load_state_dict(state.scaler)

    def _steps(self, model: Any, optimiser: Any, log: TrainingLog | None, start_time: float) -> None:
        progress, last_save = self.progress, time.perf_counter()
        schedule = self.recipe.schedule
        every = schedule.validate if schedule.validate else self.epoch
        batches = self._batches()
        model.train()
        while progress.step < self.total and not progress.stopped:
            values = self._step(model, optimiser, batches)
            progress.step += 1
            if log is not None and (progress.step % LOG_EVERY == 0 or progress.step == 1):
                log.add({"step": progress.step, **values, "seconds": time.perf_counter() - start_time})
            last = progress.step == self.total
            validated = last or (progress.step % every == 0 and self.validation is not None)
            if validated:
                self._validate(log, start_time)
            if self.on_step is not None:
                self.on_step(progress.step, self.total, _line(self.figures))
            if validated or time.perf_counter() - last_save >= self.save_every:
                self._save(optimiser)
                last_save = time.perf_counter()

    def _batches(self) -> Iterator[dict[str, Tensor]]:
        """The batches from the present step on. Each pass of the loader ends where the samplers need the classifier as
        it is then, so that the number of workers changes nothing."""
        loader = DataLoader(
            Mixture(self.parts, self.classes), batch_size=None, sampler=_Draws(self), num_workers=self.workers,  # type: ignore[arg-type]
            collate_fn=_as_it_is, persistent_workers=self.workers > 0,
            generator=torch.Generator(),  # each pass draws from it, and must not draw from the one that dropout uses
        )  # fmt: skip
        while self.progress.step < self.total:
            yield from loader

    def draws(self) -> Iterator[list[Draw]]:
        """What the batches hold until the samplers need the classifier anew: for each batch, this process's share of
        each part."""
        batch, step = self.recipe.batch, self.progress.step
        first = math.ceil(batch.neighbours_from * self.total) if batch.neighbours else self.total
        if step < first:
            until = first
        else:
            since = (step - first) % batch.refresh
            until = step + batch.refresh - since
            if since == 0 or self._vectors is None:
                vectors = self.objective.class_vectors()
                self._vectors = vectors.clone() if vectors is not None and batch.refresh > 1 else vectors
        vectors = self._vectors if step >= first else None
        for number in range(step * batch.accumulate, min(until, self.total) * batch.accumulate):
            yield self._draw(number, vectors)

    def _draw(self, number: int, vectors: Tensor | None) -> list[Draw]:
        rank, world, slot, draws = self.fabric.global_rank, self.fabric.world_size, 0, []
        for sampler, share in zip(self.samplers, self.recipe.shares(), strict=True):
            items = sampler.batch(number, vectors)
            own_share = slice(rank * len(items) // world, (rank + 1) * len(items) // world)
            between = (rank + 1) * share.background // world - rank * share.background // world
            draws.append(Draw(self.recipe.run.seed, number, slot + own_share.start, items[own_share], between))
            slot += len(items)
        return draws

    def _step(self, model: Any, optimiser: Any, batches: Iterator[dict[str, Tensor]]) -> dict[str, float]:
        """One optimiser step over `accumulate` batches; the mean of its terms."""
        r, step = self.recipe, self.progress.step
        pace = pace_at(r, step, self.epoch, self.total)
        set_pace(optimiser, pace)
        rng = numbers(r.run.seed, 5, step, self.fabric.global_rank)
        torch.manual_seed(int(rng.integers(2**62)))  # dropout and DropGraph
        sums: dict[str, float] = {}
        for turn in range(r.batch.accumulate):
            batch = {name: value.to(self.fabric.device) for name, value in next(batches).items()}
            with self.fabric.no_backward_sync(model, enabled=turn < r.batch.accumulate - 1):
                terms = self._terms(model, batch, step)
                self.fabric.backward(terms["loss"] / r.batch.accumulate)
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach()) / r.batch.accumulate
        if r.optimiser.clip:
            norm = self.fabric.clip_gradients(model, optimiser, max_norm=r.optimiser.clip, error_if_nonfinite=False)
            sums["gradient"] = float(norm) if norm is not None else float("nan")
        optimiser.step()
        optimiser.zero_grad()
        return {"epoch": step // self.epoch, "rate": pace.rate, **sums}

    def _terms(self, model: Any, batch: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        """The loss and its terms; a training that has run away is stopped before it overwrites its state."""
        try:
            terms: dict[str, Tensor] = model(batch, step)
            problem = None if torch.isfinite(terms["loss"]) else f"the loss is {float(terms['loss'])}"
        except RuntimeError:
            if all(float(p.detach().abs().amax()) < RUNAWAY for p in self.objective.parameters()):
                raise
            problem = "the loss is nan"  # such weights break a network in many ways
        if problem:
            raise TrainingError(
                f"{problem} at step {step}; lower optimiser.rate, clip gradients (optimiser.clip), "
                "or train in 32 bits (run.precision)"
            )
        return terms

    def _validate(self, log: TrainingLog | None, start_time: float) -> None:
        progress, watch = self.progress, self.recipe.schedule.watch
        if self.validation is not None:
            if self.fabric.is_global_zero:
                self.figures = self.validation.figures(self.network)
            self.figures = self.fabric.broadcast(self.figures)
        if self.validation is None or watch == "last":
            progress.best_step = progress.step
            if self.fabric.is_global_zero:
                self._keep()
        else:
            value = self.figures.value(watch)
            if math.isnan(value):
                raise TrainingError(
                    f"validation gives no {watch}: it shows other signs than training, or no sign twice by different "
                    "signers; set schedule.watch to another figure or to last"
                )
            if better(value, progress.best) or not progress.best_step:
                progress.best, progress.best_step, progress.stale = value, progress.step, 0
                if self.fabric.is_global_zero:
                    self._keep()
            else:
                progress.stale += 1
                progress.stopped = 0 < self.recipe.schedule.patience <= progress.stale
        if log is not None and self.validation is not None:
            f = self.figures
            log.add({"step": progress.step, "validation_loss": f.loss, "top1": f.top1, "one_shot": f.one_shot,
                     "seconds": time.perf_counter() - start_time})  # fmt: skip

    def _keep(self) -> None:
        figures = {k: v for k, v in self.figures.as_dict().items() if v == v}
        facts = {**self.facts, "step": self.progress.step, **figures}
        save_network(self.network, self.folder / BEST, facts, self.recipe.run.half)

    def _save(self, optimiser: Any) -> None:
        if self.fabric.is_global_zero:
            vectors = self._vectors if self.recipe.batch.refresh > 1 else None
            further = {} if vectors is None else {"class_vectors": vectors}
            write_state(self.folder / STATE, self.objective, _plain(optimiser), self.progress, self.fingerprint,
                        self.fabric.strategy.precision.state_dict(), further)  # fmt: skip
        self.fabric.barrier()


class _Draws:
    """`Loop.draws` for a DataLoader, which asks for them once a pass."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop

    def __iter__(self) -> Iterator[list[Draw]]:
        return self.loop.draws()


def _as_it_is(batch: Any) -> Any:
    return batch


def _plain(optimiser: Any) -> Any:
    """The optimiser inside Fabric's."""
    return optimiser.optimizer if hasattr(optimiser, "optimizer") else optimiser


def _line(figures: Figures) -> str:
    shown = {"loss": figures.loss, "top-1": figures.top1, "one-shot": figures.one_shot}
    return "  ".join(f"{name} {value:.3f}" for name, value in shown.items() if value == value)

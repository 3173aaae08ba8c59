"""Training: it learns, it survives kill −9 bit for bit, it keeps the best by validation, it refuses what is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from embeddings.encoders.backbones import PretrainedError
from embeddings.encoders.checkpoint import load_checkpoint, read_header
from embeddings.training.log import columns, read_log
from embeddings.training.losses import CrossEntropy, Loss, PartTriplet
from embeddings.training.settings import Recipe
from embeddings.training.sources import DataError
from embeddings.training.state import StateError
from embeddings.training.train import TrainingError, train
from eval.splits import read_split

from ...conftest import REPOSITORY
from .small_training import DATA, SMALL

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    train(SMALL, folder)
    return folder


def changed(table: str, **values: object) -> Recipe:
    return replace(SMALL, **{table: replace(getattr(SMALL, table), **values)})  # type: ignore[arg-type]


def tensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(str(path))


def test_killed_while_writing_its_state_it_ends_with_the_same_weights(whole: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.embeddings.training.small_training", str(tmp_path), "7"]
    killed = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=240)
    assert killed.returncode == -signal.SIGKILL
    assert list(tmp_path.glob(".state.*.partial.safetensors"))
    steps: list[int] = []
    train(SMALL, tmp_path, on_step=lambda step, *_: steps.append(step))
    assert steps == list(range(7, 13))  # the state of step 6 is the last whole one
    assert not list(tmp_path.glob(".*.partial*"))
    for name in ("state.safetensors", "best.safetensors"):
        wanted, found = tensors(whole / name), tensors(tmp_path / name)
        assert wanted.keys() == found.keys()
        for key, value in wanted.items():
            assert torch.equal(value, found[key]), key
    assert read_header(whole / "best.safetensors") == read_header(tmp_path / "best.safetensors")
    rows = [[{k: v for k, v in row.items() if k != "seconds"} for row in read_log(f / "log.csv")]
            for f in (whole, tmp_path)]  # fmt: skip
    assert rows[0] == rows[1]


def test_what_a_training_leaves(whole: Path) -> None:
    assert {p.name for p in whole.iterdir()} == {
        "best.safetensors", "best.md", "state.safetensors", "log.csv", "loss.png", "tensorboard", "split.json",
        "recipe.json",
    }  # fmt: skip
    assert (whole / "log.csv").read_text().splitlines()[0].split(",") == list(
        columns(("part_triplet", "cross_entropy"))
    )
    assert any((whole / "tensorboard").iterdir())
    card = (whole / "best.md").read_text(encoding="utf-8")
    assert "names 4 signs: sign-000, sign-001, sign-002, sign-003" in card
    assert "spotter classify clips/ -m best.safetensors" in card
    split = read_split(whole / "split.json")
    signers = [{i.split("~")[1] for i in side} for side in (split.train, split.validation)]
    assert not signers[0] & signers[1]
    encoder = load_checkpoint(whole / "best.safetensors")
    assert encoder.label_set == ("sign-000", "sign-001", "sign-002", "sign-003")
    import json

    facts = json.loads(read_header(whole / "best.safetensors")["training"])
    assert facts["data"] == DATA
    assert facts["split"] == split.hash
    best = max((r for r in read_log(whole / "log.csv") if "top1" in r), key=lambda r: r["top1"])
    assert facts["step"] == best["step"]  # the first of the best, as max gives it
    assert facts["top1"] == pytest.approx(best["top1"])


def test_the_best_weights_give_the_logged_figure(whole: Path) -> None:
    """A second pass over the validation clips by the checkpoint alone."""
    from embeddings.training.items import Sampling
    from embeddings.training.settings import Augmentation
    from embeddings.training.sources import open_source
    from embeddings.training.windows import WindowSet

    encoder = load_checkpoint(whole / "best.safetensors")
    held = set(read_split(whole / "split.json").validation)
    items = [item for item in open_source(DATA, encoder.required_inputs) if item.id in held]
    classes = {label: i for i, label in enumerate(encoder.label_set)}
    figures = WindowSet(items, encoder, Sampling.of(SMALL.data), Augmentation(), classes).figures(encoder)
    best = max((r for r in read_log(whole / "log.csv") if "top1" in r), key=lambda r: r["top1"])
    assert figures.top1 == pytest.approx(best["top1"])
    assert figures.loss == pytest.approx(best["validation_loss"], abs=1e-4)


def test_another_seed_gives_other_weights_and_a_state_of_another_recipe_is_refused(whole: Path, tmp_path: Path) -> None:
    train(changed("run", seed=4), tmp_path)
    first, second = (tensors(folder / "best.safetensors") for folder in (whole, tmp_path))
    assert not torch.equal(first["part_layers.0.weight"], second["part_layers.0.weight"])
    with pytest.raises(StateError, match="another recipe or other data"):
        train(SMALL, tmp_path)
    (tmp_path / "state.safetensors").write_bytes(b"\x00" * 40)
    with pytest.raises(StateError, match="not a readable training state"):
        train(SMALL, tmp_path)


def test_it_learns_four_signs(tmp_path: Path) -> None:
    recipe = replace(changed("schedule", steps=30, validate=30), augmentation=replace(SMALL.augmentation, kind="none"))
    train(recipe, tmp_path)
    rows = [row for row in read_log(tmp_path / "log.csv") if "loss" in row]
    assert rows[-1]["cross_entropy"] < 0.6 * rows[0]["cross_entropy"]


@pytest.mark.parametrize(
    "terms",
    [
        {"part_triplet": PartTriplet(weight=0.0), "cross_entropy": CrossEntropy()},
        {"part_triplet": PartTriplet()},
    ],
)
def test_either_loss_alone(terms: dict[str, Loss], tmp_path: Path) -> None:
    recipe = replace(SMALL, loss=terms, data=replace(SMALL.data, validation=0.4))  # one-shot accuracy takes two signers
    recipe = replace(recipe, schedule=replace(recipe.schedule, steps=2, validate=2, watch="one-shot"))
    train(recipe, tmp_path)
    logged = {key for row in read_log(tmp_path / "log.csv") for key in row}
    classifies = "cross_entropy" in terms
    assert ("part_triplet" in logged) != classifies
    assert ("cross_entropy" in logged) == classifies
    assert bool(load_checkpoint(tmp_path / "best.safetensors").label_set) == classifies


def test_early_stopping_keeps_the_best(tmp_path: Path) -> None:
    recipe = changed("schedule", kind="constant", steps=40, validate=1, patience=3, watch="top1")
    recipe = replace(recipe, optimiser=replace(recipe.optimiser, rate=0.0))
    result = train(recipe, tmp_path)  # but for the normalisation's statistics nothing changes: an early one is the best
    assert result.progress.stopped
    assert result.progress.step == result.progress.best_step + 3 < 20
    again = train(recipe, tmp_path)
    assert again.progress.step == result.progress.step  # a finished training stays finished


def test_accumulated_batches_are_one_larger_batch(tmp_path: Path) -> None:
    """Without batch norm, dropout and augmentation, 2 × 4 clips make the same step as 8."""
    base = replace(
        SMALL, network="pose-transformer", config={"width": 8, "layers": 1, "inner": 8, "dropout": 0.0,
                                                   "input_dropout": 0.0, "window": 8, "steps": 8},
        augmentation=replace(SMALL.augmentation, kind="none"),
        data=replace(SMALL.data, jitter=0.0, warp=0.0), loss={"cross_entropy": CrossEntropy()},
        optimiser=replace(SMALL.optimiser, name="sgd", clip=0.0), schedule=replace(SMALL.schedule, steps=1, epochs=0),
    )  # fmt: skip
    shuffled = replace(base.batch, sampler="shuffle")
    train(replace(base, batch=replace(shuffled, size=4, accumulate=4)), tmp_path / "a")
    train(replace(base, batch=replace(shuffled, size=16, accumulate=1)), tmp_path / "b")
    a, b = tensors(tmp_path / "a" / "state.safetensors"), tensors(tmp_path / "b" / "state.safetensors")
    for key, value in a.items():
        if key.startswith("model."):
            torch.testing.assert_close(value, b[key], atol=1e-6, rtol=1e-4)


def test_weights_of_another_training_are_taken_over(whole: Path, tmp_path: Path) -> None:
    recipe = changed("optimiser", rate=0.0)
    recipe = replace(recipe, schedule=replace(recipe.schedule, steps=1, validate=1))
    train(recipe, tmp_path, init=str(whole / "best.safetensors"))
    start, there = tensors(whole / "best.safetensors"), tensors(tmp_path / "best.safetensors")
    assert all(torch.equal(v, there[k]) for k, v in start.items() if "running" not in k and "num_batches" not in k)


def test_mistakes_are_named(tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError, match="no data of its own"):
        train("vtn-autsl", tmp_path)
    with pytest.raises(TrainingError, match="expected random, imagenet, a shipped encoder"):
        train(SMALL, tmp_path, init="nowhere")
    with pytest.raises(TrainingError, match="looks at no pictures"):
        train(SMALL, tmp_path, init="imagenet")
    with pytest.raises(TrainingError, match="has no config wings"):
        train(replace(SMALL, config={"wings": 2}), tmp_path)
    with pytest.raises(TrainingError, match="holds a sl-gcn, but the recipe trains spoter"):
        train(
            replace(SMALL, network="spoter", config={}, loss={"cross_entropy": CrossEntropy()}),
            tmp_path,
            init=str(whole / "best.safetensors"),
        )
    with pytest.raises(ValueError, match="batches of 4 signs, but the data has 2"):
        train(SMALL, tmp_path, data="procedural:5?signs=2&signers=0-4")
    with pytest.raises(DataError, match="the same id"):
        train(SMALL, tmp_path, data="procedural:5?signs=4&signers=0-3&validation=procedural:5%3Fsigns=4%26signers=3-4")

    def no_network(*_: object) -> None:
        raise PretrainedError("could not be fetched; --init random")

    from embeddings.encoders.handshape import Handshape

    monkeypatch.setattr(Handshape, "initialise", no_network)
    import cv2

    for label in ("fist", "flat"):
        for k in range(3):
            (tmp_path / "hands" / label / f"s{k}").mkdir(parents=True)
            cv2.imwrite(str(tmp_path / "hands" / label / f"s{k}" / "x.png"), np.full((9, 9, 3), 90, np.uint8))
    with pytest.raises(TrainingError, match="--init random"):
        train("handshape-uwb", tmp_path, data=f"images:{tmp_path / 'hands'}")


def test_a_diverged_training_says_so_and_leaves_no_state(tmp_path: Path) -> None:
    recipe = replace(SMALL, optimiser=replace(SMALL.optimiser, name="sgd", rate=1e30, clip=0.0))
    recipe = replace(recipe, schedule=replace(recipe.schedule, warmup=0))
    with pytest.raises(TrainingError, match="the loss is"):
        train(recipe, tmp_path)
    assert not (tmp_path / "state.safetensors").exists()

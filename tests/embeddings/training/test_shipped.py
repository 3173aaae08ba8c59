"""The recipe of the default encoder does what made the weights that ship, step by step; and its batches, which depend
on what the classifier has learned, are the same after a stop and with any number of processes."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from pytorch_metric_learning.losses import SupConLoss
from torch import Tensor, nn

from embeddings.encoders.sign_tcn import SignTCN, SignTCNConfig
from embeddings.training.batches import Draw, PKSampler, numbers
from embeddings.training.recipes import read_recipe
from embeddings.training.settings import Recipe
from embeddings.training.sources import open_source
from embeddings.training.stretches import StretchSet
from embeddings.training.train import train

STEPS, SIGNS, PER_BATCH, BACKGROUND, SEED = 6, 12, 6, 4, 100


pytestmark = pytest.mark.usefixtures("one_thread")


def small(*changes: str) -> Recipe:
    return read_recipe("sign-tcn-default", [
        f"data.source=signing:5?signs={SIGNS}&utterances=40&length=3", f"schedule.steps={STEPS}",
        "data.validate_on=signing:6?signs=4&utterances=12&length=3", "config.hand_width=16", "config.width=24",
        "config.dim=16", f"batch.classes={PER_BATCH}", "batch.each=2", f"batch.background={BACKGROUND}",
        "schedule.warmup=2", *changes,
    ])  # fmt: skip


def network_weights(folder: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    state = load_file(str(folder / "state.safetensors"))
    return {key: value for key, value in state.items() if key.startswith("model.")}


def test_the_recipe_is_the_published_description_of_the_default(tmp_path: Path) -> None:
    """A plain loop: supervised contrast over signs and what lies between them, half of the cross-entropy over scaled
    cosines with class vectors, AdamW, a warm cosine, gradient clipping; after a quarter of the steps half of the signs
    are neighbours. In 32 bits, so that the order of additions does not matter."""
    recipe = small("run.precision=32")
    train(recipe, tmp_path)
    torch.manual_seed(SEED)
    encoder = SignTCN(SignTCNConfig(hand_width=16, width=24, dim=16))
    vectors = nn.Linear(16, SIGNS, bias=False)
    items = sorted(open_source(recipe.data.source, ("pose",)), key=lambda item: item.id)
    classes = {f"5/sign-{k:03d}": k for k in range(SIGNS)}
    data = StretchSet.of(items, encoder, recipe, classes)
    parameters = [*encoder.parameters(), *vectors.parameters()]
    optimiser = torch.optim.AdamW(parameters, weight_decay=0.02)
    sampler = PKSampler(data.labels.tolist(), PER_BATCH, 2, SEED, neighbours=6)
    encoder.train()
    for step in range(STEPS):
        for group in optimiser.param_groups:
            warm = min(1.0, (step + 1) / 2)
            group["lr"] = 2e-3 * warm * (0.5 * (1 + math.cos(math.pi * (step / STEPS))) + 0.01)
        chosen = sampler.batch(step, vectors.weight.detach() if step >= 0.25 * STEPS else None)
        batch = data.batch(Draw(SEED, step, 0, chosen, BACKGROUND))
        labels, sign = batch["label"], batch["label"] >= 0
        labels[~sign] = SIGNS + torch.arange(BACKGROUND)
        torch.manual_seed(int(numbers(SEED, 5, step, 0).integers(2**62)))
        out = encoder.within({"pose": batch["pose"]}, batch["positions"]).embedding
        cosines = out[sign] @ F.normalize(vectors.weight, dim=1).T
        loss = 0.5 * F.cross_entropy(20 * cosines, labels[sign]) + SupConLoss(0.07)(out, labels)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
    trained = network_weights(tmp_path)
    for key, value in encoder.state_dict().items():
        torch.testing.assert_close(trained[f"model.network.{key}"], value, rtol=0, atol=1e-6)
    torch.testing.assert_close(trained["model.heads.cosine_softmax.weight"], vectors.weight, rtol=0, atol=1e-6)


class StoppedError(Exception):
    """What ends a training from outside."""


@pytest.mark.parametrize("refresh", [1, 3])
def test_neighbours_are_the_same_after_a_stop_and_with_processes(refresh: int, tmp_path: Path) -> None:
    recipe = small(f"batch.refresh={refresh}", "batch.accumulate=2", "batch.neighbours=2", "schedule.steps=7")
    train(recipe, tmp_path / "whole")

    def stop(step: int, total: int, line: str) -> None:
        if (step, total) == (5, 7):  # the state of step 4 lies inside a block of three that began at 2
            raise StoppedError

    with pytest.raises(StoppedError):
        train(recipe, tmp_path / "parts", workers=2, save_every=0.0, on_step=stop)
    assert list((tmp_path / "parts").glob("stretches-*"))
    train(recipe, tmp_path / "parts", workers=1)
    assert not list((tmp_path / "parts").glob("stretches-*"))
    whole, parts = network_weights(tmp_path / "whole"), network_weights(tmp_path / "parts")
    assert all(torch.equal(value, parts[key]) for key, value in whole.items())
    other = tmp_path / "other"
    train(small("batch.neighbours=0", "batch.accumulate=2", "schedule.steps=7"), other)
    assert any(not torch.equal(value, whole[key]) for key, value in network_weights(other).items())


def test_neighbours_are_determined_anew_every_third_step_from_their_beginning_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of seven steps a quarter passes without neighbours; from step 2 on, three steps see the same class vectors."""
    seen: dict[int, Tensor | None] = {}
    real = PKSampler.batch

    def recording(self: PKSampler, number: int, class_vectors: Tensor | None = None) -> Any:
        seen[number] = None if class_vectors is None else class_vectors.clone()
        return real(self, number, class_vectors)

    monkeypatch.setattr(PKSampler, "batch", recording)
    train(small("batch.refresh=3", "batch.neighbours=2", "schedule.steps=7"), tmp_path)
    assert [number for number in range(7) if seen[number] is None] == [0, 1]
    vectors = [seen[number] for number in range(2, 7)]
    same = [bool(torch.equal(a, b)) for a, b in pairwise(vectors)]  # type: ignore[arg-type]
    assert same == [True, True, False, True]


def test_neighbours_need_a_classifier(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"batch\.neighbours needs a loss with a linear classifier"):
        train(small("loss.cosine_softmax=0"), tmp_path)
    with pytest.raises(ValueError, match=r"sign-tcn-real has no mixture\.real\.source of its own"):
        train(read_recipe("sign-tcn-real"), tmp_path)
    with pytest.raises(ValueError, match="'joints' is for sl-gcn, not sign-tcn"):
        train(small("augmentation.kind=joints"), tmp_path)
    with pytest.raises(ValueError, match="stretches hold poses alone"):
        train(replace(small("augmentation.kind=none"), network="vtn", config={"backbone": "resnet18"}), tmp_path)

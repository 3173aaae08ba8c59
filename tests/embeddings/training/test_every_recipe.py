"""Every recipe that travels with the package trains: a tiny network on little data for three steps, with accumulated
batches, a process that prepares them, and bfloat16; stopped after the first step, it ends the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from embeddings.clip import Clip
from embeddings.encoders.checkpoint import load_checkpoint
from embeddings.encoders.table import ENCODERS
from embeddings.training.frame_network import FrameNetwork
from embeddings.training.items import Item
from embeddings.training.networks import build_network
from embeddings.training.recipes import read_recipe, recipe_names
from embeddings.training.train import train

from ..encoders.overfitting import eight_films

POSE = "procedural:5?signs=2&signers=0-2"
SIGNING = ["data.source=signing:5?signs=6&utterances=24&length=3",
           "data.validate_on=signing:6?signs=4&utterances=12&length=3", "batch.classes=3", "batch.each=2",
           "batch.background=2", "batch.neighbours_from=0.3"]  # fmt: skip
TINY: dict[str, list[str]] = {
    "sl-gcn": ["widths=[8,8,8,8]", "head_units=1", "part_dim=4", "groups=4", "kernel=3", "window=8"],
    "sign-tcn": ["hand_width=8", "width=16", "dim=16"],
    "spoter": ["layers=1", "inner=8", "window=8"],
    "pose-transformer": ["width=8", "layers=1", "inner=8", "window=8", "steps=8"],
    "vtn": ["backbone='mobilenet_v3_small'", "layers=1", "window=2", "size=32"],
    "i3d": ["width=0.1", "size=32", "window=8"],
    "i3d-resnet50": ["blocks=[1,1,1,1]", "base=8", "size=32", "window=8"],
    "handshape": ["backbone='mobilenet_v3_small'", "size=32"],
    "depth": ["hidden=8"],
    "locations": ["hidden=8"],
}
LIKE = {
    "sl-gcn-3d": "sl-gcn", "vtn-hc": "vtn", "vtn-pf": "vtn", "vtn-pf-depth": "vtn",
    "vle-transformer": "pose-transformer",
    "spoter-no-position": "spoter", "encoder-only": "spoter", "class-query": "spoter", "weights-both-sides": "spoter",
}  # fmt: skip
"""Network → whose tiny config it takes."""


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hand images, semantic vectors, and a landmark pack of two signs by two signers."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for label in ("fist", "flat"):
        for signer in range(4):
            (folder / "hands" / label).mkdir(parents=True, exist_ok=True)
            picture = rng.integers(0, 255, (40, 40, 3)).astype(np.uint8)
            cv2.imwrite(str(folder / "hands" / label / f"s{signer}_0.png"), picture)
            np.savez(folder / f"{label}-{signer}.npz", semantic=rng.normal(size=(16, 2590)).astype(np.float32))
    rows = [f"{label}-{k}.npz,{label},s{k}" for label in ("fist", "flat") for k in range(4)]
    (folder / "semantic.csv").write_text("\n".join(["path,label,signer", *rows]))
    frames, lengths = [], []
    from embeddings.synthetic import SignWorld

    world = SignWorld(3, signs=2)
    for k in range(8):
        pose = world.clip(k % 2, signer=k, skeleton="mediapipe-holistic").pose
        assert pose is not None
        values = np.zeros((len(pose), 75, 4), np.float16)
        values[..., :2] = np.nan_to_num(pose.xy / np.array(pose.size))
        values[..., 3] = 1
        frames.append(values)
        lengths.append(len(pose))
    labels = [f"sign-{k % 2}" for k in range(8)]
    np.savez(
        folder / "pack.npz", frames=np.concatenate(frames), offsets=np.cumsum([0, *lengths]), label=np.array(labels),
        signer=np.array([f"r{k}" for k in range(8)]), seq_id=np.array([str(k) for k in range(8)]),
    )  # fmt: skip
    return folder


def films() -> list[Item]:
    """Four films, the second two in a mirror, with grey pictures for depth."""

    def film(k: int) -> Clip:
        clip = eight_films(64)[k % 2]
        assert clip.frames is not None
        frames = clip.frames if k < 2 else np.ascontiguousarray(clip.frames[:, :, ::-1])
        grey = frames.mean(axis=-1).astype(np.uint8)
        return replace(clip, frames=frames, extra={"depth": grey})

    return [Item(f"f{k}", f"sign-{k % 2}", lambda k=k: film(k), f"s{k // 2}") for k in range(4)]  # type: ignore[misc]


def tiny(name: str, data: Path) -> tuple[list[str], str | list[Item]]:
    """Changes of a recipe that make it small, and its data ("" for the changes' own)."""
    recipe = read_recipe(name)
    network, changes = recipe.network, list[str]()
    changes += [f"config.{value}" for value in TINY[LIKE.get(network, network)]]
    if name in ("sign-tcn-default", "sign-tcn-filmed", "sign-tcn-real", "sl-gcn"):
        changes += [*SIGNING, "run.init=random"]
        if recipe.mixture:
            changes += [f"mixture.real.source=landmarks:{data}/pack.npz", "mixture.real.classes=2",
                        "mixture.real.each=2", "mixture.real.background=1"]  # fmt: skip
        return changes, ""
    if network in ("depth", "locations"):
        return [*changes, f"data.source={network}:5?clips=5&videos=0", "batch.size=8"], ""
    changes += ["batch.classes=2", "batch.each=2", "run.init=random"]
    changes += [] if recipe.batch.clips() == 1 else ["batch.size=3"]
    if network == "handshape":
        return changes, f"images:{data}/hands"
    if network == "vle-transformer":
        return changes, f"{data}/semantic.csv"
    if network.startswith(("vtn", "i3d")):
        return changes, films()
    return changes, POSE


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(str(folder / "best.safetensors"))


class StoppedError(Exception):
    """What ends a training from outside."""


@pytest.mark.parametrize("name", recipe_names())
@pytest.mark.filterwarnings("ignore:signers are not known")
def test_a_tiny_version_trains_and_goes_on_the_same(name: str, data: Path, tmp_path: Path) -> None:
    changes, source = tiny(name, data)
    changes += ["batch.accumulate=2", "run.precision=bf16", "schedule.steps=3", "schedule.epochs=0",
                "schedule.validate=2"]  # fmt: skip
    recipe = read_recipe(name, changes)
    result = train(recipe, tmp_path / "whole", source, workers=1)
    assert result.progress.step == 3
    assert {p.name for p in (tmp_path / "whole").iterdir()} >= {
        "state.safetensors",
        "log.csv",
        "loss.png",
        "recipe.json",
    }
    if recipe.network in ENCODERS:
        encoder = load_checkpoint(result.checkpoint)
        assert encoder.name == recipe.network
        assert bool(encoder.label_set) == recipe.classifies()
        start = build_network(recipe, len(encoder.label_set))
    else:
        start = build_network(recipe, 0)
        assert isinstance(start, FrameNetwork)
        start.load(result.checkpoint)
    assert all(
        torch.isfinite(value).all() for value in weights(tmp_path / "whole").values() if value.is_floating_point()
    )

    def stop(step: int, total: int, line: str) -> None:
        if step == 2 and total == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(recipe, tmp_path / "parts", source, save_every=0.0, on_step=stop)
    again = train(recipe, tmp_path / "parts", source)
    assert str(again.progress) == str(result.progress)  # NaN is not equal to itself
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    for key, value in whole.items():
        assert torch.equal(value, parts[key]), key
    state = json.loads((tmp_path / "whole" / "recipe.json").read_text())
    assert state["batch"]["accumulate"] == 2

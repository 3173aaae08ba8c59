"""Do hand crops and pose flow earn their place? Ten rendered signs in which movement separates equal handshapes.

    python scripts/bench/vtn.py                              # all three networks: about an hour of one core
    python scripts/bench/vtn.py --networks vtn-pf --seeds 1 --epochs 10

Five handshapes, each moved up or down the same path in the same place: a whole frame at this size hardly shows the
fingers, a hand crop shows them but little of where the hand goes, pose flow says where it goes. Each signer has a look,
a build, a camera and a pace of their own; training and test signers are different people. The networks are small and
start from random weights, all with the same training. The published order (De Coster et al., CVPR Workshops 2021;
AUTSL validation 82.03, 90.13, 91.51 %) must come out: vtn < vtn-hc < vtn-pf. Prepared inputs and trainings
are kept in --cache, and a stopped run goes on with the same command.
docs/training.md has what was seen; with less than some 60 epochs the two with hands have not learned enough to differ.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from embeddings.clip import Clip
from embeddings.encoders.checkpoint import load_checkpoint
from embeddings.encoders.image_encoder import nearest_frames
from embeddings.encoders.vtn import VTN, VTNHC, VTNConfig
from embeddings.pose.flow import pose_flow
from embeddings.synthetic import (
    HANDSHAPES,
    Camera,
    Draws,
    Movement,
    Posture,
    Sign,
    SignWorld,
    random_look,
    random_signer,
)
from embeddings.synthetic.filming.render import render_frames
from embeddings.training.items import Item, Sampling
from embeddings.training.losses import CrossEntropy
from embeddings.training.settings import Augmentation, Batch, DataPart, Optimiser, Recipe, RunPart, Schedule
from embeddings.training.train import train
from embeddings.training.windows import WindowSet
from safe_files import write_npz

NETWORKS = ("vtn", "vtn-hc", "vtn-pf")
INPUTS = ("frames", "left_hand", "right_hand", "flow")
SHAPES = ("5", "S", "index", "V", "Y")
SCALES = (1.0, 0.92, 0.84)
"""Of the crops: the published smaller ones would cut the hand out of a whole frame at this distance."""
EXTENT = 0.14
"""Metres the hand travels."""


def ten_signs(rng: Draws) -> list[Sign]:
    """Five handshapes × up, down along the same path: the one's frames are the other's in reverse.

    Where the path lies is drawn anew each time (± 6 cm), so that a place says nothing of the sign.
    """
    signs = []
    for shape in SHAPES:
        for direction, start in (("up", -EXTENT / 2), ("down", EXTENT / 2)):
            x, y = rng.uniform(-0.03, 0.09), rng.uniform(0.0, 0.12)
            posture = Posture(HANDSHAPES[shape], "neutral space", "away", "up", offset=(x, start + y, 0.0))
            movement = Movement("straight", direction, size=EXTENT, seconds=0.6)
            signs.append(Sign(f"{shape}-{direction}", (posture,), (movement,)))
    return signs


def filmed(world: SignWorld, sign: Sign, person: int, samples: int) -> tuple[Clip, NDArray[np.float32]]:
    """Evenly spaced frames of the signing of one sign, 256 × 256 px with exact keypoints, and their pose flow.

    The flow is that between successive frames of the video, of which only the sampled ones are drawn.
    """
    rng = Draws("filmed", person)
    signer = random_signer(rng, f"person-{person}", 0.0)
    yaw, pitch = rng.uniform(-0.25, 0.25), rng.uniform(-0.1, 0.1)
    camera = Camera(yaw=float(yaw), pitch=float(pitch), focal=465.0 * float(rng.uniform(0.9, 1.1)), size=(256, 256))
    performance = world.perform(sign, signer)
    span = performance.spans[0]
    rows = nearest_frames(np.array([[span.start, span.end]], float), samples, len(performance))[0]
    flow = pose_flow(camera.project(performance.figure, "openpose-body135"))[rows]
    figure = replace(performance.figure, xyz=performance.figure.xyz[rows])
    frames = np.stack(list(render_frames(figure, random_look(rng), camera)))
    pose = camera.project(figure, "openpose-body135")
    return Clip(f"{sign.label}-{person}", figure.fps, pose, frames, label=sign.label, signer=signer.name), flow


Arrays = dict[str, NDArray[Any]]


def prepared(cache: Path, side: int, samples: int, people: range) -> tuple[Arrays, NDArray[np.int64]]:
    """Every input of every clip at so many frames: name → (N, samples, …), and classes (N,). Kept in a file."""
    path = cache / f"vtn-{side}-{samples}-{people.start}-{people.stop}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in INPUTS}, stored["classes"]
    world = SignWorld(11, signs=1)
    config = VTNConfig(backbone="mobilenet_v3_small", heads=4, size=side)
    preparers = (VTN(config), VTNHC(config))
    rows: dict[str, list[NDArray[Any]]] = {name: [] for name in INPUTS}
    classes = []
    for person in people:
        for k, sign in enumerate(ten_signs(Draws(person))):
            clip, flow = filmed(world, sign, person, samples)
            rows["flow"].append(flow)
            for preparer in preparers:
                for name, values in preparer.prepare(clip).items():
                    rows[name].append(values)
            classes.append(k)
    arrays = {name: np.stack(values) for name, values in rows.items()}
    write_npz(path, classes=np.array(classes), **arrays)
    return arrays, np.array(classes)


def items(arrays: Arrays, classes: NDArray[np.int64], people: range) -> list[Item]:
    """The clips as training data whose inputs are at hand."""
    labels = [sign.label for sign in ten_signs(np.random.default_rng(0))]
    each = len(labels)
    return [
        Item(f"{labels[k]}~{people[row // each]}", labels[k], partial(_no_clip, row), f"person-{people[row // each]}",
             inputs=partial(_row, arrays, row))
        for row, k in enumerate(classes.tolist())
    ]  # fmt: skip


def _row(arrays: Arrays, row: int) -> Arrays:
    return {name: values[row] for name, values in arrays.items()}


def _no_clip(row: int) -> Clip:
    raise ValueError(f"clip {row} is kept as prepared inputs alone")


def recipe(name: str, seed: int, options: argparse.Namespace) -> Recipe:
    """The same for every network: random weights, AdamW with a one-cycle rate, cross-entropy, no flip."""
    return Recipe(
        f"{name}-{options.side}-{options.samples}-{options.epochs}-{seed}", name,
        config={"backbone": options.backbone, "layers": 1, "heads": 4, "window": options.samples,
                "size": options.side},
        data=DataPart(sampling="centre", validation=0.0),
        augmentation=Augmentation("frames", scales=SCALES, flip=0.0),
        batch=Batch("shuffle", size=options.batch),
        optimiser=Optimiser("adamw", 2e-3, weight_decay=0.05, clip=1.0),
        schedule=Schedule("one-cycle", epochs=options.epochs, watch="last"),
        loss={"cross_entropy": CrossEntropy()},
        run=RunPart(seed, batch_norm=0.1),  # statistics that keep up with a short training
    )  # fmt: skip


def accuracy(checkpoint: Path, clips: list[Item], chosen: Recipe) -> tuple[float, float]:
    """Shares of clips with the right sign, and with the right handshape."""
    encoder = load_checkpoint(checkpoint)
    classes = {label: k for k, label in enumerate(encoder.label_set)}
    data = WindowSet(clips, encoder, Sampling.of(chosen.data), Augmentation(), classes)
    logits = data.outputs(encoder, batch=20).logits
    assert logits is not None
    given = np.array(encoder.label_set)[logits.argmax(axis=1)].tolist()
    truth = [item.label for item in clips]
    shapes = [[label.rpartition("-")[0] for label in labels] for labels in (given, truth)]
    return float(np.mean(np.array(given) == truth)), float(np.mean(np.array(shapes[0]) == shapes[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description="VTN, VTN-HC, VTN-PF on ten rendered signs.")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    parser.add_argument("--backbone", default="mobilenet_v3_small")
    parser.add_argument("--side", type=int, default=48, help="pixels of a network's pictures")
    parser.add_argument("--samples", type=int, default=8, help="frames of a window")
    parser.add_argument("--train-signers", type=int, default=48)
    parser.add_argument("--test-signers", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=70)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path("runs/bench_vtn"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    begun = time.perf_counter()
    people = range(options.train_signers), range(1000, 1000 + options.test_signers)
    training, test = (items(*prepared(options.cache, options.side, options.samples, who), who) for who in people)
    print(
        f"{len(training)} training clips of {options.train_signers} signers, {len(test)} test clips of "
        f"{options.test_signers} others, {options.side} px, {options.backbone}, {options.epochs} epochs; "
        f"rendered in {time.perf_counter() - begun:.0f} s"
    )
    print("network | seed | train sign % | unseen sign % | unseen handshape % | seconds")
    means = {}
    for name in options.networks:
        shares = []
        for seed in range(options.seeds):
            begun, chosen = time.perf_counter(), recipe(name, seed, options)
            result = train(chosen, options.cache / chosen.name, training)
            seen = accuracy(result.checkpoint, training, chosen)[0]
            sign, shape = accuracy(result.checkpoint, test, chosen)
            shares.append(sign)
            seconds = time.perf_counter() - begun
            print(
                f"{name:7s} | {seed} | {100 * seen:.1f} | {100 * sign:.1f} | {100 * shape:.1f} | {seconds:.0f}",
                flush=True,
            )
        means[name] = 100 * float(np.mean(shares))
    print("mean of unseen signers: " + ", ".join(f"{name} {mean:.1f} %" for name, mean in means.items()))


if __name__ == "__main__":
    main()

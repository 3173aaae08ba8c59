"""Train the shipped encoders on the procedural signer, without a download; one of them on real recordings as well.

    python scripts/make/train_default.py --width 208 --steps 4400 --signs 7000 --utterances 17000 \\
        -o sign-tcn.safetensors
    python scripts/make/train_default.py --network sl-gcn --no-bf16 --steps 350 --signs-per-batch 20 \\
        --signs 1200 --utterances 3000 -o sl-gcn.safetensors

    python scripts/make/train_default.py --steps 700 --rate 5e-4 --signs 4000 --utterances 9000 \\
        --init sign-tcn.safetensors --real traduttore_asl_3signers.npz traduttore_asl.npz ksl13.npz \\
        -o sign-tcn-real.safetensors

The files that ship are these runs' (`embeddings/weights/`); after a new one, run scripts/make/fit_calibration.py.

Supervised contrastive loss over P signs × K windows, with windows between signs as negatives, plus cross-entropy over
the training signs (their classifier is not shipped). Half of a batch's signs are the ones that the classifier finds
nearest to the other half, so that the network sees what it mixes up. SL-GCN adds its batch-all triplets per part. One
thread of a CPU is enough; the seed fixes everything. Prints the one-shot accuracy on signs, signers and cameras that
it never saw.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pytorch_metric_learning.losses import SupConLoss
from torch import Tensor, nn

from embeddings.encoders.base import Encoder, window_positions
from embeddings.encoders.checkpoint import load_checkpoint, save_checkpoint
from embeddings.encoders.sign_tcn import SignTCN, SignTCNConfig
from embeddings.encoders.sl_gcn import SLGCN, SLGCNConfig
from embeddings.training.augment_windows import augment_body_hands, augment_joints
from embeddings.training.losses import PartTriplet
from embeddings.training.signing import Stretches, WindowSampler, collect, procedural_clips
from scripts.real.material import joined, real_material

SMALL_SL_GCN = SLGCNConfig(
    streams=("joint", "bone", "motion"), widths=(32, 32, 48, 64), head_units=1, part_dim=32, kernel=5, groups=8
)
Augment = Callable[[Tensor, np.random.Generator], Tensor]


def material(seed: int, signs: int, utterances: int, encoder: Encoder) -> Stretches:
    """Procedural signing as the encoder's inputs, kept in memory."""
    digits = max(3, len(str(signs - 1)))
    labels = {f"sign-{i:0{digits}d}": i for i in range(signs)}
    key = encoder.required_inputs[0]
    return collect(procedural_clips(seed, signs, utterances), labels, lambda clip: encoder.prepare(clip)[key])


def window_samples(values: Tensor, windows: NDArray[np.float64], samples: int) -> Tensor:
    """(B, T, …) at `samples` even places of each window (B, 2), interpolated: (B, samples, …)."""
    places = torch.from_numpy(window_positions(windows, samples)).float().clamp(0, values.shape[1] - 1)
    low = places.floor().long()
    share = (places - low).reshape(*places.shape, *[1] * (values.dim() - 2))
    rows = torch.arange(len(values))[:, None]
    first = values[rows, low]
    return first + (values[rows, (low + 1).clamp(max=values.shape[1] - 1)] - first) * share


def embed_batch(encoder: Encoder, values: Tensor, windows: NDArray[np.float64]) -> tuple[Tensor, Tensor]:
    """(embedding (B, D), parts (B, P, C)) of windows inside their surroundings."""
    if isinstance(encoder, SignTCN):
        features = encoder.frame_features(values)
        vectors = encoder.pool(window_samples(features, windows, encoder.window))
        return vectors.float(), vectors.float().unsqueeze(1)
    output = encoder({encoder.required_inputs[0]: window_samples(values, windows, encoder.window)})
    return output.embedding.float(), output.parts.float()


@torch.inference_mode()
def one_shot_accuracy(encoder: Encoder, unseen: Stretches, draws: int = 10) -> float:
    """Top-1 with one exemplar per sign, drawn anew each time; every sign's other performances are the queries."""
    encoder.eval()
    sampler, spans = WindowSampler(unseen, 1, 1, 0), unseen.spans
    rows = []
    for i in range(0, len(spans), 256):
        values, windows = sampler.cut(spans[i : i + 256, 1:3].astype(float), spans[i : i + 256, 3])
        rows.append(embed_batch(encoder, torch.from_numpy(values), windows)[0].numpy())
    encoder.train()
    vectors, labels, rng = np.concatenate(rows), spans[:, 0], np.random.default_rng(5)
    signs = np.unique(labels)
    hits = []
    for _ in range(draws):
        exemplars = np.array([rng.choice(np.flatnonzero(labels == s)) for s in signs])
        queries = np.setdiff1d(np.arange(len(labels)), exemplars)
        hits.append((signs[(vectors[queries] @ vectors[exemplars].T).argmax(axis=1)] == labels[queries]).mean())
    return float(np.mean(hits))


def with_neighbours(
    sampler: WindowSampler, weight: Tensor, rng: np.random.Generator, nearest: int = 6
) -> NDArray[np.int64]:
    """Signs of a batch: random ones, and for each one of those that the classifier (C, D) holds nearest to it."""
    anchors = sampler.choose(rng, sampler.signs // 2)
    with torch.inference_mode():
        rows = F.normalize(weight, dim=1)
        near = (rows[torch.from_numpy(anchors)] @ rows.T).topk(nearest + 1, dim=1).indices[:, 1:].numpy()
    others = near[np.arange(len(anchors)), rng.integers(nearest, size=len(anchors))]
    return np.concatenate([anchors, others])


def train(
    encoder: Encoder,
    known: Stretches,
    unseen: Stretches,
    augment: Augment,
    args: argparse.Namespace,
    real: Stretches | None = None,
) -> float:
    """Trains in place; returns the accuracy on unseen signs."""
    rng = np.random.default_rng([args.seed, 3])
    own = (known.classes(), 0 if real is None else real.classes())
    classes = sum(own)
    classifier = nn.Linear(encoder.dim, classes, bias=False)
    contrast, triplet = SupConLoss(temperature=0.07), PartTriplet()
    parameters = [*encoder.parameters(), *classifier.parameters()]
    optimizer = torch.optim.AdamW([p for p in parameters if p.requires_grad], lr=args.rate, weight_decay=0.02)
    sampler = WindowSampler(
        known, args.signs_per_batch, 4, args.signs_per_batch, jitter=(0.06, 0.12, 0.22), tempo=args.tempo
    )
    real_sampler = None if real is None else WindowSampler(real, 12, 4, 8, jitter=(0.06, 0.12, 0.22), tempo=args.tempo)
    encoder.train()
    begin, running = time.perf_counter(), 0.0
    for step in range(args.steps):
        share = step / args.steps
        for group in optimizer.param_groups:
            group["lr"] = args.rate * min(1.0, (step + 1) / 100) * (0.5 * (1 + np.cos(np.pi * share)) + 0.01)
        hard = args.hard_share > 0 and step >= args.hard_share * args.steps
        batch = sampler.batch(rng, with_neighbours(sampler, classifier.weight[: own[0]], rng) if hard else None)
        if real_sampler is not None:
            batch = joined(batch, real_sampler.batch(rng), own)
        values, labels = augment(torch.from_numpy(batch.inputs), rng), torch.from_numpy(batch.labels)
        with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
            vectors, parts = embed_batch(encoder, values, batch.windows)
        signs = labels < classes
        cosines = vectors[signs] @ F.normalize(classifier.weight, dim=1).T
        loss = contrast(vectors, labels) + 0.5 * F.cross_entropy(20 * cosines, labels[signs])
        if parts.shape[1] > 1:
            # eight parts a step keep the triplets affordable
            chosen = torch.from_numpy(rng.choice(parts.shape[1], 8, replace=False))
            loss = loss + triplet(F.normalize(parts[signs][:, chosen], dim=-1), labels[signs])
        optimizer.zero_grad()
        if not torch.isfinite(loss):
            raise RuntimeError(f"the loss is {float(loss)} at step {step}; lower --rate, or train with --no-bf16")
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        running = float(loss.detach()) if step == 0 else 0.95 * running + 0.05 * float(loss.detach())
        if step % 200 == 199:
            accuracy = one_shot_accuracy(encoder, unseen, draws=3)
            minutes = (time.perf_counter() - begin) / 60
            print(f"step {step + 1}  loss {running:.3f}  unseen signs {accuracy:.3f}  {minutes:.1f} min", flush=True)
    return one_shot_accuracy(encoder, unseen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("sign-tcn", "sl-gcn"), default="sign-tcn")
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--signs", type=int, default=4000)
    parser.add_argument("--utterances", type=int, default=13000)
    parser.add_argument("--init", type=Path, help="a checkpoint of the same network to go on from")
    parser.add_argument("--real", type=Path, nargs="+", help="landmark collections that may be trained on")
    parser.add_argument("--signs-per-batch", type=int, default=48)
    parser.add_argument("--width", type=int, default=176, help="features of a frame (sign-tcn)")
    parser.add_argument("--hard-share", type=float, default=0.25, help="share of steps before hard batches; 0: none")
    parser.add_argument("--tempo", type=float, default=0.25, help="spread of the log tempo of the material")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-bf16", dest="bf16", action="store_false", help="for CPUs without bfloat16 arithmetic")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    encoder: Encoder
    if args.init is not None:
        encoder = load_checkpoint(args.init)
    else:
        encoder = SignTCN(SignTCNConfig(width=args.width)) if args.network == "sign-tcn" else SLGCN(SMALL_SL_GCN)
    augment = augment_body_hands if args.network == "sign-tcn" else augment_joints
    begin = time.perf_counter()
    known = material(args.seed + 1, args.signs, args.utterances, encoder)
    unseen = material(args.seed + 2, 200, 500, encoder)
    print(f"{len(known.features):,} frames, {len(known.spans):,} signs performed, {time.perf_counter() - begin:.0f} s")
    real = None if args.real is None else real_material(args.real, encoder)
    accuracy = train(encoder, known, unseen, augment, args, real)
    facts = {
        "data": ", ".join(["procedural signer", *(file.stem for file in args.real or [])]),
        "signs": args.signs,
        "steps": args.steps,
        "seed": args.seed,
        "one_shot_top1_unseen": round(accuracy, 4),
    }
    save_checkpoint(args.output, encoder, facts, half=True)
    size = args.output.stat().st_size / 1e6
    print(f"one-shot top-1 on 200 unseen signs: {accuracy:.3f}  →  {args.output} ({size:.1f} MB)")


if __name__ == "__main__":
    main()

"""Windows per second: each window on its own against work shared between windows, with the largest difference.

    python scripts/bench/windows.py                      # the shipped encoders and small pictures networks
    python scripts/bench/windows.py --full               # vtn-pf and i3d as published, on few frames

"naive" runs the network on every window as if there were no other; "ours" is the
encoder's own `embed`; "dense" is dense mode, where there is one. Windows of 16 frames at stride 1 (and 2 where it
says so). Seconds are the processor's, of one thread, so other work on the machine counts little. Weights of networks
that do not ship are random: they change neither the cost nor how equal two ways are, but they say nothing of F1.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from embeddings.encoders import load_encoder
from embeddings.encoders.base import Encoder, Inputs
from embeddings.encoders.dense import dense
from embeddings.encoders.i3d import I3DConfig
from embeddings.encoders.sign_tcn import SignTCN
from embeddings.encoders.table import encoder_class
from embeddings.encoders.vtn import VTNConfig
from safe_files import write_json
from scripts.bench.encoders import example_clip

Row = dict[str, float | str]


def processor_seconds(work: Callable[[], NDArray[np.float32]], least: float) -> tuple[float, NDArray[np.float32]]:
    """(seconds of a call, its result): the fastest of several, after one to warm up unless that takes long."""
    times: list[float] = []
    while not times or (sum(times) < least and len(times) < 20):
        begun = time.process_time()
        rows = work()
        times.append(time.process_time() - begun)
    return min(times), rows


def alone(encoder: Encoder, inputs: Inputs, windows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Every window as if there were no other; the default encoder's with the frames around that its context sees."""
    if not isinstance(encoder, SignTCN):
        return Encoder.embed(encoder, inputs, windows, 32)
    reach = sum(2 * dilation for dilation in encoder.config.context)
    rows = []
    for start, end in windows:
        low, high = max(0, int(start) - reach), int(end) + reach
        rows.append(encoder.embed({"pose": inputs["pose"][low:high]}, np.array([[start - low, end - low]])))
    return np.concatenate(rows)


def settled(encoder: Encoder, inputs: Inputs) -> Encoder:
    """With batch statistics of these very inputs: random networks give all windows one vector without."""
    for module in encoder.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = 0.5
    windows = np.stack([np.arange(4.0), np.arange(4.0) + encoder.window], axis=1)
    encoder.train()
    with torch.no_grad():
        for _ in range(4):
            encoder(next(encoder.batches(inputs, windows, 4)))
    return encoder


def compared(name: str, encoder: Encoder, inputs: Inputs, stride: int, least: float) -> list[Row]:
    """One row per way."""
    frames = len(next(iter(inputs.values())))
    starts = np.arange(0, frames - encoder.window + 1, stride, dtype=float)
    windows = np.stack([starts, starts + encoder.window], axis=1)
    naive, exact = processor_seconds(lambda: alone(encoder, inputs, windows), least)
    ways = {"ours": encoder}
    if encoder.name in ("sl-gcn", "i3d"):
        ways["dense"] = dense(encoder)
    rows: list[Row] = [
        {
            "encoder": name,
            "way": "naive",
            "stride": stride,
            "windows": len(windows),
            "per_second": len(windows) / naive,
            "times": 1.0,
            "difference": 0.0,
            "cosine": 1.0,
        }
    ]
    for way, network in ways.items():
        if way == "ours" and type(network).embed is Encoder.embed:
            continue
        took, vectors = processor_seconds(lambda network=network: network.embed(inputs, windows), least)  # type: ignore[misc]
        rows.append({"encoder": name, "way": way, "stride": stride, "windows": len(windows),
                     "per_second": len(windows) / took, "times": naive / took,
                     "difference": float(np.abs(vectors - exact).max()),
                     "cosine": float((vectors * exact).sum(axis=1).mean())})  # fmt: skip
    return rows


def dense_f1(seed: int) -> list[tuple[str, float, float]]:
    """(encoder, one-to-one F1, challenge F1) of the shipped sl-gcn, exact and dense, on procedural signing."""
    from eval.spotting import challenge_f1, one_to_one_f1
    from spotter import SpottingOptions, enroll, spot_videos
    from spotter.comparison.figures import procedural_set

    chosen = procedural_set(seed)
    exemplars, queries = chosen.parts[0].exemplars, chosen.parts[0].queries
    found = []
    for name in ("sl-gcn", "sl-gcn:dense"):
        encoder = load_encoder(name)
        gallery = enroll(list(exemplars), encoder=load_encoder("sl-gcn"))
        options = SpottingOptions(window=16, refine=False)
        results = spot_videos(queries, gallery, encoder, options)
        hits = {r.video: r.detections for r in results}
        truth = chosen.truth()
        found.append((name, one_to_one_f1(truth, hits).f1, challenge_f1(truth, hits).f1))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="also vtn-pf and i3d at their published size")
    parser.add_argument("--f1", action="store_true", help="also the F1 of sl-gcn, exact and dense")
    parser.add_argument("--seconds", type=float, default=1.0, help="time spent on each measurement")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    clip = example_clip(400)
    print(f"torch {torch.__version__}, 1 thread of {os.cpu_count()} cores\n")
    print("| encoder | way | stride | windows | windows/s | times naive | largest difference | mean cosine |")
    print("|---" * 8 + "|")
    light = VTNConfig(backbone="resnet34", size=112)
    narrow = I3DConfig(width=0.25, size=64)
    cases: list[tuple[str, Encoder, int, int]] = [
        ("sign-tcn (default)", load_encoder(), 400, 1),
        ("sl-gcn (shipped)", load_encoder("sl-gcn"), 150, 1),
        ("sl-gcn (shipped)", load_encoder("sl-gcn"), 150, 2),
        ("vtn-pf, 112 px", encoder_class("vtn-pf")(light), 64, 1),  # type: ignore[call-arg]
        ("i3d, quarter width, 64 px", encoder_class("i3d")(narrow), 80, 1),  # type: ignore[call-arg]
    ]
    if options.full:
        cases += [("vtn-pf, 224 px", encoder_class("vtn-pf")(), 48, 1), ("i3d", encoder_class("i3d")(), 32, 1)]
    table: list[Row] = []
    for name, encoder, frames, stride in cases:
        inputs = encoder.requires_grad_(False).prepare(clip.cut(0, frames))
        if encoder.name in ("vtn-pf", "i3d"):
            settled(encoder, inputs)
        for row in compared(name, encoder.eval(), inputs, stride, options.seconds):
            table.append(row)
            print(f"| {row['encoder']} | {row['way']} | {row['stride']} | {row['windows']} | {row['per_second']:.1f} | "
                  f"{row['times']:.1f} | {row['difference']:.1e} | {row['cosine']:.4f} |", flush=True)  # fmt: skip
    scores = dense_f1(77) if options.f1 else []
    for name, strict, official in scores:
        print(f"{name}: one-to-one F1@.5 {strict:.3f}, challenge F1 {official:.3f}", flush=True)
    if options.json:
        write_json(options.json, {"rows": table, "f1": scores, "cores": os.cpu_count()})


if __name__ == "__main__":
    main()

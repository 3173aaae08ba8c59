"""What every encoder costs: parameters, multiply-accumulates a window, milliseconds a window on this CPU.

    python scripts/bench/encoders.py                    # all
    python scripts/bench/encoders.py spoter vtn-pf      # some
    python scripts/bench/encoders.py --threads 2 --csv costs.csv

"alone" runs the network on whole windows; "sliding" is `Encoder.embed` over windows at stride 1 of one clip, where
networks that can share their frames' work do. Preparation (decoding, poses, crops) is in neither. Weights are random:
they do not change the cost.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from embeddings.clip import Clip
from embeddings.encoders.base import Encoder
from embeddings.encoders.table import ENCODERS, encoder_class
from embeddings.synthetic import SignWorld
from safe_files import open_whole

COLUMNS = ("encoder", "window", "dim", "parameters [M]", "GMAC/window", "alone [ms/window]", "sliding [ms/window]")


def example_clip(frames: int) -> Clip:
    """A procedural clip of at least so many frames with every input an encoder may ask for; its pictures are noise."""
    world = SignWorld(3, signs=6)
    clip = world.continuous([k % 6 for k in range(2 + frames // 20)], rotations=True)
    if len(clip) < frames:
        raise ValueError(f"the example clip has {len(clip)} frames; {frames} were asked for")
    clip = clip.cut(0, frames)
    assert clip.pose is not None
    width, height = clip.pose.size
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (8, height, width, 3)).astype(np.uint8)  # eight frames, repeated as views
    extra = {
        **clip.extra,
        "semantic": rng.random((frames, 2590), np.float32),
        "hand": rng.integers(0, 255, (frames, 70, 70, 3)).astype(np.uint8),
        "depth": rng.integers(0, 255, (frames, height, width)).astype(np.uint8),
    }
    return replace(clip, frames=noise[np.arange(frames) % 8], extra=extra)


def milliseconds(work: Callable[[], object], seconds: float) -> float:
    """Median time of a call, over as many as fit into so many seconds after a first one; that one if it fills them."""
    times: list[float] = []
    while len(times) < 2 or (sum(times) < seconds and len(times) < 50):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
        if times[0] > seconds:
            return 1000 * times[0]
    return 1000 * float(np.median(times[1:]))


def cost(encoder: Encoder, clip: Clip, seconds: float) -> tuple[str | float, ...]:
    """One row of the table, in the order of `COLUMNS`."""
    encoder.eval().requires_grad_(False)
    prepared = encoder.prepare(clip)
    rows = len(next(iter(prepared.values())))
    window = encoder.window
    shares = type(encoder).embed is not Encoder.embed  # else every window costs the same: a few are enough
    starts = np.arange(max(1, min(64 if shares else 4, rows - window + 1)))
    windows = np.stack([starts, starts + window], axis=1).astype(float)
    one = next(encoder.batches(prepared, windows[:1], 1))
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counter:
            encoder(one)
        alone = milliseconds(lambda: encoder(one), seconds)
    sliding = milliseconds(lambda: encoder.embed(prepared, windows, batch=4), seconds) / len(windows)
    parameters = sum(p.numel() for p in encoder.parameters()) / 1e6
    return encoder.name, window, encoder.dim, parameters, counter.get_total_flops() / 2e9, alone, sliding


def main() -> None:
    parser = argparse.ArgumentParser(description="Parameters, GMAC and milliseconds per window of every encoder.")
    parser.add_argument("encoders", nargs="*", help=f"default all: {', '.join(ENCODERS)}")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frames", type=int, default=96, help="length of the clip that windows slide over")
    parser.add_argument("--seconds", type=float, default=2.0, help="time spent on each measurement")
    parser.add_argument("--csv", type=Path, help="also write the table here")
    options = parser.parse_args()
    unknown = [name for name in options.encoders if name not in ENCODERS]
    if unknown:
        parser.error(f"no encoder {unknown[0]!r}; there are {', '.join(ENCODERS)}")
    torch.set_num_threads(options.threads)
    clip = example_clip(options.frames)
    print(f"torch {torch.__version__}, {options.threads} thread(s) of {os.cpu_count()} cores, batch 1, float32")
    print(" | ".join(f"{name:>20s}" for name in COLUMNS))
    table = []
    for name in options.encoders or list(ENCODERS):
        torch.manual_seed(0)
        row = cost(encoder_class(name)(), clip, options.seconds)
        table.append(row)
        print(" | ".join(f"{value:20.3f}" if isinstance(value, float) else f"{value:>20}" for value in row), flush=True)
    if options.csv:
        with open_whole(options.csv) as file:
            csv.writer(file).writerows([COLUMNS, *table])


if __name__ == "__main__":
    main()

"""Does phonological distance, as an extra score, help to spot unseen signs? F1 with and without it, by weight.

The phonological score of a window is the cosine of what it says about both hands at eight moments: shares of the
fifteen places, palm normals, velocities and palm shapes. No network, nothing trained on signs. Weights are chosen on
the development seed (5) and reported on another.

    python scripts/bench/phonology_fusion.py --seeds 5 77
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from embeddings.clip import Clip
from embeddings.encoders import load_encoder
from embeddings.encoders.base import Encoder, EncoderOutput
from embeddings.phonology.handshapes.clusters import palm_shapes
from embeddings.phonology.locations import locations
from embeddings.phonology.movements import velocities
from embeddings.phonology.orientations import palm_normals
from embeddings.phonology.signer_space import signer_space
from scripts.bench.spotting import scores
from spotter import enroll, spot_videos
from spotter.comparison.figures import procedural_set
from spotter.fusion.ensemble import Ensemble, Member

BLOCKS: dict[str, float] = {"location": 1.0, "orientation": 0.6, "movement": 0.4, "handshape": 0.8}
"""How much each parameter weighs."""


@dataclass(frozen=True)
class PhonologyConfig:
    """samples: moments of a window."""

    samples: int = 8


class PhonologyScore(Encoder):
    """Phonological measures as unit vectors; input "pose" (B, samples, 2 × (15 + 3 + 3 + 63))."""

    name = "phonology"
    required_inputs = ("pose",)

    def __init__(self, config: PhonologyConfig | None = None) -> None:
        super().__init__()
        self.config = PhonologyConfig() if config is None else config
        self.window, self.id = self.config.samples, self.name
        self.dim = 168 * self.config.samples
        self.register_parameter("scale", torch.nn.Parameter(torch.ones(()), requires_grad=False))

    def prepare(self, clip: Clip) -> dict[str, NDArray[np.float32]]:
        if clip.pose is None:
            raise ValueError(f"{clip.name}: encoder {self.name!r} needs a pose")
        space = signer_space(clip.pose.resample(self.fps))
        frames = len(space)
        shapes = np.stack([palm_shapes(np.nan_to_num(space.hands[:, h]), h == 0) for h in (0, 1)], axis=1)
        raised = 1 / (1 + np.exp(-4 * (np.nan_to_num(space.palm[..., 1], nan=-3) + 1.9)))[..., None]
        parts = {
            "location": locations(space).share,
            "orientation": palm_normals(space)[0],
            "movement": np.tanh(velocities(space) / 3),
            "handshape": shapes.reshape(frames, 2, -1) / 4,
        }
        columns = [BLOCKS[k] * np.nan_to_num(v) * raised * space.seen[..., None] for k, v in parts.items()]
        return {"pose": np.concatenate(columns, axis=-1).reshape(frames, -1).astype(np.float32)}

    def forward(self, inputs: Mapping[str, Tensor]) -> EncoderOutput:
        embedding = F.normalize(inputs["pose"].flatten(1) * self.scale, dim=-1)
        return EncoderOutput(embedding, embedding.unsqueeze(1), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[5, 77])
    parser.add_argument("--signs", type=int, default=12)
    parser.add_argument("--videos", type=int, default=8)
    parser.add_argument("--each", type=int, default=14)
    parser.add_argument("--noise", type=float, default=1.0)
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--weights", type=float, nargs="+", default=[0.0, 0.25, 0.5, 1.0])
    args = parser.parse_args()
    encoder, score = load_encoder(args.encoder), PhonologyScore()
    print("| seed | weight of phonology | one-to-one F1@.5 | TP/FP/FN | challenge F1 |\n|---|---|---|---|---|")
    for seed in args.seeds:
        chosen = procedural_set(seed, args.signs, args.videos, args.each, args.noise)
        queries, truth = chosen.parts[0].queries, chosen.truth()
        exemplars = list(chosen.parts[0].exemplars)
        gallery, other = enroll(exemplars, encoder=encoder), enroll(exemplars, encoder=score)
        runs: list = [
            (
                str(w),
                Ensemble((Member(gallery, encoder), Member(other, score, w)), False) if w > 0 else gallery,
                encoder,
            )
            for w in args.weights
        ]
        runs.append(("alone", other, score))
        for name, own, network in runs:
            results = spot_videos(queries, own, network)
            print(f"| {seed} | {name} | {scores(truth, results)} |", flush=True)


if __name__ == "__main__":
    main()

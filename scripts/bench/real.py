"""One-shot retrieval on real landmark collections: one exemplar per sign, queries by other signers.

    python scripts/bench/real.py FOLDER [--encoders default pose-cosine]

No weight is fitted on these collections; settings were chosen after looking at `ksl13`, `traduttore` and `ksl77`
(docs/benchmarks.md). Exemplar and query clips are trimmed to the sign.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from embeddings.clip import Clip
from embeddings.encoders import load_encoder
from embeddings.encoders.base import Encoder
from eval.isolated.retrieval import cosine_similarity, one_shot_retrieval
from scripts.real.sets import real_sets
from spotter.enrolment import exemplar_span


def clip_vector(encoder: Encoder, clip: Clip) -> np.ndarray:
    """(D,) vector of a whole sign."""
    start, end = exemplar_span(clip)
    ratio = encoder.fps / clip.fps
    return encoder.embed(encoder.prepare(clip), np.array([[start * ratio, end * ratio]]))[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoders", nargs="+", default=["default", "pose-cosine"])
    args = parser.parse_args()
    encoders = {name: load_encoder(name) for name in args.encoders}
    print("| collection | signs | clips | " + " | ".join(f"{n}: top-1, MRR" for n in encoders) + " |")
    print("|---|---|---|" + "---|" * len(encoders))
    for name, clips in real_sets(args.folder).items():
        if name == "ksl77-pairs":
            labels = [c.label for c in clips]
            clips = [c for c in clips if labels.count(c.label) == 2]
        signers = [str(c.signer).partition("|")[0] for c in clips]
        cells = []
        for encoder in encoders.values():
            vectors = np.stack([clip_vector(encoder, clip) for clip in clips])
            score = one_shot_retrieval(cosine_similarity(vectors), [str(c.label) for c in clips], signers, ks=(1,))
            cells.append(f"{score.recall[1].mean():.3f}, {score.mrr.mean():.3f}")
        print(f"| {name} | {score.signs} | {len(clips)} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()

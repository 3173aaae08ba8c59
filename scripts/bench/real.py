"""The bench of encoders on real signs: one exemplar per sign, queries by other signers.

    python scripts/bench/real.py FOLDER [--encoders default pose-cosine] [--draws 200]
    python scripts/bench/real.py FOLDER --reporting              # the set on which nothing is ever chosen

FOLDER holds the real collections (`scripts.real.sets`). The default checkpoint is trained on none of them. Choices (of
a recipe, of features, of a loss) are made on the development sets: ksl13, traduttore (9 and 16 signs), ksl77 (the signs
that two people show) and wlasl25; fingerspelling is for reporting alone. Clips are trimmed and turned around as
`spotter enroll` does it, and compared by the cosine of their vectors; means over draws of the exemplars. Several
encoders in one name, joined by `+`, are an ensemble: the sum of their cosines, times a weight that may follow a colon
(`default+sl-gcn:0.5`), as the weights of `spotter spot` do. Under a minute of one core for one encoder.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.clip import Clip
from embeddings.encoders import load_encoder
from eval.isolated.retrieval import RetrievalScore, cosine_similarity, one_shot_retrieval
from scripts.real.sets import real_sets
from spotter.enrolment import enroll

DEVELOPMENT = ("ksl13", "traduttore-9", "traduttore-16", "ksl77-pairs", "wlasl25")
REPORTING = ("fingerspelling",)


def several(clips: Sequence[Clip]) -> list[Clip]:
    """Those whose sign is shown at least twice."""
    labels = [c.label for c in clips]
    return [c for c in clips if labels.count(c.label) >= 2]


def weighed(ensemble: str) -> list[tuple[str, float]]:
    """(encoder, weight) of "default+sl-gcn:0.5"; a weight that is not named is 1."""
    parts = [part.rpartition(":") for part in ensemble.split("+")]
    return [(name if colon else weight, float(weight) if colon else 1.0) for name, colon, weight in parts]


def vectors_of(encoder: str, clips: Sequence[Clip]) -> NDArray[np.float32]:
    """(N, D) unit rows as `spotter enroll` makes them."""
    # names of their own: a gallery takes what it holds already once only, and some collections show one clip twice
    named = [replace(c, name=str(at), path=None, label=c.label or c.name) for at, c in enumerate(clips)]
    return np.asarray(enroll(named, encoder=load_encoder(encoder)).vectors)


def score(
    ensemble: str, vectors: Mapping[str, NDArray[np.float32]], clips: Sequence[Clip], draws: int
) -> RetrievalScore:
    """Of an encoder, or of several joined by "+".

    Args:
        vectors: of the clips, by encoder.
    """
    similarity = sum(weight * cosine_similarity(vectors[name]) for name, weight in weighed(ensemble))
    signers = [str(c.signer).partition("|")[0] for c in clips]
    return one_shot_retrieval(similarity, [str(c.label) for c in clips], signers, ks=(1,), draws=draws)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoders", nargs="+", default=["default", "pose-cosine"], help="names or checkpoint files")
    parser.add_argument("--reporting", action="store_true", help="the set for reporting instead")
    parser.add_argument("--draws", type=int, default=200, help="of the exemplars")
    args = parser.parse_args()
    sets = real_sets(args.folder)
    print("| collection | signs | clips | " + " | ".join(f"{n}: top-1, MRR" for n in args.encoders) + " |")
    print("|---|---|---|" + "---|" * len(args.encoders))
    for name in REPORTING if args.reporting else DEVELOPMENT:
        clips = several(sets[name])
        vectors = {e: vectors_of(e, clips) for e in {e for named in args.encoders for e, _ in weighed(named)}}
        scores = [score(ensemble, vectors, clips, args.draws) for ensemble in args.encoders]
        cells = [f"{s.recall[1].mean():.3f}, {s.mrr.mean():.3f}" for s in scores]
        print(f"| {name} | {scores[0].signs} | {len(clips)} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()

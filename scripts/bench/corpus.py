"""What a corpus search finds with one to five stored window lengths, beside `spot` over the same videos.

    python scripts/bench/corpus.py [--seed 77] [--videos 12]

Procedural continuous signing from exact poses. Per sign the hits are ranked over all videos: average precision and the
share of right ones among the first N, where N is how often the sign occurs (R-precision), at IoU 0.5 and 0.3.
`spot` is given threshold 0 and ranks by probability, or by cosine without calibration. Seed 5 is for development.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from embeddings.encoders import load_encoder
from embeddings.pose import write_pose
from eval.segments import Segment
from spotter import Detection, SpottingOptions, enroll, spot_videos
from spotter.comparison.figures import procedural_set
from spotter.corpus.folder import Corpus
from spotter.corpus.indexing import index_videos, settings_for
from spotter.corpus.options import SearchOptions
from spotter.corpus.search import search_gallery

STORED = ((16,), (9, 18), (9, 15, 25), (7, 10, 14, 20, 28))


def ranked_scores(
    truth: Mapping[str, Sequence[Segment]], hits: Sequence[Detection], least: float
) -> tuple[float, float]:
    """(mean average precision, mean R-precision) over signs at an IoU; each occurrence is found once."""
    occurrences = [s for segments in truth.values() for s in segments]
    precisions, shares = [], []
    for sign in sorted({s.sign for s in occurrences}):
        places = [s for s in occurrences if s.sign == sign]
        found: set[Segment] = set()
        right = []
        for hit in sorted((h for h in hits if h.sign == sign), key=lambda h: -h.score):
            match = next((p for p in places if p not in found and p.iou(hit) >= least), None)
            if match is not None:
                found.add(match)
            right.append(match is not None)
        ranks = np.flatnonzero(right) + 1
        precisions.append(float(np.sum(np.arange(1, len(ranks) + 1) / ranks)) / len(places))
        shares.append(sum(right[: len(places)]) / len(places))
    return float(np.mean(precisions)), float(np.mean(shares))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--signs", type=int, default=12)
    parser.add_argument("--videos", type=int, default=12)
    parser.add_argument("--each", type=int, default=14)
    parser.add_argument("--noise", type=float, default=1.0)
    args = parser.parse_args()
    chosen = procedural_set(args.seed, args.signs, args.videos, args.each, args.noise)
    queries, truth, encoder = chosen.parts[0].queries, chosen.truth(), load_encoder()
    gallery = enroll(list(chosen.parts[0].exemplars), encoder=encoder)
    minutes = sum(chosen.durations().values()) / 60
    print(f"{args.signs} signs, {sum(map(len, truth.values()))} occurrences, {minutes:.1f} minutes, seed {args.seed}\n")
    print("| way | KB a minute | AP@.5 | R@.5 | AP@.3 | R@.3 | s |\n" + "|---" * 7 + "|")

    def row(name: str, size: float, hits: Sequence[Detection], seconds: float) -> None:
        scores = [f"{x:.3f}" for least in (0.5, 0.3) for x in ranked_scores(truth, hits, least)]
        print(f"| {name} | {size:.0f} | {' | '.join(scores)} | {seconds:.2f} |", flush=True)

    for name, calibrated in (("spot, probability", True), ("spot, cosine", False)):
        begun = time.process_time()
        options = SpottingOptions(threshold=0.0, calibrated=calibrated, exclusive=False)
        found = [d for r in spot_videos(queries, gallery, encoder, options) for d in r.detections]
        row(name, 0, found, time.process_time() - begun)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = [write_pose(folder / "poses" / f"{q.name}.h5", q.pose) for q in queries if q.pose is not None]
        for lengths in STORED:
            corpus = Corpus.create(folder / "-".join(map(str, lengths)), settings_for(encoder, lengths))
            for result in index_videos(corpus, sources, encoder):
                assert not result.error, result.error
            size = sum(v.path.stat().st_size for v in corpus.videos.values()) / 1000 / minutes
            begun = time.process_time()
            hits = search_gallery(corpus, gallery, SearchOptions(most=200))
            row(f"stored {', '.join(map(str, lengths))}", size, hits, time.process_time() - begun)
            begun = time.process_time()
            hits = search_gallery(corpus, gallery, SearchOptions(most=200), encoder)
            row("… the aligned spans scored too", size, hits, time.process_time() - begun)


if __name__ == "__main__":
    main()

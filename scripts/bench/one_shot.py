"""One-shot recognition of real single signs: by vectors alone, by alignment alone, and by both as spotting weighs them.

    python scripts/bench/one_shot.py FOLDER [--sets ksl13 wlasl25] [--encoder default] [--draws 50]

FOLDER holds the real collections (`scripts.real.sets`). One exemplar a sign, queries by other signers, all trimmed to
the sign; the mean over draws of the exemplars. *Vectors*: cosine of the signs' vectors, what `spotter eval isolated
--one-shot` on vectors says. *Alignment*: dynamic time warping of the encoder's frame features. *Both*:
`spotter.search.likeness`, what `spotter classify --gallery` and `spotter eval isolated --one-shot` on clips do.
`wlasl25` and `fingerspelling` were for reporting when the evidence was chosen, the others were looked at; encoders and
the head for several exemplars are chosen on `wlasl25` too, never on `fingerspelling`.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch

from embeddings.clip import Clip
from embeddings.encoders import load_encoder
from eval.isolated.retrieval import cosine_similarity, one_shot_retrieval
from scripts.real.sets import real_sets
from spotter.enrolment import enroll
from spotter.search.likeness import likeness

SETS = ("ksl13", "traduttore-9", "traduttore-16", "ksl77-pairs", "wlasl25", "fingerspelling")


def several(clips: list[Clip]) -> list[Clip]:
    """Those whose sign is shown at least twice."""
    labels = [clip.label for clip in clips]
    return [replace(clip, label=str(clip.label)) for clip in clips if labels.count(clip.label) >= 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="+", default=list(SETS[:-1]), choices=SETS)
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--draws", type=int, default=50)
    args = parser.parse_args()
    torch.set_num_threads(1)
    encoder, sets = load_encoder(args.encoder), real_sets(args.folder)
    print(
        "| collection | signs | clips | vectors: top-1, MRR | alignment | both | ms a pair |\n"
        "|---|---|---|---|---|---|---|"
    )
    for name in args.sets:
        clips = several(sets[name])
        gallery = enroll(clips, encoder=encoder)
        begun = time.process_time()
        both = likeness(gallery, gallery)
        milliseconds = 1000 * (time.process_time() - begun) / len(clips) ** 2
        cosine = cosine_similarity(gallery.vectors)
        signers = [str(clip.signer).partition("|")[0] for clip in clips]
        cells = []
        for similarity in (cosine, both - cosine, both):
            labels = list(gallery.exemplar_labels)
            score = one_shot_retrieval(similarity, labels, signers, args.draws, ks=(1,))
            cells.append(f"{score.recall[1].mean():.3f}, {score.mrr.mean():.3f}")
        print(f"| {name} | {score.signs} | {len(clips)} | {' | '.join(cells)} | {milliseconds:.2f} |", flush=True)


if __name__ == "__main__":
    main()

"""Isolated recognition and one-shot retrieval on procedural signs, signers never seen: what the README's table says.

    python scripts/bench/isolated.py accuracy sl-gcn-quick spoter-quick     # train, then top-1 on unseen signers
    python scripts/bench/isolated.py weights                                # class query: hands above legs?
    python scripts/bench/isolated.py losses                                 # triplet + CE against CE alone

Trainings are kept in --folder and go on or are reused; every figure is printed with its counts. One CPU thread by
default: the minutes are those of one core.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from embeddings.encoders.base import Encoder
from embeddings.encoders.checkpoint import load_checkpoint
from embeddings.encoders.spoter import Spoter
from embeddings.isolated.classify import Classifier
from embeddings.isolated.explain import input_weights
from embeddings.training.items import Sampling
from embeddings.training.recipes import read_recipe
from embeddings.training.settings import Augmentation, Recipe
from embeddings.training.sources import open_source
from embeddings.training.train import train
from embeddings.training.validation import score
from embeddings.training.windows import WindowSet
from eval.isolated.retrieval import cosine_similarity, one_shot_retrieval
from safe_files import write_json

UNSEEN_SIGNERS = "procedural:7?signs=40&signers=1000-1019"
UNSEEN_SIGNS = "procedural:8?signs=60&signers=1000-1005"
LEGS = ("knee", "ankle", "heel", "foot_index")


def trained(recipe: Recipe, folder: Path) -> tuple[Path, float]:
    """The best checkpoint and the CPU minutes that its training took here (0 when it was there already)."""
    begun, minutes = time.process_time(), folder / "cpu_minutes.json"
    if not minutes.exists():
        result = train(recipe, folder, on_step=partial(_say, recipe.name))
        spent = (time.process_time() - begun) / 60
        write_json(minutes, {"minutes": spent, "steps": result.progress.step})
    return folder / "best.safetensors", float(json.loads(minutes.read_text())["minutes"])


def _say(name: str, step: int, total: int, line: str) -> None:
    if step % 100 == 0 or step == total:
        print(f"  {name} {step}/{total}  {line}", flush=True)


def windows(source: str, encoder: Encoder, sampling: Sampling) -> WindowSet:
    classes = {label: i for i, label in enumerate(encoder.label_set)}
    return WindowSet(open_source(source, encoder.required_inputs), encoder, sampling, Augmentation(), classes)


def accuracy(names: list[str], folder: Path) -> None:
    """Top-1 on signers that took no part in training or validation."""
    for name in names:
        checkpoint, minutes = trained(read_recipe(name), folder / name)
        classifier = Classifier(checkpoint)
        facts = {"parameters": classifier.parameters(), "CPU minutes of training": round(minutes, 1)}
        data = windows(UNSEEN_SIGNERS, classifier.encoder, classifier.sampling)
        print(f"{name}: {UNSEEN_SIGNERS}")
        print(score(classifier.encoder, data, facts).table().text(), flush=True)


def weights(folder: Path) -> None:
    """Where the class query looks: mean learned weight of hands, of the body above the hips, of the legs."""
    checkpoint, minutes = trained(read_recipe("class-query-quick"), folder / "class-query-quick")
    encoder = load_checkpoint(checkpoint)
    assert isinstance(encoder, Spoter)
    table = input_weights(encoder)
    legs = table["landmark"].str.contains("|".join(LEGS))
    hands = table["part"] != "body"
    rank = np.arange(1, len(table) + 1)
    print(f"class-query-quick, {minutes:.1f} CPU minutes; learned input weights of {len(table)} landmarks")
    for what, rows in (("hands", hands), ("body without legs", ~hands & ~legs), ("legs", legs)):
        mean, place = table.loc[rows, "mean"].mean(), rank[rows.to_numpy()].mean()
        print(f"  {what:18s} mean weight {mean:.4f}  mean rank {place:5.1f}  ({rows.sum()} landmarks)")
    pairs = table.loc[hands, "mean"].to_numpy()[:, None] > table.loc[legs, "mean"].to_numpy()
    print(f"  a hand landmark weighs more than a leg landmark in {pairs.mean():.1%} of {pairs.size} pairs")
    accuracy(["class-query-quick"], folder)


def losses(folder: Path, steps: int, seeds: int) -> None:
    """One-shot retrieval on unseen signs by unseen signers, trained with both losses and with cross-entropy alone."""
    base = read_recipe("sl-gcn-quick", ["data.source=procedural:7?signs=40&signers=0-24"])
    schedule = replace(base.schedule, steps=steps, validate=steps, watch="one-shot")
    print(f"one-shot recall@1 on {UNSEEN_SIGNS}, exemplar and query by different signers, {steps} steps")
    for name, triplet in (("triplet + cross-entropy", 1.0), ("cross-entropy alone", 0.0)):
        figures, part = [], replace(base.loss["part_triplet"], weight=triplet)
        for seed in range(seeds):
            recipe = replace(
                base, name=f"losses-{triplet:g}-{seed}", schedule=schedule, loss={**base.loss, "part_triplet": part},
                run=replace(base.run, seed=seed), data=replace(base.data, cut="span"),
            )  # fmt: skip
            checkpoint, _ = trained(recipe, folder / f"{recipe.name}-{steps}")
            encoder = load_checkpoint(checkpoint)
            data = windows(UNSEEN_SIGNS, encoder, Sampling.of(recipe.data))
            similarity = cosine_similarity(data.outputs(encoder).embeddings)
            labels, signers = [i.label for i in data.items], [i.signer for i in data.items]
            result = one_shot_retrieval(similarity, labels, signers)
            figures.append((result.recall[1].mean(), result.mrr.mean()))
        recall, mrr = np.array(figures).T
        each = " ".join(f"{value:.4f}" for value in recall)
        print(f"  {name:24s} recall@1 {recall.mean():.4f}  MRR {mrr.mean():.4f}  (seeds: {each})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("accuracy", "weights", "losses"))
    parser.add_argument("recipes", nargs="*", default=["sl-gcn-quick", "spoter-quick"])
    parser.add_argument("--folder", type=Path, default=Path("runs"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=300, help="of each training of `losses`")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each kind of `losses`")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.what == "accuracy":
        accuracy(args.recipes, args.folder)
    elif args.what == "weights":
        weights(args.folder)
    else:
        losses(args.folder, args.steps, args.seeds)


if __name__ == "__main__":
    main()

"""`spotter eval isolated`: figures of isolated recognition, from predictions or from embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..console import Failures, err, out, print_json, say
from ..options import Poses, reads_recordings

__all__ = ["register"]

TruthFile = Annotated[
    Path, typer.Argument(help="CSV with sample (or id), label and perhaps signer, split.", show_default=False)
]
FoundFile = Annotated[
    Path,
    typer.Argument(
        help="CSV: sample,class[,next class …] or sample,rank,label; with --one-shot .npz, .csv or a folder. Or clips, "
        "with --model, or --one-shot and --encoder.",
        show_default=False,
    ),
]


def register(group: typer.Typer) -> None:
    """Adds the command of this module to the group `eval`."""
    group.command(
        "isolated",
        epilog="Examples: [bold]spotter eval isolated labels.csv predictions.csv --confusion confusion.png[/bold] · "
        "[bold]spotter eval isolated labels.csv vectors.npz --one-shot[/bold] · "
        "[bold]spotter eval isolated labels.csv clips/ --one-shot -e default[/bold]",
    )(eval_isolated)


@reads_recordings
def eval_isolated(
    poses: Poses,
    truth: TruthFile,
    predictions: FoundFile,
    one_shot: Annotated[
        bool, typer.Option("--one-shot", help="Retrieval with one exemplar a sign, queries by other signers.")
    ] = False,
    split: Annotated[str, typer.Option(help="Only rows of this split.")] = "",
    k: Annotated[int, typer.Option(min=1, help="Of top-k, and of recall@k beside @1.")] = 5,
    draws: Annotated[int, typer.Option(min=1, help="Draws of the exemplars, with --one-shot.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the draws and the bootstrap.")] = 0,
    pairs: Annotated[int, typer.Option(min=0, help="How many confused pairs to list.")] = 10,
    classes: Annotated[bool, typer.Option("--classes", help="Also one row per class, the worst first.")] = False,
    confusion: Annotated[
        Path | None, typer.Option(help="Picture of the confusion matrix: .png .svg .pdf.", show_default=False)
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Page of the confused pairs with their clips: .html.", show_default=False)
    ] = None,
    clips: Annotated[Path | None, typer.Option(help="Folder of the clips, for --page.", show_default=False)] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model", "-m", help="Checkpoint that gave the predictions, or names the clips; its size is told."
        ),
    ] = None,
    encoder: Annotated[
        str,
        typer.Option("--encoder", "-e", help="With --one-shot: compare clips by vectors and alignment."),
    ] = "",
    json_output: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Top-1, top-5, macro accuracy with intervals over clips and signers; which signs are taken for which."""
    from embeddings.pose.formats.spoter_csv import is_spoter_csv
    from eval.isolated import confusion as maps
    from eval.isolated import confusion_page, isolated_score
    from eval.isolated.files import read_ranked, read_truth, read_vectors
    from eval.isolated.retrieval import cosine_similarity
    from eval.isolated.scores import mismatch

    from .clips import classified, compared, refuse_clips

    labels, signers = read_truth(truth, split)
    signer_of = signers if len(signers) == len(labels) else None
    if signers and signer_of is None:
        err.print(f"{len(labels) - len(signers)} of {len(labels)} clips have no signer; signers are left out")
    failures = Failures()
    if one_shot:
        alike: tuple[list[str], Any]
        if encoder:
            alike = compared(predictions, encoder, poses, failures)
        else:
            refuse_clips(predictions)
            ids, vectors = read_vectors(predictions)
            alike = ids, cosine_similarity(vectors)
        _one_shot(predictions, alike, labels, signer_of, sorted({1, k}), draws, seed, json_output)
        failures.finish(len(alike[0]) + len(failures.failed))
        return
    if model is not None and (predictions.suffix.lower() != ".csv" or is_spoter_csv(predictions)):
        ranked = classified(predictions, model, poses, k, failures)
    else:
        refuse_clips(predictions)
        ranked = read_ranked(predictions)
    if why := mismatch(labels, ranked):
        raise ValueError(f"{predictions}: {why}")
    score = isolated_score(labels, ranked, signer_of, k, seed, _facts(model))
    worst = maps.confused_pairs(labels, ranked, pairs)
    if confusion is not None:
        names, matrix = maps.confusion_matrix(labels, ranked)
        maps.draw_confusion(matrix, names, confusion)
    if page is not None:
        wanted = [clip for pair in worst for clip in pair.clips]
        files = {} if clips is None else confusion_page.clip_files(clips, wanted)
        confusion_page.write_pairs_page(worst, files, page)
    if json_output:
        confused = [{"sign": p.sign, "taken_for": p.taken_for, "count": p.count, "clips": list(p.clips)} for p in worst]
        print_json({**score.as_dict(), "confused": confused})
        failures.finish(len(labels))
        return
    say(score.table().text())
    if classes:
        say(score.class_table().text())
    if worst:
        say(maps.pairs_table(worst).text())
    if confusion is not None:
        out.print(f"confusion matrix → {confusion}")
    if page is not None:
        out.print(f"confused pairs → {page}")
    failures.finish(len(labels))


def _facts(model: Path | None) -> dict[str, int]:
    if model is None:
        return {}
    from embeddings.isolated.classify import Classifier

    return {"parameters": Classifier(model).parameters()}


def _one_shot(
    path: Path,
    found: tuple[list[str], Any],
    labels: dict[str, str],
    signers: dict[str, str] | None,
    ks: list[int],
    draws: int,
    seed: int,
    json_output: bool,
) -> None:
    from eval.isolated import retrieval

    ids, similarity = found
    place = {clip: row for row, clip in enumerate(ids)}
    clips = [clip for clip in labels if clip in place]
    if len(clips) < len(labels):
        lacking = next(clip for clip in labels if clip not in place)
        err.print(
            f"{len(labels) - len(clips)} of {len(labels)} clips have no vector, e.g. {lacking}; they are left out"
        )
    if not clips:
        raise ValueError(f"{path}: holds no vector of the ground truth's clips; ids must be the same in both")
    rows = [place[clip] for clip in clips]
    score = retrieval.one_shot_retrieval(
        similarity[rows][:, rows],
        [labels[clip] for clip in clips],
        None if signers is None else [signers[clip] for clip in clips],
        ks=tuple(ks),
        draws=draws,
        seed=seed,
    )
    if json_output:
        print_json(_plain(score, len(clips), signers is not None))
        return
    say(score.table().text())
    out.print(
        f"{len(clips)} clips of {score.signs} signs; queries "
        + ("by other signers than the exemplar's" if signers is not None else "by anybody: no signers are given")
    )


def _plain(score: Any, clips: int, by_others: bool) -> dict[str, Any]:
    return {
        "clips": clips,
        "signs": score.signs,
        "by_other_signers": by_others,
        "queries": score.queries.tolist(),
        "mrr": float(score.mrr.mean()),
        "recall": {str(k): float(values.mean()) for k, values in score.recall.items()},
        "draws": {"mrr": score.mrr.tolist(), **{f"recall@{k}": v.tolist() for k, v in score.recall.items()}},
    }

"""`spotter train`, `classify`, `ensemble`, `explain`: encoders of one's own, and isolated signs by name."""

from __future__ import annotations

import os
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from .console import Failures, err, out, progress_bar, say
from .options import Computing, EncoderName, Poses, computes, reads_recordings

if TYPE_CHECKING:
    from embeddings.isolated.classify import Classifier
    from embeddings.training.items import Item

    from ..search.likeness import NearestExemplar

__all__ = ["items_to_classify", "register"]

Checkpoint = Annotated[
    Path, typer.Option("--model", "-m", help="Checkpoint of a trained encoder, or the folder of its training.")
]


class Device(StrEnum):
    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Vote(StrEnum):
    soft = "soft"
    hard_soft = "hard-soft"


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(
        epilog="Examples: [bold]spotter train sl-gcn-quick -o run/[/bold] · "
        "[bold]spotter train vtn-pf-autsl --data clips.csv?media=videos/ --poses poses/ -o run/[/bold] · "
        "[bold]torchrun --nproc-per-node 4 -m spotter train …[/bold]"
    )(train)
    app.command(
        epilog="Examples: [bold]spotter classify clips/ -m run/best.safetensors -o labels.csv[/bold] · "
        "[bold]spotter classify clips/ -g gallery/ -o labels.csv[/bold]"
    )(classify)
    group = typer.Typer(no_args_is_help=True, help="Several classifiers as one, by fitted weights.")
    group.command(
        epilog="Example: [bold]spotter ensemble fit a.csv b.csv --labels validation.csv -o ensemble.json[/bold]"
    )(fit)
    group.command(epilog="Example: [bold]spotter ensemble predict ensemble.json a.csv b.csv -o both.csv[/bold]")(
        predict
    )
    app.add_typer(group, name="ensemble")
    app.command(epilog="Example: [bold]spotter explain HOUSE.mp4 -m run/best.safetensors -o pictures/[/bold]")(explain)


@reads_recordings
def train(
    poses: Poses,
    recipe: Annotated[str, typer.Argument(help="Recipe by name or as .toml; none lists them.")] = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the training.")] = Path("run"),
    data: Annotated[
        str,
        typer.Option(help="label/clip folder, manifest.csv?media=videos/, poses.h5, procedural:7?signs=40, …"),
    ] = "",
    init: Annotated[
        str, typer.Option(help="Starting weights: random, imagenet, a shipped encoder, or a checkpoint.")
    ] = "",
    device: Annotated[Device, typer.Option(help="Where to train.")] = Device.auto,
    resume: Annotated[bool, typer.Option("--resume/--restart", help="Go on where a stopped run was.")] = True,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="Change a recipe: table.key=value; may be repeated.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", "-j", min=0, help="Processes that prepare batches.")] = 0,
) -> None:
    """Train a network by a recipe. A stopped run goes on with the same command and ends with the same weights."""
    from embeddings.training.recipes import read_recipe, recipe_names

    if not recipe:
        for name in recipe_names():
            out.print(f"[bold]{name}[/bold]  {read_recipe(name).about}")
        return
    chosen = read_recipe(recipe, change if change is not None else [])
    from embeddings.training.train import train as train_network

    with progress_bar() as bar:
        task = bar.add_task(chosen.name, total=None)

        def on_step(step: int, total: int, line: str) -> None:
            bar.update(task, completed=step, total=total, description=f"{chosen.name}  {line}")

        result = train_network(
            chosen, output, data, init, device.value, resume, poses.source(), workers, on_step=on_step,
        )  # fmt: skip
    if os.environ.get("RANK", "0") != "0":  # under torchrun one process speaks for all
        return
    done = result.progress
    why = ", stopped early" if done.stopped else ""
    out.print(f"{result.clips[0]} clips for training, {result.clips[1]} for validation; {done.step} steps{why}")
    watch, f = chosen.schedule.watch, result.figures
    if result.clips[1] and watch != "last":
        out.print(f"best {watch} {abs(done.best):.4f} after {done.best_step} steps")
    elif result.clips[1]:
        figures = {"loss": f.loss, "top-1": f.top1, "one-shot": f.one_shot}
        out.print("last weights: " + ", ".join(f"{k} {v:.4f}" for k, v in figures.items() if v == v))
    out.print(f"{result.checkpoint}, loss.png, log.csv, tensorboard/ in {output}/")


def items_to_classify(
    given: list[str], classifier: Classifier | NearestExemplar, poses: Poses, split: str
) -> list[Item]:
    """What to classify: a data source with its ids and labels, or recordings and folders of them."""
    from functools import partial

    from embeddings.prepared import load_clip
    from embeddings.recordings import Recording, find_recordings
    from embeddings.training.items import Item
    from embeddings.training.sources import open_source

    encoder = classifier.encoder
    absent = not Path(given[0].partition("#")[0]).exists()
    if given[0].endswith(".csv") or (len(given) == 1 and absent and any(mark in given[0] for mark in ":?")):
        items = open_source(given[0], encoder.required_inputs, poses.source(), encoder.fps)
        return [item for item in items if not split or item.split == split]
    found: dict[str, Recording] = {}
    for named in given:
        for recording in find_recordings([named], encoder.required_inputs, recursive=True):
            name = recording.name_in(Path(named))
            if name in found:
                raise ValueError(f"{recording}: the sample {name!r} is there twice (also {found[name]})")
            found[name] = recording
    source = poses.source(found.values(), encoder.required_inputs)
    return [Item(name, r.label, partial(load_clip, r, encoder, source), r.signer) for name, r in found.items()]


@computes
def classify(
    poses: Poses,
    computing: Computing,
    clips: Annotated[
        list[str], typer.Argument(help="Clips, folders of them, or data as for training.", show_default=False)
    ],
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", help="Checkpoint of an encoder trained on these signs.", show_default=False),
    ] = None,
    gallery: Annotated[
        Path | None,
        typer.Option("--gallery", "-g", help="Or a gallery: one example a sign is enough.", show_default=False),
    ] = None,
    encoder: EncoderName = "default",
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV sample,rank,label,probability.")] = Path(
        "labels.csv"
    ),
    top: Annotated[int, typer.Option(min=1, help="Labels per clip.")] = 5,
    scores: Annotated[
        Path | None, typer.Option(help="Also every probability, for spotter ensemble.", show_default=False)
    ] = None,
    submission: Annotated[
        Path | None, typer.Option(help="Template sample,class to fill beside the output.", show_default=False)
    ] = None,
    split: Annotated[str, typer.Option(help="Only this split of the data.")] = "",
) -> None:
    """Which sign does each clip show? Where the data knows the answer, the accuracy is printed too.

    With --gallery by the evidence that spotting uses: vectors and alignment of the clip, trimmed to its sign.
    """
    import numpy as np

    from embeddings.isolated.classify import Classifier, top_labels, write_labels
    from embeddings.isolated.ensemble import Scores, write_scores

    classifier = _classifier(model, gallery, encoder, computing)
    items = items_to_classify(clips, classifier, poses, split)
    failures, rows, seconds = Failures(), dict[str, Any](), 0.0
    with progress_bar() as bar:
        task = bar.add_task("clips", total=len(items))
        waiting: dict[str, Any] = {}
        for number, item in enumerate(items, start=1):
            try:
                clip = item.load()
                begun = time.perf_counter()
                waiting[item.id] = classifier.window(clip) if isinstance(classifier, Classifier) else clip
                seconds += time.perf_counter() - begun
            except (ValueError, KeyError, OSError) as error:
                failures.add(item.id, error)
            if waiting and (number == len(items) or len(waiting) == (computing.batch or 1)):
                begun = time.perf_counter()
                rows |= zip(waiting, _probabilities(classifier, list(waiting.values())), strict=True)
                seconds += time.perf_counter() - begun
                waiting = {}
            bar.advance(task)
    ranked = {name: top_labels(p, classifier.labels, top) for name, p in rows.items()}
    write_labels(output, ranked)
    out.print(f"{len(rows)} of {len(items)} clips → {output}")
    if scores is not None and rows:
        name = (model or gallery or output).stem
        write_scores(scores, Scores(name, tuple(rows), classifier.labels, np.stack(list(rows.values()))))
    labels = {name: [label for label, _ in best] for name, best in ranked.items()}
    if submission is not None:
        from eval.isolated.files import fill_template

        target = output.with_name(f"{submission.stem}.filled.csv")
        count = fill_template(submission, labels, target)
        out.print(f"{count} rows → {target}")
    _print_accuracy(items, labels, classifier, seconds / max(len(rows), 1))
    failures.finish(len(items))


def _probabilities(classifier: Classifier | NearestExemplar, seen: list[Any]) -> list[Any]:
    """Of clips, or of a network's windows of them: the probabilities of the signs."""
    from embeddings.isolated.classify import Classifier

    if isinstance(classifier, Classifier):
        return list(classifier.probabilities_of(seen))
    return [classifier.probabilities(clip) for clip in seen]


def _classifier(
    model: Path | None, gallery: Path | None, encoder: str, computing: Computing
) -> Classifier | NearestExemplar:
    """What names the signs.

    Raises:
        ValueError: a checkpoint and a gallery are given, or neither.
    """
    from embeddings.isolated.classify import Classifier
    from gallery import Gallery

    from ..search.likeness import NearestExemplar

    if (model is None) == (gallery is None):
        given = "neither is" if model is None else "both are"
        raise ValueError(f"--model or --gallery says which signs there are; {given} given, expected one of them")
    if model is not None:
        return Classifier(model, computing.device, computing.dtype)
    assert gallery is not None
    named = NearestExemplar(Gallery.load(gallery), computing.encoder(encoder))
    if named.learned is not None:
        head, right = named.learned.rule.name, named.learned.left_out
        out.print(f"rule: {head}; of exemplars with another of their sign {right:.1%} are named rightly when left out")
    return named


def _print_accuracy(
    items: list[Item], labels: dict[str, list[str]], classifier: Classifier | NearestExemplar, seconds: float
) -> None:
    from eval.isolated import isolated_score

    truth = {item.id: item.label for item in items if item.label in classifier.labels and item.id in labels}
    if not truth:
        return
    signers = {item.id: item.signer for item in items if item.signer}
    facts = {"parameters": classifier.parameters(), "seconds per clip": seconds}
    known = signers if all(name in signers for name in truth) else None
    figures = isolated_score(truth, labels, known, k=5, facts=facts)
    say(figures.table().text())


def fit(
    scores: Annotated[list[Path], typer.Argument(help="A CSV of probabilities per model.", show_default=False)],
    labels: Annotated[Path, typer.Option("--labels", help="CSV sample,label,split: the validation list.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The ensemble, JSON.")] = Path("ensemble.json"),
    vote: Annotated[Vote, typer.Option(help="How votes are cast.")] = Vote.soft,
    seed: Annotated[int, typer.Option(help="Of the search.")] = 0,
) -> None:
    """Find the models' weights on a validation list by CMA-ES. A list with test rows is refused."""
    from embeddings.isolated.ensemble import fit_ensemble, read_labels, read_scores

    ensemble = fit_ensemble([read_scores(path) for path in scores], read_labels(labels), vote.value, seed)
    ensemble.save(output)
    for name, weight in zip(ensemble.models, ensemble.weights, strict=True):
        out.print(f"{weight:.4f}  {name}")
    out.print(f"accuracy on the {len(ensemble.fitted_on)} samples it was fitted to: {ensemble.accuracy:.4f} → {output}")


def predict(
    ensemble: Annotated[Path, typer.Argument(help="What `fit` wrote.", show_default=False)],
    scores: Annotated[list[Path], typer.Argument(help="A CSV per model of it, of other samples.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Probabilities of the ensemble, CSV.")] = Path(
        "scores.csv"
    ),
    labels: Annotated[Path | None, typer.Option(help="Also the likeliest labels.", show_default=False)] = None,
) -> None:
    """Probabilities of an ensemble; models are matched by name, samples by id."""
    from embeddings.isolated.classify import top_labels, write_labels
    from embeddings.isolated.ensemble import Ensemble, read_scores, write_scores

    found = Ensemble.load(ensemble).predict([read_scores(path) for path in scores])
    write_scores(output, found)
    if labels is not None:
        rows = zip(found.ids, found.probabilities, strict=True)
        write_labels(labels, {name: top_labels(p, found.labels, 5) for name, p in rows})
    out.print(f"{len(found.ids)} samples → {output}")


@reads_recordings
def explain(
    poses: Poses,
    clip: Annotated[Path, typer.Argument(help="Recording of one sign.", show_default=False)],
    model: Checkpoint,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the pictures.")] = Path("explained"),
    label: Annotated[str, typer.Option(help="The sign to explain (default: the one it gives).")] = "",
    method: Annotated[
        Literal["gradient", "activation"] | None,
        typer.Option(
            help="Saliency by the sign's gradient (Grad-CAM) or by mean activation, as the VTN paper shows it; default "
            "the first where the network has a classifier.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Where a network looks: saliency per hand, attention per head, learned input weights, as far as it has them.

    It looks at the same window of the clip that `classify` decides on.
    """
    from embeddings.encoders import load_encoder
    from embeddings.isolated.classify import Classifier, top_labels
    from embeddings.isolated.explain import explain as explain_clip
    from embeddings.prepared import load_clip

    encoder = load_encoder(model)
    classifier = Classifier(model) if encoder.label_set else None
    encoder = encoder if classifier is None else classifier.encoder
    if encoder.name.startswith("i3d"):
        err.print("the network sees 16 frames at once; the picture spreads its coarser steps over them")
    recording = load_clip(clip, encoder, poses.source())
    if classifier is not None:
        ((best, share),) = top_labels(classifier.probabilities(recording), classifier.labels, 1)
        err.print(f"{recording.name}: {best} (probability {share:.3f})")
    window = None if classifier is None else classifier.window
    for path in explain_clip(encoder, recording, output, label if label else None, method, window, err.print):
        out.print(str(path))

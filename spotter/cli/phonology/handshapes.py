"""`spotter phonology vle …`: handshape networks, their embeddings of a corpus, and semantic vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safe_files import GroupedHDF5

from ..console import Failures, out, print_json, progress_bar
from ..options import JsonFlag, Poses, Videos, reads_recordings
from .files import READING_ERRORS, over_poses
from .mining import mine

if TYPE_CHECKING:
    from embeddings.clip import Pose
    from embeddings.encoders.handshape import Handshape
    from embeddings.phonology.handshapes.network_data import HandImages
    from embeddings.recordings import Recording

__all__ = ["register"]

Folder = Annotated[Path | None, typer.Option("--folder", help="A folder per handshape, with pictures.")]
Clusters = Annotated[Path | None, typer.Option("--clusters", help="Clusters (spotter phonology clusters).")]
Hands = Annotated[Path | None, typer.Option("--hands", help="Hand images (spotter phonology hands).")]
Network = Annotated[Path, typer.Option("--network", "-m", help="Handshape network (spotter train handshape-uwb).")]


def register(group: typer.Typer) -> None:
    """Adds `vle` to `spotter phonology`."""
    vle = typer.Typer(
        no_args_is_help=True,
        help="Visual language embedding: what a handshape network (spotter train handshape-uwb) says of hand images.",
    )
    vle.command(
        "test", epilog="Example: [bold]spotter phonology vle test --folder held-out/ -m vle.safetensors[/bold]"
    )(evaluate)
    vle.command(epilog="Example: [bold]spotter phonology vle predict hands.h5 -m vle.safetensors -o vle.h5[/bold]")(
        predict
    )
    vle.command(epilog="Example: [bold]spotter phonology vle semantic talks/ --vle vle.h5 -o semantic.h5[/bold]")(
        semantic
    )
    vle.command(
        epilog="Example: [bold]spotter phonology vle mine signs/ --references picked.csv --clusters clusters.h5 "
        "--hands hands.h5[/bold]"
    )(mine)
    group.add_typer(vle, name="vle")


def _images(folder: Path | None, clusters: Path | None, hands: Path | None) -> HandImages:
    from embeddings.phonology.handshapes.network_data import images_from_clusters, images_from_folder

    if folder is not None and clusters is None and hands is None:
        return images_from_folder(folder)
    if folder is None and clusters is not None and hands is not None:
        return images_from_clusters(clusters, hands)
    raise ValueError("give either --folder, or --clusters together with --hands")


def _network(path: Path) -> Handshape:
    from embeddings.encoders.checkpoint import load_checkpoint
    from embeddings.encoders.handshape import Handshape

    network = load_checkpoint(path)
    if not isinstance(network, Handshape):
        raise ValueError(
            f"{path}: a network of kind {network.name!r}; expected 'handshape' (spotter train handshape-uwb makes one)"
        )
    return network


def evaluate(
    network: Network,
    folder: Folder = None,
    clusters: Clusters = None,
    hands: Hands = None,
    picture: Annotated[Path | None, typer.Option(help="Picture of the confusions.")] = None,
    json_output: JsonFlag = False,
) -> None:
    """Accuracy and confusions of a handshape network on images that it was not trained on."""
    from embeddings.phonology.handshapes.network import evaluate_vle
    from embeddings.phonology.pictures import draw_confusion

    model, data = _network(network), _images(folder, clusters, hands)
    accuracy, counts = evaluate_vle(model, data)
    if picture is not None:
        draw_confusion(picture, {f"handshapes, accuracy {accuracy:.3f}": (model.label_set, counts)})
    if json_output:
        labels = list(model.label_set)
        print_json({"accuracy": accuracy, "images": len(data), "labels": labels, "confusion": counts.tolist()})
    else:
        out.print(f"accuracy {accuracy:.3f} ({int(counts.trace())} of {len(data)} images)")


def predict(
    stores: Annotated[list[Path], typer.Argument(help="Hand images (spotter phonology hands).", show_default=False)],
    network: Network,
    output: Annotated[Path, typer.Option("--output", "-o", help="HDF5 file of the embeddings.")] = Path("vle.h5"),
    confidence: Annotated[float, typer.Option(min=0, max=1, help="Least confidence of a hand.")] = 0.55,
) -> None:
    """Embed every hand image of a corpus. Videos that the output holds are not done again."""
    from embeddings.phonology.handshapes.network import predict_store
    from embeddings.recordings import find_recordings, require

    model, failures, added = _network(network), Failures(), 0
    with progress_bar() as bar:
        task = bar.add_task("videos", total=None)
        for store in stores:
            try:
                require(find_recordings([store], ("hand",))[0], ("hand",), "the handshape network")
                added += predict_store(model, store, output, confidence, lambda video, count: bar.advance(task))
            except READING_ERRORS as error:
                failures.add(store, error)
    out.print(f"{added} videos added to {output}")
    failures.finish(len(stores))


@reads_recordings
def semantic(
    poses: Poses,
    videos: Videos,
    vle: Annotated[Path, typer.Option("--vle", help="Embeddings of their hands (vle predict).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="HDF5 file: [video]/{semantic, frames}.")] = Path(
        "semantic.h5"
    ),
    count: Annotated[int, typer.Option("--count", "-n", min=0, help="Key-frames; 0 keeps every frame.")] = 16,
) -> None:
    """Semantic vectors of key-frames, 2590 values each: places and hand embeddings, left and right."""
    from embeddings.phonology.semantic_vector import semantic_track

    def work(recording: Recording, pose: Pose) -> None:
        frames, values = semantic_track(pose, vle, recording.name, count)
        with store.add(recording.name) as group:
            group["frames"] = frames
            group.create_dataset("semantic", data=values, compression="gzip")

    with GroupedHDF5(output) as store:
        done = over_poses(videos, poses, work, store.names())
    out.print(f"semantic vectors of {done} videos → {output}")

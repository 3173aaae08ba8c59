"""`spotter phonology crops | hands | clusters`: pictures of bodies and hands, and the handshapes of a corpus."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safe_files import GroupedHDF5, open_hdf5

from ..console import Failures, err, out, progress_bar
from ..options import Clips, Poses, Videos, reads_recordings
from .files import READING_ERRORS, over_poses, read_pose_of, read_signers, write_rows

if TYPE_CHECKING:
    from embeddings.clip import Pose
    from embeddings.phonology.handshapes.corpus import CorpusHands, LabelledPose
    from embeddings.recordings import Recording

__all__ = ["register"]

FILMED = ("pose", "frames")
"""Pictures are cut where the pose says."""

Signers = Annotated[Path | None, typer.Option("--signers", help="CSV video,signer; without it each video is its own.")]


class Distance(StrEnum):
    picture = "picture"
    palm = "palm"


def register(group: typer.Typer) -> None:
    """Adds the commands of this module to `spotter phonology`."""
    group.command(epilog="Example: [bold]spotter phonology crops talks/ -o crops.h5 --masked[/bold]")(crops)
    group.command(
        epilog="Example: [bold]spotter phonology hands talks/ -o hands.h5 --poses poses/ --plot confidence.png[/bold]"
    )(hands)
    group.command(epilog="Example: [bold]spotter phonology clusters signs/ --sheets sheets/ --hands hands.h5[/bold]")(
        clusters
    )


@reads_recordings
def crops(
    poses: Poses,
    videos: Videos,
    output: Annotated[Path, typer.Option("--output", "-o", help="HDF5 file: [video]/crops.")] = Path("crops.h5"),
    masked: Annotated[
        bool, typer.Option("--masked", help="Black out everything but the skeleton of head and hands.")
    ] = False,
    arms: Annotated[bool, typer.Option("--arms", help="With --masked: keep the arms too.")] = False,
) -> None:
    """Body crops of 256 × 256 pixels. Videos that the file holds are not done again."""
    from embeddings.phonology.body_crops import write_body_crops
    from embeddings.recordings import read_pictures

    def work(recording: Recording, pose: Pose) -> None:
        with store.add(recording.name) as group:
            count = write_body_crops(group, read_pictures(recording, pose.fps), pose, masked, arms)
            group.attrs["fps"] = pose.fps
        out.print(f"{recording.name}: {count} crops")

    with GroupedHDF5(output) as store:
        over_poses(videos, poses, work, store.names(), FILMED)


@reads_recordings
def hands(
    poses: Poses,
    videos: Videos,
    output: Annotated[Path, typer.Option("--output", "-o", help="HDF5 file of hand images.")] = Path("hands.h5"),
    confidence: Annotated[float, typer.Option(min=0, max=1, help="Least mean confidence of a hand's joints.")] = 0.4,
    signers: Signers = None,
    plot: Annotated[Path | None, typer.Option(help="Picture of the confidences per signer.")] = None,
    table: Annotated[Path | None, typer.Option(help="CSV of the confidences per signer.")] = None,
) -> None:
    """Images of 70 × 70 pixels of both hands. Videos that the file holds are not done again."""
    from embeddings.phonology.handshapes.confidence import confidence_statistics, hand_confidences, says_nothing
    from embeddings.phonology.handshapes.images import store_size, write_hand_images
    from embeddings.phonology.pictures import draw_confidence
    from embeddings.recordings import read_pictures

    who = read_signers(signers)

    def work(recording: Recording, pose: Pose) -> None:
        with store.add(recording.name) as group:
            counts = write_hand_images(group, read_pictures(recording, pose.fps), pose, confidence)
        out.print(f"{recording.name}: {counts['left']} left, {counts['right']} right hands")

    try:
        with GroupedHDF5(output) as store:
            over_poses(videos, poses, work, store.names(), FILMED)
    finally:
        tracks = hand_confidences(output)  # of all videos of the file, also those of a run before
        rows = confidence_statistics({v: (who.get(v, v), track) for v, track in tracks.items()}, confidence)
        if says_nothing(rows):
            err.print(
                "the pose estimator gives every hand it sees one confidence (MediaPipe does); thresholds on it leave "
                "nothing out"
            )
        if table is not None:
            write_rows(table, tuple(rows[0]) if rows else ("signer",), [tuple(r.values()) for r in rows])
        if plot is not None and rows:
            draw_confidence(plot, rows, confidence)
        if output.exists():
            size = store_size(output)
            out.print(
                f"{output}: {size.images} images, {size.bytes_per_image:.0f} bytes an image, "
                f"{size.hours_per_gigabyte:.1f} hours of video per GB"
            )


@reads_recordings
def clusters(
    poses: Poses,
    clips: Clips,
    output: Annotated[Path, typer.Option("--output", "-o", help="HDF5 file of the clusters.")] = Path("clusters.h5"),
    distance: Annotated[Distance, typer.Option(help="In the picture (published), or of 3D palm shapes.")] = (
        Distance.picture
    ),
    least: Annotated[int, typer.Option(min=2, help="Videos and hands of the smallest cluster of a sign.")] = 5,
    join: Annotated[int, typer.Option(min=2, help="Hands of the smallest cluster that joins over signs.")] = 10,
    sheets: Annotated[Path | None, typer.Option(help="Folder for one contact sheet per cluster.")] = None,
    hands: Annotated[Path | None, typer.Option(help="Hand images for the sheets (spotter phonology hands).")] = None,
    signers: Signers = None,
) -> None:
    """Handshapes of a corpus of single signs: clusters per sign, then over all signs; dominant hand per signer."""
    from embeddings.phonology.handshapes.cluster_files import write_corpus_clusters
    from embeddings.phonology.handshapes.clusters import ClusterOptions
    from embeddings.phonology.handshapes.corpus import cluster_corpus, dominant_hands

    videos, failures, total = _labelled(clips, read_signers(signers), poses)
    dominant = dominant_hands(videos)
    found = cluster_corpus(videos, distance.value, ClusterOptions(least=least), join, dominant)
    write_corpus_clusters(output, found)
    if sheets is not None:
        _sheets(sheets, found, hands)
    left = sorted(signer for signer, hand in dominant.items() if hand == "left")
    over_all = int(found.labels.max(initial=-1)) + 1
    out.print(f"{len(videos)} videos, {len(dominant)} signers; left-handed: {', '.join(left) or 'none'}")
    out.print(
        f"{sum(len(c) for c in found.signs.values())} clusters in {len(found.signs)} signs, {len(found.samples)} "
        f"hands; {over_all} clusters over all signs with {int((found.labels >= 0).sum())} hands → {output}"
    )
    failures.finish(total)


def _labelled(clips: list[Path], signers: dict[str, str], poses: Poses) -> tuple[list[LabelledPose], Failures, int]:
    """The poses of all clips that can be read, with their signs and signers."""
    from embeddings.phonology.handshapes.corpus import LabelledPose
    from embeddings.recordings import source_name

    from ...enrolment import find_exemplars

    found = find_exemplars(clips)
    source = poses.source([e.source for e in found], ("pose",))
    failures, videos = Failures(), []
    with progress_bar() as bar:
        task = bar.add_task("poses", total=len(found))
        for exemplar in found:
            try:
                name = source_name(exemplar.source)
                signer = signers.get(name, getattr(exemplar.source, "signer", "") or name)
                videos.append(LabelledPose(name, exemplar.label, signer, read_pose_of(exemplar.source, source)))
            except READING_ERRORS as error:
                failures.add(exemplar.source, error)
            bar.advance(task)
    if not videos:
        failures.finish(len(found))
    return videos, failures, len(found)


def _sheets(folder: Path, found: CorpusHands, store: Path | None) -> None:
    """One contact sheet per cluster: the hands' images where there is a store, else their joints as lines."""
    import numpy as np

    from embeddings.phonology.pictures import contact_sheet, hand_picture, write_picture

    file = open_hdf5(store) if store is not None else None
    try:
        for number in range(int(found.labels.max(initial=-1)) + 1):
            images, captions = [], []
            for k in np.flatnonzero(found.labels == number):
                sample = found.samples[k]
                group = None if file is None else file.get(f"{sample.video}/{sample.hand}_hand")
                at = np.flatnonzero(group["frames"][:] == sample.frame) if group is not None else np.zeros(0, int)
                image = group["images"][int(at[0])] if group is not None and len(at) else None
                images.append(hand_picture(found.joints[k], 70) if image is None else image)
                captions.append(sample.sign[:10])
            write_picture(folder / f"cluster-{number:03d}.png", contact_sheet(images, captions))
    finally:
        if file is not None:
            file.close()

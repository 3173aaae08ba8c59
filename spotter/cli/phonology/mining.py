"""`spotter phonology vle mine`: a training set of known handshapes, mined from a corpus by examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safe_files import open_hdf5

from ..console import err, out
from ..options import Poses, Videos, reads_recordings
from .files import read_pose_of, read_signers, write_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embeddings.phonology.handshapes.corpus import HandSample

__all__ = ["mine"]

COLUMNS = ("handshape", "video", "frame")


@reads_recordings
def mine(
    poses: Poses,
    videos: Videos,
    references: Annotated[
        Path, typer.Option(help="CSV handshape,video,frame[,hand]: hands picked by a person.", show_default=False)
    ],
    clusters: Annotated[
        Path, typer.Option("--clusters", help="The corpus's hands (spotter phonology clusters).", show_default=False)
    ],
    hands: Annotated[Path, typer.Option("--hands", help="Their images (spotter phonology hands).", show_default=False)],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder: one a handshape, for train --data images:FOLDER.")
    ] = (Path("mined")),
    signers: Annotated[Path | None, typer.Option("--signers", help="CSV video,signer; else each video is its own.")] = (
        None
    ),
    most: Annotated[float, typer.Option(min=0, help="Largest distance to a reference, in hand sizes.")] = 1.5,
    same: Annotated[float, typer.Option(min=0, help="References nearer to each other count as one.")] = 0.3,
    confidence: Annotated[float, typer.Option(min=0, max=1, help="Least confidence of a hand.")] = 0.6,
) -> None:
    """Images of hands like the references, a folder per handshape: a training set for the handshape network."""

    from embeddings.phonology.handshapes.cluster_files import read_corpus_clusters
    from embeddings.phonology.handshapes.images import read_hand_image
    from embeddings.phonology.handshapes.mining import mine_references
    from embeddings.phonology.pictures import write_picture

    corpus = read_corpus_clusters(clusters)
    picked = _read_references(references)
    known = _joints(picked, videos, poses)
    found = mine_references(known, corpus.joints, corpus.confidence, most, same, confidence)
    own = {sample for samples in picked.values() for sample in samples}
    listed = [(shape, sample, 0.0) for shape, samples in picked.items() for sample in samples]
    mined = [(hand.handshape, _place(corpus.samples[hand.row]), hand.distance) for hand in found]
    listed += [row for row in mined if row[1] not in own]
    who, rows = read_signers(signers), []
    with open_hdf5(hands) as file:
        for shape, (video, frame, side), distance in listed:
            image = read_hand_image(file, video, frame, side)
            if image is not None:
                name = f"{who.get(video, video).replace('_', '-')}_{video}_{frame}_{side}.png"
                write_picture(output / shape / name, image)
                rows.append((shape, video, frame, side, round(distance, 4), f"{shape}/{name}"))
    if not rows:
        raise ValueError(f"{hands} has no image of the {len(listed)} hands found; were both made of the same videos?")
    write_rows(output / "mined.csv", ("handshape", "video", "frame", "hand", "distance", "file"), rows)
    if len(rows) < len(listed):
        err.print(f"{len(listed) - len(rows)} of {len(listed)} hands have no image in {hands}")
    out.print(f"{len(rows)} images of {len({row[0] for row in rows})} handshapes → {output}/")


def _place(sample: HandSample) -> tuple[str, int, str]:
    return sample.video, sample.frame, sample.hand


def _read_references(path: Path) -> dict[str, list[tuple[str, int, str]]]:
    """Handshape → (video, frame, hand) of its references.

    Raises:
        ValueError: a column is missing, or a cell is wrong.
    """
    import pandas as pd

    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if not set(COLUMNS) <= set(table.columns):
        raise ValueError(f"{path}: columns {', '.join(table.columns)}; expected {', '.join(COLUMNS)}[, hand]")
    picked: dict[str, list[tuple[str, int, str]]] = {}
    for number, row in enumerate(table.to_dict("records"), 2):
        side = row.get("hand", "") or "right"
        if not row["handshape"] or not row["video"] or not row["frame"].isdigit() or side not in ("left", "right"):
            raise ValueError(f"{path}, line {number}: expected handshape, video, frame from 0, hand left or right")
        picked.setdefault(row["handshape"], []).append((row["video"], int(row["frame"]), side))
    if not picked:
        raise ValueError(f"{path}: no references; expected rows {', '.join(COLUMNS)}")
    return picked


def _joints(
    picked: dict[str, list[tuple[str, int, str]]], videos: list[Path], poses: Poses
) -> dict[str, NDArray[np.floating]]:
    """Handshape → (n, 21, 2) joints of its references, left hands in the mirror.

    Raises:
        ValueError: a video or a hand is not there.
    """
    import numpy as np

    from embeddings.recordings import find_recordings
    from embeddings.skeletons import SKELETONS

    wanted = {video for samples in picked.values() for video, _, _ in samples}
    recordings = {r.name: r for r in find_recordings(videos, recursive=True) if r.name in wanted}
    if lacking := sorted(wanted - recordings.keys()):
        raise ValueError(f"the references name {', '.join(lacking[:3])}, which the clips given do not hold")
    source = poses.source(list(recordings.values()), ("pose",))
    of = {name: read_pose_of(recording, source) for name, recording in recordings.items()}

    def joints(video: str, frame: int, side: str) -> Any:
        pose = of[video]
        hand = pose.xy[frame, SKELETONS[pose.skeleton].hand(side)] if frame < len(pose) else np.full((21, 2), np.nan)
        if not np.isfinite(hand).all():
            raise ValueError(f"{video}, frame {frame}: the {side} hand is not seen whole; choose another reference")
        return hand * np.array([-1.0 if side == "left" else 1.0, 1.0])

    return {shape: np.stack([joints(*sample) for sample in samples]) for shape, samples in picked.items()}

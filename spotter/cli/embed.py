"""`spotter embed`: vectors of videos, with their times, for whatever comes after."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import Failures, out, progress_bar
from .options import Computing, EncoderName, Poses, Videos, computes

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(epilog="Example: [bold]spotter embed talks/ -o vectors/ --window 16 --stride 4[/bold]")(embed)


@computes
def embed(
    poses: Poses,
    computing: Computing,
    videos: Videos,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for one .npz per video.")] = Path("vectors"),
    encoder: EncoderName = "default",
    window: Annotated[int | None, typer.Option(min=1, help="Frames of a window (default: the encoder's).")] = None,
    stride: Annotated[int, typer.Option(min=1, help="Frames between windows.")] = 4,
) -> None:
    """Write `vectors` (W, D), unit rows, with `start` and `end` (W,) in seconds, one file per video."""
    import numpy as np

    from embeddings.prepared import prepared
    from embeddings.recordings import find_recordings
    from safe_files import write_npz

    from ..search.windows import centres, windows_at

    network = computing.encoder(encoder)
    recordings = find_recordings(videos, network.required_inputs, unique=True)
    source = computing.source(poses.source(recordings, network.required_inputs))
    failures = Failures()
    with progress_bar() as bar:
        task = bar.add_task("videos", total=len(recordings))
        for recording in recordings:
            try:
                video = prepared(recording, network, source)
                spans = windows_at(centres(len(video), stride), float(window or network.window))
                vectors = video.embed(spans)
                seconds = np.clip(spans, 0, len(video)) / network.fps
                facts = {"encoder": np.array(network.id or network.name), "fps": np.array(network.fps)}
                times = {"start": seconds[:, 0], "end": seconds[:, 1]}
                write_npz(output / f"{recording.name}.npz", vectors=vectors, **times, **facts)
            except (ValueError, KeyError, OSError) as error:
                failures.add(recording, error)
            bar.advance(task)
    out.print(f"vectors of {len(recordings) - len(failures.failed)} of {len(recordings)} recordings in {output}/")
    failures.finish(len(recordings))

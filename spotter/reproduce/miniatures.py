"""Miniatures of data sets: a few videos of the procedural signer in the published file layout.

They are there to run a system's commands from annotation to score in minutes; their scores say nothing about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from safe_files import write_text

if TYPE_CHECKING:
    from embeddings.clip import Span
    from embeddings.synthetic import Camera, Sign, SignWorld

__all__ = ["MINIATURES", "autsl", "ipn", "oslwl"]

SIDE = 224
SIGNS = ("abla", "acele", "acikmak")
"""The first classes of AUTSL; what the procedural signer performs under these names has nothing to do with them."""


def autsl(folder: Path) -> None:
    """Three signs by four signers for training, two for validation and two for the test, 25 frames a second."""
    from eval.datasets import Sample
    from eval.datasets.autsl import write_labels

    world = _world()
    lines = ["ClassId,TR,EN", *(f"{k},{name},{name}" for k, name in enumerate(SIGNS))]
    write_text(folder / "SignList_ClassId_TR_EN.csv", "\n".join(lines) + "\n")
    for split, signers in (("train", range(4)), ("val", range(4, 6)), ("test", range(6, 8))):
        samples = []
        for signer in signers:
            for number in range(len(SIGNS)):
                name = f"signer{signer}_sample{number + 1}"
                _film(folder / split / f"{name}_color.mp4", world, [world.signs[number]], signer, 25.0)
                samples.append(Sample(name, SIGNS[number], "", number=number))
        write_labels(folder / f"{split}_labels.csv", samples)


def ipn(folder: Path) -> None:
    """Four gestures and what lies between them in videos of two people for training and one for the test, 30 frames a
    second, with the annotation lists of the data set."""
    from eval.datasets import Sample
    from eval.datasets.ipn import CLASSES, GESTURES, NO_GESTURE, write_annotations

    world = _world()
    for split, people in (("Train", range(2)), ("Test", range(2, 3))):
        samples: list[Sample] = []
        for person in people:
            video = f"1CM1_{person + 1}_R_#{217 + person}"
            spans = _film(folder / "videos" / f"{video}.avi", world, world.signs[:4], person, 30.0)
            at = 0
            for number, span in enumerate(spans):
                for label, start, end in ((NO_GESTURE, at, span.start), (GESTURES[number], span.start, span.end)):
                    if end > start:
                        samples.append(Sample(f"{video}^{len(samples)}", label, f"{video}.avi", "", "", video, start,
                                              end, fps=30.0, number=CLASSES.index(label) + 1))  # fmt: skip
                at = span.end
        write_annotations(folder / f"Annot_{split}List.txt", samples)


def oslwl(folder: Path) -> None:
    """Six signs by four signers to train on (a folder per sign), two of them as queries by one signer with a table of
    trims, and three search clips for each by another signer with the challenge's ground truth, 25 frames a second."""
    from eval.annotations.challenge import write_submission
    from eval.datasets.oslwl import write_trims
    from eval.segments import Segment, by_video

    world, trims, truth = _world(), dict[int, tuple[str, float, float]](), []
    for sign in world.signs:
        for signer in range(4):
            _film(folder / "train" / sign.label / f"{sign.label}~{signer}.mp4", world, [sign], signer, 25.0)
    for number, place in ((0, 20), (1, 21)):
        (span,) = _film(folder / "queries" / f"p01_s{place}.mp4", world, [world.signs[number]], 4, 25.0)
        trims[place] = (world.signs[number].label, 40 * span.start, 40 * span.end)
        for clip in range(3):
            others = [world.signs[2 + (clip + k) % 4] for k in range(2)]
            name = f"p02_s{place}_n{clip:03d}"
            signs = [others[0], world.signs[number], others[1]]
            spans = _film(folder / "search" / f"{name}.mp4", world, signs, 5, 25.0, take=clip)
            truth.append(Segment(name, str(place), spans[1].start / 25, spans[1].end / 25))
    write_trims(folder / "trims.csv", trims)
    write_submission(folder / "search_GT.pkl", by_video(truth))


def _world() -> SignWorld:
    from embeddings.synthetic import SignWorld

    return SignWorld(5, signs=6)


def _camera() -> Camera:
    from embeddings.synthetic import Camera

    return Camera(size=(SIDE, SIDE), distance=2.2, focal=SIDE * 2.2 / 1.22, target=(0.0, -0.16, 0.05))


def _film(
    path: Path, world: SignWorld, signs: Sequence[Sign], signer: int, fps: float, take: int = 0
) -> tuple[Span, ...]:
    """Writes a video of signs performed one after another, unless it is there; where they are, in frames."""
    from embeddings.synthetic import random_look
    from embeddings.synthetic.filming.render import render_frames
    from embeddings.video import write_video

    figure, spans, _ = world.figure(signs[0] if len(signs) == 1 else list(signs), signer, fps, take)
    if not path.exists():
        look = random_look(np.random.default_rng([world.seed, signer]))
        frames: Iterator[Any] = render_frames(figure, look, _camera())
        write_video(path, frames, fps)
    return tuple(spans)


MINIATURES: dict[str, Callable[[Path], None]] = {"autsl": autsl, "ipn": ipn, "oslwl": oslwl}
"""Data set → what writes its miniature into a folder; what is there is not written again."""

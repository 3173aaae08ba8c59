"""Training data by one line: procedural signs, folders, manifests, prepared benchmarks, pose stores, SPOTER's CSV.

    procedural:7?signs=40&signers=0-39&takes=1      made on the spot: every signer performs every sign
    dictionary/                                     label/clip.mp4 or label/clip.pose
    clips.csv?media=videos/                         a manifest (`spotter data` writes one); also a folder with it
    wlasl100:WLASL_v0.3.json?media=videos/          a benchmark's own annotation
    poses.h5?labels=labels.csv                      a pose store; without labels, a video's name up to ~ is its label
    spoter-csv:train.csv                            SPOTER's CSV
    images:hands/                                   label/image.png or label/signer/image.png

`validation=…` names another such source for validation; splits come from the data, else by signer.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import numpy as np

from eval.datasets import DATASETS, Sample, read_dataset, refuse_leaks, seconds_of
from eval.splits import Split, split_by_signer

from ..clip import Clip
from .recipes import DataPart
from .windows import Item

__all__ = ["DataError", "open_source", "split_items"]

PICTURES = {"frames", "left_hand", "right_hand"}
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


class DataError(ValueError):
    """Training data that cannot be used."""


def open_source(text: str, needs: tuple[str, ...], poses: Path | None = None, fps: float = 25.0) -> list[Item]:
    """The labelled clips of a source (see the module's text).

    Args:
        needs: the network's `required_inputs`.
        poses: folder where poses estimated from videos are kept and found again.
        fps: of clips with pictures.

    Raises:
        DataError: no such source, or nothing in it.
    """
    where, _, query = text.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    kind, colon, rest = where.partition(":")
    rest = unquote(rest)
    further = options.pop("validation", "")
    readers: dict[str, Callable[..., list[Item]]] = {
        "procedural": _procedural, "spoter-csv": _spoter_csv, "images": _images,
    }  # fmt: skip
    if colon and kind in readers:
        items = readers[kind](rest, options, needs)
    elif where.endswith((".h5", ".hdf5")) and Path(where).is_file():
        items = _pose_store(where, options, needs)
    else:
        named = (kind, Path(rest)) if colon and kind in DATASETS else ("", Path(where))
        items = _recordings(*named, options, partial(load_recording, needs=needs, poses=poses, fps=fps))
    if options:
        raise DataError(f"{text}: {', '.join(options)} is not known here")
    if not items:
        raise DataError(f"{text}: holds no clip")
    if further:
        items = [replace(item, split="train") for item in items]
        items += [replace(i, split="validation") for i in open_source(further, needs, poses, fps)]
    return items


def _procedural(seed: str, options: dict[str, str], needs: tuple[str, ...]) -> list[Item]:
    from ..synthetic import SignWorld

    try:
        world = SignWorld(int(seed), int(options.pop("signs", "40")))
        first, _, last = options.pop("signers", "0-39").partition("-")
        signers = range(int(first), int(last if last else first) + 1)
        takes, severity = int(options.pop("takes", "1")), float(options.pop("severity", "1"))
        side = int(options.pop("side", "256"))
        low, _, high = options.pop("only", "").partition("-")
    except ValueError as error:
        raise DataError(f"procedural:{seed}: {error}; expected e.g. procedural:7?signs=40&signers=0-39") from None
    signs = world.signs[int(low) if low else 0 : int(high) + 1 if high else None]
    film = side if PICTURES & set(needs) else 0
    return [
        Item(
            f"{sign.label}~signer-{seed}-{who}~{take}", sign.label,
            partial(_perform, world, sign, who, take, severity, "rotations" in needs, film),
            f"signer-{seed}-{who}",
        )
        for who in signers for sign in signs for take in range(takes)
    ]  # fmt: skip


def _perform(world: Any, sign: Any, who: int, take: int, severity: float, rotations: bool, side: int) -> Clip:
    """One sign by one signer; the camera and the estimator's errors follow from signer, sign and take."""
    from ..synthetic import random_camera, random_noise

    rng = np.random.default_rng([world.seed, who, world.signs.index(sign), take])
    camera = random_camera(rng)
    noise = random_noise(rng, severity * float(rng.choice([0.3, 0.7, 1.0, 1.5]))) if severity else None
    if side:
        shrink = side / max(camera.size)
        size = (round(camera.size[0] * shrink), round(camera.size[1] * shrink))
        camera = replace(camera, focal=camera.focal * shrink, size=size)
    clip: Clip = world.clip(sign, who, camera, noise, take=take, rotations=rotations)
    if side:
        from ..synthetic import random_look
        from ..synthetic.filming.render import render_frames

        figure = world.figure(sign, who, take=take)[0]
        clip = replace(clip, frames=np.stack(list(render_frames(figure, random_look(rng), camera))))
    return clip


def _spoter_csv(path: str, options: dict[str, str], needs: tuple[str, ...]) -> list[Item]:
    from ..pose.formats.spoter_csv import read_spoter_csv

    items = []
    for row, (pose, label) in enumerate(read_spoter_csv(path), start=2):
        name = f"{Path(path).stem}-{row}"
        items.append(Item(name, label, partial(_given, Clip(name, pose.fps, pose, label=label)), source=name))
    return items


def _given(clip: Clip) -> Clip:
    return clip


def _images(folder: str, options: dict[str, str], needs: tuple[str, ...]) -> list[Item]:
    root = Path(folder)
    found = sorted(p for p in root.rglob("*") if p.suffix.lower() in IMAGES) if root.is_dir() else []
    items = []
    for path in found:
        parts = path.relative_to(root).parts
        if len(parts) not in (2, 3):
            raise DataError(f"{path}: expected label/image or label/signer/image inside {root}")
        items.append(Item(path.relative_to(root).as_posix(), parts[0], partial(_image, path),
                          parts[1] if len(parts) == 3 else ""))  # fmt: skip
    return items


def _image(path: Path) -> Clip:
    import cv2

    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise DataError(f"{path}: not a readable picture")
    return Clip(path.stem, 25.0, extra={"hand": picture[None, ..., ::-1].copy()})


def _pose_store(path: str, options: dict[str, str], needs: tuple[str, ...]) -> list[Item]:
    from eval.isolated.files import read_truth

    from ..pose.formats.store import read_store

    poses = dict(read_store(path))
    labels, signers = {name: name.partition("~")[0] for name in poses}, dict[str, str]()
    if "labels" in options:
        labels, signers = read_truth(options.pop("labels"))
    absent = sorted(set(labels) - set(poses))
    if absent:
        warnings.warn(f"{path}: {len(absent)} labelled videos are not in the store, e.g. {absent[0]}", stacklevel=2)
    return [
        Item(name, labels[name], partial(_given, Clip(name, pose.fps, pose)), signers.get(name, ""))
        for name, pose in poses.items() if name in labels
    ]  # fmt: skip


def _recordings(name: str, path: Path, options: dict[str, str], load: Callable[[Path, Sample], Clip]) -> list[Item]:
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; for procedural signs write procedural:7?signs=40")
    if not name and path.is_dir() and (path / "manifest.csv").is_file():
        path = path / "manifest.csv"
    media = Path(options.pop("media", str(path if path.is_dir() else path.parent)))
    samples = read_dataset(name if name else ("folder" if path.is_dir() else "manifest"), path)
    there = [s for s in samples if (media / s.path).exists()]
    if len(there) < len(samples):
        gone = next(s for s in samples if not (media / s.path).exists())
        warnings.warn(
            f"{len(samples) - len(there)} of {len(samples)} clips are not in {media}, e.g. {gone.path}", stacklevel=2
        )
    return [
        Item(s.id, s.label, partial(load, media / s.path, s), s.signer, s.split, s.source if s.source != s.id else "")
        for s in there
    ]


def load_recording(path: Path, sample: Sample, needs: tuple[str, ...], poses: Path | None, fps: float) -> Clip:
    """A clip with what the network needs, cut to the sample's start and end."""
    from ..recordings import read_recording

    start, end = seconds_of(sample)
    return read_recording(path, needs, poses, fps, start, end)


def split_items(items: list[Item], data: DataPart, seed: int) -> tuple[list[Item], list[Item], Split]:
    """Training and validation; a test split is never touched.

    The data's own splits where it has one for validation, else by signer (stratified by sign), else by clip with a
    warning. Leaks are refused as the recipe says.

    Raises:
        eval.splits.LeakError: a signer or a source video is on both sides.
        DataError: one side is empty.
    """
    items = [item for item in items if item.split != "test"]
    by_id = {item.id: item for item in items}
    if len(by_id) < len(items):
        raise DataError("two clips have the same id; expected each once")
    given = [item.id for item in items if item.split == "validation"]
    if data.validation == 0:
        split = Split(tuple(sorted(by_id)), ())
    elif given:
        split = Split(tuple(sorted(set(by_id) - set(given))), tuple(sorted(given)))
    elif all(item.signer for item in items) and len({item.signer for item in items}) > 1:
        labels, signers = {i.id: i.label for i in items}, {i.id: i.signer for i in items}
        # with few signers one of them is more than the share asked for
        split = split_by_signer(labels, signers, max(data.validation, 1 / len(set(signers.values()))), seed)
    else:
        warnings.warn("signers are not known: clips of one signer may be on both sides of the split", stacklevel=2)
        split = _by_clip(by_id, data.validation, seed)
    if not split.train or (data.validation and not split.validation):
        raise DataError(f"{len(split.train)} clips to train on and {len(split.validation)} for validation")
    sides = [[by_id[i] for i in side] for side in (split.train, split.validation)]
    samples = [[Sample(i.id, i.label, signer=i.signer, source=i.source) for i in side] for side in sides]
    refuse_leaks(samples[0], samples[1], signers=data.leaks == "refuse", sources=data.leaks != "allow")
    return sides[0], sides[1], split


def _by_clip(items: Mapping[str, Item], share: float, seed: int) -> Split:
    """Of each sign's clips the share, at least one where it has two."""
    rng = np.random.default_rng([seed, 4])
    held: list[str] = []
    for label in sorted({item.label for item in items.values()}):
        own = sorted(i for i, item in items.items() if item.label == label)
        count = min(len(own) - 1, max(1, round(share * len(own))))
        held += [str(i) for i in rng.permutation(own)[:count]]
    return Split(tuple(sorted(set(items) - set(held))), tuple(sorted(held)), seed)

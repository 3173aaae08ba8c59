"""Training data by one line: procedural signs, folders, manifests, prepared benchmarks, files of many clips.

    procedural:7?signs=40&signers=0-39&takes=1      made on the spot: every signer performs every sign
    dictionary/                                     label/clip or label/signer/clip, recordings of any kind
    clips.csv?media=videos/                         a manifest (`spotter data` writes one); also a folder with it
    wlasl100:WLASL_v0.3.json?media=videos/          a benchmark's own annotation
    poses.h5?labels=labels.csv                      a file of many clips (pose store, landmark pack, SPOTER's CSV, …);
                                                    labels are those it gives, else the clips' names up to ~
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
from ..pose.formats.spoter_csv import is_spoter_csv
from ..recordings import PoseSource, Recording, RecordingError, find_recordings, read_recording
from .recipes import DataPart
from .windows import Item

__all__ = ["DataError", "open_source", "split_items"]

PICTURES = {"frames", "left_hand", "right_hand"}
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


class DataError(ValueError):
    """Training data that cannot be used."""


def open_source(
    text: str, needs: tuple[str, ...], poses: PoseSource | str | Path | None = None, fps: float = 25.0
) -> list[Item]:
    """The labelled clips of a source (see the module's text).

    Args:
        needs: the network's `required_inputs`.
        poses: how poses are estimated from videos, or the folder where those are kept and found again.
        fps: of clips with pictures.

    Raises:
        DataError: no such source, or nothing in it.
    """
    where, _, query = text.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    kind, colon, rest = where.partition(":")
    rest = unquote(rest)
    further = options.pop("validation", "")
    readers: dict[str, Callable[..., list[Item]]] = {"procedural": _procedural, "images": _images}
    source = poses if isinstance(poses, PoseSource) else PoseSource(folder=Path(poses) if poses else None)
    load = partial(read_recording, needs=needs, poses=source, fps=fps, asker="the network")
    path = Path(rest if kind == "spoter-csv" else where)
    if colon and kind in readers:
        items = readers[kind](rest, options, needs)
    elif colon and kind in DATASETS:
        items = _samples(kind, Path(rest), options, load)
    elif (path.suffix in (".csv", ".json") and not is_spoter_csv(path)) or (path / "manifest.csv").is_file():
        items = _samples("manifest", path / "manifest.csv" if path.is_dir() else path, options, load)
    else:
        items = _recordings(path, options, needs, load)
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


def _recordings(path: Path, options: dict[str, str], needs: tuple[str, ...], load: Callable[..., Clip]) -> list[Item]:
    """The clips of a file of many, or of a folder label/clip or label/signer/clip."""
    from eval.isolated.files import read_truth

    try:
        found = find_recordings([path], needs, recursive=True)
    except RecordingError as error:
        raise DataError(f"{error}; for procedural signs write procedural:7?signs=40") from None
    labels, signers = read_truth(options.pop("labels")) if "labels" in options else (None, dict[str, str]())
    items = []
    for recording in found:
        name = recording.name_in(path)
        label, signer = (recording.label, recording.signer) if recording.label else _named(recording, path)
        if labels is not None:
            label, signer = labels.get(name, ""), signers.get(name, signer)
        if label:
            items.append(Item(name, label, partial(load, recording), signer))
    absent = sorted(set(labels or ()) - {item.id for item in items})
    if absent:
        warnings.warn(f"{path}: {len(absent)} labelled clips are not there, e.g. {absent[0]}", stacklevel=2)
    return items


def _named(recording: Recording, root: Path) -> tuple[str, str]:
    """(label, signer) by the folders in which a recording lies; of a file's clip, its name up to ~."""
    if root.is_file():
        return recording.name.partition("~")[0], recording.signer
    folders = recording.path.relative_to(root).parts[:-1]
    return (folders[0] if folders else ""), (folders[1] if len(folders) > 1 else "")


def _samples(name: str, path: Path, options: dict[str, str], load: Callable[..., Clip]) -> list[Item]:
    """The samples of a manifest or of a benchmark's annotation."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    media = Path(options.pop("media", str(path if path.is_dir() else path.parent)))
    samples = read_dataset(name, path)
    there = [s for s in samples if (media / s.path).exists()]
    if len(there) < len(samples):
        gone = next(s for s in samples if not (media / s.path).exists())
        warnings.warn(
            f"{len(samples) - len(there)} of {len(samples)} clips are not in {media}, e.g. {gone.path}", stacklevel=2
        )
    return [
        Item(s.id, s.label, partial(_sample, load, media / s.path, s), s.signer, s.split,
             s.source if s.source != s.id else "")
        for s in there
    ]  # fmt: skip


def _sample(load: Callable[..., Clip], path: Path, sample: Sample) -> Clip:
    """The sample's part of its recording."""
    start, end = seconds_of(sample)
    return load(path, start=start, end=end)


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

"""Training data by one line: procedural signs, folders, manifests, prepared benchmarks, files of many clips.

    procedural:7?signs=40&signers=0-39&takes=1      made on the spot: every signer performs every sign
    signing:101?signs=7000&utterances=17000         made on the spot: utterances, each by its own signer
    depth:7002?clips=1200&videos=160                made on the spot: frames with the depth of arms; also locations:7
    dictionary/                                     label/clip or label/signer/clip, recordings of any kind
    clips.csv?media=videos/                         a manifest (`spotter data` writes one); also a folder with it
    wlasl100:WLASL_v0.3.json?media=videos/          a benchmark's own annotation
    poses.h5?labels=labels.csv                      a file of many clips (pose store, landmark pack, SPOTER's CSV, …);
                                                    labels are those it gives, else the clips' names up to ~
    landmarks:asl.npz,ksl.npz                       landmark packs, right-handed, trimmed to where the hands sign
    images:hands/                                   label/SIGNER_*.png or label/signer/*.png
    clusters:clusters.h5?hands=hands.h5             clustered hand images (`spotter phonology clusters`, `hands`)

`validation=…` names another such source for validation; splits come from the data, else by signer (`splits`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import numpy as np

from eval.datasets import DATASETS, Sample, read_dataset, seconds_of

from ..clip import Clip, Pose, Span
from ..pose.formats.spoter_csv import is_spoter_csv
from ..recordings import PoseSource, Recording, RecordingError, find_recordings, read_recording
from .items import Item

__all__ = ["SOURCES", "DataError", "open_source"]

PICTURES = {"frames", "left_hand", "right_hand"}
Options = dict[str, str]


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
    source = poses if isinstance(poses, PoseSource) else PoseSource(folder=Path(poses) if poses else None)
    load = partial(read_recording, needs=needs, poses=source, fps=fps, asker="the network")
    path = Path(rest if kind == "spoter-csv" else where)
    if colon and kind in SOURCES:
        items = SOURCES[kind](rest, options, needs, source)
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


def _whole(options: Options, name: str, default: int) -> int:
    """A whole number of the options; it is taken out of them."""
    text = options.pop(name, str(default))
    if not text.isdecimal():
        raise DataError(f"{name} is {text!r}; expected a whole number")
    return int(text)


def _range(options: Options, name: str, default: str) -> tuple[int, int]:
    """ "3-9" or "3" of the options as first and last."""
    text = options.pop(name, default)
    first, _, last = text.partition("-")
    if not first.isdecimal() or not (last.isdecimal() or not last):
        raise DataError(f"{name} is {text!r}; expected first-last, as 0-39")
    return int(first), int(last if last else first)


def _seed(kind: str, text: str, example: str) -> int:
    if not text.isdecimal():
        raise DataError(f"{kind}:{text}: its seed is no whole number; expected e.g. {example}")
    return int(text)


def _procedural(seed: str, options: Options, needs: tuple[str, ...], poses: PoseSource) -> list[Item]:
    from .signing import isolated_signs

    number = _seed("procedural", seed, "procedural:7?signs=40&signers=0-39")
    severity = options.pop("severity", "1")
    try:
        errors = float(severity)
    except ValueError:
        raise DataError(f"severity is {severity!r}; expected a number, 0 for exact poses") from None
    side, only = _whole(options, "side", 256), _range(options, "only", "0-") if "only" in options else None
    return isolated_signs(
        number, _whole(options, "signs", 40), _range(options, "signers", "0-39"), _whole(options, "takes", 1), errors,
        only, "rotations" in needs, side if PICTURES & set(needs) else 0,
    )  # fmt: skip


def _signing(seed: str, options: Options, needs: tuple[str, ...], poses: PoseSource) -> list[Item]:
    from .signing import utterances

    number = _seed("signing", seed, "signing:101?signs=7000&utterances=17000")
    counts = [_whole(options, name, default) for name, default in (("signs", 400), ("utterances", 1000), ("length", 6))]
    return utterances(number, *counts)


def _frames(kind: str, seed: str, options: Options, needs: tuple[str, ...], poses: PoseSource) -> list[Item]:
    from .phonology_frames import depth_frames, location_frames

    number = _seed(kind, seed, f"{kind}:7?clips=1200&videos=160")
    clips, videos, video_seed = (
        _whole(options, name, default) for name, default in (("clips", 1200), ("videos", 160), ("video-seed", 7001))
    )
    if videos and poses.folder is None:
        raise DataError(
            f"{kind}:{seed} renders {videos} videos and estimates their poses (about five seconds each); say where "
            "these are to be kept (--poses FOLDER), or leave them out (videos=0)"
        )
    return (depth_frames if kind == "depth" else location_frames)(number, clips, videos, video_seed, poses.folder)


def _landmarks(text: str, options: Options, needs: tuple[str, ...], poses: PoseSource) -> list[Item]:
    """Isolated clips of landmark packs. Languages share glosses, not signs: a sign is one of its pack's folder."""
    from ..handedness import right_handed
    from ..pose.formats.packs import read_pack

    width = _whole(options, "width", 1333)  # packs do not keep the pictures' shape; most cameras have 4 : 3
    items = []
    for path in map(Path, text.split(",")):
        for number, sequence in enumerate(read_pack(path, size=(width, 1000))):
            pose = sequence.pose
            # "<idle>" shows no sign, and some clips of it an empty chair
            if sequence.label in ("", "<idle>") or not np.isfinite(pose.xy[:, pose.joint("left_shoulder")]).any():
                continue
            label, id = f"{path.parent.name}:{sequence.label}", f"{path.stem}/{sequence.id or number}"
            clip = Clip(id, pose.fps, pose, label=label, signer=sequence.signer)
            clip = replace(right_handed(clip), spans=(Span(label, *_signing_span(pose)),))
            items.append(Item(id, label, partial(_as_it_is, clip), sequence.signer))
    return items


def _signing_span(pose: Pose) -> tuple[int, int]:
    """Frames [start, end) in which the hands sign, as exemplars are trimmed."""
    from gallery.trim import signing_span

    wrists, shoulders = (
        np.stack([pose.xy[:, pose.joint(f"{side}_{name}")] for side in ("left", "right")], axis=1)
        for name in ("wrist", "shoulder")
    )
    return signing_span(wrists, shoulders, pose.fps)


def _as_it_is(clip: Clip) -> Clip:
    return clip


def _images(folder: str, options: Options, needs: tuple[str, ...], poses: PoseSource) -> list[Item]:
    from ..phonology.handshapes.network_data import find_pictures

    return [
        Item(path.relative_to(folder).as_posix(), label, partial(_image, path), signer)
        for path, label, signer in find_pictures(Path(folder))
    ]


def _image(path: Path) -> Clip:
    from ..phonology.handshapes.network_data import read_picture

    return Clip(path.stem, 25.0, extra={"hand": read_picture(path)[None]})


def _clusters(path: str, options: Options, needs: tuple[str, ...], poses: PoseSource) -> list[Item]:
    from ..phonology.handshapes.network_data import images_from_clusters

    if "hands" not in options:
        raise DataError(f"clusters:{path}: needs the hand images, as clusters:{path}?hands=hands.h5")
    data = images_from_clusters(Path(path), Path(options.pop("hands")))
    return [
        Item(
            f"hand-{k}",
            label,
            partial(_as_it_is, Clip(f"hand-{k}", 25.0, extra={"hand": data.images[k : k + 1]})),
            video,
        )
        for k, (label, video) in enumerate(zip(data.labels, data.groups, strict=True))
    ]


def _recordings(path: Path, options: Options, needs: tuple[str, ...], load: Callable[..., Clip]) -> list[Item]:
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


def _samples(name: str, path: Path, options: Options, load: Callable[..., Clip]) -> list[Item]:
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


SOURCES: dict[str, Callable[[str, Options, tuple[str, ...], PoseSource], list[Item]]] = {
    "procedural": _procedural, "signing": _signing, "depth": partial(_frames, "depth"),
    "locations": partial(_frames, "locations"), "landmarks": _landmarks,
    "images": _images, "clusters": _clusters,
}  # fmt: skip
"""Kind (before the colon) → reader of (rest, options, the network's inputs, source of poses). A reader takes its
options out, so that what is left is not known."""

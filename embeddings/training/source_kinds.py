"""The kinds of training data that a word before a colon names: made on the spot, landmark packs, hand images.

`SOURCES` is the table: a reader takes what stands after the colon, the options (it takes out those that it knows), the
network's inputs and the source of poses, and gives the clips.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ..clip import Clip, Pose, Span
from ..recordings import PoseSource
from .items import Item

__all__ = ["SOURCES", "DataError", "Options"]

PICTURES = {"frames", "nose_frames", "body_frames", "left_hand", "right_hand"}
Options = dict[str, str]


class DataError(ValueError):
    """Training data that cannot be used."""


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
    signs, count, length = (
        _whole(options, name, default) for name, default in (("signs", 400), ("utterances", 1000), ("length", 6))
    )
    share = options.pop("isolated", "0.25")
    try:
        isolated = float(share)
    except ValueError:
        isolated = -1.0
    if not 0 <= isolated <= 1:
        raise DataError(f"isolated is {share!r}; expected the share of single signs, 0 to 1")
    return utterances(number, signs, count, length, isolated)


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


def _ipn_table(path: str, options: Options, needs: tuple[str, ...], poses: PoseSource) -> list[Item]:
    """Gestures of IPN Hand's compacted table: one hand's landmarks as fractions of the picture, y downwards."""
    from eval.datasets import ipn_compact

    from ..skeletons import SKELETONS

    skeleton = "mediapipe-holistic"
    hand, joints = SKELETONS[skeleton].hand("right"), len(SKELETONS[skeleton].joints)
    items = []
    for sample, landmarks in ipn_compact.read(path):
        xy = np.full((len(landmarks), joints, 2), np.nan, np.float32)
        xy[:, hand] = landmarks * 1000
        seen = np.asarray(np.isfinite(xy).all(axis=-1), np.float32)
        assert sample.fps is not None
        pose = Pose(xy, seen, skeleton, sample.fps, (1000, 1000))
        clip = Clip(sample.id, sample.fps, pose, label=sample.label)
        items.append(Item(sample.id, sample.label, partial(_as_it_is, clip), source=sample.source))
    return items


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


SOURCES: dict[str, Callable[[str, Options, tuple[str, ...], PoseSource], list[Item]]] = {
    "procedural": _procedural, "signing": _signing, "depth": partial(_frames, "depth"),
    "locations": partial(_frames, "locations"), "landmarks": _landmarks,
    "ipn-table": _ipn_table, "images": _images, "clusters": _clusters,
}  # fmt: skip
"""Kind (before the colon) → reader of (rest, options, the network's inputs, source of poses). A reader takes its
options out, so that what is left is not known."""

"""Read and write poses by file ending: `.pose` (the field's exchange format), `.h5`, OpenPose JSON folders, SPOTER CSV.

Every file is written under a temporary name and then renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..clip import Pose
from ..skeletons import SKELETONS, hand_joints

__all__ = ["PoseFileError", "published_names", "read_header", "read_pose", "source_stamp", "write_pose"]


class PoseFileError(ValueError):
    """A pose file cannot be read or written; the message names it and says why."""


def source_stamp(video: Path, fps: float | None) -> str:
    """What a pose was made from: the video's size and the hash of its beginning and end, and the frame rate."""
    size = video.stat().st_size
    digest = hashlib.sha256()
    with video.open("rb") as file:
        digest.update(file.read(1 << 20))
        if size > 1 << 20:
            file.seek(-min(size, 1 << 20), os.SEEK_END)
            digest.update(file.read())
    return f"{size}:{digest.hexdigest()[:16]}:{'own' if fps is None else fps}"


def read_pose(path: str | Path) -> Pose:
    """A pose by the kind of file: `.pose`, `.h5`/`.hdf5` (one video), or a folder of OpenPose JSON.

    Raises:
        PoseFileError: missing, empty, damaged, or of no known kind.
    """
    path = Path(path)
    if not path.exists():
        raise PoseFileError(f"{path}: no such pose file")
    if path.is_dir():
        from .openpose import read_openpose

        return read_openpose(path)
    readers: dict[str, Callable[[Path], Pose]] = {".pose": _read_dot_pose, ".h5": _read_h5, ".hdf5": _read_h5}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise PoseFileError(f"{path}: {path.suffix or 'no ending'} is not a pose file; expected {', '.join(readers)}")
    return reader(path)


def write_pose(path: str | Path, pose: Pose, stamp: str = "") -> Path:
    """Writes `.pose` or `.h5`, whole or not at all.

    A `.pose` file has no room for where it came from; that goes into a small `.json` beside it (skeleton, estimator,
    source, stamp), without which it is still a complete pose.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix.lower()
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        if suffix == ".pose":
            try:
                with partial.open("wb") as file:
                    _dot_pose(pose).write(file)
            except ValueError as error:
                raise PoseFileError(f"{path}: cannot be written as .pose ({error})") from None
            os.replace(partial, path)
            header = {"skeleton": pose.skeleton, "estimator": pose.estimator, "source": pose.source, "stamp": stamp}
            partial.write_text(json.dumps(header, ensure_ascii=False), encoding="utf-8")
            os.replace(partial, _beside(path))
        elif suffix in (".h5", ".hdf5"):
            from .store import write_store

            write_store(partial, {path.stem: pose}, stamp)
            os.replace(partial, path)
        else:
            raise PoseFileError(f"{path}: cannot write {suffix or 'a file without ending'}; expected .pose or .h5")
    finally:
        partial.unlink(missing_ok=True)
    return path


def read_header(path: Path) -> dict[str, str]:
    """Where a pose file came from: skeleton, estimator, source, stamp; {} when it does not say or is damaged."""
    try:
        if path.suffix.lower() == ".pose":
            header = json.loads(_beside(path).read_text(encoding="utf-8"))
            return {str(k): str(v) for k, v in header.items()}
        from .store import store_header

        return store_header(path)
    except (OSError, ValueError, KeyError, AttributeError):
        return {}


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".json")


# --- .pose -----------------------------------------------------------------------------------------------------

_BODY, _LEFT, _RIGHT = "POSE_LANDMARKS", "LEFT_HAND_LANDMARKS", "RIGHT_HAND_LANDMARKS"


def published_names() -> dict[str, dict[str, str]]:
    """Component → point name in published holistic files → our canonical joint."""
    body = {name.upper().removesuffix("_KNUCKLE"): name for name in SKELETONS["mediapipe-holistic"].joints[:33]}
    hands: dict[str, dict[str, str]] = {}
    for component, side in ((_LEFT, "left"), (_RIGHT, "right")):
        hands[component] = {}
        for joint in hand_joints(side):
            short = joint.removeprefix(f"{side}_hand_")
            finger, _, part = short.partition("_")
            published = short if finger in ("wrist", "thumb", "pinky") else f"{finger}_finger_{part}"
            hands[component][published.upper()] = joint
    return {_BODY: body, **hands}


def _dot_pose(pose: Pose) -> Any:
    from pose_format import Pose as DotPose
    from pose_format.numpy import NumPyPoseBody
    from pose_format.pose_header import PoseHeader, PoseHeaderComponent, PoseHeaderDimensions

    skeleton = SKELETONS[pose.skeleton]
    coordinates = "XYC" if pose.z is None else "XYZC"
    if pose.skeleton in ("mediapipe-holistic", "mediapipe-upper-67"):
        groups = [(name, list(points.items())) for name, points in published_names().items()]
        groups = [(name, [(p, joint) for p, joint in points if joint in skeleton]) for name, points in groups]
    else:
        groups = [(pose.skeleton, [(joint, joint) for joint in skeleton.joints])]
    components, order = [], []
    for name, points in groups:
        index = [skeleton.index(joint) for _, joint in points]
        within = {j: i for i, j in enumerate(index)}
        limbs = [(within[a], within[b]) for a, b in skeleton.edges if a in within and b in within]
        colors = [(60, 120, 216)] * len(points)
        components.append(PoseHeaderComponent(name, [p for p, _ in points], limbs, colors, coordinates))
        order += index
    values = pose.xy if pose.z is None else np.concatenate([pose.xy, pose.z[..., None]], axis=-1)
    data = np.nan_to_num(values[:, order]).astype(np.float32)[:, None]
    confidence = pose.confidence[:, order].astype(np.float32)[:, None]
    width, height = pose.size
    header = PoseHeader(0.1, PoseHeaderDimensions(width, height, max(width, height)), components)
    missing = np.repeat((confidence == 0)[..., None], data.shape[-1], axis=-1)
    return DotPose(header, NumPyPoseBody(pose.fps, np.ma.MaskedArray(data, mask=missing), confidence))


def _read_dot_pose(path: Path) -> Pose:
    from pose_format import Pose as DotPose

    raw = path.read_bytes()
    if not raw:
        raise PoseFileError(f"{path}: the file is empty (0 bytes)")
    try:
        read = DotPose.read(raw)
    except Exception as error:  # the library raises whatever its parser stumbles on
        raise PoseFileError(f"{path}: not a readable .pose file ({type(error).__name__}: {error})") from None
    header, body = read.header, read.body
    skeleton, columns, joints = _match(path, header)
    # several people: the one seen best
    person = int(np.argmax(np.asarray(body.confidence).sum(axis=(0, 2)))) if body.confidence.shape[1] > 1 else 0
    data = np.ma.filled(body.data[:, person], 0).astype(np.float32)
    seen = np.nan_to_num(np.asarray(body.confidence[:, person], np.float32))
    frames, count = len(data), len(SKELETONS[skeleton].joints)
    xyz = np.full((frames, count, data.shape[-1]), np.nan, np.float32)
    confidence = np.zeros((frames, count), np.float32)
    xyz[:, joints], confidence[:, joints] = data[:, columns], seen[:, columns]
    xyz[confidence == 0] = np.nan
    z = xyz[..., 2].copy() if xyz.shape[-1] > 2 else None
    facts = read_header(path)
    size = (int(header.dimensions.width), int(header.dimensions.height))
    return Pose(
        xyz[..., :2].copy(), np.clip(confidence, 0, 1), skeleton, float(body.fps), size, z,
        estimator=facts.get("estimator", ""), source=facts.get("source", ""),
    )  # fmt: skip


def _match(path: Path, header: Any) -> tuple[str, list[int], list[int]]:
    """(skeleton, columns of the file, joints of the skeleton they are)."""
    names = [component.name for component in header.components]
    own = next((name for name in names if name in SKELETONS), None)
    published = {own: {j: j for j in SKELETONS[own].joints}} if own else published_names()
    columns, joints, at = [], [], 0
    for component in header.components:
        known = published.get(component.name, {})
        for i, point in enumerate(component.points):
            if point in known:
                columns.append(at + i)
                joints.append(known[point])
        at += len(component.points)
    if not columns:
        raise PoseFileError(
            f"{path}: holds the components {', '.join(names)}; "
            f"expected MediaPipe Holistic's ({_BODY}, {_LEFT}, {_RIGHT}) "
            f"or one of {', '.join(SKELETONS)}"
        )
    if own:
        skeleton = own
    else:
        legs = any(joint in joints for joint in ("left_knee", "left_ankle"))
        skeleton = "mediapipe-holistic" if legs else "mediapipe-upper-67"
    return skeleton, columns, [SKELETONS[skeleton].index(joint) for joint in joints]


def _read_h5(path: Path) -> Pose:
    from .store import read_store

    poses = list(read_store(path))
    if len(poses) != 1:
        raise PoseFileError(f"{path}: holds {len(poses)} videos; use embeddings.pose.store.read_store for many")
    return poses[0][1]

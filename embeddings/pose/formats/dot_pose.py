""".pose, the field's exchange format (pose-format), and the small .json beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from safe_files import read_json, reader

from ...clip import Pose
from ...skeletons import SKELETONS, hand_joints
from .errors import PoseFileError

__all__ = ["header_path", "published_names", "read_dot_pose", "read_header", "to_dot_pose"]


def read_header(path: Path) -> dict[str, str]:
    """Where a pose file came from: skeleton, estimator, source, stamp; {} when it does not say or is damaged."""
    try:
        if path.suffix.lower() == ".pose":
            header = read_json(header_path(path))
            return {str(k): str(v) for k, v in header.items()}
        from .store import store_header

        return store_header(path)
    except (OSError, ValueError, KeyError, AttributeError):
        return {}


def header_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


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


def to_dot_pose(pose: Pose) -> Any:
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


@reader(PoseFileError)
def read_dot_pose(path: Path) -> Pose:
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

"""From what a user names (a video, a pose file, a clip) to a `Clip` that an encoder can prepare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embeddings.clip import Clip, Pose
    from embeddings.encoders.base import Encoder

__all__ = ["POSE_SUFFIXES", "VIDEO_SUFFIXES", "PoseSource", "Source", "load_clip", "pose_of", "source_name"]

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".mts", ".wmv")
POSE_SUFFIXES = (".pose", ".h5", ".hdf5")
PICTURES = frozenset({"frames", "left_hand", "right_hand"})
"""Inputs that are cut out of pictures."""

Source = "str | Path | Clip | Pose"


@dataclass(frozen=True)
class PoseSource:
    """Where poses come from.

    Attributes:
        estimator: a name of `embeddings.pose.ESTIMATORS`.
        folder: where estimated poses are kept and found again; None estimates anew each time.
        settings: the estimator's own.
    """

    estimator: str = "mediapipe"
    folder: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def pose(self, video: Path) -> Pose:
        """The pose of a video, from the folder when it is there and was made from this very file.

        Raises:
            ValueError: the video cannot be read.
        """
        from embeddings.pose import estimate, estimate_videos, read_pose

        if self.folder is None:
            return estimate(video, self.estimator, **dict(self.settings))
        (result,) = estimate_videos([video], self.folder, self.estimator, workers=1, settings=self.settings)
        if result.output is None:
            raise ValueError(result.error)
        return read_pose(result.output)


def pose_of(path: Path, poses: PoseSource) -> Pose:
    """The pose of a video or of a pose file.

    Raises:
        ValueError: the file cannot be read.
    """
    from embeddings.pose import read_pose

    return read_pose(path) if path.suffix.lower() in POSE_SUFFIXES or path.is_dir() else poses.pose(path)


def source_name(source: Any) -> str:
    """The name that detections carry: a file's stem, a clip's name, a pose's source."""
    if isinstance(source, str | Path):
        return Path(source).stem
    return str(getattr(source, "name", "") or Path(getattr(source, "source", "") or "pose").stem)


def load_clip(source: Any, encoder: Encoder, poses: PoseSource | None = None) -> Clip:
    """A clip with what the encoder needs.

    Args:
        source: a video or pose file, a `Clip`, or a `Pose`.

    Raises:
        ValueError: the file cannot be read, or lacks what the encoder needs.
    """
    from embeddings.clip import Clip, Pose

    poses = PoseSource() if poses is None else poses
    if isinstance(source, Pose):
        return Clip(source_name(source), source.fps, source)
    wants_pictures = bool(PICTURES & set(encoder.required_inputs))
    if isinstance(source, Clip):
        if source.path is None or (source.pose is not None and not wants_pictures):
            return source
        return _filled(source, source.path, encoder, poses, wants_pictures)
    path = Path(source)
    if path.suffix.lower() in POSE_SUFFIXES or path.is_dir():
        from embeddings.pose import read_pose

        if wants_pictures:
            raise ValueError(f"{path}: encoder {encoder.name!r} looks at pictures; give the video, not its pose")
        pose = read_pose(path)
        return Clip(path.stem, pose.fps, pose, path=path)
    return _filled(Clip(path.stem, encoder.fps, path=path), path, encoder, poses, wants_pictures)


def _filled(clip: Clip, video: Path, encoder: Encoder, poses: PoseSource, wants_pictures: bool) -> Clip:
    """The clip with its pose and, for encoders that look at pictures, its frames, both at the encoder's rate."""
    needs_pose = bool(set(encoder.required_inputs) - {"frames"})
    pose = clip.pose if clip.pose is not None else poses.pose(video) if needs_pose else None
    if not wants_pictures:
        return replace(clip, pose=pose, fps=pose.fps if pose is not None else clip.fps)
    from embeddings.video import read_clip

    pictures = read_clip(video, encoder.fps).frames
    if pose is not None and pictures is not None:
        pose = pose.resample(encoder.fps)
        length = min(len(pose), len(pictures))
        pose, pictures = pose[:length], pictures[:length]
    return replace(clip, pose=pose, frames=pictures, fps=encoder.fps)

"""`Pose` and `Clip`: what every function of the toolkit passes along.

Conventions (see ``docs/conventions.md``): ``xy`` in pixels of the original frame with y downwards,
``confidence`` in [0, 1], a missing joint is NaN with confidence 0, a missing frame is still a row.
Frame ranges are half-open ``[start, end)``; seconds appear only at the edges. Left and right are the
signer's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .interpolation import rows_at
from .skeletons import SKELETONS, map_joints

__all__ = ["Clip", "Film", "Pose", "Span"]

MOST_CONFIDENT = 1 + 1e-3
"""Rounding of 16-bit numbers and of resampling may pass 1."""


class _Span(NamedTuple):
    label: str
    start: int
    end: int


@dataclass(frozen=True)
class Film:
    """Where a clip's pictures are decoded from, one at a time, when they are needed.

    Attributes:
        path: a video, or a folder of images.
        fps: frames per second of a folder of images, None for a video.
        start, end: seconds of the part that the clip shows; end None is the end of the file.
        mirrored: the pictures are turned around, left for right.
        crops: folder where what encoders cut out of the pictures is kept; None keeps it as long as the process runs.
    """

    path: Path
    fps: float | None = None
    start: float = 0.0
    end: float | None = None
    mirrored: bool = False
    crops: Path | None = None


class Span(_Span):
    """One labelled stretch of signing, in frames: half-open ``[start, end)``.

    Raises:
        ValueError: a number that is none of a frame, or the end before the start.
    """

    __slots__ = ()

    def __new__(cls, label: str, start: int, end: int) -> Span:
        if not 0 <= start <= end < math.inf:
            raise ValueError(f"the span of {label!r} is [{start}, {end}); expected 0 <= start <= end, in frames")
        return super().__new__(cls, label, start, end)


@dataclass(frozen=True, eq=False)
class Pose:
    """The keypoints of one person over time.

    Attributes:
        xy: (T, J, 2) float32, pixels of the original frame, y downwards; NaN where missing.
        confidence: (T, J) float32 in [0, 1]; 0 where missing.
        skeleton: a name of `embeddings.skeletons.SKELETONS`; it says what the J joints are.
        fps: frames per second of the rows.
        size: (width, height) of the frame in pixels.
        z: (T, J) float32 or None: depth in the unit of ``xy``, smaller is nearer to the camera.
        estimator: what made it ("mediapipe-holistic 0.10.21", "synthetic", …).
        source: the file it came from, or "".
        hand_metres: (T, 2, 21, 3) float32 or None: landmarks of both hands, left then right, in metres about the middle
            of the hand, x to the right of the picture, y down, z away from the camera; NaN where missing. Only some
            estimators give it.

    Raises:
        ValueError: shapes disagree with the skeleton or with each other; a rate, size or confidence that is none; an
            infinite coordinate.
    """

    xy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    skeleton: str
    fps: float
    size: tuple[int, int]
    z: NDArray[np.float32] | None = None
    estimator: str = ""
    source: str = ""
    hand_metres: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.skeleton not in SKELETONS:
            raise ValueError(f"skeleton {self.skeleton!r} is not known; expected one of {', '.join(SKELETONS)}")
        joints = len(SKELETONS[self.skeleton].joints)
        if self.xy.ndim != 3 or self.xy.shape[1:] != (joints, 2):
            raise ValueError(f"xy has shape {self.xy.shape}; {self.skeleton} needs (T, {joints}, 2)")
        if self.confidence.shape != self.xy.shape[:2]:
            raise ValueError(f"confidence has shape {self.confidence.shape}; expected {self.xy.shape[:2]}")
        if self.z is not None and self.z.shape != self.xy.shape[:2]:
            raise ValueError(f"z has shape {self.z.shape}; expected {self.xy.shape[:2]}")
        if self.hand_metres is not None and self.hand_metres.shape != (len(self.xy), 2, 21, 3):
            raise ValueError(f"hand_metres has shape {self.hand_metres.shape}; expected {(len(self.xy), 2, 21, 3)}")
        if not 0 < self.fps < math.inf:
            raise ValueError(f"fps is {self.fps}; expected a positive number of frames per second")
        if min(self.size) < 0 or not all(math.isfinite(side) for side in self.size):
            raise ValueError(f"size is {self.size}; expected width and height of the picture in pixels")
        if self.confidence.size and not (self.confidence.min() >= 0 and self.confidence.max() <= MOST_CONFIDENT):
            raise ValueError("a confidence is not a number in [0, 1]")
        for name in ("xy", "z", "hand_metres"):
            values = getattr(self, name)
            if values is not None and np.isinf(values).any():
                raise ValueError(f"{name} holds an infinite number; a missing joint is NaN")

    def __repr__(self) -> str:
        about = "".join(f", {name}={value!r}" for name in ("estimator", "source") if (value := getattr(self, name)))
        return f"Pose({self.skeleton}, {len(self.xy)} frames at {self.fps:g} fps, {self.size[0]}×{self.size[1]}{about})"

    def __len__(self) -> int:
        return len(self.xy)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self) / self.fps

    def __getitem__(self, rows: slice) -> Pose:
        """The frames of a slice, as a view."""
        z = None if self.z is None else self.z[rows]
        metres = None if self.hand_metres is None else self.hand_metres[rows]
        return replace(self, xy=self.xy[rows], confidence=self.confidence[rows], z=z, hand_metres=metres)

    def joint(self, name: str) -> int:
        """Index of a joint by its canonical name; `KeyError` says what the skeleton has."""
        return SKELETONS[self.skeleton].index(name)

    def to(self, skeleton: str) -> Pose:
        """The same pose on another named skeleton; joints without a counterpart are missing.

        Derived joints (neck = mid-shoulders, …) are means of their sources and take the lowest confidence.
        """
        if skeleton == self.skeleton:
            return self
        xy, confidence, z = map_joints(self.xy, self.confidence, self.z, self.skeleton, skeleton)
        return replace(self, xy=xy, confidence=confidence, z=z, skeleton=skeleton)

    def mirrored(self) -> Pose:
        """Seen in a mirror: x is flipped in the frame and left and right joints change places."""
        order = SKELETONS[self.skeleton].mirror_order
        xy = self.xy[:, order].copy()
        xy[..., 0] = self.size[0] - 1 - xy[..., 0]
        z = None if self.z is None else self.z[:, order]
        metres = None if self.hand_metres is None else self.hand_metres[:, ::-1] * np.array([-1, 1, 1], np.float32)
        return replace(self, xy=xy, confidence=self.confidence[:, order], z=z, hand_metres=metres)

    def at(self, positions: NDArray[np.floating]) -> Pose:
        """Rows at fractional frame positions (N,), linearly interpolated, clamped to the ends.

        A joint missing on one side takes the other side's value; missing on both it stays missing.
        """
        if len(self) == 0:
            raise ValueError("an empty pose has no frames to sample")
        xy = rows_at(self.xy, positions, skip_missing=True)
        confidence = rows_at(self.confidence, positions, skip_missing=True)
        confidence[np.isnan(xy[..., 0])] = 0
        z, metres = (
            None if values is None else rows_at(values, positions, skip_missing=True)
            for values in (self.z, self.hand_metres)
        )
        return replace(self, xy=xy, confidence=confidence, z=z, hand_metres=metres)

    def resample(self, fps: float) -> Pose:
        """The same seconds at another frame rate (row i of the result is at i / fps seconds)."""
        if fps == self.fps or len(self) == 0:
            return replace(self, fps=fps)
        rows = max(1, round(len(self) * fps / self.fps))
        return replace(self.at(np.arange(rows) * self.fps / fps), fps=fps)


@dataclass(frozen=True, eq=False)
class Clip:
    """A stretch of video with what is known about it; any part may be absent.

    Attributes:
        name: unique within a run (normally the file's stem).
        fps: frames per second of ``pose`` and ``frames``.
        pose: the signer's keypoints, or None.
        frames: (T, H, W, 3) uint8 RGB, or None. Only short clips hold their frames; long video is streamed.
        film: where its pictures are streamed from, or None.
        path: the video file, or None.
        label: the sign, when the clip shows one.
        signer: who signs, when known.
        spans: ground truth in frames, for continuous signing.
        extra: further per-frame arrays, e.g. ``{"rotations": (T, 39, 3)}`` for 3D encoders.
    """

    name: str
    fps: float
    pose: Pose | None = None
    frames: NDArray[np.uint8] | None = None
    path: Path | None = None
    label: str | None = None
    signer: str | None = None
    spans: tuple[Span, ...] = ()
    extra: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    film: Film | None = None

    def __repr__(self) -> str:
        named = {"label": self.label, "signer": self.signer, "spans": len(self.spans) or None}
        held = [n for n in ("pose", "frames", "film") if getattr(self, n) is not None] + sorted(self.extra)
        facts = "".join(f", {name}={value!r}" for name, value in named.items() if value is not None)
        return (
            f"Clip({self.name!r}, {len(self)} frames at {self.fps:g} fps, holds {', '.join(held) or 'nothing'}{facts})"
        )

    def __post_init__(self) -> None:
        if not 0 < self.fps < math.inf:
            raise ValueError(f"{self.name}: fps is {self.fps}; expected a positive number of frames per second")
        if self.pose is not None and self.frames is not None and len(self.pose) != len(self.frames):
            raise ValueError(f"{self.name}: {len(self.pose)} pose rows but {len(self.frames)} frames")

    def __len__(self) -> int:
        if self.pose is not None:
            return len(self.pose)
        if self.frames is not None:
            return len(self.frames)
        return len(next(iter(self.extra.values()))) if self.extra else 0

    def cut(self, start: int, end: int) -> Clip:
        """The frames ``[start, end)``; spans that lie wholly inside are kept and shifted."""
        if not 0 <= start < end <= len(self):
            raise ValueError(f"{self.name}: cannot cut [{start}, {end}) out of {len(self)} frames")
        rows = slice(start, end)
        inside = tuple(
            Span(s.label, s.start - start, s.end - start) for s in self.spans if start <= s.start and s.end <= end
        )
        return replace(
            self,
            pose=None if self.pose is None else self.pose[rows],
            frames=None if self.frames is None else self.frames[rows],
            spans=inside,
            extra={key: value[rows] for key, value in self.extra.items()},
            film=None if self.film is None else self._film_of(start, end),
        )

    def _film_of(self, start: int, end: int) -> Film:
        assert self.film is not None
        zero = self.film.start
        return replace(self.film, start=zero + start / self.fps, end=zero + end / self.fps)

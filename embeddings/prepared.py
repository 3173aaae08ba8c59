"""`Prepared`: a clip as an encoder takes it: read, right-handed, at the encoder's frame rate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .clip import Clip
from .encoders.base import Encoder, Inputs
from .handedness import right_handed
from .recordings import PoseSource, read_recording
from .recordings.read import Source

__all__ = ["Prepared", "load_clip", "prepared"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A clip with an encoder's inputs; its length is in the encoder's frames.

    Attributes:
        clip: as it was read, with the signer's own hands.
        inputs: of the clip as a right-handed signer would sign it.
    """

    clip: Clip
    encoder: Encoder
    inputs: Inputs

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    @property
    def duration(self) -> float:
        """Seconds of the clip."""
        frames = len(self.clip)  # 0 where pictures alone are streamed
        return frames / self.clip.fps if frames else len(self) / self.encoder.fps

    @cached_property
    def staged(self) -> Inputs:
        """The inputs with the work done that windows share (`Encoder.staged`)."""
        return self.encoder.staged(self.inputs)

    def encoder_frames(self, start: float, end: float) -> tuple[float, float]:
        """Frames [start, end) of the clip in the encoder's frames, fractional."""
        ratio = self.encoder.fps / self.clip.fps
        return start * ratio, end * ratio

    def rows(self, start: float, end: float) -> slice:
        """The encoder's whole frames of the clip's frames [start, end), at least one."""
        low, high = self.encoder_frames(start, end)
        first = int(np.clip(round(low), 0, len(self) - 1))
        return slice(first, int(np.clip(round(high), first + 1, len(self))))

    def embed(self, windows: NDArray[np.floating]) -> NDArray[np.float32]:
        """Vectors (W, D), unit rows, of half-open windows (W, 2) in the encoder's frames."""
        return self.encoder.embed(self.staged, windows)

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """(T, F) frame features for alignment, unit rows."""
        return self.encoder.clip_features(self.staged)

    def features_of(self, rows: slice) -> NDArray[np.float32]:
        """(n, F) frame features of some of the encoder's frames; others are computed only where these need them."""
        if type(self.encoder).clip_features is Encoder.clip_features and "features" not in self.__dict__:
            return self.encoder.window_features(self.staged, np.arange(len(self))[rows])
        return self.features[rows]


def load_clip(source: Source, encoder: Encoder, poses: PoseSource | None = None, streamed: bool = False) -> Clip:
    """A clip with what an encoder needs; see `embeddings.recordings.read_recording`."""
    asker = f"encoder {encoder.name!r}"
    return read_recording(source, encoder.required_inputs, poses, encoder.fps, asker=asker, streamed=streamed)


def prepared(source: Source, encoder: Encoder, poses: PoseSource | None = None) -> Prepared:
    """Reads and prepares a recording, a clip or a pose; pictures are streamed from their file, of whatever length.

    Raises:
        ValueError: it cannot be read, lacks what the encoder needs, or has no frames.
    """
    clip = load_clip(source, encoder, poses, streamed=True)
    if len(clip) == 0 and clip.film is None:
        raise ValueError(f"{clip.name}: has no frames")
    return Prepared(clip, encoder, encoder.prepare(right_handed(clip)))

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
        return len(self.clip) / self.clip.fps

    def encoder_frames(self, start: int, end: int) -> tuple[float, float]:
        """Frames [start, end) of the clip in the encoder's frames, fractional."""
        ratio = self.encoder.fps / self.clip.fps
        return start * ratio, end * ratio

    def rows(self, start: int, end: int) -> slice:
        """The encoder's whole frames of the clip's frames [start, end), at least one."""
        low, high = self.encoder_frames(start, end)
        first = int(np.clip(round(low), 0, len(self) - 1))
        return slice(first, int(np.clip(round(high), first + 1, len(self))))

    def embed(self, windows: NDArray[np.floating]) -> NDArray[np.float32]:
        """Vectors (W, D), unit rows, of half-open windows (W, 2) in the encoder's frames."""
        return self.encoder.embed(self.inputs, windows)

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """(T, F) frame features for alignment, unit rows."""
        return self.encoder.clip_features(self.inputs)


def load_clip(source: Source, encoder: Encoder, poses: PoseSource | None = None) -> Clip:
    """A clip with what an encoder needs; see `embeddings.recordings.read_recording`."""
    asker = f"encoder {encoder.name!r}"
    return read_recording(source, encoder.required_inputs, poses, encoder.fps, asker=asker)


def prepared(source: Source, encoder: Encoder, poses: PoseSource | None = None) -> Prepared:
    """Reads and prepares a recording, a clip or a pose.

    Raises:
        ValueError: it cannot be read, lacks what the encoder needs, or has no frames.
    """
    clip = load_clip(source, encoder, poses)
    if len(clip) == 0:
        raise ValueError(f"{clip.name}: has no frames")
    return Prepared(clip, encoder, encoder.prepare(right_handed(clip)))

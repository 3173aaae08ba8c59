"""`Detection`: where a sign was found."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Detection"]


@dataclass(frozen=True)
class Detection:
    """A sign found in a video.

    Attributes:
        video: the video's name (its file's stem).
        sign: the gloss of the exemplar.
        start, end: seconds, half-open.
        score: how sure; a probability in [0, 1] where the encoder is calibrated, else a cosine in [−1, 1].

    Raises:
        ValueError: a time or score is not finite, or not 0 <= start < end.
    """

    video: str
    sign: str
    start: float
    end: float
    score: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in (self.start, self.end, self.score)):
            raise ValueError(f"{self.video}: {self.sign} at {self.start}–{self.end} s, score {self.score}: not finite")
        if not 0 <= self.start < self.end:
            raise ValueError(
                f"{self.video}: {self.sign} from {self.start} s to {self.end} s; expected 0 <= start < end"
            )

"""`Detection`: a segment that a system found; and the one conversion between segments and a clip's frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eval.segments import Segment

if TYPE_CHECKING:
    from embeddings.clip import Clip, Span

__all__ = ["Detection", "segments_of", "spans_of"]


@dataclass(frozen=True, slots=True)
class Detection(Segment):
    """A sign found in a video.

    Attributes:
        video: the video's name (its file's stem).
        sign: the gloss of the exemplar.
        start, end: seconds, half-open.
        score: how sure; a probability in [0, 1] where the encoder is calibrated, else a cosine in [−1, 1].

    Raises:
        ValueError: a time or score is not finite, or not 0 <= start < end.
    """

    score: float

    def __post_init__(self) -> None:
        Segment.__post_init__(self)  # a class with slots is made anew, which `super()` does not know
        if not 0 <= self.start < self.end:
            raise ValueError(
                f"{self.video}: {self.sign} from {self.start} s to {self.end} s; expected 0 <= start < end"
            )


def segments_of(clip: Clip, signs: Iterable[str] | None = None) -> list[Segment]:
    """A clip's spans in seconds.

    Args:
        signs: only these; None all.
    """
    chosen = None if signs is None else frozenset(signs)
    return [
        Segment.from_frames(clip.name, span.label, span.start, span.end, clip.fps)
        for span in clip.spans
        if chosen is None or span.label in chosen
    ]


def spans_of(segments: Iterable[Segment], fps: float) -> tuple[Span, ...]:
    """Segments of one video in frames."""
    from embeddings.clip import Span

    return tuple(Span(segment.sign, *segment.frames(fps)) for segment in segments)

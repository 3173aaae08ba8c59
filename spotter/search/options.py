"""How to spot: every choice of the pipeline in two small tables."""

from __future__ import annotations

from dataclasses import dataclass

from .windows import RATIOS

__all__ = ["SpottingOptions", "TransferOptions"]


@dataclass(frozen=True)
class TransferOptions:
    """Top-K transfer, see `gallery.transfer`. What is left out is this toolkit's choice; `published` is the paper's.

    Attributes:
        k, iterations: as published 5 and 1.
        guard: a video is not searched with what it donated itself.
        minimum: least cosine of a donation, in [−1, 1].
        keep: weight of the exemplar beside the donations' mean, in [0, 1]; 0 replaces it.
    """

    k: int = 5
    iterations: int = 1
    guard: bool = True
    minimum: float = 0.6
    keep: float = 0.5

    @classmethod
    def published(cls, k: int = 5, iterations: int = 1) -> TransferOptions:
        """Donations take the exemplar's place, however unlike it they are, also in the video that made them."""
        return cls(k, iterations, guard=False, minimum=-1.0, keep=0.0)


@dataclass(frozen=True)
class SpottingOptions:
    """How to spot.

    Attributes:
        threshold: least score of a detection; None takes 0.4 for calibrated encoders (a probability), else 0.6.
        stride: frames between window centres.
        ratios: window lengths as shares of the exemplar's trimmed length.
        window: one window length in frames for all signs instead (16 in the published systems).
        refine: align the exemplar around each peak, so that the span is the sign's own.
        calibrated: use the encoder's calibration where it has one.
        exclusive: of detections of different signs that overlap by more than half, the surer stays.
        overlap: of two detections of one sign with a greater IoU the surer stays.
        most: so many best detections per sign and video (0: all above the threshold).
        transfer: Top-K transfer between the query videos, or None.
    """

    threshold: float | None = None
    stride: int = 2
    ratios: tuple[float, ...] = RATIOS
    window: int | None = None
    refine: bool = True
    calibrated: bool = True
    exclusive: bool = True
    overlap: float = 0.2
    most: int = 0
    transfer: TransferOptions | None = None

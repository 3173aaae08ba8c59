"""How to spot: every choice of the pipeline in three small tables."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Selection", "SpottingOptions", "TransferOptions"]


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
class Selection:
    """Which detections are wanted of all that were judged: one of three ways to say it, or none.

    Attributes:
        false_alarms: so many wrong ones are expected an hour of video, all signs together.
        precision: so large a share of the list is expected to be right.
        best: so many, the surest of all videos, whatever their score.

    Raises:
        ValueError: more than one is given, or a number is out of range.
    """

    false_alarms: float | None = None
    precision: float | None = None
    best: int | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("false_alarms", "precision", "best") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are given; expected one of them")
        if self.false_alarms is not None and not self.false_alarms >= 0:
            raise ValueError(f"false_alarms is {self.false_alarms}; expected a number an hour, at least 0")
        if self.precision is not None and not 0 < self.precision <= 1:
            raise ValueError(f"precision is {self.precision}; expected a share above 0, at most 1")
        if self.best is not None and self.best < 1:
            raise ValueError(f"best is {self.best}; expected at least 1")

    @property
    def given(self) -> bool:
        """Whether anything is asked for."""
        return not (self.false_alarms is None and self.precision is None and self.best is None)


@dataclass(frozen=True)
class SpottingOptions:
    """How to spot.

    Attributes:
        threshold: least score of a detection; None takes 0.4 for encoders with a judge (a probability), else 0.6.
        select: which detections are wanted, by expected false alarms or precision, or by number, in place of a
            threshold; needs probabilities.
        expect: how often a sign is expected, in occurrences an hour of each sign: all probabilities are moved so that
            as many are expected to be right; None leaves it to what was seen. Needs probabilities.
        stride: frames between window centres; None takes 3 for encoders with a judge, else 2.
        ratios: window lengths as shares of the exemplar's trimmed length; None takes the same three lengths for all
            signs for encoders with a judge, else `windows.RATIOS`.
        window: one window length in frames for all signs instead (16 in the published systems).
        refine: align the exemplar with the video, so that signs are found by their frames too and the span is the
            sign's own.
        calibrated: use the encoder's judge where it has one.
        exclusive: different signs that overlap by more than half exclude each other: their probabilities are together
            at most 1; of cosines the higher stays.
        overlap: of two detections of one sign with a greater IoU the surer stays.
        most: so many best detections per sign and video (0: all above the threshold).
        transfer: Top-K transfer between the query videos, or None.

    Raises:
        ValueError: `expect` is not above 0, or both `threshold` and `select` are given.
    """

    threshold: float | None = None
    stride: int | None = None
    ratios: tuple[float, ...] | None = None
    window: int | None = None
    refine: bool = True
    calibrated: bool = True
    exclusive: bool = True
    overlap: float = 0.2
    most: int = 0
    transfer: TransferOptions | None = None
    expect: float | None = None
    select: Selection = field(default_factory=Selection)

    @property
    def threshold_stands(self) -> bool:
        """Whether each video's detections are known before all videos are searched."""
        return self.expect is None and not self.select.given

    def __post_init__(self) -> None:
        if self.expect is not None and not self.expect > 0:
            raise ValueError(f"expect is {self.expect}; expected occurrences an hour of each sign, above 0")
        if self.threshold is not None and self.select.given:
            raise ValueError(f"threshold {self.threshold} and {self.select} are both given; expected one of them")

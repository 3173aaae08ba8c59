"""What a corpus stores, and how it is searched: the same objects for Python and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["LENGTHS", "IndexOptions", "SearchOptions"]

LENGTHS: tuple[int, ...] = (16,)
"""Window lengths in frames that are stored: more of them rank no better (`scripts/bench/corpus.py`)."""


@dataclass(frozen=True)
class IndexOptions:
    """What a corpus stores of every video; the same for all of them.

    Attributes:
        lengths: window lengths in frames of the encoder's rate.
        stride: frames between windows.
    """

    lengths: tuple[int, ...] = LENGTHS
    stride: int = 2


@dataclass(frozen=True)
class SearchOptions:
    """How to search.

    Attributes:
        most: hits per sign.
        threshold: least cosine of a hit; None gives the best ones whatever their score.
        overlap: of two hits in a video whose IoU is above this the better stays.
        refine: align the exemplar, so that spans have the sign's own length.
        candidates: windows taken per exemplar before overlapping ones are joined; 0 takes 50 per hit, at least 2,000.
        videos: only these; None all.
        signers: only videos by these, as the corpus's facts.csv names them.
        since, until: only videos of these dates (YYYY-MM-DD), both included.
        where: only videos whose facts meet a condition, such as ``signer='A' and year<1990`` (see `corpus.where`).
    """

    most: int = 20
    threshold: float | None = None
    overlap: float = 0.2
    refine: bool = True
    candidates: int = 0
    videos: Sequence[str] | None = None
    signers: Sequence[str] | None = None
    since: str | None = None
    until: str | None = None
    where: str | None = None

    def __post_init__(self) -> None:
        if self.most < 1 or 0 < self.candidates < self.most or self.candidates < 0:
            raise ValueError(
                f"most={self.most}, candidates={self.candidates}; expected at least 1 hit and as many candidates"
            )

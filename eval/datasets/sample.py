"""What every reader of a benchmark returns, and the one error they all raise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..segments import Segment, by_video
from ..splits import check_leaks

__all__ = ["DatasetError", "Sample", "of_split", "refuse_leaks", "seconds_of", "to_segments"]


class DatasetError(ValueError):
    """An annotation file breaks a rule: one line with file, row and rule."""

    def __init__(self, path: str | Path, row: int | str | None, rule: str) -> None:
        where = f"{path}" if row is None else f"{path}:{row}"
        super().__init__(f"{where}: {rule}")

    @classmethod
    def unreadable(cls, path: object, reason: str) -> DatasetError:
        """Of a file that breaks while it is read, see `safe_files.reader`."""
        return cls(str(path), None, f"cannot be read ({reason})")


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled clip, or one labelled part of a longer video, in the project's conventions.

    Attributes:
        id: unique in its data set; rows are matched by it.
        label: the sign, always a string; the benchmark's own number is `number`, in the benchmark's base.
        path: of the media file, relative to the folder of media; empty where the benchmark fixes none.
        signer, split, source: empty where unknown. Splits are "train", "validation" or "test". `source` is the video
            that the sample is a part of, for the leak check.
        start, end: half-open; None is the start or the end of the file.
        unit: of start and end, "frames" (of `fps`) or "seconds".
        fps: frames per second; None where the annotation does not say.
        extra: further columns of the benchmark, as they are.
    """

    id: str
    label: str
    path: str = ""
    signer: str = ""
    split: str = ""
    source: str = ""
    start: float | None = None
    end: float | None = None
    unit: str = "frames"
    fps: float | None = None
    number: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def seconds_of(sample: Sample) -> tuple[float, float | None]:
    """Start and end in seconds; the end is None where the sample goes to the end of its file.

    Raises:
        DatasetError: times are frames of an unknown rate.
    """
    start = 0.0 if sample.start is None else float(sample.start)
    end = None if sample.end is None else float(sample.end)
    if sample.unit == "seconds" or (start == 0.0 and end is None):
        return start, end
    if sample.fps is None:
        raise DatasetError(sample.id, None, "its times are frames and its fps is unknown; probe the video for it")
    return start / sample.fps, None if end is None else end / sample.fps


def of_split(samples: Iterable[Sample], split: str) -> list[Sample]:
    """Samples of one split ("train", "validation", "test")."""
    return [sample for sample in samples if sample.split == split]


def refuse_leaks(
    train: Iterable[Sample], held_out: Iterable[Sample], signers: bool = True, sources: bool = True
) -> None:
    """Refuses a signer or a source video on both sides; call it before training and before evaluation.

    Args:
        signers, sources: False allows one knowingly (WLASL's own splits share signers).

    Raises:
        eval.splits.LeakError: names what leaks, with examples.
    """
    first, second = list(train), list(held_out)
    every = [*first, *second]
    check_leaks(
        [sample.id for sample in first],
        [sample.id for sample in second],
        {sample.id: sample.signer for sample in every} if signers else None,
        {sample.id: sample.source for sample in every} if sources else None,
    )


def to_segments(samples: Iterable[Sample]) -> dict[str, list[Segment]]:
    """Ground truth of spotting, source → its segments, of samples that are parts of videos.

    Raises:
        DatasetError: a sample without an end.
    """
    segments = []
    for sample in samples:
        start, end = seconds_of(sample)
        if end is None:
            raise DatasetError(sample.id, None, "has no end; ground truth of spotting needs one")
        segments.append(Segment(sample.source if sample.source else sample.id, sample.label, start, end))
    return by_video(segments)

"""Non-maximum suppression in time: of intervals that overlap too much only the best stays."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterator, Sequence

__all__ = ["suppress"]


def suppress(
    intervals: Sequence[tuple[float, float]],
    groups: Sequence[Hashable] | None = None,
    overlap: float = 0.2,
    contained: float | None = None,
    across: float | None = None,
    most: int = 0,
    most_each: int = 0,
) -> list[int]:
    """Greedy suppression: from the first interval on, each that clashes with none that was taken before it.

    Time grows with N log N where few of the intervals that stay overlap.

    Args:
        intervals: N of [start, end), in any unit, best first.
        groups: N, e.g. the sign or the video; only intervals of one group clash, but for `across`. None: one group.
        overlap: in a group, the greatest intersection over union.
        contained: in a group, the greatest share of the shorter interval that may be covered; None: any.
        across: between groups, the same; None: any.
        most: so many stay; most_each: so many of each group (0: all).

    Returns:
        Places of those that stay, in the given order.
    """
    labels: Sequence[Hashable] = [None] * len(intervals) if groups is None else groups
    everywhere, own = _Taken(), {label: _Taken() for label in set(labels)}
    taken: list[int] = []
    for place, ((start, end), label) in enumerate(zip(intervals, labels, strict=True)):
        if most and len(taken) == most:
            break
        if most_each and len(own[label].intervals) == most_each:
            continue
        if any(_clash((start, end), other, overlap, contained) for other, _ in own[label].near(start, end)):
            continue
        if across is not None and any(
            of != label and _clash((start, end), other, 1.0, across) for other, of in everywhere.near(start, end)
        ):
            continue
        own[label].add(start, end, label)
        everywhere.add(start, end, label)
        taken.append(place)
    return taken


def _clash(one: tuple[float, float], other: tuple[float, float], overlap: float, contained: float | None) -> bool:
    inner = min(one[1], other[1]) - max(one[0], other[0])
    if inner <= 0:
        return False
    union = max(one[1], other[1]) - min(one[0], other[0])
    covered = contained is not None and inner > contained * min(one[1] - one[0], other[1] - other[0])
    return covered or inner / union > overlap


class _Taken:
    """Intervals in the order of their starts, to find those near a place without looking at all."""

    def __init__(self) -> None:
        self.intervals: list[tuple[float, int, tuple[float, float], Hashable]] = []
        self.longest = 0.0

    def add(self, start: float, end: float, label: Hashable) -> None:
        insort(self.intervals, (start, len(self.intervals), (start, end), label))
        self.longest = max(self.longest, end - start)

    def near(self, start: float, end: float) -> Iterator[tuple[tuple[float, float], Hashable]]:
        """(interval, group) of those that may intersect [start, end)."""
        first = bisect_left(self.intervals, (start - self.longest,))
        for begin, _, interval, label in self.intervals[first:]:
            if begin >= end:
                return
            yield interval, label

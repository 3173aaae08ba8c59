"""The same place found again is the same hit: names for what a search found."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .log import Found
from .state import Hit, State

if TYPE_CHECKING:
    from ..detection import Detection

__all__ = ["SAME_PLACE", "named_hits", "overlap"]

SAME_PLACE = 0.5
"""IoU from which two places are one."""


def overlap(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Intersection over union of two spans (start, end)."""
    inner = min(a[1], b[1]) - max(a[0], b[0])
    return max(0.0, inner / (max(a[1], b[1]) - min(a[0], b[0])))


def named_hits(state: State, search: str, detections: Sequence[Detection]) -> list[Found]:
    """Detections with the names of the hits that they are; new places get new names.

    A detection is a known hit when the hit was found, or stands, as the same sign in the same video with an IoU of
    `SAME_PLACE` or more. One to one: the greatest overlap first, then the better score. A place that somebody gave
    another sign is left out: it was looked at and is not the sign searched for.
    """
    known: dict[tuple[str, str], list[Hit]] = {}
    for hit in state.hits.values():
        if hit.status not in ("merged", "withdrawn"):
            for sign in {hit.sign, hit.found_sign}:
                known.setdefault((hit.video, sign), []).append(hit)
    pairs = []
    for number, d in enumerate(detections):
        for hit in known.get((d.video, d.sign), ()):
            spans = ((hit.start, hit.end), (hit.found_start, hit.found_end))
            best = max(overlap((d.start, d.end), span) if span[1] > span[0] else 0.0 for span in spans)
            if best >= SAME_PLACE:
                pairs.append((-best, -d.score, number, hit.id))
    names: dict[int, str] = {}
    taken: set[str] = set()
    relabelled: set[int] = set()
    for _, _, number, name in sorted(pairs):
        if state.hits[name].sign != detections[number].sign:
            relabelled.add(number)
        elif number not in names and name not in taken:
            names[number] = name
            taken.add(name)
    return [
        Found(names.get(i, _new_name(search, i, d)), d.video, d.sign, d.start, d.end, d.score)
        for i, d in enumerate(detections)
        if i in names or i not in relabelled
    ]


def _new_name(search: str, number: int, d: Detection) -> str:
    said = f"{search}\0{number}\0{d.video}\0{d.sign}\0{d.start!r}\0{d.end!r}"
    return "h" + hashlib.sha256(said.encode()).hexdigest()[:14]

"""ELAN annotation files (`.eaf`): annotations with their times, whatever the tier's type.

With the standard library's XML reader: it takes every EAF version and says in which line a damaged file breaks.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import numpy as np

from safe_files import reader

from . import Annotations, Row, SegmentError

__all__ = ["VIDEO_PROPERTY", "media_of", "read_elan", "read_tiers", "video_of"]

VIDEO_PROPERTY = "sign-spotter.video"
SCORE_TYPES = ("score", "spotter-score")
"""Linguistic types of tiers with scores: of files that the toolkit wrote alone, and of its tiers in other people's."""
Element = ElementTree.Element


@reader(SegmentError)
def read_elan(path: Path, tiers: Sequence[str] | None = None) -> Annotations:
    """Annotations in the order of time, the value as the sign; blank ones are left out.

    A dependent annotation (symbolic association or subdivision) has the time of the aligned one above it. A time slot
    without a value, as ELAN writes inside time subdivisions, lies evenly between its neighbours. The score is the
    number on a dependent tier of one of `SCORE_TYPES`.

    Args:
        tiers: names; None takes every tier without a parent.

    Raises:
        SegmentError: no ELAN file, a tier it does not have, or an annotation that ends before it starts.
    """
    root = _root(path)
    rows = [row for listed in _tiers_of(path, root, tiers).values() for row in listed]
    return Annotations(sorted(rows, key=_by_time), [_video(root, path)])


@reader(SegmentError)
def read_tiers(path: Path, tiers: Sequence[str] | None = None) -> dict[str, list[Row]]:
    """Tier → its annotations in the order of time, see `read_elan`."""
    return _tiers_of(path, _root(path), tiers)


def _tiers_of(path: Path, root: Element, tiers: Sequence[str] | None) -> dict[str, list[Row]]:
    video = _video(root, path)
    by_name = {str(tier.get("TIER_ID")): tier for tier in root.findall("TIER")}
    missing = [name for name in tiers or () if name not in by_name]
    if missing:
        raise SegmentError(f"{path}: no tier {', '.join(missing)}; it has {', '.join(by_name) or 'none'}")
    chosen = [name for name in by_name if by_name[name].get("PARENT_REF") is None] if tiers is None else list(tiers)
    slots, aligned_of, scores = _times(path, root), _Aligned(path, root), _scores(root)
    rows: dict[str, list[Row]] = {}
    for name in chosen:
        rows[name] = []
        for element in _annotations(by_name[name]):
            own, value = str(element.get("ANNOTATION_ID")), _value(element)
            aligned = aligned_of(element)
            try:
                start, end = (slots[str(aligned.get(f"TIME_SLOT_REF{k}"))] for k in (1, 2))
            except KeyError as error:
                raise SegmentError(f"{path}: annotation {own} refers to time slot {error}, which is missing") from None
            where = f"{path}, annotation {own} on tier {name!r}"
            if value.strip() and start != end:
                rows[name].append(Row(where, video, value, start, end, scores.get(own), "ms"))
        rows[name].sort(key=_by_time)
    return rows


def _by_time(row: Row) -> tuple[float, float, str]:
    return row.start, row.end, row.sign


def video_of(path: Path) -> str:
    """The video a file is about: as `spotter.write` noted it, else the stem of the first linked media, else its own."""
    return _video(_root(path), path)


def _video(root: Element, path: Path) -> str:
    for noted in root.iter("PROPERTY"):
        if noted.get("NAME") == VIDEO_PROPERTY and noted.text:
            return noted.text
    for media in root.iter("MEDIA_DESCRIPTOR"):
        return PurePosixPath(unquote(str(media.get("MEDIA_URL")))).stem
    return path.stem


def media_of(path: Path) -> list[Path]:
    """The media files that an ELAN file links and that are there, by the relative path first."""
    found = []
    for media in _root(path).iter("MEDIA_DESCRIPTOR"):
        relative, absolute = str(media.get("RELATIVE_MEDIA_URL") or ""), str(media.get("MEDIA_URL") or "")
        places = [path.parent / unquote(relative.removeprefix("file:"))] if relative else []
        # file:///home/… on Linux and macOS, file:///C:/… on Windows
        local = unquote(absolute.removeprefix("file:")).replace("///", "/", 1)
        places.append(Path(local.lstrip("/") if re.match(r"/+[A-Za-z]:", local) else local))
        found += [place for place in places if local and place.is_file()][:1]
    return list(dict.fromkeys(found))


def _root(path: Path) -> Element:
    if not path.is_file():
        raise SegmentError(f"{path}: no such file")
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        line, column = error.position
        raise SegmentError(f"{path}, line {line}, column {column}: not valid XML ({error})") from None
    except OSError as error:
        raise SegmentError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, LookupError) as error:  # an encoding that Python does not know
        raise SegmentError(f"{path}: not valid XML ({error})") from None
    if root.tag != "ANNOTATION_DOCUMENT":
        raise SegmentError(f"{path}: its root is <{root.tag}>; an ELAN file has <ANNOTATION_DOCUMENT>")
    return root


def _annotations(tier: Element) -> list[Element]:
    return [child for annotation in tier.findall("ANNOTATION") for child in annotation]


def _value(element: Element) -> str:
    return element.findtext("ANNOTATION_VALUE") or ""


def _times(path: Path, root: Element) -> dict[str, float]:
    """Time slot → ms, those without a value evenly between their neighbours in the file's order."""
    slots = list(root.iter("TIME_SLOT"))
    try:
        given = [(i, float(value)) for i, slot in enumerate(slots) if (value := slot.get("TIME_VALUE")) is not None]
    except ValueError as error:
        raise SegmentError(f"{path}: a time slot's value is no number ({error})") from None
    if not slots:
        return {}
    if not given:
        raise SegmentError(f"{path}: no time slot has a value")
    wrong = next((time for _, time in given if not math.isfinite(time) or time < 0), None)
    if wrong is not None:
        raise SegmentError(f"{path}: a time slot's value is {wrong}; expected milliseconds from the beginning")
    filled = np.interp(np.arange(len(slots)), [i for i, _ in given], [value for _, value in given])
    return {str(slot.get("TIME_SLOT_ID")): float(time) for slot, time in zip(slots, filled, strict=True)}


class _Aligned:
    """The time-aligned annotation that an annotation is, or hangs from; each is looked for once."""

    def __init__(self, path: Path, root: Element) -> None:
        self._path = path
        self._by_id = {str(a.get("ANNOTATION_ID")): a for tier in root.findall("TIER") for a in _annotations(tier)}
        self._aligned: dict[str, Element] = {}

    def __call__(self, element: Element) -> Element:
        passed: dict[str, None] = {}
        while element.tag != "ALIGNABLE_ANNOTATION":
            above = str(element.get("ANNOTATION_REF"))
            if above not in self._by_id or above in passed:
                raise SegmentError(
                    f"{self._path}: annotation {element.get('ANNOTATION_ID')} refers to annotation {above}, "
                    + ("which refers back to it" if above in passed else "which is not there")
                )
            passed[above] = None
            element = self._aligned.get(above, self._by_id[above])
        self._aligned |= dict.fromkeys(passed, element)
        return element


def _scores(root: Element) -> dict[str, float]:
    """Annotation → the number of the score tier below it."""
    scores: dict[str, float] = {}
    for tier in root.findall("TIER"):
        if tier.get("LINGUISTIC_TYPE_REF") not in SCORE_TYPES:
            continue
        for element in _annotations(tier):
            try:
                score = float(_value(element))
            except ValueError:
                continue  # an annotator's word on a tier of that type is no score
            if math.isfinite(score):
                scores[str(element.get("ANNOTATION_REF"))] = score
    return scores

"""Reading ELAN annotation files: annotations with their times, whatever the tier's type.

With the standard library's XML reader: it takes every EAF version and says in which line a damaged file breaks.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import numpy as np

__all__ = ["VIDEO_PROPERTY", "EafAnnotation", "read_annotations", "video_of"]

VIDEO_PROPERTY = "sign-spotter.video"
Element = ElementTree.Element


@dataclass(frozen=True)
class EafAnnotation:
    """One annotation; `score` is the number on a dependent score tier, None where there is none."""

    tier: str
    value: str
    start: float
    end: float
    score: float | None = None


def read_annotations(path: Path, tiers: Sequence[str] | None = None) -> list[EafAnnotation]:
    """Annotations in the order of time; blank ones are left out.

    A dependent annotation (symbolic association or subdivision) has the time of the aligned one above it. A time slot
    without a value, as ELAN writes inside time subdivisions, lies evenly between its neighbours.

    Args:
        tiers: names; None takes every tier without a parent.

    Raises:
        ValueError: no ELAN file, a tier it does not have, or an annotation that ends before it starts.
    """
    root = _root(path)
    known = {str(tier.get("TIER_ID")): tier for tier in root.iter("TIER")}
    missing = [name for name in tiers or () if name not in known]
    if missing:
        raise ValueError(f"{path}: no tier {', '.join(missing)}; it has {', '.join(known) or 'none'}")
    chosen = [name for name in known if known[name].get("PARENT_REF") is None] if tiers is None else list(tiers)
    slots, every, scores = _times(path, root), _every_annotation(root), _scores(root)
    found: list[EafAnnotation] = []
    for name in chosen:
        for element in _annotations(known[name]):
            own, value = str(element.get("ANNOTATION_ID")), _value(element)
            aligned = _aligned(path, element, every)
            try:
                start, end = (slots[str(aligned.get(f"TIME_SLOT_REF{k}"))] / 1000 for k in (1, 2))
            except KeyError as error:
                raise ValueError(f"{path}: annotation {own} refers to time slot {error}, which is not there") from None
            if not 0 <= start <= end:
                raise ValueError(f"{path}: annotation {own} on tier {name!r} runs from {start} s to {end} s")
            if value.strip() and start < end:
                found.append(EafAnnotation(name, value, start, end, scores.get(own)))
    return sorted(found, key=lambda a: (a.start, a.end, a.value))


def video_of(path: Path) -> str:
    """The video a file is about: as `write_eaf` noted it, else the stem of the first linked media, else its own."""
    root = _root(path)
    for noted in root.iter("PROPERTY"):
        if noted.get("NAME") == VIDEO_PROPERTY and noted.text:
            return noted.text
    for media in root.iter("MEDIA_DESCRIPTOR"):
        return PurePosixPath(unquote(str(media.get("MEDIA_URL")))).stem
    return path.stem


def _root(path: Path) -> Element:
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        line, column = error.position
        raise ValueError(f"{path}, line {line}, column {column}: not valid XML ({error})") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    if root.tag != "ANNOTATION_DOCUMENT":
        raise ValueError(f"{path}: its root is <{root.tag}>; an ELAN file has <ANNOTATION_DOCUMENT>")
    return root


def _annotations(tier: Element) -> list[Element]:
    return [child for annotation in tier.iter("ANNOTATION") for child in annotation]


def _every_annotation(root: Element) -> dict[str, Element]:
    return {str(a.get("ANNOTATION_ID")): a for tier in root.iter("TIER") for a in _annotations(tier)}


def _value(element: Element) -> str:
    return element.findtext("ANNOTATION_VALUE") or ""


def _times(path: Path, root: Element) -> dict[str, float]:
    """Time slot → ms, those without a value evenly between their neighbours in the file's order."""
    slots = list(root.iter("TIME_SLOT"))
    said = [slot.get("TIME_VALUE") for slot in slots]
    known = [i for i, value in enumerate(said) if value is not None]
    if not slots:
        return {}
    try:
        values = [float(said[i]) for i in known]  # type: ignore[arg-type]
    except ValueError as error:
        raise ValueError(f"{path}: a time slot's value is no number ({error})") from None
    if not values:
        raise ValueError(f"{path}: no time slot has a value")
    filled = np.interp(np.arange(len(slots)), known, values)
    return {str(slot.get("TIME_SLOT_ID")): float(time) for slot, time in zip(slots, filled, strict=True)}


def _aligned(path: Path, element: Element, every: dict[str, Element]) -> Element:
    """The time-aligned annotation an annotation is, or hangs from."""
    seen: set[str] = set()
    while element.tag != "ALIGNABLE_ANNOTATION":
        above = str(element.get("ANNOTATION_REF"))
        if above not in every or above in seen:
            raise ValueError(
                f"{path}: annotation {element.get('ANNOTATION_ID')} refers to annotation {above}, which is not there"
            )
        seen.add(above)
        element = every[above]
    return element


def _scores(root: Element) -> dict[str, float]:
    """Annotation → the number of the score tier below it."""
    scores: dict[str, float] = {}
    for tier in root.iter("TIER"):
        if tier.get("LINGUISTIC_TYPE_REF") != "score":
            continue
        for element in _annotations(tier):
            try:
                scores[str(element.get("ANNOTATION_REF"))] = float(_value(element))
            except ValueError:
                continue  # an annotator's word on a tier of that type is no score
    return scores

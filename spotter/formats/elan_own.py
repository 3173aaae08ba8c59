"""What our part of an ELAN file looks like, written and read.

A tier of signs with a controlled vocabulary; below it, one value per annotation, tiers for score, reviewer, status and
the hit's name in the project's log. ELAN allows no overlap in a tier, so signs that overlap lie on further tiers. Ours
is what has an id that begins with `PREFIX`; for tiers that is the id of their linguistic type, which survives being
saved by ELAN (ids of time slots and names of tiers do not).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from .elan_bytes import Element, Layout, Placed, parsed

__all__ = [
    "CONSTRAINT", "CONSTRAINT_NOTE", "PREFIX", "STATUSES", "Laid", "OwnAnnotation", "attribute", "content",
    "in_lanes", "is_own", "own_annotations", "tier_elements", "type_elements", "vocabulary_elements",
]  # fmt: skip

PREFIX = "spotter-"
SIGN = f"{PREFIX}sign"
BELOW = {f"{PREFIX}{word}": word for word in ("score", "reviewer", "status", "hit")}
"""Linguistic type of a tier below the signs → the attribute of `OwnAnnotation` that it holds."""
SIGNS_CV, STATUS_CV = f"{PREFIX}signs", f"{PREFIX}statuses"
STATUSES = ("accepted", "unsure", "rejected", "new")
CONSTRAINT = "Symbolic_Association"
CONSTRAINT_NOTE = "1-1 association with a parent annotation; added by sign-spotter"


@dataclass(frozen=True)
class OwnAnnotation:
    """One annotation on our tiers.

    Attributes:
        sign: its value.
        start, end: seconds of the file's own clock.
        score, reviewer, status, hit: values of the tiers below; "" leaves one out.
    """

    sign: str
    start: float
    end: float
    score: str = ""
    reviewer: str = ""
    status: str = ""
    hit: str = ""


@dataclass(frozen=True)
class Laid:
    """An annotation with its times in whole milliseconds and the number that its ids carry."""

    number: int
    start: int
    end: int
    said: OwnAnnotation


def in_lanes(annotations: Sequence[OwnAnnotation]) -> list[list[Laid]]:
    """Annotations on as few tiers as it takes so that none overlap; at least one tier."""
    lanes: list[list[Laid]] = [[]]
    for number, one in enumerate(sorted(annotations, key=lambda a: (a.start, a.end, a.sign, a.hit)), start=1):
        start = max(0, round(one.start * 1000))
        laid = Laid(number, start, max(start + 1, round(one.end * 1000)), one)
        lane = next((lane for lane in lanes if not lane or lane[-1].end <= start), None)
        if lane is None:
            lanes.append(lane := [])
        lane.append(laid)
    return lanes


def is_own(element: Placed) -> bool:
    """Whether a child of the root is ours."""
    key = {
        "TIER": "LINGUISTIC_TYPE_REF", "LINGUISTIC_TYPE": "LINGUISTIC_TYPE_ID", "CONTROLLED_VOCABULARY": "CV_ID",
    }.get(element.name)  # fmt: skip
    return key is not None and element.attributes.get(key, "").startswith(PREFIX)


def tier_elements(lanes: Sequence[Sequence[Laid]], tier: str, taken: set[str], layout: Layout) -> str:
    """Our tiers as text; names that are taken get a number."""
    made = []
    for lane in lanes:
        name = _free(tier, taken)
        rows = [_sign_element(laid, layout) for laid in lane]
        made.append(_tier(f'<TIER LINGUISTIC_TYPE_REF="{SIGN}" TIER_ID={attribute(name)}', rows, layout))
        for kind, word in BELOW.items():
            rows = [_below_element(laid, word, layout) for laid in lane if getattr(laid.said, word)]
            head = (
                f'<TIER LINGUISTIC_TYPE_REF="{kind}" PARENT_REF={attribute(name)} '
                f"TIER_ID={attribute(_free(f'{name} {word}', taken))}"
            )
            made.append(_tier(head, rows, layout))
    return "".join(made)


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    taken.add(free)
    return free


def _tier(head: str, rows: Sequence[str], layout: Layout) -> str:
    if not rows:
        return layout.line(1, f"{head}/>")
    return layout.line(1, f"{head}>") + "".join(rows) + layout.line(1, "</TIER>")


def _sign_element(laid: Laid, layout: Layout) -> str:
    slots = f'TIME_SLOT_REF1="{PREFIX}ts{laid.number}a" TIME_SLOT_REF2="{PREFIX}ts{laid.number}b"'
    own = f'ANNOTATION_ID="{PREFIX}a{laid.number}"'
    return _annotation("ALIGNABLE_ANNOTATION", f"{own} {slots}", laid.said.sign, layout)


def _below_element(laid: Laid, word: str, layout: Layout) -> str:
    own = f'ANNOTATION_ID="{PREFIX}a{laid.number}-{word}" ANNOTATION_REF="{PREFIX}a{laid.number}"'
    return _annotation("REF_ANNOTATION", own, getattr(laid.said, word), layout)


def _annotation(kind: str, attributes: str, value: str, layout: Layout) -> str:
    return (
        layout.line(2, "<ANNOTATION>")
        + layout.line(3, f"<{kind} {attributes}>")
        + layout.line(4, f"<ANNOTATION_VALUE>{content(value)}</ANNOTATION_VALUE>")
        + layout.line(3, f"</{kind}>")
        + layout.line(2, "</ANNOTATION>")
    )


def type_elements(layout: Layout) -> str:
    """Our linguistic types as text."""
    head = "<LINGUISTIC_TYPE"
    made = [
        f'{head} CONTROLLED_VOCABULARY_REF="{SIGNS_CV}" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="{SIGN}" '
        'TIME_ALIGNABLE="true"/>'
    ]
    for kind, word in BELOW.items():
        vocabulary = f' CONTROLLED_VOCABULARY_REF="{STATUS_CV}"' if word == "status" else ""
        made.append(
            f'{head} CONSTRAINTS="{CONSTRAINT}"{vocabulary} GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="{kind}" '
            'TIME_ALIGNABLE="false"/>'
        )
    return "".join(layout.line(1, said) for said in made)


def vocabulary_elements(glosses: Sequence[str], language: str, layout: Layout) -> str:
    """Our vocabularies of signs and of statuses as text.

    Args:
        language: id of the language of the values, as EAF 2.8 and later have it; "" writes the older form.
    """
    return _vocabulary(SIGNS_CV, glosses, language, layout) + _vocabulary(STATUS_CV, STATUSES, language, layout)


def _vocabulary(name: str, values: Sequence[str], language: str, layout: Layout) -> str:
    if language:
        # without a description ELAN takes a vocabulary for one of the older form, and cannot open the file
        entries = [layout.line(2, f"<DESCRIPTION LANG_REF={attribute(language)}/>")] + [
            layout.line(2, f'<CV_ENTRY_ML CVE_ID="{name}-{number}">')
            + layout.line(3, f'<CVE_VALUE DESCRIPTION="" LANG_REF={attribute(language)}>{content(value)}</CVE_VALUE>')
            + layout.line(2, "</CV_ENTRY_ML>")
            for number, value in enumerate(values, start=1)
        ]
    else:
        entries = [layout.line(2, f'<CV_ENTRY DESCRIPTION="">{content(value)}</CV_ENTRY>') for value in values]
    head = f'<CONTROLLED_VOCABULARY CV_ID="{name}"'
    if not entries:
        return layout.line(1, f"{head}/>")
    return layout.line(1, f"{head}>") + "".join(entries) + layout.line(1, "</CONTROLLED_VOCABULARY>")


def attribute(text: str) -> str:
    """A text as a quoted attribute.

    Raises:
        ValueError: it holds a character that XML cannot.
    """
    return quoteattr(_checked(text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def content(text: str) -> str:
    """A text between tags; errors as of `attribute`."""
    return escape(_checked(text), {"\r": "&#13;"})


def _checked(text: str) -> str:
    if any((ord(c) < 32 and c not in "\t\n\r") or 0xD800 <= ord(c) <= 0xDFFF or c in "\ufffe\uffff" for c in text):
        raise ValueError(f"{text!r} cannot stand in an ELAN file; expected text without control characters")
    return text


def own_annotations(data: bytes, name: str = "the file") -> list[OwnAnnotation]:
    """What stands on our tiers now, by time; blank annotations are left out.

    Raises:
        ValueError: no ELAN file, or an annotation without times.
    """
    root = parsed(data, name)
    below: dict[str, dict[str, str]] = {}
    for tier in root.iter("TIER"):
        word = BELOW.get(tier.get("LINGUISTIC_TYPE_REF", ""))
        for element in tier.iter("REF_ANNOTATION") if word else ():
            value = (element.findtext("ANNOTATION_VALUE") or "").strip()
            below.setdefault(element.get("ANNOTATION_REF", ""), {})[str(word)] = value
    found = []
    for tier in root.iter("TIER"):
        if tier.get("LINGUISTIC_TYPE_REF") == SIGN:
            for element, start, end in _timed(tier, root, name):
                value = (element.findtext("ANNOTATION_VALUE") or "").strip()
                if value:
                    found.append(OwnAnnotation(value, start, end, **below.get(element.get("ANNOTATION_ID", ""), {})))
    return sorted(found, key=lambda a: (a.start, a.end, a.sign))


def _timed(tier: Element, root: Element, name: str) -> Iterator[tuple[Element, float, float]]:
    slots = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    for element in tier.iter("ALIGNABLE_ANNOTATION"):
        start, end = (slots.get(element.get(f"TIME_SLOT_REF{k}")) for k in (1, 2))
        if start is None or end is None:
            raise ValueError(f"{name}: annotation {element.get('ANNOTATION_ID')} refers to a time slot without a time")
        if int(start) < int(end):
            yield element, int(start) / 1000, int(end) / 1000

"""Our tiers in somebody else's ELAN file: put in, taken out; every other byte stays as it is.

A corpus file holds years of work: tiers of several people, vocabularies, links, comments, elements of versions to come.
Programs that parse such a file and write it anew drop what they do not know. Here the file is never written anew: the
places where our elements belong are found with a parser that reports byte offsets, and text is put in there. Taking our
elements out gives the first file back, byte for byte (`without_own` undoes `with_own`).

Written against the EAF 3.0 schema; files of versions before 2.8 get a vocabulary in the form they know.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from eval.annotations.elan import VIDEO_PROPERTY, read_tiers
from eval.segments import Segment

from .elan import MIME_TYPES
from .elan_bytes import Edit, Layout, Placed, Scan, decoded, edited, line_start, parsed, scanned
from .elan_own import (
    CONSTRAINT,
    CONSTRAINT_NOTE,
    PREFIX,
    Laid,
    OwnAnnotation,
    attribute,
    content,
    in_lanes,
    is_own,
    tier_elements,
    type_elements,
    vocabulary_elements,
)

__all__ = ["MediaLink", "media_links", "new_document", "user_tiers", "with_own", "without_own"]

MARK = "<!--spotter-->"
"""Stands where something of ours has no name of its own: in an element that was empty (`<TIME_ORDER/>`) before
something was put into it, and before a language that we had to add."""
UNDETERMINED = "http://cdb.iso.org/lg/CDB-00130975-001"
"""What ELAN calls the language that is nobody's; it accepts it under one id only in a file."""
ORDER = (
    "LICENSE", "HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LOCALE", "LANGUAGE", "CONSTRAINT",
    "CONTROLLED_VOCABULARY", "LEXICON_REF", "REF_LINK_SET", "EXTERNAL_REF",
)  # fmt: skip
"""The root's children in the order of the schema."""


@dataclass(frozen=True)
class MediaLink:
    """A linked media file: its address, and the moment of the media (seconds) that is the file's zero."""

    url: str
    origin: float


def with_own(
    data: bytes,
    annotations: Sequence[OwnAnnotation],
    signs: Sequence[str] = (),
    tier: str = "Spotter",
    name: str = "the file",
) -> bytes:
    """The file with our tiers, in place of those that an earlier call put in.

    Args:
        data: the file.
        annotations: in any order.
        signs: further glosses of the controlled vocabulary.
        tier: name of the tier of signs; where another tier has it, a number follows.
        name: of the file, for messages.

    Raises:
        ValueError: no ELAN file, its clock does not count milliseconds, or a value that XML cannot hold.
    """
    coded = decoded(without_own(data, name), name)
    scan, layout = scanned(coded.text, name), Layout.of(coded.text)
    header, order = scan.first("HEADER"), scan.first("TIME_ORDER")
    if header is None or order is None:
        raise ValueError(f"{name}: it has no HEADER or no TIME_ORDER; expected an ELAN file")
    units = header.attributes.get("TIME_UNITS", "milliseconds")
    if units != "milliseconds":
        raise ValueError(f"{name}: its times are {units}; expected milliseconds")
    lanes = in_lanes(annotations)
    glosses = sorted({one.sign for one in annotations} | {sign for sign in signs if sign.strip()})
    taken = {child.attributes.get("TIER_ID", "") for child in scan.children if child.name == "TIER"}
    edits = _slot_edits(scan, order, lanes, layout)
    edits += _element_edits(scan, tier_elements(lanes, tier, taken, layout), glosses, layout)
    return coded.back(edited(coded.text, edits))


def _slot_edits(scan: Scan, order: Placed, lanes: Sequence[Sequence[Laid]], layout: Layout) -> list[Edit]:
    """Our time slots, each where its time belongs among the others.

    Slots without a time lie between their neighbours; ours never come between them and the slot that ends them.
    """
    times = sorted(
        (time, f"{PREFIX}ts{laid.number}{side}")
        for lane in lanes for laid in lane for side, time in (("a", laid.start), ("b", laid.end))
    )  # fmt: skip
    pieces = [(time, layout.line(2, f'<TIME_SLOT TIME_SLOT_ID="{slot}" TIME_VALUE="{time}"/>')) for time, slot in times]
    if pieces and order.empty:
        inside = "".join(piece for _, piece in pieces) + layout.line(1, "</TIME_ORDER>")
        return [(order.inner - 2, order.inner, f">{MARK}{inside}")]
    values = [_milliseconds(slot) for slot in scan.slots]
    edits: list[Edit] = []
    at, place = 0, order.inner
    for time, piece in pieces:
        while at < len(values):
            aligned = next((k for k in range(at, len(values)) if values[k] is not None), None)
            if aligned == at and (values[at] or 0) > time:
                break
            at = len(values) if aligned is None else aligned + 1
            place = scan.slots[at - 1].end
        edits.append((place, place, piece))
    return edits


def _milliseconds(slot: Placed) -> int | None:
    value = slot.attributes.get("TIME_VALUE", "").strip()
    return int(value) if value.isdigit() else None


def _element_edits(scan: Scan, tiers: str, glosses: Sequence[str], layout: Layout) -> list[Edit]:
    """Our tiers, types and vocabularies, each behind the last element of its kind or of those before it."""
    made = {"TIER": tiers, "LINGUISTIC_TYPE": type_elements(layout)}
    language = _language(scan)
    if language == "":
        said = f'{MARK}<LANGUAGE LANG_DEF="{UNDETERMINED}" LANG_ID="und" LANG_LABEL="undetermined (und)"/>'
        made["LANGUAGE"], language = layout.line(1, said), "und"
    if not any(c.name == "CONSTRAINT" and c.attributes.get("STEREOTYPE") == CONSTRAINT for c in scan.children):
        said = f'<CONSTRAINT DESCRIPTION="{CONSTRAINT_NOTE}" STEREOTYPE="{CONSTRAINT}"/>'
        made["CONSTRAINT"] = layout.line(1, said)
    made["CONTROLLED_VOCABULARY"] = vocabulary_elements(glosses, language or "", layout)
    edits: list[Edit] = []
    for kind, text in sorted(made.items(), key=lambda item: ORDER.index(item[0])):
        place = max(c.end for c in scan.children if c.name in ORDER[: ORDER.index(kind) + 1])
        edits.append((place, place, text))
    return edits


def _language(scan: Scan) -> str | None:
    """Id of the undetermined language in the file: "" when it must be added, None before EAF 2.8."""
    version = re.match(r"(\d+)\.(\d+)", scan.root.get("FORMAT", "3.0"))
    if version is not None and (int(version.group(1)), int(version.group(2))) < (2, 8):
        return None
    languages = [c.attributes for c in scan.children if c.name == "LANGUAGE"]
    found = (a.get("LANG_ID", "") for a in languages if a.get("LANG_DEF") == UNDETERMINED or a.get("LANG_ID") == "und")
    return next(found, "")


def without_own(data: bytes, name: str = "the file") -> bytes:
    """The file without our elements: byte for byte what it was before `with_own`, also for files without any.

    After ELAN has saved the file, the bytes between elements are ELAN's; what belongs to others stays all the same.

    Raises:
        ValueError: no ELAN file.
    """
    coded = decoded(data, name)
    text, scan = coded.text, scanned(coded.text, name)
    own, slots = [c for c in scan.children if is_own(c)] + _own_constraint(scan), _own_slots(scan)
    edits: list[Edit] = [(line_start(text, one.start), one.end, "") for one in own]
    for child in scan.children:
        marked = child.start - len(MARK)
        if child.name == "LANGUAGE" and text[marked : child.start] == MARK.encode():
            edits.append((line_start(text, marked), child.end, ""))
    order = scan.first("TIME_ORDER")
    if order is not None and text[order.inner :].startswith(MARK.encode()) and len(slots) == len(scan.slots):
        edits.append((order.inner - 1, order.end, "/>"))
    else:
        edits += [(line_start(text, slot.start), slot.end, "") for slot in slots]
    return coded.back(edited(text, edits))


def _own_slots(scan: Scan) -> list[Placed]:
    """Time slots that only our annotations refer to, or that nobody does and are called like ours."""
    mine = {ref for child in scan.children if is_own(child) for ref in child.references}
    others = {ref for child in scan.children if not is_own(child) for ref in child.references}
    names = [(slot.attributes.get("TIME_SLOT_ID", ""), slot) for slot in scan.slots]
    return [slot for name, slot in names if name not in others and (name in mine or name.startswith(PREFIX))]


def _own_constraint(scan: Scan) -> list[Placed]:
    """The constraint that we had to add, unless somebody else's types use it by now."""
    used = any(
        c.name == "LINGUISTIC_TYPE" and c.attributes.get("CONSTRAINTS") == CONSTRAINT and not is_own(c)
        for c in scan.children
    )
    note = CONSTRAINT_NOTE
    return [c for c in scan.children if not used and c.name == "CONSTRAINT" and c.attributes.get("DESCRIPTION") == note]


def media_links(data: bytes, name: str = "the file") -> list[MediaLink]:
    """Linked media. A moment t of the file's clock is t + origin in the media, as ELAN has it.

    Raises:
        ValueError: no ELAN file.
    """
    found = parsed(data, name).iter("MEDIA_DESCRIPTOR")
    return [MediaLink(e.get("MEDIA_URL", ""), int(e.get("TIME_ORIGIN") or 0) / 1000) for e in found]


def user_tiers(path: Path) -> dict[str, list[Segment]]:
    """The tiers that are not ours, with their annotations by time, dependent ones included.

    Raises:
        ValueError: no ELAN file.
    """
    tiers = parsed(path.read_bytes(), str(path)).iter("TIER")
    names = [t.get("TIER_ID", "") for t in tiers if not t.get("LINGUISTIC_TYPE_REF", "").startswith(PREFIX)]
    rows = read_tiers(path, names) if names else {}
    return {name: [Segment(r.video, r.sign, r.start / 1000, r.end / 1000) for r in rows[name]] for name in names}


_DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR={author} DATE="{date}" FORMAT="3.0" VERSION="3.0" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">{link}{name}
    </HEADER>
    <TIME_ORDER>
    </TIME_ORDER>
    <CONSTRAINT DESCRIPTION="Time subdivision of parent annotation's time interval, no time gaps allowed within this \
interval" STEREOTYPE="Time_Subdivision"/>
    <CONSTRAINT DESCRIPTION="Symbolic subdivision of a parent annotation. Annotations refering to the same parent are \
ordered" STEREOTYPE="Symbolic_Subdivision"/>
    <CONSTRAINT DESCRIPTION="1-1 association with a parent annotation" STEREOTYPE="Symbolic_Association"/>
    <CONSTRAINT DESCRIPTION="Time alignable annotations within the parent annotation's time interval, gaps are \
allowed" STEREOTYPE="Included_In"/>
</ANNOTATION_DOCUMENT>
"""


def new_document(author: str, media: Path | None = None, at: Path | None = None, video: str = "") -> bytes:
    """An EAF 3.0 file without annotations.

    Args:
        media: a video to link, by its absolute address and, where `at` says where the file will lie, a relative one.
        video: its name, kept as a property.
    """
    link = ""
    if media is not None:
        url = "file:///" + media.resolve().as_posix().lstrip("/")
        mime = MIME_TYPES.get(media.suffix.lower(), "unknown")
        relative = "" if at is None else _relative(media.resolve(), at)
        link = f'\n        <MEDIA_DESCRIPTOR MEDIA_URL={attribute(url)} MIME_TYPE="{mime}"{relative}/>'
    date = datetime.now(UTC).isoformat(timespec="seconds")
    name = f'\n        <PROPERTY NAME="{VIDEO_PROPERTY}">{content(video)}</PROPERTY>' if video else ""
    return _DOCUMENT.format(date=date, author=attribute(author), link=link, name=name).encode("utf-8")


def _relative(media: Path, eaf: Path) -> str:
    try:
        path = Path(os.path.relpath(media, eaf.resolve().parent)).as_posix()
    except ValueError:  # another drive on Windows
        return ""
    return f" RELATIVE_MEDIA_URL={attribute(path if path.startswith('.') else f'./{path}')}"

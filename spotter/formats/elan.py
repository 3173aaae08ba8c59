"""ELAN annotation files (`.eaf`, EAF 2.8 through pympi), written with linked media; `eval.annotations.elan` reads them.

Layout: a tier per sign (named like it), or one tier `signs` with all glosses; the annotation's value is the gloss.
Each such tier has a dependent tier `… score` (symbolic association, one value per annotation), where ELAN users look
for facts about an annotation. The tiers' linguistic type has a controlled vocabulary of the signs, so that ELAN offers
them where somebody corrects a gloss. ELAN allows no overlap within a tier: annotations are laid in the order of time,
each on the first of the tiers `X`, `X (2)`, `X (3)` … that is free then (touching is no overlap).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from eval.annotations.elan import VIDEO_PROPERTY
from eval.segments import Segment
from safe_files import open_whole

__all__ = ["EafDocument", "write_eaf"]

MIME_TYPES = {
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".mpg": "video/mpeg", ".mpeg": "video/mpeg",
    ".avi": "video/x-msvideo", ".mkv": "video/x-matroska", ".webm": "video/webm", ".wmv": "video/x-ms-wmv",
    ".wav": "audio/x-wav",
}  # fmt: skip
SIGN, SCORE, VOCABULARY = "sign", "score", "signs"
LANGUAGE, LANGUAGE_DEFINITION = "und", "http://cdb.iso.org/lg/CDB-00130975-001"
"""ISO 639-3's code for a language that is not stated, as ELAN names it."""


class EafDocument:
    """An EAF under construction: annotations laid on tiers without overlap, then written in the order of time.

    Args:
        video: its name, kept as a property.
        author: kept in the file.
    """

    def __init__(self, video: str, author: str = "sign-spotter") -> None:
        from pympi import Eaf

        self.eaf: Any = Eaf(author=author)
        self.eaf.remove_tier("default")
        self.eaf.remove_linguistic_type("default-lt")
        self.eaf.add_linguistic_type(SIGN)
        # pympi's own date breaks in zones with half hours
        self.eaf.adocument["DATE"] = datetime.now(UTC).isoformat(timespec="seconds")
        self.eaf.add_property(VIDEO_PROPERTY, _xml_text(video))
        self._ends: dict[str, int] = {}

    def link_media(self, media: Path, eaf: Path) -> None:
        """Links a media file by absolute URL and by the path from the `.eaf`'s folder, as ELAN writes them."""
        absolute = media.resolve()
        try:
            relative = Path(os.path.relpath(absolute, eaf.resolve().parent)).as_posix()
        except ValueError:  # another drive on Windows
            relative = None
        if relative is not None and not relative.startswith("."):
            relative = f"./{relative}"
        mime = MIME_TYPES.get(media.suffix.lower(), "unknown")
        url = "file:///" + absolute.as_posix().lstrip("/")
        self.eaf.add_linked_file(url, relative, mime)

    def set_vocabulary(self, glosses: Sequence[str]) -> None:
        """The controlled vocabulary that ELAN offers on the tiers of signs, in this order."""
        self.eaf.add_language(LANGUAGE, LANGUAGE_DEFINITION, "undetermined (und)")
        self.eaf.add_controlled_vocabulary(VOCABULARY)
        descriptions, _, _ = self.eaf.controlled_vocabularies[VOCABULARY]
        descriptions.append((LANGUAGE, ""))  # without it ELAN takes the vocabulary for one of the older form
        for number, gloss in enumerate(dict.fromkeys(glosses), start=1):
            self.eaf.add_cv_entry(VOCABULARY, f"{VOCABULARY}-{number}", [(_xml_text(gloss), LANGUAGE, "")])
        self.eaf.linguistic_types[SIGN]["CONTROLLED_VOCABULARY_REF"] = VOCABULARY

    def add_tier(self, name: str) -> None:
        """A tier of aligned annotations; nothing happens when it exists."""
        if name not in self.eaf.get_tier_names():
            self.eaf.add_tier(name, SIGN)
            self._ends[name] = 0

    def add(self, tier: str, segment: Segment) -> None:
        """One annotation; must be called in the order of `start`. See the module for overlaps."""
        first, last = segment.milliseconds()
        tier = self._free(_xml_text(tier), first)
        self.eaf.add_annotation(tier, first, last, _xml_text(segment.sign))
        self._ends[tier] = last
        if segment.score is not None:
            self._add_score(tier, next(reversed(self.eaf.tiers[tier][0])), segment.score)

    def _free(self, tier: str, start: int) -> str:
        name, number = tier, 1
        while name in self.eaf.get_tier_names() and (name not in self._ends or self._ends[name] > start):
            number += 1
            name = f"{tier} ({number})"
        self.add_tier(name)
        return name

    def _add_score(self, tier: str, parent: str, score: float) -> None:
        name = f"{tier} score"
        owner = self.eaf.tiers[name][2]["PARENT_REF"] if name in self.eaf.get_tier_names() else tier
        if owner != tier:
            name = f"{tier} score of detections"
        if name not in self.eaf.get_tier_names():
            if SCORE not in self.eaf.get_linguistic_type_names():
                self.eaf.add_linguistic_type(SCORE, "Symbolic_Association", timealignable=False)
            self.eaf.add_tier(name, SCORE, parent=tier)
        # by id, not by time as pympi's add_ref_annotation: two annotations that touch share a moment
        own = self.eaf.generate_annotation_id()
        self.eaf.annotations[own] = name
        self.eaf.tiers[name][1][own] = (parent, f"{score:.6g}", None, None)

    def save(self, path: Path) -> None:
        """Writes the file, whole or not at all; time slots are numbered in the order of time."""
        from pympi.Elan import to_adocument

        eaf = self.eaf
        order = sorted(eaf.timeslots, key=lambda slot: (eaf.timeslots[slot], int(slot[2:])))
        new = {slot: f"ts{number}" for number, slot in enumerate(order, start=1)}
        eaf.timeslots = {new[slot]: eaf.timeslots[slot] for slot in order}
        for aligned, *_ in eaf.tiers.values():
            for key, (begin, end, value, drawing) in aligned.items():
                aligned[key] = (new[begin], new[end], value, drawing)
        eaf.properties = [(k, v) for k, v in eaf.properties if k != "lastUsedAnnotation"]
        eaf.add_property("lastUsedAnnotationId", max((int(key[1:]) for key in eaf.annotations), default=0))
        with open_whole(path, "wb") as file:
            ElementTree.ElementTree(to_adocument(eaf)).write(file, xml_declaration=True, encoding="UTF-8")


def _xml_text(text: str) -> str:
    """The text itself.

    Raises:
        ValueError: it is blank, or holds a character that XML cannot.
    """
    bad = [c for c in text if (ord(c) < 32 and c not in "\t\n\r") or 0xD800 <= ord(c) <= 0xDFFF or c in "\ufffe\uffff"]
    if bad or not text.strip():
        raise ValueError(f"{text!r} cannot stand in an ELAN file; expected text without control characters")
    return text


def write_eaf(
    path: Path,
    segments: Sequence[Segment],
    video: str,
    media: Path | None = None,
    tiers: str = "sign",
    glosses: Sequence[str] = (),
) -> None:
    """Writes the segments of one video.

    Args:
        tiers: "sign" for a tier per sign, in the order of the alphabet, or "gloss" for one tier `signs`.
        glosses: the controlled vocabulary, in its order; signs that occur and are not in it come last.

    Raises:
        ValueError: `tiers` is neither, a gloss cannot be written in XML, or the folder cannot be written.
    """
    if tiers not in ("sign", "gloss"):
        raise ValueError(f"tiers is {tiers!r}; expected 'sign' (a tier per sign) or 'gloss' (one tier)")
    document = EafDocument(video)
    document.set_vocabulary([*glosses, *sorted({s.sign for s in segments})])
    if media is not None:
        document.link_media(media, path)
    names = sorted({s.sign for s in segments}) if tiers == "sign" and segments else ["signs"]
    for name in names:
        document.add_tier(_xml_text(name))
    for s in sorted(segments, key=lambda s: (s.start, s.end, s.sign)):
        document.add(s.sign if tiers == "sign" else "signs", s)
    document.save(path)

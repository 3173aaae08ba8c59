"""An ELAN file as bytes with places: where its elements stand, and edits that leave every other byte alone."""

from __future__ import annotations

import codecs
import re
import xml.etree.ElementTree as ElementTree
import xml.parsers.expat
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Coded", "Edit", "Layout", "Placed", "Scan", "decoded", "edited", "line_start", "parsed", "scanned"]

Element = ElementTree.Element
Edit = tuple[int, int, str]
"""Bytes [start, end) of the text become another text."""
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass
class Placed:
    """A child of the root, or a time slot, and where it stands, in bytes of the UTF-8 text.

    Attributes:
        name, attributes: of its tag.
        start: of its `<`; inner: behind its start tag; end: behind the element.
        empty: whether it is one tag, `<X/>`.
        references: the time slots that annotations inside it refer to.
    """

    name: str
    attributes: dict[str, str]
    start: int
    inner: int = 0
    end: int = 0
    empty: bool = False
    references: list[str] = field(default_factory=list)


@dataclass
class Scan:
    """The root's attributes, its children, and the time slots."""

    root: dict[str, str]
    children: list[Placed]
    slots: list[Placed]

    def first(self, name: str) -> Placed | None:
        """The first child of that name."""
        return next((child for child in self.children if child.name == name), None)


@dataclass(frozen=True)
class Coded:
    """A file's text as UTF-8, and how to get back to its own bytes."""

    text: bytes
    mark: bytes
    encoding: str

    def back(self, text: bytes) -> bytes:
        """A text in the file's own encoding, with its byte-order mark; what it cannot hold as character references."""
        return self.mark + text.decode("utf-8").encode(self.encoding, "xmlcharrefreplace")


def decoded(data: bytes, name: str) -> Coded:
    """A file's text, by its byte-order mark or what it says of its encoding.

    Raises:
        ValueError: not readable in that encoding, or not the same bytes when written again.
    """
    mark, encoding = next(((m, e) for m, e in MARKS if data.startswith(m)), (b"", ""))
    if not mark:
        said = re.match(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""", data)
        encoding = said.group(1).decode("ascii").lower() if said else "utf-8"
    try:
        coded = Coded(data[len(mark) :].decode(encoding).encode("utf-8"), mark, encoding)
        if coded.back(coded.text) != data:
            raise ValueError(f"its encoding {encoding} does not give the same bytes back")
    except (LookupError, ValueError) as error:  # undecodable bytes are ValueErrors
        raise ValueError(f"{name}: not readable as text ({error})") from None
    return coded


def scanned(text: bytes, name: str) -> Scan:
    """Where the root's children and the time slots stand.

    Raises:
        ValueError: no valid XML, or no ELAN file.
    """
    scan = Scan({}, [], [])
    names: list[str] = []
    opened: list[Placed | None] = []
    parser = xml.parsers.expat.ParserCreate("UTF-8")

    def begin(tag: str, attributes: dict[str, str]) -> None:
        placed: Placed | None = None
        if not names:
            if tag != "ANNOTATION_DOCUMENT":
                raise ValueError(f"{name}: its root is <{tag}>; an ELAN file has <ANNOTATION_DOCUMENT>")
            scan.root = attributes
        elif len(names) == 1 or (tag == "TIME_SLOT" and names[-1] == "TIME_ORDER"):
            at = parser.CurrentByteIndex
            inner = _tag_end(text, at)
            placed = Placed(tag, attributes, at, inner, empty=text[inner - 2 : inner] == b"/>")
            (scan.children if len(names) == 1 else scan.slots).append(placed)
        else:
            keys = ("TIME_SLOT_REF1", "TIME_SLOT_REF2")
            scan.children[-1].references += [attributes[key] for key in keys if key in attributes]
        names.append(tag)
        opened.append(placed)

    def finish(tag: str) -> None:
        names.pop()
        placed = opened.pop()
        if placed is not None:
            placed.end = placed.inner if placed.empty else text.index(b">", parser.CurrentByteIndex) + 1

    parser.StartElementHandler, parser.EndElementHandler = begin, finish
    try:
        parser.Parse(text, True)
    except xml.parsers.expat.ExpatError as error:
        raise ValueError(f"{name}, line {error.lineno}, column {error.offset}: not valid XML ({error})") from None
    return scan


def _tag_end(text: bytes, at: int) -> int:
    """Just behind the `>` of a start tag; quoted values may hold one."""
    tag = re.compile(rb"""<[^"'>]*(?:(?:"[^"]*"|'[^']*')[^"'>]*)*>""").match(text, at)
    if tag is None:
        raise ValueError(f"byte {at}: a tag without an end")
    return tag.end()


@dataclass(frozen=True)
class Layout:
    """How a file is laid out: its line break, "" in files of one line, and its indentation."""

    newline: str
    indent: str

    @classmethod
    def of(cls, text: bytes) -> Layout:
        """The layout that a file has."""
        newline = "\r\n" if b"\r\n" in text else "\n" if b"\n" in text else ""
        found = re.search(rb"\n([ \t]+)<(?:HEADER|TIME_ORDER)\b", text)
        return cls(newline, found.group(1).decode() if found else "    " if newline else "")

    def line(self, depth: int, text: str) -> str:
        """A text on a line of its own."""
        return f"{self.newline}{self.indent * depth}{text}"


def edited(text: bytes, edits: Sequence[Edit]) -> bytes:
    """The text after edits that do not overlap; several at one place in the order given."""
    parts, at = [], 0
    for _, (start, end, piece) in sorted(enumerate(edits), key=lambda item: (item[1][:2], item[0])):
        parts += [text[at:start], piece.encode("utf-8")]
        at = end
    return b"".join([*parts, text[at:]])


def line_start(text: bytes, start: int) -> int:
    """Where the line break and indentation before an element begin; `start` itself when it begins no line."""
    at = start
    while at > 0 and text[at - 1 : at] in (b" ", b"\t"):
        at -= 1
    if text[at - 1 : at] != b"\n":
        return start
    return at - 2 if text[at - 2 : at] == b"\r\n" else at - 1


def parsed(data: bytes, name: str) -> Element:
    """The root of an ELAN file.

    Raises:
        ValueError: no valid XML, or no ELAN file.
    """
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise ValueError(f"{name}: not valid XML ({error})") from None
    if root.tag != "ANNOTATION_DOCUMENT":
        raise ValueError(f"{name}: its root is <{root.tag}>; an ELAN file has <ANNOTATION_DOCUMENT>")
    return root

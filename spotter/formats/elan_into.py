"""Detections of one video into an ELAN file that may be somebody's: our tiers in it, every other byte as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote

from eval.segments import Segment
from safe_files import write_bytes

from .elan_merge import media_links, new_document, with_own
from .elan_own import OwnAnnotation, own_annotations

__all__ = ["eaf_with", "own_state", "write_into"]


def eaf_with(
    path: Path, segments: Sequence[Segment], video: str, media: Path | None = None, signs: Sequence[str] = ()
) -> bytes:
    """The file at `path`, or a new one, with the segments on our tiers, in place of what was on them.

    Args:
        media: the video, linked from a new file.
        signs: further glosses of the controlled vocabulary.

    Raises:
        ValueError: what is there is no ELAN file, or a gloss cannot stand in XML.
    """
    if path.exists():
        data, origin = path.read_bytes(), 0.0
        names = {video, video.rpartition("/")[2]} | ({media.stem} if media is not None else set())
        origin = next((link.origin for link in media_links(data, str(path)) if _stem(link.url) in names), 0.0)
    else:
        data, origin = new_document("sign-spotter", media, path, video), 0.0
    own = [
        OwnAnnotation(
            s.sign, max(0.0, s.start - origin), s.end - origin, "" if s.score is None else f"{s.score:.6g}"
        )
        for s in segments if s.end > origin
    ]  # fmt: skip
    return with_own(data, own, signs, name=str(path))


def _stem(url: str) -> str:
    """The name of a linked file, whichever system wrote the address."""
    text = unquote(url)
    return (PureWindowsPath(text) if "\\" in text else PurePosixPath(text)).stem


def own_state(data: bytes, name: str = "the file") -> str:
    """A hash of what stands on our tiers, to see whether somebody changed it; "" where nothing stands there.

    Raises:
        ValueError: no ELAN file.
    """
    rows = own_annotations(data, name)
    return hashlib.sha256(repr(rows).encode("utf-8", "replace")).hexdigest()[:16] if rows else ""


def write_into(path: Path, data: bytes) -> None:
    """Writes a file that `eaf_with` made, whole or not at all."""
    write_bytes(path, data)

"""A file of segments, whichever form it has, or a folder of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safe_files import JSONError, parse_json, reader

from . import READABLE, Annotations, SegmentError, challenge, elan, read_text, subtitles, tables, textgrid

__all__ = ["read_annotations"]


@reader(SegmentError)
def read_annotations(path: Path, tiers: Sequence[str] | None = None) -> Annotations:
    """What a file or folder holds, read by the module for its form.

    Raises:
        SegmentError: unreadable, of no such form, or `tiers` of a form without them.
    """

    suffix = path.suffix.lower()
    if tiers is not None and suffix != ".eaf" and not path.is_dir():
        raise SegmentError(f"{path}: tiers {', '.join(tiers)} were asked for; only ELAN files (.eaf) have tiers")
    if path.is_dir():
        return _folder(path, tiers)
    if not path.is_file():
        raise SegmentError(f"{path}: no such file or folder")
    if suffix in (".csv", ".tsv"):
        return tables.read_table(path)
    if suffix == ".json":
        value = _json(path)
        if isinstance(value, list) or (isinstance(value, dict) and {"format", "detections", "segments"} & value.keys()):
            return tables.read_object(value, path)
        return challenge.read_mapping(value, path)
    if suffix == ".pkl":
        return challenge.read_submission(path)
    if suffix == ".eaf":
        return elan.read_elan(path, tiers)
    if suffix in (".vtt", ".srt"):
        return subtitles.read_subtitles(path)
    if suffix == ".textgrid":
        return textgrid.read_textgrid(path)
    raise SegmentError(f"{path}: its ending is {path.suffix!r}; expected {', '.join(READABLE)} or a folder")


def _json(path: Path) -> Any:
    try:
        return parse_json(read_text(path), str(path))
    except JSONError as error:
        raise SegmentError(str(error)) from None


def _folder(folder: Path, tiers: Sequence[str] | None) -> Annotations:
    """All files of the one kind that a folder holds."""
    kinds = {
        ending: files
        for ending in (".eaf", ".vtt", ".srt", ".textgrid", ".txt")
        if (files := sorted(f for f in folder.iterdir() if f.suffix.lower() == ending and not f.name.startswith(".")))
    }
    if len(kinds) != 1:
        raise SegmentError(
            f"{folder}: holds {' and '.join(kinds) or 'no annotation'} files; expected one kind of .eaf, .vtt, .srt, "
            ".TextGrid or the challenge's .txt, a file for each video"
        )
    ((ending, files),) = kinds.items()
    if ending == ".txt":
        return challenge.read_texts(files)
    parts = [read_annotations(file, tiers if ending == ".eaf" else None) for file in files]
    return Annotations([row for part in parts for row in part.rows], [v for part in parts for v in part.videos])

"""Names of recordings; and where `safe_files` was before (import from there)."""

from __future__ import annotations

import os
from pathlib import Path

from safe_files import whole_file, write_json, write_text

__all__ = ["media_name", "readable", "whole_file", "write_json", "write_text"]


def media_name(path: Path) -> str:
    """The name by which a recording is known: a file's without its ending, a folder's whole."""
    return path.name if path.is_dir() else path.stem


def readable(name: str) -> str:
    """A file's name as text: bytes that are no UTF-8 are read as Windows wrote them (Latin letters)."""
    try:
        name.encode()
        return name
    except UnicodeEncodeError:
        return os.fsencode(name).decode("cp1252", "replace")

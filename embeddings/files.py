"""Names of recordings; and where `safe_files` was before (import from there)."""

from __future__ import annotations

from pathlib import Path

from safe_files import whole_file, write_json, write_text

__all__ = ["media_name", "whole_file", "write_json", "write_text"]


def media_name(path: Path) -> str:
    """The name by which a recording is known: a file's without its ending, a folder's whole."""
    return path.name if path.is_dir() else path.stem

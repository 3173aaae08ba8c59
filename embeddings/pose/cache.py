"""The cache: estimated poses in one folder of the user's, found again by the video's content, whatever it is called.

An entry is a file `KEY.h5`; the key is a hash of the video's content, the estimator, its settings and the frame rate.
Nothing but time is lost when entries are deleted.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CachedPose", "cache_folder", "cached_poses", "cached_to", "clear_cache"]

VERSION = 1
"""Part of every key: to be raised where poses that an earlier program estimated should not be used any more."""
PIECES = ".pieces"
"""Ending of folders with the finished pieces of a long video whose estimate was stopped."""
OFF = ("off", "none", "0")


def cache_folder() -> Path | None:
    """Where poses are cached: `$SPOTTER_CACHE/poses`, else `$XDG_CACHE_HOME/spotter/poses`, else `~/.cache/…`.

    None where `SPOTTER_CACHE` is "off".
    """
    own = os.environ.get("SPOTTER_CACHE", "")
    if own.lower() in OFF:
        return None
    if own:
        return Path(own).expanduser() / "poses"
    shared = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(shared) if os.path.isabs(shared) else Path.home() / ".cache"
    except RuntimeError:  # nobody's process: there is no home
        return None
    return base / "spotter" / "poses"


def cached_to(folder: Path, stamp: str, estimator: str) -> Path:
    """The entry's file of a video.

    Args:
        stamp: the video's content, the rate and the settings (`embeddings.pose.files.source_stamp`).
    """
    key = hashlib.sha256(f"{VERSION}|{estimator}|{stamp}".encode()).hexdigest()[:32]
    return folder / f"{key}.h5"


@dataclass(frozen=True)
class CachedPose:
    """One entry.

    Attributes:
        path: its file.
        source: name of the video that it was first estimated from.
        estimator: name and version.
        bytes: of the file.
        used: seconds since the epoch when it was last written or used.
    """

    path: Path
    source: str
    estimator: str
    bytes: int
    used: float


def cached_poses(folder: Path | None = None) -> Iterator[CachedPose]:
    """The entries of the cache, by file name; a damaged one has an empty estimator."""
    from .formats.dot_pose import read_header

    folder = folder if folder is not None else cache_folder()
    for path in sorted(folder.glob("*.h5")) if folder is not None else ():
        facts = path.stat()
        header = read_header(path)
        yield CachedPose(path, header.get("source", ""), header.get("estimator", ""), facts.st_size, facts.st_mtime)


def clear_cache(folder: Path | None = None, unused_days: float = 0.0) -> tuple[int, int]:
    """Deletes entries, and what killed writers left behind.

    Args:
        unused_days: only entries that nobody used for so long.

    Returns:
        Number and bytes of the deleted entries.
    """
    from safe_files import sweep

    folder = folder if folder is not None else cache_folder()
    if folder is None or not folder.is_dir():
        return 0, 0
    before, count, size = time.time() - unused_days * 86400, 0, 0
    for path in folder.glob("*.h5"):
        facts = path.stat()
        if unused_days <= 0 or facts.st_mtime < before:
            path.unlink(missing_ok=True)
            count, size = count + 1, size + facts.st_size
    for place in folder.glob(f".*{PIECES}"):
        if unused_days <= 0 or place.stat().st_mtime < before:
            shutil.rmtree(place, ignore_errors=True)
    sweep(folder)
    return count, size

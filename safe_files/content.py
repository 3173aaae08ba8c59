"""What a file holds, as a hash of all of it."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

__all__ = ["content_hash", "remember", "remembered"]

BLOCK = 1 << 20
LARGE = 1 << 26
"""Bytes; the hashes of larger files are remembered between runs."""
SETTLED = 5.0
"""Seconds since the last change: what changes within a tick of the file system's clock would go unseen."""


def content_hash(path: str | Path) -> str:
    """BLAKE2 (128 bits, hexadecimal) of all bytes of a file, or of the names and bytes of all files of a folder.

    A file is read once in a process, and one of more than 64 MiB once at all, as long as its size and the system's
    times of its last change stay (the change time, too, which no program can set). The hashes of large files are kept
    in `$XDG_CACHE_HOME/sign-spotter/hashes` (`~/.cache` by default); the folder may be deleted.

    Raises:
        OSError: it cannot be read.
    """
    path = Path(path)
    if not path.is_dir():
        return _of_file(path.resolve(), *_version(path))
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(path.iterdir()):
        if not file.name.startswith(".") and file.is_file():
            digest.update(
                f"{file.name}\0{_of_file(file.resolve(), *_version(file))}\n".encode("utf-8", "surrogateescape")
            )
    return digest.hexdigest()


def _version(path: Path) -> tuple[int, int, int, int, int]:
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino, facts.st_dev


@lru_cache(maxsize=1 << 16)
def _of_file(path: Path, size: int, changed: int, touched: int, *place: int) -> str:
    settled = size > LARGE and time.time() - max(changed, touched) / 1e9 > SETTLED
    note = remembered("hashes", (str(path), size, changed, touched, *place)) if settled else None
    if note is not None and note.is_file():
        text = note.read_text(encoding="ascii", errors="replace")
        if len(text) == 32:
            return text
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    if note is not None:
        remember(note, digest.hexdigest())
    return digest.hexdigest()


def remembered(what: str, key: tuple[str | int, ...]) -> Path:
    """The file of the user's cache in which a fact about a file is kept between runs."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = hashlib.blake2b(repr(key).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    return home / "sign-spotter" / what / name


def remember(note: Path, text: str) -> None:
    """Keeps a fact, where the cache can be written."""
    from .whole import WriteError, write_text

    with suppress(WriteError):
        write_text(note, text)

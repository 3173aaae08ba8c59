"""Which recording is which: a name for each of a call's recordings, so that results never mix.

    recordings ── identified(root) ──► each file once, each with a name of its own

A recording is called by its file's stem. Where two have the same, so much of their folders is put before it as tells
them apart (`monday/anna`, `tuesday/anna`); with a root, all are called by their path from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..files import media_name, readable
from .find import Recording
from .kinds import RecordingError

__all__ = ["Identified", "file_name", "file_of", "identified"]

LONGEST = 200
"""Bytes of a file's name that is made from a recording's; file systems take 255."""


@dataclass(frozen=True)
class Identified:
    """Recordings with names of their own.

    Attributes:
        recordings: each file once, in the order given.
        repeated: those that were named again.
        renamed: whether folders stand in some names because stems were the same.
    """

    recordings: list[Recording]
    repeated: list[Recording]
    renamed: bool = False


def identified(recordings: Sequence[Recording], root: Path | None = None) -> Identified:
    """Gives each recording a name that no other one has.

    A file that is named twice is one recording, and so is a video beside its pose file.

    Args:
        root: names are paths from here, without ending; None takes stems, and folders only where stems are the same.

    Raises:
        RecordingError: a recording does not lie in the root.
    """
    single: dict[tuple[Path, str], Recording] = {}
    repeated: list[Recording] = []
    for one in recordings:
        key = (one.path.resolve(), one.part)
        if key in single:
            repeated.append(one)
        single.setdefault(key, one)
    _join_films_and_poses(single, repeated)
    kept = [replace(r, name=readable(r.name)) for r in single.values()]
    if root is not None:
        names = ["/".join(_trail(r, root.resolve())) for r in kept]
        return Identified(_told_apart(kept, names), repeated)
    counted: dict[str, list[Recording]] = {}
    for one in kept:
        counted.setdefault(one.name.casefold(), []).append(one)
    names = [r.name if len(counted[r.name.casefold()]) == 1 else "" for r in kept]
    for same in counted.values():
        if len(same) > 1:
            for one, name in zip(same, _shortest([_trail(r) for r in same]), strict=True):
                names[next(i for i, r in enumerate(kept) if r is one)] = name
    return Identified(_told_apart(kept, names), repeated, any(len(same) > 1 for same in counted.values()))


def _join_films_and_poses(single: dict[tuple[Path, str], Recording], repeated: list[Recording]) -> None:
    """A video and a pose file of its name in one folder show the same signing: the pose is read, the video shown."""
    places: dict[tuple[Path, str], list[tuple[Path, str]]] = {}
    for key, one in single.items():
        if not one.part:
            places.setdefault((key[0].parent, media_name(key[0])), []).append(key)
    for same in places.values():
        films = [key for key in same if single[key].filmed and single[key].path.is_file()]
        poses = [key for key in same if not single[key].filmed and single[key].holds == {"pose"}]
        if len(films) == 1 and len(poses) == 1:
            repeated.append(single.pop(films[0]))
            single[poses[0]] = replace(single[poses[0]], media=repeated[-1].media)


def _trail(recording: Recording, root: Path | None = None) -> tuple[str, ...]:
    """The folders down to a recording and its name."""
    path = recording.path.resolve()
    if root is not None:
        if root not in path.parents:
            raise RecordingError(f"{recording}: does not lie in {root}, from which recordings are named")
        folders = path.parent.relative_to(root).parts
    else:
        folders = tuple(part for part in path.parent.parts if part != path.anchor)
    inside = (media_name(path), recording.name) if recording.part else (media_name(path),)
    return tuple(readable(part) for part in (*folders, *inside))


def _shortest(trails: Sequence[tuple[str, ...]]) -> list[str]:
    """The shortest ends of trails that are all different; whole trails where there are none."""
    for count in range(1, max(map(len, trails)) + 1):
        names = ["/".join(trail[-count:]) for trail in trails]
        if len({name.casefold() for name in names}) == len(names):
            return names
    return ["/".join(trail[-2:]) for trail in trails]


def _told_apart(recordings: Sequence[Recording], names: Sequence[str]) -> list[Recording]:
    """Recordings under these names; names that still are the same (x.mp4, x.mov) get their endings, else numbers."""
    counts = [name.casefold() for name in names]
    taken: set[str] = set()
    named = []
    for one, name in zip(recordings, names, strict=True):
        if counts.count(name.casefold()) > 1:
            name += readable(one.path.suffix)
        free, number = name, 1
        while free.casefold() in taken:
            number += 1
            free = f"{name} ({number})"
        taken.add(free.casefold())
        named.append(replace(one, name=free))
    return named


def file_name(name: str, ending: str = "") -> str:
    """A recording's name as a file's on any system; a long one is shortened, with a hash of the whole."""
    safe = "".join("_" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in readable(name)).lstrip(".") or "_"
    if len(safe.encode()) + len(ending.encode()) > LONGEST:
        import hashlib

        mark = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
        safe = safe.encode()[: LONGEST - len(ending.encode()) - 9].decode("utf-8", "ignore") + f"~{mark}"
    return safe + ending


def file_of(folder: Path, name: str, ending: str = "") -> Path:
    """A file for a recording's results; folders in its name are folders inside."""
    *folders, last = name.split("/")
    return folder.joinpath(*(file_name(part) for part in folders), file_name(last, ending))

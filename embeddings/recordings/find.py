"""`Recording`: one clip that can be read; and what a user names as a list of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safe_files import open_hdf5

from ..files import media_name
from .kinds import KINDS, VIDEO_ENDINGS, Kind, RecordingError, kind_of, parts_needed

__all__ = ["Recording", "find_recordings", "one_recording", "source_name", "with_media"]


@dataclass(frozen=True)
class Recording:
    """One clip on disk, still to be read.

    Attributes:
        path: the file or folder.
        name: what results call it: the file's stem, the folder's name, or the clip's own in a file of many.
        kind: a name of `KINDS`.
        holds: what its clip holds; a pose can be estimated from "frames".
        part: which clip of a file of many, "" otherwise.
        label, signer: as the file says, "" otherwise.
        media: the video to play and to take pictures from; None where there is none.
        pose_file: beside a video, the recording of its pose, for those who need both; None estimates it.
    """

    path: Path
    name: str
    kind: str
    holds: frozenset[str]
    part: str = ""
    label: str = ""
    signer: str = ""
    media: Path | None = None
    pose_file: Path | None = None

    def __str__(self) -> str:
        return f"{self.path}#{self.part}" if self.part else str(self.path)

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    def filmed(self) -> bool:
        """Whether it is decoded picture by picture, and has its pose estimated."""
        return KINDS[self.kind].filmed

    def can_give(self, needs: Sequence[str]) -> bool:
        """Whether its clip can have what an encoder's `required_inputs` ask for."""
        return parts_needed(needs, self.holds) <= (self.holds | {"pose"} if "frames" in self.holds else self.holds)

    def name_in(self, root: Path) -> str:
        """A name that is unique in a folder: with the folders between, "/" between them."""
        if self.path == root or root not in self.path.parents:
            return self.name
        return (self.path.parent.relative_to(root) / self.name).as_posix()


def source_name(source: Any) -> str:
    """The name that results carry: a file's stem, a recording's or clip's name, a pose's source."""
    if isinstance(source, str | Path):
        path, part = _address(source)
        return part if part else media_name(path)
    return str(getattr(source, "name", "") or Path(getattr(source, "source", "") or "pose").stem)


def one_recording(named: str | os.PathLike[str]) -> Recording:
    """The recording that a path names; FILE#CLIP for a clip of a file of many.

    Raises:
        RecordingError: no such file or clip, of no known kind, or several clips and none chosen.
    """
    if isinstance(named, Recording):
        return named
    recordings = find_recordings([named])
    path, _ = _address(named)
    if len(recordings) > 1 or path != recordings[0].path:
        parts = _some([r.part or r.path.name for r in recordings])
        raise RecordingError(f"{path}: holds {len(recordings)} recordings ({parts}); name one, e.g. {recordings[0]}")
    return recordings[0]


def find_recordings(
    named: Iterable[str | os.PathLike[str]],
    needs: Sequence[str] = ("pose",),
    recursive: bool = False,
    unique: bool = False,
) -> list[Recording]:
    """All recordings that paths name, in their order.

    A file of many clips stands for all of them, FILE#CLIP for one. A folder that is no recording itself (a folder of
    images, of OpenPose or FrankMocap frames) stands for those in it, sorted by name; there, a video and its pose file
    are one recording, read from the file that has what is needed, the pose rather than the video.

    Args:
        needs: an encoder's `required_inputs`.
        recursive: whether folders in folders are opened too.
        unique: whether results are told apart by the recordings' names, so that no two may be the same.

    Raises:
        RecordingError: no such file or folder, nothing in it, a clip that is not in its file, or a name twice.
    """
    recordings: list[Recording] = []
    for one in named:
        if isinstance(one, Recording):
            recordings.append(one)
            continue
        path, part = _address(one)
        if not path.exists():
            raise RecordingError(f"{path}: no such file or folder")
        kind = kind_of(path)
        if kind is None and path.is_dir():
            inside = list(_inside(path, needs, recursive))
            if not inside:
                raise RecordingError(f"{path}: no recording in this folder; expected {_expected()}")
            recordings += inside
        else:
            recordings += _clips(path, kind if kind is not None else _unknown(path), part)
    if unique:
        refuse_same_names(recordings)
    return recordings


def with_media(recordings: Iterable[Recording], places: Iterable[str | os.PathLike[str]]) -> list[Recording]:
    """The same recordings; those without a video get the one of their name in these places (videos, folders of them).

    Raises:
        RecordingError: a place holds no video, or none that a recording without one is called after.
    """
    listed, places = list(recordings), list(places)
    films: dict[str, Path] = {}
    for place in places:
        for film in find_recordings([place], ("frames",), recursive=True):
            for name in (film.name, film.name_in(Path(place))):
                if film.media is not None:
                    films.setdefault(name, film.media)
    without = [r for r in listed if r.media is None]
    if places and without and not any(r.name in films for r in without):
        raise RecordingError(f"{_some([str(p) for p in places])}: no video called {_some([r.name for r in without])}")
    return [replace(r, media=films.get(r.name)) if r.media is None else r for r in listed]


def refuse_same_names(recordings: Iterable[Recording]) -> None:
    """Raises `RecordingError` where two recordings would write results of the same name."""
    by_name: dict[str, Recording] = {}
    for recording in recordings:
        other = by_name.setdefault(recording.name, recording)
        if other is not recording:
            raise RecordingError(
                f"{other} and {recording} are both called {recording.name!r}, and results are told apart by names; "
                "rename one, or give them in separate runs"
            )


def _address(named: str | os.PathLike[str]) -> tuple[Path, str]:
    """(file, clip in it): the file's own name may hold a # too."""
    path = Path(named)
    if path.exists():
        return path, ""
    text = os.fspath(named)
    places = [i for i, letter in enumerate(text) if letter == "#"]  # a clip's name may hold slashes and # too
    at = next((i for i in places if Path(text[:i]).is_file()), None)
    return (path, "") if at is None else (Path(text[:at]), text[at + 1 :])


def _unknown(path: Path) -> Kind:
    """The kind by which a file of unknown ending is tried: any video that can be decoded is one.

    Raises:
        RecordingError: it cannot.
    """
    from ..video import VideoError, probe

    try:
        if path.suffix.lower() in (".csv", ".json", ".h5", ".hdf5", ".npz", ".pkl"):
            raise VideoError
        probe(path)
    except VideoError:
        raise RecordingError(f"{path}: {_contents(path)}; expected {_expected()}") from None
    return KINDS["video"]


def _contents(path: Path) -> str:
    """What a file of no known kind is, for a message."""
    if path.suffix.lower() not in (".h5", ".hdf5"):
        return "of no kind that is known here"

    with open_hdf5(path) as file:
        held = [f"{name}: {', '.join(value) if hasattr(value, 'keys') else 'array'}" for name, value in file.items()]
    inside = ", ".join(held)[:120] or "nothing"
    return f"an HDF5 file without poses, hand images or semantic vectors (it holds {inside})"


def _expected() -> str:
    return f"a video ({' '.join(VIDEO_ENDINGS[:4])} …), {', '.join(list(KINDS)[1:])}"


def _clips(path: Path, kind: Kind, part: str = "") -> list[Recording]:
    whole = Recording(
        path, media_name(path), kind.name, kind.holds_in(path), media=path if kind.filmed and path.is_file() else None
    )
    if kind.entries is None:
        if part:
            raise RecordingError(f"{path} ({kind.name}): holds one clip; name it without #{part}")
        return [whole if kind.filmed else replace(whole, media=_video_beside(path))]
    try:
        entries = kind.entries(path)
    except (ValueError, KeyError, OSError):
        return [whole]  # whoever reads it hears what is wrong with it, and the others are not stopped
    chosen = [entry for entry in entries if part in ("", entry.part, entry.name)]
    if part and not chosen:
        raise RecordingError(f"{path}: has no clip {part!r}; it has {_some([e.part or e.name for e in entries])}")
    # a clip's name becomes a file's; a file's own name is one
    names = (_file_name(entry.name) if entry.part else entry.name for entry in chosen)
    return [
        replace(whole, name=name, part=entry.part, label=entry.label, signer=entry.signer)
        for entry, name in zip(chosen, names, strict=True)
    ] or [whole]


def _video_beside(path: Path) -> Path | None:
    """The video of the same name in the folder of a pose file."""
    return next(
        (film for ending in VIDEO_ENDINGS for film in (path.with_name(media_name(path) + ending),) if film.is_file()),
        None,
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def _file_name(name: str) -> str:
    """The name with what a file's name cannot hold as _."""
    return "".join("_" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in name)


def _inside(folder: Path, needs: Sequence[str], recursive: bool) -> list[Recording]:
    """The recordings in a folder that can give what is needed; all of them where none can, so that each says why."""
    same_name: dict[str, list[Recording]] = {}
    pictures: list[Recording] = []
    below: list[Recording] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        kind = kind_of(path)
        if kind is not None:
            into = pictures if kind.filmed and path.is_dir() else same_name.setdefault(media_name(path), [])
            into += _clips(path, kind)
        elif recursive and path.is_dir():
            below += _inside(path, needs, recursive)
    here = [recording for same in same_name.values() for recording in _one_of(same, needs)]
    if not any(recording.can_give(needs) for recording in here):
        here += pictures  # beside other recordings, a folder of images holds pictures for some other purpose
    return [recording for recording in here + below if recording.can_give(needs)] or here + below


def _one_of(same: list[Recording], needs: Sequence[str]) -> list[Recording]:
    """Recordings of one name in one folder: a file that has what is needed stands for the video beside it."""
    order = list(KINDS)
    poses = [r for r in same if not r.filmed and "pose" in r.holds and "frames" not in r.holds and not r.part]
    beside = min(poses, key=lambda r: order.index(r.kind)).path if poses else None
    films = [replace(r, pose_file=beside) if r.path.is_file() else r for r in same if r.filmed]
    others = [r for r in same if parts_needed(needs, r.holds) <= r.holds and not r.filmed]
    if not others:
        return films or same
    first = min(others, key=lambda r: order.index(r.kind))
    chosen = [r for r in others if r.path == first.path]
    return [replace(r, media=films[0].media) for r in chosen] if films and len(chosen) == 1 else chosen

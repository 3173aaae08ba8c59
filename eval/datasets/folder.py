"""A plain folder `label/clip.mp4`: the simplest data set, one's own."""

from __future__ import annotations

from pathlib import Path

from safe_files import reader

from .sample import DatasetError, Sample

__all__ = ["MEDIA", "read"]

MEDIA = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".pose", ".h5")
"""Endings that count as clips (case does not matter)."""


@reader(DatasetError)
def read(folder: str | Path) -> list[Sample]:
    """Clips of the folders in `folder`; the label is the folder's name, the id the path without its ending.

    Hidden files are passed over.

    Raises:
        DatasetError: no such folder, no clip, or two clips of one name and different endings.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(folder, None, "is no folder; expected label/clip.mp4 inside one")
    samples: list[Sample] = []
    ids: dict[str, str] = {}
    for path in sorted(folder.glob("*/*")):
        if path.suffix.lower() not in MEDIA or path.name.startswith(".") or path.parent.name.startswith("."):
            continue
        relative = path.relative_to(folder).as_posix()
        name = relative.removesuffix(path.suffix)
        if name in ids:
            raise DatasetError(folder, relative, f"the id {name!r} is given twice (also {ids[name]})")
        ids[name] = relative
        samples.append(Sample(name, path.parent.name, relative, source=name))
    if not samples:
        raise DatasetError(folder, None, f"holds no clip label/clip with one of the endings {', '.join(MEDIA)}")
    return samples

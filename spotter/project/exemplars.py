"""What a project can show as examples of a sign, and where each of them can be seen."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import PurePosixPath

from .folder import Project

__all__ = ["ExemplarView", "enrolled_exemplars"]


@dataclass(frozen=True)
class ExemplarView:
    """An example of a sign and the video that shows it.

    Attributes:
        id: in the gallery.
        sign: its gloss.
        kind: "exemplar" for a clip of the project's exemplars, "video" for a span of one of its videos.
        name: of that clip or video in the project; "" where it is not there.
        start, end: seconds in it.
        origin: "enrolled", "drawn" or "accepted".
    """

    id: str
    sign: str
    kind: str
    name: str
    start: float
    end: float
    origin: str


def enrolled_exemplars(project: Project) -> list[ExemplarView]:
    """The gallery's exemplars, in its order; without the gallery's vectors, so it is light.

    Raises:
        ValueError: the gallery's table is damaged.
    """
    table = project.at.gallery / "exemplars.csv"
    if not table.is_file():
        return []
    clips: dict[str, list[str]] = {}
    for name, path in project.exemplar_clips.items():
        clips.setdefault(path.stem, []).append(name)
    found = []
    try:
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                name = _clip(clips.get(PurePosixPath(row["source"]).stem, []), row["label"])
                start, end = float(row["start"] or 0), float(row["end"] or 0)
                found.append(ExemplarView(row["id"], row["label"], "exemplar", name, start, end, "enrolled"))
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{table}: not readable as exemplars ({error})") from None
    return found


def _clip(names: list[str], gloss: str) -> str:
    """Of several clips of one file name that of the gloss: in its folder, or called like it."""
    mine = [
        n for n in names if PurePosixPath(n).parent.name == gloss or PurePosixPath(n).name.partition("~")[0] == gloss
    ]
    return (mine or names or [""])[0]

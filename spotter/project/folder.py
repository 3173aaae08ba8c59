"""`Project`: a folder that holds what belongs to one piece of work.

::

    project/
      spotter.toml        settings (`settings`)
      videos/             links to videos or pose files; their names here are the videos' names
      exemplars/          links to example clips, one sign each
      elan/               links to the user's own .eaf files, shown read-only beside the hits
      poses/  gallery/  corpus/       as `spotter pose`, `enroll` and `index` make them
      detections/         what searches found, one CSV each
      decisions.sqlite    searches and the log of decisions (`log`)
      learned/            what follows from the decisions (`refit`); may be deleted
      exports/            ELAN, subtitles, tables, clips
      .review/            made for the page: small pictures, playable copies; may be deleted

Videos are linked, never copied. What one project needs lies in its folder, and every file has the form that the
commands read and write without a project as well.
"""

from __future__ import annotations

import getpass
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .endings import LINKED, POSE_ENDINGS
from .log import DecisionLog, Search, now
from .matching import named_hits
from .settings import FILE, Settings, find_project, new_settings
from .state import State, read_state

if TYPE_CHECKING:
    from ..detection import Detection

__all__ = ["Layout", "Linked", "Project", "ProjectError", "check_linkable"]

FOLDERS = ("videos", "exemplars", "elan", "poses", "detections", "exports")
EAF = (".eaf",)


class ProjectError(ValueError):
    """A project's folder is not what it should be."""


@dataclass(frozen=True)
class Linked:
    """A file that was linked into a project: its name there, and whether it was there before."""

    name: str
    file: Path
    already: bool = False


class Layout:
    """Where things are in a project's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings, self.log = folder / FILE, folder / "decisions.sqlite"
        self.videos, self.exemplars, self.elan = folder / "videos", folder / "exemplars", folder / "elan"
        self.poses, self.gallery, self.corpus = folder / "poses", folder / "gallery", folder / "corpus"
        self.detections, self.learned = folder / "detections", folder / "learned"
        self.exports, self.cache = folder / "exports", folder / ".review"

    def defaults(self) -> dict[str, dict[str, Any]]:
        """Command → parameter → path: what need not be said inside the project."""
        videos, clips = (str(p) if _any_inside(p) else None for p in (self.videos, self.exemplars))
        poses, gallery, corpus = str(self.poses), str(self.gallery), str(self.corpus)
        named: dict[str, dict[str, Any]] = {
            "pose": {"videos": videos and [videos], "output": poses},
            "enroll": {"clips": clips and [clips], "output": gallery, "poses": poses},
            "spot": {"videos": videos and [videos], "gallery": gallery, "poses": poses},
            "index": {"videos": videos and [videos], "output": corpus, "poses": poses},
            "search": {"corpus": corpus, "poses": poses},
        }
        return {command: {k: v for k, v in given.items() if v} for command, given in named.items()}


class Project:
    """A project's folder, opened.

    Attributes:
        at: where its parts are.
        settings: what `spotter.toml` says.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.at, self.settings = folder, Layout(folder), settings
        self._log: DecisionLog | None = None

    @classmethod
    def create(cls, folder: str | Path, name: str = "", language: str = "en") -> Project:
        """A new project, or the one that is there.

        Raises:
            ProjectError: the folder holds something else.
        """
        folder = Path(folder).resolve()
        if not (folder / FILE).exists():
            if folder.exists() and (not folder.is_dir() or any(not p.name.startswith(".") for p in folder.iterdir())):
                raise ProjectError(f"{folder} holds other files and no {FILE}; choose another folder")
            folder.mkdir(parents=True, exist_ok=True)
            for inside in FOLDERS:
                (folder / inside).mkdir(exist_ok=True)
            new_settings(folder / FILE, name if name else folder.name, language)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: str | Path) -> Project:
        """The project of this very folder.

        Raises:
            ProjectError: there is none.
            ValueError: its settings are not readable.
        """
        folder = Path(folder).resolve()
        if not (folder / FILE).is_file():
            raise ProjectError(
                f"{folder}: no project here (no {FILE}); make one with spotter new {folder.name}/ VIDEOS"
            )
        return cls(folder, Settings.read(folder / FILE))

    @classmethod
    def around(cls, start: str | Path | None = None) -> Project | None:
        """The project that a folder (the working folder) lies in, None outside of projects."""
        folder = find_project(Path.cwd() if start is None else Path(start))
        return None if folder is None else cls.open(folder)

    @property
    def log(self) -> DecisionLog:
        """The log of decisions, opened at the first call."""
        if self._log is None:
            self._log = DecisionLog(self.at.log)
        return self._log

    def close(self) -> None:
        """Closes the log."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def state(self, until: int | None = None) -> State:
        """What holds now, or held after line `until` of the log."""
        return read_state(self.log, until)

    @property
    def annotator(self) -> str:
        """Who decides when nobody says."""
        if self.settings.annotator:
            return self.settings.annotator
        try:
            return getpass.getuser()
        except (OSError, KeyError):
            return "unknown"

    @property
    def videos(self) -> dict[str, Path]:
        """Name → linked video or pose file, those whose target is gone included."""
        return {p.stem: p for p in _inside(self.at.videos, LINKED)}

    @property
    def exemplar_clips(self) -> dict[str, Path]:
        """Name (with its folder below `exemplars/`, without ending) → linked example clip."""
        files = _inside(self.at.exemplars, LINKED)
        return {p.relative_to(self.at.exemplars).with_suffix("").as_posix(): p for p in files}

    @property
    def elan_files(self) -> dict[str, Path]:
        """Name → linked .eaf file."""
        return {p.stem: p for p in _inside(self.at.elan, EAF)}

    def add_videos(self, files: Iterable[str | Path]) -> list[Linked]:
        """Links videos or pose files; a link to a file that has moved is mended. See `_link`."""
        return [_link(self.at.videos, Path(f), LINKED) for f in files]

    def add_exemplar(self, file: str | Path, gloss: str = "") -> Linked:
        """Links an example clip, into a folder named like its gloss where its file is not."""
        folder = self.at.exemplars / gloss if gloss else self.at.exemplars
        return _link(folder, Path(file), LINKED, _numbered)

    def add_poses(self, folder: str | Path) -> list[Linked]:
        """Links pose files that were estimated before, of every video and example clip that has one in a folder.

        Whether a pose was made from its very video is looked at when it is needed; if not, it is estimated anew.

        Raises:
            ProjectError: no such folder, or the system refuses links.
        """
        from embeddings.pose.formats.dot_pose import header_path

        if not Path(folder).is_dir():
            raise ProjectError(f"{folder}: no such folder of poses")
        clips = [(self.at.poses / "exemplars", path.stem, path) for path in self.exemplar_clips.values()]
        added = []
        for into, name, path in [(self.at.poses, name, path) for name, path in self.videos.items()] + clips:
            for ending in (".pose", ".h5"):
                file = Path(folder).resolve() / f"{path.resolve().stem}{ending}"
                if file.is_file() and path.suffix.lower() not in POSE_ENDINGS:
                    into.mkdir(parents=True, exist_ok=True)
                    link = into / f"{name}{ending}"
                    already = link.exists()
                    for one, target in ((link, file), (header_path(link), header_path(file))):
                        if not already and target.is_file():
                            one.unlink(missing_ok=True)
                            _make_link(one, target)
                    added.append(Linked(name, file, already))
                    break
        return added

    def add_elan(self, files: Iterable[str | Path]) -> list[Linked]:
        """Links the user's own .eaf files."""
        return [_link(self.at.elan, Path(f), EAF) for f in files]

    def record(
        self,
        kind: str,
        detections: Sequence[Detection],
        encoder: str,
        detail: Mapping[str, Any] | None = None,
        who: str = "",
        state: State | None = None,
    ) -> Search:
        """Writes what a search found into the log, and as a CSV into `detections/`.

        A place that is known already (the same sign, overlapping by half or more) keeps its name and with it what was
        decided on it.

        Args:
            kind: see `Search`.
            detail: facts of the search; `signs` says what was looked for, so that a sign of which nothing was found
                counts as searched.
            state: the state of the log, when the caller has it.
        """
        from ..formats import write

        state = self.state() if state is None else state
        search = Search(
            f"{kind}-{uuid.uuid4().hex[:10]}",
            now(),
            who or self.annotator,
            kind,
            encoder,
            state.last,
            dict(detail or {}),
        )
        self.log.add_search(search, named_hits(state, search.id, detections))
        stamp = search.at.replace(":", "").replace("-", "").partition(".")[0]
        write(self.at.detections / f"{stamp}-{search.id}.csv", detections)
        return search


def check_linkable(file: Path, suffixes: Sequence[str] = LINKED) -> None:
    """Says what is wrong with a file that a project is to link.

    Raises:
        ProjectError: it is not there, of another kind, or holds the poses of several videos.
    """
    if file.is_dir():
        raise ProjectError(f"{file}: a folder; make one pose file of it with spotter pose, and link that")
    if not file.is_file():
        raise ProjectError(f"{file}: no such file")
    if file.suffix.lower() not in suffixes:
        raise ProjectError(f"{file}: ending {file.suffix!r}; expected one of {' '.join(suffixes)}")
    if file.suffix.lower() in POSE_ENDINGS:
        from embeddings.recordings import find_recordings

        held = find_recordings([file])
        if len(held) > 1:
            raise ProjectError(
                f"{file}: holds {len(held)} recordings; a project links one each, spotter pose makes files of them"
            )


def _any_inside(folder: Path) -> bool:
    return folder.is_dir() and any(not p.name.startswith(".") for p in folder.iterdir())


def _inside(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in suffixes and not p.name.startswith("."))


def _with_folders(file: Path) -> Iterator[str]:
    """Names for a video: its own, then with the folders above it before it."""
    parts = [part for part in file.parent.parts if part.strip("/\\:")]
    yield from ("-".join([*parts[len(parts) - depth :], file.stem]) for depth in range(len(parts) + 1))
    yield from (f"{file.stem}-{number}" for number in range(2, 1000))


def _numbered(file: Path) -> Iterator[str]:
    """Names for an example clip; what stands before `~` is the gloss."""
    yield file.stem
    yield from (f"{file.stem.partition('~')[0]}~{number}" for number in range(2, 1000))


def _link(
    folder: Path, file: Path, suffixes: Sequence[str], names: Callable[[Path], Iterator[str]] = _with_folders
) -> Linked:
    """A link in `folder` to a file, under the first of `names` that no other file has.

    Raises:
        ProjectError: the file is not there, of another kind, or the system refuses links.
    """
    check_linkable(file, suffixes)
    target = file.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name in names(target):
        link = folder / f"{name}{target.suffix}"
        if not link.is_symlink() and not link.exists():
            if any(p.stem == name for p in folder.iterdir()):
                continue  # another ending, and still the same name
            _make_link(link, target)
            return Linked(name, target)
        if link.resolve() == target:
            return Linked(name, target, already=True)
        if link.is_symlink() and not link.exists():
            link.unlink()  # the file has moved
            _make_link(link, target)
            return Linked(name, target)
    raise ProjectError(f"{file}: no free name in {folder}")


def _make_link(link: Path, target: Path) -> None:
    try:
        try:
            link.symlink_to(target)
        except OSError:
            os.link(target, link)  # Windows lets only some users make symbolic links
    except OSError as error:
        raise ProjectError(
            f"{link}: the system refuses a link to {target} ({error.strerror}); copy the file there yourself"
        ) from None

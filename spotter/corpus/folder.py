"""`Corpus`: a folder with the window vectors of many videos, to search for a clip.

::

    corpus/
      corpus.json              version, encoder, window lengths, stride
      videos/<name>.safetensors  one file per video, see `corpus_files`
      videos.csv               a table of them, for people
      facts.csv                signer, date and any other facts of videos (optional)
      runs/                    what runs were asked for, see `progress`
      windows.json, windows-*  the index of many videos, see `gallery.corpus_index`

The videos' files are the corpus; all else follows from them. A video is added by writing its file and removed by
deleting it. Videos that the index does not know yet are searched exactly, those that it knows and that are gone or have
changed are left out, so it is rebuilt only when many have come.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safe_files import locked, open_whole, read_json, safe_cell, sweep, write_json

from .facts import columns_of, read_facts, within, write_facts
from .options import LENGTHS
from .video import ENDING, CorpusError, StoredVideo, read_stored
from .where import matching

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gallery.corpus_index import Engine, Part, RowIndex

__all__ = ["Corpus", "CorpusSettings"]

VERSION = 1
FORMAT = "sign-spotter corpus"

BUILD_FROM = 200_000
"""Rows; so many are searched exactly in the time that an index takes."""


@dataclass(frozen=True)
class CorpusSettings:
    """What all videos of a corpus have in common.

    Attributes:
        encoder: id of the encoder.
        dim: D of its vectors.
        fps: of its frames.
        lengths: window lengths in frames.
        stride: frames between window centres.
    """

    encoder: str
    dim: int
    fps: float
    lengths: tuple[int, ...] = LENGTHS
    stride: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.fps < math.inf or self.dim < 1:
            raise CorpusError(
                f"vectors of length {self.dim} at {self.fps} frames per second; expected positive numbers"
            )
        if not self.lengths or min(self.lengths) < 1 or self.stride < 1:
            raise CorpusError(
                f"window lengths {self.lengths}, stride {self.stride}; expected at least one length, all at least 1"
            )


class Corpus:
    """A corpus folder, opened.

    Attributes:
        folder: where it is.
        settings: of all its videos.
    """

    def __init__(self, folder: Path, settings: CorpusSettings, videos: Iterable[StoredVideo] = ()) -> None:
        self.folder, self.settings = folder, settings
        self._videos = {v.name: v for v in videos}
        self._ordered = False
        self._index: RowIndex | None = None
        self._index_read = False

    def __len__(self) -> int:
        return len(self._videos)

    @property
    def videos(self) -> dict[str, StoredVideo]:
        """By name, in the order of their names."""
        if not self._ordered:
            self._videos, self._ordered = dict(sorted(self._videos.items())), True
        return self._videos

    @property
    def rows(self) -> int:
        """Number of window vectors."""
        return sum(v.rows for v in self.videos.values())

    @classmethod
    def create(cls, folder: str | Path, settings: CorpusSettings) -> Corpus:
        """A new corpus, or the one that is there if it was made with the same settings.

        Raises:
            CorpusError: the folder holds another corpus, or something else.
        """
        folder = Path(folder)
        if (folder / "corpus.json").exists():
            corpus = cls.open(folder)
            if corpus.settings != settings:
                raise CorpusError(
                    f"{folder} was made with {asdict(corpus.settings)}; now {asdict(settings)} is asked for. "
                    "Use the same settings, or another folder"
                )
            return corpus
        if folder.exists() and any(not p.name.startswith(".") for p in folder.iterdir()):
            if (folder / "corpus.json").exists():  # another part of the run has made it meanwhile
                return cls.create(folder, settings)
            raise CorpusError(f"{folder} holds other files and no corpus.json; choose another folder")
        write_json(folder / "corpus.json", {"format": FORMAT, "version": VERSION, **asdict(settings)})
        return cls(folder, settings)

    @classmethod
    def open(cls, folder: str | Path) -> Corpus:
        """A corpus that is there; the header of every video's file is checked.

        Raises:
            CorpusError: not a corpus, of another version, or a file is damaged; names the file.
        """
        folder = Path(folder)
        path = folder / "corpus.json"
        if not path.is_file():
            raise CorpusError(f"{folder}: no corpus here (no corpus.json); make one with spotter index VIDEO… -o")
        try:
            header = read_json(path)
            if header.get("format") != FORMAT or header["version"] != VERSION:
                raise ValueError(f"format {header.get('format')!r}, version {header.get('version')!r}")
            settings = CorpusSettings(
                str(header["encoder"]), int(header["dim"]), float(header["fps"]),
                tuple(int(n) for n in header["lengths"]), int(header["stride"]),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorpusError(f"{path}: not readable; expected {FORMAT}, version {VERSION} ({error})") from None
        videos = [read_stored(file) for file in _video_files(folder)]
        for video in videos:
            _check_fits(video, settings)
        return cls(folder, settings, videos)

    def path_of(self, name: str) -> Path:
        """The file of a video of that name.

        Raises:
            CorpusError: the name cannot be a file's.
        """
        if not name or name.startswith(".") or any(c in "/\\\0" for c in name):
            raise CorpusError(f"video name {name!r} cannot be stored; expected a file's name without its ending")
        return self.folder / "videos" / f"{name}{ENDING}"

    def take(self, name: str) -> StoredVideo:
        """Takes in the file of a video that was just written."""
        video = read_stored(self.path_of(name))
        _check_fits(video, self.settings)
        self._videos[name] = video
        self._ordered = False
        return video

    def remove(self, names: Iterable[str]) -> None:
        """Deletes videos; none when one is unknown. The index stays as it is and leaves them out.

        Raises:
            CorpusError: a video is unknown.
        """
        leaving = list(dict.fromkeys(names))
        self._check_known(leaving)
        for name in leaving:
            self.videos.pop(name).path.unlink()

    def _check_known(self, names: Sequence[str]) -> None:
        unknown = [n for n in names if n not in self.videos]
        if unknown:
            raise CorpusError(f"{self.folder} has no video {', '.join(map(repr, unknown))}")

    @property
    def facts(self) -> dict[str, dict[str, str]]:
        """Video → its facts (signer, date, any others), of the videos that have any."""
        path = self.folder / "facts.csv"
        return read_facts(path) if path.exists() else {}

    def add_facts(self, facts: Mapping[str, Mapping[str, str]]) -> None:
        """Merges facts into the corpus's table; of a fact given twice the newer one stands, unless it is empty."""
        with locked(self.folder / "facts.csv"):
            merged = self.facts
            for name, row in facts.items():
                there = merged.setdefault(name, {"signer": "", "date": ""})
                there.update({column: cell for column, cell in row.items() if cell or column not in there})
            write_facts(self.folder / "facts.csv", merged)

    def choose(
        self,
        videos: Sequence[str] | None = None,
        signers: Sequence[str] | None = None,
        since: str | None = None,
        until: str | None = None,
        where: str | None = None,
    ) -> list[str]:
        """Names of the videos that pass: of these names, by these signers, of dates (ISO) since … until, inclusive.

        Args:
            where: a condition on the columns of `facts.csv`, see `where`.

        Raises:
            CorpusError: a video, a signer or a column is unknown, or the condition cannot be read.
        """
        if videos is None and not signers and since is None and until is None and where is None:
            return list(self.videos)
        facts = self.facts
        if videos is not None:
            self._check_known(videos)
        for signer in signers or ():
            if all(row["signer"] != signer for row in facts.values()):
                raise CorpusError(f"{self.folder}: facts.csv names no signer {signer!r}")
        meeting = None
        if where is not None:
            meeting = matching(where, columns_of(facts), ({"video": name, **row} for name, row in facts.items()))
        asked, nothing = None if videos is None else set(videos), {"signer": "", "date": ""}

        def passes(name: str) -> bool:
            row = facts.get(name, nothing)
            named = (asked is None or name in asked) and (not signers or row["signer"] in signers)
            return named and (meeting is None or name in meeting) and within(row["date"], since, until)

        return [name for name in self.videos if passes(name)]

    def index(self) -> RowIndex | None:
        """The index of the folder, opened at the first call; None when there is none."""
        if not self._index_read:
            from gallery.corpus_index import RowIndex

            try:
                self._index = RowIndex.open(self.folder, self.settings.dim)
            except ValueError as error:
                raise CorpusError(str(error)) from None
            self._index_read = True
        return self._index

    def unindexed(self) -> list[StoredVideo]:
        """Videos that the index does not know, or knows in an older version."""
        index = self.index()
        indexed = {} if index is None else {p.name: p.content for p in index.parts}
        return [v for v in self.videos.values() if indexed.get(v.name) != v.content]

    def build(
        self,
        always: bool = False,
        progress: Callable[[int, int], None] | None = None,
        engine: Engine = map,
    ) -> bool:
        """Builds the index anew if it is worth it: many rows, and a quarter of them not in it. Says whether it did.

        Args:
            always: build whatever the numbers say (a corpus of few rows has no use for it).
            progress: called with (rows done, all).
            engine: what runs the shards' jobs (`engine_ray.mapper` does so on a cluster).
        """
        from gallery.corpus_index import Part, build_index

        waiting = 0 if always else sum(v.rows for v in self.unindexed())
        if self.rows == 0 or not (always or (waiting >= BUILD_FROM and 4 * waiting >= self.rows)):
            return False
        parts = [Part(v.name, v.content, v.rows) for v in self.videos.values() if v.rows]
        read = _RowsOf(self.folder / "videos")
        build_index(self.folder, parts, read, self.settings.dim, None, progress, engine)
        self._index, self._index_read = None, False
        return True

    def write_table(self) -> None:
        """Writes `videos.csv`."""
        facts = self.facts
        with open_whole(self.folder / "videos.csv") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["video", "source", "seconds", "windows", "signer", "date", "sha256"])
            for name, video in self.videos.items():
                row = facts.get(name, {"signer": "", "date": ""})
                cells = [video.source, f"{video.duration:.3f}", video.rows, row["signer"], row["date"], video.content]
                table.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in (name, *cells)])

    @contextmanager
    def writing(self, shared: bool = False) -> Iterator[None]:
        """Holds the folder for one writer, and clears away what a killed one left half written.

        Args:
            shared: with others who write videos' files and nothing else: the parts of one run.

        Raises:
            CorpusError: another process is writing.
        """
        with (self.folder / ".lock").open("a") as lock:
            _hold(lock.fileno(), self.folder, shared)
            for folder in () if shared else (self.folder, self.folder / "videos"):
                sweep(folder, older_than=0)
            yield


@dataclass(frozen=True)
class _RowsOf:
    """Reads a part of the index from its video's file; in any process that sees the folder."""

    folder: Path

    def __call__(self, part: Part) -> NDArray[np.float16]:
        return read_stored(self.folder / f"{part.name}{ENDING}").vectors


def _hold(file: int, folder: Path, shared: bool) -> None:
    if sys.platform == "win32":
        return  # no advisory locks by that call; two writers at once are the user's to avoid
    import fcntl

    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        raise CorpusError(f"{folder}: another process is writing to this corpus; wait for it") from None


def _video_files(folder: Path) -> list[Path]:
    inside = folder / "videos"
    return sorted(p for p in inside.glob(f"*{ENDING}") if not p.name.startswith(".")) if inside.is_dir() else []


def _check_fits(video: StoredVideo, settings: CorpusSettings) -> None:
    actual = (video.encoder, video.places["vectors"][1][1], video.fps, *video.grid)
    expected = (settings.encoder, settings.dim, settings.fps, settings.lengths, settings.stride)
    if actual != expected or video.path.name != f"{video.name}{ENDING}":
        raise CorpusError(
            f"{video.path}: holds {video.name!r} made with {actual}; this corpus is of {expected}. "
            "Delete it, and index the video again"
        )

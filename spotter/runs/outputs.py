"""`Outputs`: the files of a run: looked at before the first frame, written for each video and for all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embeddings.files import readable
from embeddings.recordings import Recording, file_name

from ..formats import FORMATS
from ..results import SpottingResult

if TYPE_CHECKING:
    from eval.segments import Segment
    from gallery import Gallery

    from .record import RunFolder

__all__ = ["OutputError", "Outputs"]

OWN_FILE = (".eaf", ".vtt", ".srt", ".textgrid")
"""Endings of formats that describe one video."""
PAGES = (".html", ".htm")
LONGEST = 255
"""Bytes of a file's name."""


class OutputError(ValueError):
    """Files cannot be written as asked; one line each, said before anything is computed."""


@dataclass(eq=False)
class Outputs:
    """The files of a run.

    Attributes:
        files: one per `--output`; formats that describe one video give a file per video when there are several.
        report: the HTML page.
        tracks: folder of similarity tracks.
        recordings: those that are searched.
        signs: those that are looked for: the vocabulary from which ELAN offers glosses.
        force: whether files may be replaced that this run did not write.
        written: files that this run wrote, in their order.
        failed: file → why it could not be written.
        untouched: ELAN files that somebody edited since they were written, and that needed nothing new.
    """

    files: Sequence[Path]
    report: Path | None
    tracks: Path | None
    recordings: Sequence[Recording]
    signs: Sequence[str] = ()
    force: bool = False
    written: list[Path] = field(default_factory=list)
    failed: dict[Path, str] = field(default_factory=dict)
    untouched: list[Path] = field(default_factory=list)

    @property
    def first(self) -> Path | None:
        """The output that gives the run its name."""
        given = [*self.files, *([self.report] if self.report is not None else [])]
        return given[0] if given else None

    def own_files(self, video: str) -> list[Path]:
        """The files for one video alone."""
        alone = len(self.recordings) == 1
        given = [path for path in self.files if path.suffix.lower() in OWN_FILE]
        return [path if alone else path.with_name(_named(path, video)) for path in given]

    def track_file(self, video: str) -> Path | None:
        """Where a video's track goes."""
        return None if self.tracks is None else self.tracks / file_name(video, ".npz")

    @property
    def tables(self) -> list[Path]:
        """Files about all videos."""
        return [path for path in self.files if path.suffix.lower() not in OWN_FILE]

    def all(self) -> list[Path]:
        """Every file that may be written, tracks apart."""
        own = [path for r in self.recordings for path in self.own_files(r.name)]
        return [*self.tables, *own, *([self.report] if self.report is not None else [])]

    def check(self, record: RunFolder | None, inputs: Iterable[Path], new: Iterable[str]) -> None:
        """Looks at every file before anything is computed.

        Args:
            inputs: files that are read, which nothing may be written over.
            new: videos that will be searched, so that their files will be made anew.

        Raises:
            OutputError: an ending, a name or a folder that cannot be, or a file that is somebody else's.
        """
        wrong = [why for path in self.files if (why := _wrong_ending(path, FORMATS))]
        if self.report is not None and (why := _wrong_ending(self.report, PAGES)):
            wrong.append(why)
        if not wrong:
            wrong += self._clashes(inputs)
            wrong += [why for folder in dict.fromkeys(path.parent for path in self.all()) if (why := closed(folder))]
            if self.tracks is not None and (why := closed(self.tracks)):
                wrong.append(why)
        if not wrong and not self.force:
            wrong += self._of_others(record, set(new))
        if wrong:
            raise OutputError("; ".join(dict.fromkeys(wrong)))

    def _clashes(self, inputs: Iterable[Path]) -> list[str]:
        wrong = []
        read = {path.resolve() for path in inputs}
        taken: dict[str, Path] = {}
        for path in self.all():
            if len(os.fsencode(path.name)) > LONGEST:
                wrong.append(f"{path}: its name has more than {LONGEST} bytes")
                continue
            if path.is_dir():
                wrong.append(f"{path}: is a folder; expected the name of a file")
            elif path.resolve() in read:
                wrong.append(f"{path}: is read by this command; choose another name for the output")
            other = taken.setdefault(str(path.resolve()).casefold(), path)
            if other is not path:
                wrong.append(f"{path}: would be written twice")
        return wrong

    def _of_others(self, record: RunFolder | None, new: set[str]) -> list[str]:
        ours = set() if record is None else {Path(name).resolve() for name in record.outputs_before}
        elan = {path: r.name for r in self.recordings for path in self.own_files(r.name) if _is_elan(path)}
        wrong = []
        for path in self.all():
            if path in elan:
                why = _edited(path, record) if elan[path] in new else ""
            else:
                there = path.exists() and path.stat().st_size > 0
                why = f"{path}: is there already, and not from this run" if there and path.resolve() not in ours else ""
            if why:
                wrong.append(f"{why}; choose another name, or --force to replace it")
        return wrong

    # --- writing ---------------------------------------------------------------------------------------------

    def write_video(self, recording: Recording, result: SpottingResult, record: RunFolder | None, new: bool) -> None:
        """Writes the files of one video; none for one that failed. What fails is in `failed`.

        Args:
            new: whether the video was searched in this run; else only what is not there is written.
        """
        if result.error:
            return
        for path in self.own_files(recording.name):
            try:
                if _is_elan(path):
                    self._write_elan(path, recording, result, record, new)
                elif new or not path.exists():
                    self._write(path, [result])
                if record is not None and path not in self.failed:
                    record.videos[recording.name].files.append(str(path))
            except (ValueError, OSError) as error:
                self.fail(path, error)
        target = self.track_file(recording.name)
        if target is not None and result.track is not None and (new or not target.exists()):
            try:
                result.track.save(target)
            except (ValueError, OSError) as error:
                self.fail(target, error)

    def _write_elan(
        self, path: Path, recording: Recording, result: SpottingResult, record: RunFolder | None, new: bool
    ) -> None:
        from ..formats.elan_into import eaf_with, own_state, write_into

        data = eaf_with(path, result.detections, recording.name, _linkable(recording.media), self.signs)
        state, there = own_state(data, str(path)), path.exists()
        before = own_state(path.read_bytes(), str(path)) if there else ""
        if there and not new and not self.force and before != state and before not in _states(record, path):
            self.untouched.append(path)
            return
        if there and path.read_bytes() == data:
            return
        if record is not None:
            states = record.facts.setdefault("elan", {}).setdefault(str(path), [])
            states += [state] if state and state not in states else []
            record.write()
        write_into(path, data)
        self._wrote(path)

    def write_tables(self, results: Sequence[SpottingResult], notes: Mapping[str, Any]) -> None:
        """Writes the files about all videos."""
        for path in self.tables:
            try:
                self._write(path, results, notes)
            except (ValueError, OSError) as error:
                self.fail(path, error)

    def _write(self, path: Path, results: Sequence[SpottingResult], notes: Mapping[str, Any] | None = None) -> None:
        from ..formats import write

        media = {r.name: r.media for r in self.recordings if r.media is not None}
        detections = [d for result in results for d in result.detections]
        write(path, detections, media, videos=[result.video for result in results], notes=notes)
        self._wrote(path)

    def write_report(
        self, results: Sequence[SpottingResult], gallery: Path | Gallery, truth: Mapping[str, Sequence[Segment]] | None
    ) -> None:
        """Writes the page."""
        from ..report.page import write_report

        if self.report is None:
            return
        media = {r.name: r.media for r in self.recordings if r.media is not None}
        try:
            write_report(self.report, results, media=media, gallery=gallery, truth=truth)
            self._wrote(self.report)
        except (ValueError, OSError) as error:
            self.fail(self.report, error)

    def fail(self, path: Path, error: Exception) -> None:
        """Notes that a file could not be written; the others go on."""
        self.failed[path] = readable(str(error))

    def _wrote(self, path: Path) -> None:
        self.failed.pop(path, None)
        if path not in self.written:
            self.written.append(path)


def _named(path: Path, video: str) -> str:
    """The file's name with the video's in it: ``found.eaf`` → ``found.lecture-1.eaf``."""
    return file_name(f"{path.stem}.{video}", path.suffix)


def _is_elan(path: Path) -> bool:
    return path.suffix.lower() == ".eaf"


def _wrong_ending(path: Path, endings: Sequence[str]) -> str:
    known = path.suffix.lower() in endings
    return "" if known else f"{path}: ending {path.suffix!r} is not known; expected one of {', '.join(endings)}"


def closed(folder: Path) -> str:
    """Why no file can be made in a folder that may be absent still; "" where it can."""
    there = next((place for place in (folder, *folder.absolute().parents) if os.path.lexists(place)), None)
    if there is None or there.is_dir():
        writable = there is None or os.access(there, os.W_OK | os.X_OK)
        return "" if writable else f"{folder}: cannot be written to ({there} is read-only)"
    return f"{folder}: cannot be made, because {there} is a file"


def _linkable(media: Path | None) -> Path | None:
    """A file that an XML file can link: one whose name is text."""
    try:
        str(media.resolve() if media is not None else "").encode()
        return media
    except UnicodeEncodeError:
        return None


def _states(record: RunFolder | None, path: Path) -> list[str]:
    """What stood on our tiers in a file after each time it was written by this run."""
    if record is None:
        return []
    return [*record.before.get("elan", {}).get(str(path), []), *record.facts.get("elan", {}).get(str(path), [])]


def _edited(path: Path, record: RunFolder | None) -> str:
    """Why our tiers in an ELAN file may not be replaced; "" where they may."""
    from ..formats.elan_into import own_state

    if not path.exists():
        return ""
    try:
        state = own_state(path.read_bytes(), str(path))
    except (ValueError, OSError) as error:
        return str(error)
    if not state or state in _states(record, path):
        return ""
    return f"{path}: what stands on the Spotter tiers was edited, or is from elsewhere"

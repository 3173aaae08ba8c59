"""The work of a run: each video's pose, search and files, one video after the other, going on where a run stopped."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from embeddings.recordings import PoseSource, Recording, parts_needed
from safe_files import WriteError

from ..pipeline import Search
from ..results import SpottingResult
from .outputs import Outputs
from .record import Ingredients, RunFolder

if TYPE_CHECKING:
    from embeddings.pose import EstimateResult

__all__ = ["Batch", "Tell"]

Tell = Callable[[float], None]
"""Told how many videos are done; shares count."""
TABLES_SHARE = 20
"""Tables of all videos are written while the run goes on, as long as that takes less than 1/20 of its time."""


@dataclass(eq=False)
class Batch:
    """A run over videos.

    Attributes:
        recordings: with names of their own (`embeddings.recordings.identified`).
        search: made for these names.
        needs: what its encoders need of a recording.
        source: how poses are estimated, and where they are kept.
        outputs: what is written.
        record: the run's folder; None keeps nothing but the poses.
        ingredients: what results depend on beside the video.
        known: video → the sign to look for.
        workers: processes that estimate poses; 0 is one per core.
        tracks: whether similarity tracks are needed.
        results: video → result, of the videos that are done.
        reused: videos whose result is from an earlier run.
    """

    recordings: Sequence[Recording]
    search: Search
    needs: Sequence[str]
    source: PoseSource
    outputs: Outputs
    record: RunFolder | None
    ingredients: Ingredients
    known: Mapping[str, str] = field(default_factory=dict)
    workers: int = 0
    tracks: bool = False
    results: dict[str, SpottingResult] = field(default_factory=dict)
    reused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._made_from = {
            r.name: self.ingredients.made_from(r, self.source.fps, self.known.get(r.name)) for r in self.recordings
        }
        self._warned: dict[Any, int] = {}
        self._tables_at, self._tables_took = time.monotonic(), 0.0

    def take_earlier(self) -> list[Recording]:
        """Takes results of earlier runs; the recordings that are still to be searched."""
        waiting = []
        for recording in self.recordings:
            made = self._made_from[recording.name]
            kept = None
            if self.record is not None and made and not self.search.together:
                kept = self.record.earlier(recording, made, self.tracks)
            if kept is None:
                waiting.append(recording)
            else:
                self.results[recording.name] = kept
                self.reused.append(recording.name)
        return waiting

    def run(self, waiting: Sequence[Recording], tell: Tell) -> list[SpottingResult]:
        """Searches the recordings that wait, and writes what can be written of each when it is done.

        Raises:
            WriteError: the disk is full, or closed to us; what was done before is kept.
        """
        at_once = not self.search.chooses_at_end
        for recording in self.recordings:
            if recording.name in self.results:
                self._finish(recording, new=False, write=at_once)
        self._write_record()
        tell(len(self.results))
        try:
            for recording, result in self._searched(waiting, tell):
                self.results[recording.name] = result
                if self.record is not None and not result.error:
                    self.record.keep(recording, result, self._made_from[recording.name])
                self._finish(recording, new=True, write=at_once)
                self._write_record()
                tell(len(self.results))
                if at_once:
                    self._tables_now_and_then()
        except BaseException:
            self._stopped()
            raise
        results = [self.results[r.name] for r in self.recordings]
        if not at_once:
            self.search.choose(results)
            for recording in self.recordings:
                self._finish(recording, new=True, write=True)
        self.outputs.write_tables(results, self._notes())
        return results

    def _write_record(self) -> None:
        if self.record is not None:
            self.record.write()

    def _finish(self, recording: Recording, new: bool, write: bool) -> None:
        result = self.results[recording.name]
        if self.record is not None:
            self.record.videos[recording.name].files.clear()
        if write:
            self.outputs.write_video(recording, result, self.record, new)
        if self.outputs.report is None:
            result.track = None  # a number for every sign and window
        if self.record is not None:
            self.record.note(recording, result, self._made_from[recording.name])

    def _stopped(self) -> None:
        """Tables of what is done, and a last word in the record; a disk that failed may fail again."""
        done = [self.results[r.name] for r in self.recordings if r.name in self.results]
        if not self.search.chooses_at_end and done:
            self.outputs.write_tables(done, self._notes())
        if self.record is not None:
            self.record.state = "interrupted"
            try:
                self.record.write()
            except OSError:
                return

    def _tables_now_and_then(self) -> None:
        if time.monotonic() - self._tables_at < TABLES_SHARE * self._tables_took:
            return
        begun = time.monotonic()
        done = [self.results[r.name] for r in self.recordings if r.name in self.results]
        self.outputs.write_tables(done, self._notes())
        self._tables_at = time.monotonic()
        self._tables_took = self._tables_at - begun

    def _notes(self) -> dict[str, dict[str, str]]:
        """For JSON: what is to be known about videos."""
        failed = {name: r.error for name, r in self.results.items() if r.error}
        warned = {name: r.warning for name, r in self.results.items() if r.warning}
        return {key: values for key, values in (("failed", failed), ("warnings", warned)) if values}

    def _searched(self, waiting: Sequence[Recording], tell: Tell) -> Iterator[tuple[Recording, SpottingResult]]:
        """(recording, result) of each as soon as it stands."""
        if self.search.together:
            yield from self._all_together(waiting, tell)
            return
        for recording, estimated in self._ready(waiting, tell):
            if estimated is not None and estimated.output is None:
                yield recording, _failed(recording, estimated.error)
                continue
            begun = time.monotonic()
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                (result,) = self.search.each([recording])
            self._warn(recording, result, seen)
            if self.record is not None:
                record = self.record.videos[recording.name]
                record.took = round(time.monotonic() - begun, 3)
                record.pose = "given" if estimated is None else "cached" if estimated.skipped else "estimated"
            yield recording, result

    def _all_together(self, waiting: Sequence[Recording], tell: Tell) -> Iterator[tuple[Recording, SpottingResult]]:
        ready, failed = [], []
        for recording, estimated in self._ready(waiting, tell):
            wrong = estimated is not None and estimated.output is None
            if wrong and estimated is not None:
                failed.append((recording, _failed(recording, estimated.error)))
            else:
                ready.append(recording)
        yield from failed
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            results = list(self.search.each(ready))
        for recording, result in zip(ready, results, strict=True):
            self._warn(recording, result, seen)
            yield recording, result

    def _ready(self, waiting: Sequence[Recording], tell: Tell) -> Iterator[tuple[Recording, EstimateResult | None]]:
        """Each recording when it can be searched: those that bring their pose first, others as theirs is estimated."""
        needed = "pose" in parts_needed(self.needs)
        films = [r for r in waiting if needed and r.filmed and r.pose_file is None and self.source.keeps]
        yield from ((r, None) for r in waiting if r not in films)
        by_path = {r.path: r for r in films}
        for result in self.source.estimated(list(by_path), self.workers):
            if result.output is None and "cannot be written (" in result.error:
                raise WriteError(result.error)
            yield by_path[result.video], result

    def _warn(self, recording: Recording, result: SpottingResult, seen: Sequence[warnings.WarningMessage]) -> None:
        """Warnings about the video belong to its result; others are given on."""
        own = [result.warning] if result.warning else []
        for warning in seen:
            text = str(warning.message)
            if issubclass(warning.category, UserWarning) and str(recording.path) in text:
                own += [text] if text not in own else []
            else:  # once for the whole run
                place = (warning.filename, warning.lineno)
                warnings.warn_explicit(text, warning.category, *place, registry=self._warned)
        result.warning = "; ".join(own)


def _failed(recording: Recording, reason: str) -> SpottingResult:
    return SpottingResult(recording.name, error=reason if recording.path.name in reason else f"{recording}: {reason}")

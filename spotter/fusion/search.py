"""`EnsembleSearch`: spotting with several encoders.

video → one query per encoder that can see it → (Top-K transfer of all) → normalised tracks
  with a calibration, and a judge of the first encoder: its candidates, their odds and the others' tracks → odds
  else: the tracks' weighted mean → peaks, aligned by the first encoder that knows the sign
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embeddings.clip import Clip
from embeddings.prepared import load_clip
from embeddings.recordings import PoseSource, source_name

from ..detection import Detection
from ..results import Detections, SpottingResult
from ..search.calibrate import ShippedJudge, shipped_judge
from ..search.candidates import Candidates
from ..search.cohort import Cohort
from ..search.judge import THRESHOLD as LEAST_PROBABILITY
from ..search.judge import Judge
from ..search.options import SpottingOptions
from ..search.plain import plain_detections
from ..search.query import Query, make_plan, similarity_track
from ..search.selection import as_expected, selected
from ..search.standing import standing
from ..search.track import SimilarityTrack
from .ensemble import Ensemble
from .sources import JointSource
from .tracks import aligned_tracks, fuse, normalised_track
from .transfer import Moved, fused_transfer

if TYPE_CHECKING:
    from embeddings.encoders.base import Encoder

__all__ = ["THRESHOLD", "EnsembleSearch", "values_at"]

THRESHOLD = 2.0
"""Least fused score of a detection where nothing is calibrated: standard deviations above chance. Of two encoders
(`default`, `pose-cosine`) on three development worlds, F1 was .783 at 2, .750 at 2.5, .666 at 3."""

REACH = 0.25
"""Of a candidate's length: so far from its middle an encoder's track is looked at."""

Judgement = tuple[ShippedJudge, Cohort]


@dataclass(eq=False)
class _Video:
    """A video as each encoder sees it: None where it cannot."""

    name: str
    duration: float
    queries: list[Query | None]

    def forget(self) -> None:
        for query in self.queries:
            if query is not None:
                query.forget()


class EnsembleSearch:
    """A search with several encoders that is ready for videos; see `spotter.spot_videos`.

    Args:
        ensemble: encoders, galleries, weights.
        known: video name → the one sign to look for in it.
        tracks: keep the fused similarity tracks.
        sources: recordings of a video for each encoder, by the video's name; without, all read what `each` is given.
        judges: encoder's id → its judge and cohort, where it has one; None takes what travels with the package.

    Raises:
        ValueError: a gallery is empty or another encoder's; a known sign without exemplar; or options that need
            probabilities with an ensemble that has no calibration.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        options: SpottingOptions | None = None,
        poses: PoseSource | None = None,
        known: Mapping[str, str] | None = None,
        tracks: bool = True,
        sources: Mapping[str, JointSource] | None = None,
        judges: Mapping[str, Judgement] | None = None,
    ) -> None:
        self.ensemble = ensemble = ensemble.loaded()
        self.options = SpottingOptions() if options is None else options
        self.poses, self.known, self.tracks, self.sources = poses, known, tracks, sources or {}
        for name, sign in (known or {}).items():
            if sign not in ensemble.labels:
                raise ValueError(f"video {name!r} is said to hold {sign!r}, of which the galleries have no exemplar")
        self.encoders: list[Encoder] = [m.encoder for m in ensemble.members]  # type: ignore[misc]
        self.galleries = [m.gallery for m in ensemble.members]
        self.calibration = ensemble.calibration if self.options.calibrated else None
        found = [shipped_judge(e.id) if judges is None else judges.get(e.id) for e in self.encoders]
        self.cohorts = [None if one is None else one[1] for one in found]
        first = found[0]
        if self.calibration is not None and self.calibration.judged and first is None:
            raise ValueError(f"the calibration needs the judge of {self.encoders[0].id}; fit both: spotter calibrate")
        judged = self.calibration is not None and self.calibration.judged and first is not None
        self.judge = Judge(self.galleries[0], self.options, *first) if judged and first is not None else None
        select = self.options.select
        if self.calibration is None and ((select.given and select.best is None) or self.options.expect is not None):
            raise ValueError(
                "an ensemble without a calibration gives no probabilities; choose a threshold or the best so many, "
                "or fit one: spotter calibrate"
            )

    @property
    def together(self) -> bool:
        """Whether a video's result depends on the other videos."""
        return self.options.transfer is not None

    @property
    def chooses_at_end(self) -> bool:
        """Whether which detections of a video are wanted is known only when all videos are searched."""
        return self.together or not self.options.threshold_stands

    def each(self, videos: Iterable[Any]) -> Iterator[SpottingResult]:
        """The result of each video, in their order; with Top-K transfer, all of them at the end."""
        waiting: list[tuple[SpottingResult, _Video | None]] = []
        for source in videos:
            result, video = self._encoded(source)
            if self.together:
                waiting.append((result, video))
                continue
            if video is not None:
                self._finish(result, video, None)
            yield result
        if self.options.transfer is not None:
            there = {at: video for at, (_, video) in enumerate(waiting) if video is not None}
            moved = fused_transfer(
                {at: video.queries for at, video in there.items()}, {at: video.name for at, video in there.items()},
                self.galleries, self._weights(), self.options.transfer, self.ensemble.normalise, self.known,
            )  # fmt: skip
            for at, (result, video) in enumerate(waiting):
                if video is not None:
                    self._finish(result, video, moved[at])
                yield result

    def choose(self, results: Sequence[SpottingResult]) -> None:
        """Leaves the detections that are asked for, of all videos together; those of a threshold stand already."""
        if self.options.threshold_stands:
            return
        open_to = [r for r in results if self.known is None or r.video not in self.known]
        hours = sum(r.duration for r in open_to) / 3600
        detections: list[Detection] = [d for r in open_to for d in r.detections]
        if self.options.expect is not None:
            detections = as_expected(detections, self.options.expect * hours * len(self.ensemble.labels))
        if self.options.select.given:
            detections = selected(detections, self.options.select, hours)
        else:
            detections = [d for d in detections if d.score >= LEAST_PROBABILITY]
        for result in open_to:
            mine = [d for d in detections if d.video == result.video]
            result.detections = Detections(sorted(mine, key=lambda d: (d.start, d.sign)))

    def _weights(self) -> list[float]:
        return [member.weight for member in self.ensemble.members]

    def _encoded(self, source: Any) -> tuple[SpottingResult, _Video | None]:
        """(result, the video for each encoder; None where none can see it). What one lacks is said in a warning."""
        name = source_name(source)
        joint = self.sources.get(name)
        queries: list[Query | None] = []
        reasons: list[str] = []
        clips: dict[str, Clip] = {}
        for at, encoder in enumerate(self.encoders):
            own = source if joint is None else joint.sources[at]
            try:
                queries.append(None if own is None else self._query(own, name, at, clips))
                reasons += [f"{name}: no recording has what encoder {encoder.name!r} needs"] if own is None else []
            except (ValueError, KeyError, OSError) as error:
                queries.append(None)
                reasons.append(str(error) if name in str(error) else f"{name}: {error}")
        there = [query for query in queries if query is not None]
        if not there:
            return SpottingResult(name, error="; ".join(dict.fromkeys(reasons))), None
        for reason in dict.fromkeys(reasons):
            warnings.warn(f"{reason}; searched without it", stacklevel=2)
        duration = there[0].duration
        result = SpottingResult(name, duration=duration, calibrated=self.calibration is not None)
        return result, _Video(name, duration, queries)

    def _query(self, source: Any, name: str, at: int, clips: dict[str, Clip]) -> Query:
        """A video for one encoder; the pose that another one had estimated is taken over."""
        encoder, key = self.encoders[at], str(source)
        try:
            clip = load_clip(clips.get(key, source), encoder, self.poses, streamed=True)
        except ValueError:
            if key not in clips:
                raise
            clip = load_clip(source, encoder, self.poses, streamed=True)
        clips[key] = clip
        plan = make_plan(self.galleries[at], self.options, self.judge is not None and at == 0, encoder.window)
        return Query(replace(clip, name=name), encoder, plan)

    def _track(self, query: Query, at: int, moved: Moved | None) -> SimilarityTrack:
        own = None if moved is None else moved[at]
        if not self.ensemble.normalise:
            return similarity_track(query, self.galleries[at], own)
        return normalised_track(query, self.galleries[at], self.cohorts[at], own)

    def _finish(self, result: SpottingResult, video: _Video, moved: Moved | None) -> None:
        """Fills in the detections and frees the vectors."""
        sign = None if self.known is None else self.known.get(result.video)
        judged = self.judge is not None and video.queries[0] is not None
        tracks: list[SimilarityTrack | None] = [
            None if query is None or len(self.galleries[at]) == 0 or (judged and at == 0 and not self.tracks)
            else self._track(query, at, moved)
            for at, query in enumerate(video.queries)
        ]  # fmt: skip
        if judged:
            result.detections = Detections(self._judged(video, tracks, moved, sign))
        else:
            result.detections = Detections(self._plain(video, tracks, sign))
        there = [(track, m.weight) for track, m in zip(tracks, self.ensemble.members, strict=True) if track is not None]
        if self.tracks and there:
            result.track = fuse([track for track, _ in there], [weight for _, weight in there])
        video.forget()

    def _judged(
        self, video: _Video, tracks: Sequence[SimilarityTrack | None], moved: Moved | None, sign: str | None
    ) -> list[Detection]:
        """The first encoder's candidates; the others' tracks change their odds."""
        query, judge, calibration = video.queries[0], self.judge, self.calibration
        assert query is not None
        assert judge is not None
        assert calibration is not None
        labels = np.array([judge.gallery.exemplar_labels[row] for row in range(len(judge.gallery))])
        if sign is not None and sign not in judge.gallery:
            return self._plain(video, tracks, sign)

        def fused(candidates: Candidates, odds: NDArray[np.float64]) -> NDArray[np.float64]:
            further = [
                None if track is None else values_at(track, candidates, labels, query.fps) for track in tracks[1:]
            ]  # fmt: skip
            return calibration.log_odds([odds, *further])

        return judge.detections(query, None if moved is None else moved[0], sign, fused)

    def _plain(self, video: _Video, tracks: Sequence[SimilarityTrack | None], sign: str | None) -> list[Detection]:
        """Peaks of the fused track; of each sign, aligned by the first encoder that knows it."""
        there = [(at, track) for at, track in enumerate(tracks) if track is not None]
        weights = [self.ensemble.members[at].weight for at, _ in there]
        if not any(weights):
            weights = [1.0] * len(there)
        joint = fuse([track for _, track in there], weights)
        options = self.options
        if self.calibration is not None and not self.calibration.judged:
            joint = self._probabilities(joint, there)
        if options.threshold is None and self.ensemble.normalise:
            calibrated = self.calibration is not None and not self.calibration.judged
            options = replace(
                options, threshold=LEAST_PROBABILITY if calibrated else THRESHOLD, select=type(options.select)()
            )
            if self.options.select.given:
                options = replace(options, threshold=0.02 if calibrated else -100.0)
        found: list[Detection] = []
        for at, _ in there:
            query, gallery = video.queries[at], self.galleries[at]
            assert query is not None
            earlier = {s for other, _ in there if other < at for s in self.galleries[other].labels}
            led = [column for column, s in enumerate(joint.signs) if s in gallery and s not in earlier]
            if led and (sign is None or sign in [joint.signs[column] for column in led]):
                part = replace(
                    joint, signs=tuple(joint.signs[c] for c in led), values=joint.values[:, led],
                    lengths=joint.lengths[:, led] * query.fps / joint.fps, fps=query.fps,
                    centres=joint.centres * query.fps / joint.fps,
                )  # fmt: skip
                found += plain_detections(query, part, gallery, options, sign)
        if sign is not None:
            return found
        return standing(found, -np.inf, options.most, options.overlap, options.exclusive)

    def _probabilities(self, joint: SimilarityTrack, there: Sequence[tuple[int, SimilarityTrack]]) -> SimilarityTrack:
        """The fused track as probabilities."""
        assert self.calibration is not None
        signs, values = aligned_tracks([track for _, track in there])
        columns = [signs.index(sign) for sign in joint.signs]
        flat: list[NDArray[np.float64] | None] = [None] * len(self.encoders)
        for (at, _), one in zip(there, values, strict=True):
            flat[at] = one[:, columns].ravel()
        odds = self.calibration.log_odds(flat).reshape(joint.values.shape)
        return replace(joint, values=(1 / (1 + np.exp(-np.clip(odds, -40, 40)))).astype(np.float32))


def values_at(
    track: SimilarityTrack, candidates: Candidates, labels: NDArray[np.str_], fps: float
) -> NDArray[np.float64]:
    """(N,) highest value of a track about the middle of each candidate; NaN for signs that the track does not know.

    Args:
        labels: (E,) sign of each exemplar; fps: of the candidates' frames.
    """
    column = {sign: at for at, sign in enumerate(track.signs)}
    columns = np.array([column.get(str(label), -1) for label in labels], np.intp)[candidates.exemplar]
    middle = (candidates.start + candidates.end).astype(np.float64) / 2 / fps
    reach = REACH * (candidates.end - candidates.start).astype(np.float64) / fps
    values = np.full(len(candidates), -np.inf)
    for step in (-1.0, 0.0, 1.0):
        at = np.interp(middle + step * reach, track.seconds, np.arange(len(track.seconds)))
        low = np.floor(at).astype(np.intp)
        high = np.minimum(low + 1, len(track.seconds) - 1)
        here = track.values[low, columns] + (at - low) * (track.values[high, columns] - track.values[low, columns])
        values = np.maximum(values, here)
    return np.where(columns >= 0, values, np.nan)

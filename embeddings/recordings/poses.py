"""`PoseSource`: how poses are estimated where a recording holds pictures and no pose, and where they are kept."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import media_name
from ..pose.cache import cache_folder
from .find import Recording, refuse_same_names
from .identity import file_of
from .kinds import kind_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..clip import Pose
    from ..pose import EstimateResult

__all__ = ["PoseSource", "write_poses"]


@dataclass(frozen=True)
class PoseSource:
    """How poses are estimated.

    Attributes:
        estimator: a name of `embeddings.pose.ESTIMATORS`.
        folder: where estimated poses are kept and found again by the video's name, and OpenPose's output is found (see
            `given`).
        settings: the estimator's own.
        fps: frames per second of recordings that do not say theirs (folders of images, OpenPose, FrankMocap, …).
        cache: where poses are found again by the video's content, and kept where there is no folder; None: nowhere, and
            without a folder each call estimates anew. By default `embeddings.pose.cache.cache_folder()`.
        crops: where the crops that encoders look at are kept and found again (`embeddings.crops`); None keeps them as
            long as the process runs.
    """

    estimator: str = "holistic"
    folder: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    fps: float = 25.0
    cache: Path | None = field(default_factory=cache_folder)

    @property
    def keeps(self) -> bool:
        """Whether poses are kept anywhere: there is a folder, or a cache that can be written."""
        return self.folder is not None or self._open_cache() is not None

    def _open_cache(self) -> Path | None:
        if self.cache is None:
            return None
        there = next((place for place in (self.cache, *self.cache.parents) if place.exists()), None)
        return self.cache if there is not None and there.is_dir() and os.access(there, os.W_OK) else None

    crops: Path | None = None

    def pose(self, video: Path) -> Pose:
        """The pose of a video or folder of images, from folder or cache where it is there, made from this very file.

        Warns:
            UserWarning: the video is damaged and only a part of it could be read, or several people are seen.

        Raises:
            ValueError: it cannot be read.
        """
        from ..pose import estimate, read_pose

        given = self.given(video)
        if given is not None:
            from .read import read_recording

            pose = read_recording(given, ("pose",), PoseSource(fps=self.fps)).pose
            assert pose is not None
            return pose
        if not self.keeps:
            return estimate(video, self.estimator, self.fps if video.is_dir() else None, **dict(self.settings))
        (result,) = self.estimated([video], workers=1)
        if result.output is None:
            raise ValueError(result.error)
        if result.warning:
            warnings.warn(result.warning, stacklevel=2)
        return read_pose(result.output)

    def given(self, video: Path) -> Path | None:
        """OpenPose's output for a video in the folder, a folder `NAME` or `NAME_json`; None where there is none.

        Files in the folder are what was estimated: one of the same name may be of another video.
        """
        if self.folder is None:
            return None
        for path in (self.folder / f"{media_name(video)}{ending}" for ending in ("", "_json")):
            kind = kind_of(path) if path.is_dir() and path != video else None
            if kind is not None and "pose" in kind.holds:
                return path
        return None

    def of_frames(self, frames: NDArray[np.uint8], fps: float, source: str) -> Pose:
        """The pose of frames in memory, (T, H, W, 3) RGB."""
        from ..pose.estimate import estimate_frames, make_estimator

        estimator = make_estimator(self.estimator, **dict(self.settings))
        try:
            return estimate_frames(frames, fps, estimator, source)
        finally:
            estimator.close()

    def estimated(
        self,
        videos: Sequence[Path],
        workers: int = 0,
        format: str = "pose",
        apart: bool = True,
        keep: bool = False,
        cleaning: Mapping[str, Any] | None = None,
        names: Mapping[Path, str] | None = None,
    ) -> Iterator[EstimateResult]:
        """Estimates many, in parallel, into the folder or the cache; see `embeddings.pose.estimate_videos`.

        With `apart`, a video with OpenPose's output in the folder (`given`) keeps that.

        Raises:
            ValueError: there is no folder and no cache; without `apart`, two videos have the same name.
        """
        from ..pose import EstimateResult, estimate_videos

        if not self.keeps:
            raise ValueError("poses of many videos are estimated into a folder or the cache; name one")
        given = {video: self.given(video) for video in videos} if apart else {}
        yield from (EstimateResult(video, path, skipped=True) for video, path in given.items() if path is not None)
        for images, rate in ((False, None), (True, self.fps)):
            some = [v for v in videos if v.is_dir() == images and given.get(v) is None]
            if some:
                own = (self.folder, self.estimator, format, rate, workers, self.settings)
                yield from estimate_videos(
                    some, *own, apart=apart, cache=self._open_cache(), keep=keep, cleaning=cleaning, names=names
                )


def write_poses(
    recordings: Sequence[Recording],
    source: PoseSource,
    format: str = "pose",
    workers: int = 0,
    cleaning: Mapping[str, Any] | None = None,
) -> Iterator[tuple[Recording, EstimateResult]]:
    """The poses of recordings as files in the source's folder: estimated from pictures, else read and converted.

    A file that was made from the same recording is kept; a recording that fails is reported and the others go on. A
    name with slashes (see `identified`) is a file in a folder inside.

    Args:
        format: "pose" or "h5".
        cleaning: arguments of `embeddings.pose.clean.clean`; None leaves poses as they are.

    Raises:
        ValueError: two recordings of the same name, or no folder.
    """
    refuse_same_names(recordings)
    if source.folder is None:
        raise ValueError("poses of many videos are estimated into a folder; name one")
    films = {r.path: r for r in recordings if r.filmed}
    names = {path: str(file_of(Path(), r.name)) for path, r in films.items()}
    for result in source.estimated(list(films), workers, format, False, True, cleaning, names):
        yield films[result.video], result
    for recording in recordings:
        if not recording.filmed:
            yield recording, _converted(recording, source, format, cleaning)


def _converted(
    recording: Recording, source: PoseSource, format: str, cleaning: Mapping[str, Any] | None
) -> EstimateResult:
    from ..pose import EstimateResult, write_pose
    from ..pose.clean import clean
    from ..pose.files import source_stamp
    from ..pose.formats.dot_pose import read_header
    from .read import read_recording

    assert source.folder is not None
    target = file_of(source.folder, recording.name, f".{format}")
    try:
        how = "" if cleaning is None else repr(sorted(cleaning.items()))
        stamp = f"{source_stamp(recording.path, source.fps)}#{recording.part}{how}"
        own = target.exists() and target.samefile(recording.path)
        if own and cleaning is not None:
            raise ValueError(f"{target}: would be written over by its cleaned pose; choose another folder with -o")
        if own or (target.exists() and read_header(target).get("stamp") == stamp):
            return EstimateResult(recording.path, target, skipped=True)
        pose = read_recording(recording, ("pose",), source, asker="a pose file").pose
        assert pose is not None
        cleaned = pose if cleaning is None else clean(pose, **dict(cleaning))
        return EstimateResult(recording.path, write_pose(target, cleaned, stamp))
    except (ValueError, KeyError, OSError) as error:
        return EstimateResult(recording.path, None, str(error))

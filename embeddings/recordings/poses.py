"""`PoseSource`: how poses are estimated where a recording holds pictures and no pose, and where they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import media_name
from .find import Recording, refuse_same_names
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
        folder: where estimated poses are kept and found again, and OpenPose's output is found (see `given`); None
            estimates anew each time.
        settings: the estimator's own.
        fps: frames per second of recordings that do not say theirs (folders of images, OpenPose, FrankMocap, …).
    """

    estimator: str = "holistic"
    folder: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    fps: float = 25.0

    def pose(self, video: Path) -> Pose:
        """The pose of a video or folder of images, from the folder where it is there and was made from this very file.

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
        if self.folder is None:
            return estimate(video, self.estimator, self.fps if video.is_dir() else None, **dict(self.settings))
        (result,) = self.estimated([video], workers=1)
        if result.output is None:
            raise ValueError(result.error)
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
        self, videos: Sequence[Path], workers: int = 0, format: str = "pose", apart: bool = True
    ) -> Iterator[EstimateResult]:
        """Estimates many, in parallel, into the folder; see `embeddings.pose.estimate_videos`.

        With `apart`, a video with OpenPose's output in the folder (`given`) keeps that.

        Raises:
            ValueError: there is no folder; without `apart`, two videos have the same name.
        """
        from ..pose import EstimateResult, estimate_videos

        if self.folder is None:
            raise ValueError("poses of many videos are estimated into a folder; name one")
        given = {video: self.given(video) for video in videos} if apart else {}
        yield from (EstimateResult(video, path, skipped=True) for video, path in given.items() if path is not None)
        for images, rate in ((False, None), (True, self.fps)):
            some = [v for v in videos if v.is_dir() == images and given.get(v) is None]
            if some:
                own = (self.folder, self.estimator, format, rate, workers, self.settings)
                yield from estimate_videos(some, *own, apart=apart)


def write_poses(
    recordings: Sequence[Recording], source: PoseSource, format: str = "pose", workers: int = 0
) -> Iterator[tuple[Recording, EstimateResult]]:
    """The poses of recordings as files in the source's folder: estimated from pictures, else read and converted.

    A file that was made from the same recording is kept; a recording that fails is reported and the others go on.

    Args:
        format: "pose" or "h5".

    Raises:
        ValueError: two recordings of the same name, or no folder.
    """
    refuse_same_names(recordings)
    films = {r.path: r for r in recordings if r.filmed}
    for result in source.estimated(list(films), workers, format, apart=False):
        yield films[result.video], result
    for recording in recordings:
        if not recording.filmed:
            yield recording, _converted(recording, source, format)


def _converted(recording: Recording, source: PoseSource, format: str) -> EstimateResult:
    from ..pose import EstimateResult, write_pose
    from ..pose.files import source_stamp
    from ..pose.formats.dot_pose import read_header
    from .read import read_recording

    assert source.folder is not None
    target = source.folder / f"{recording.name}.{format}"
    try:
        stamp = f"{source_stamp(recording.path, source.fps)}#{recording.part}"
        if target.exists() and (target.samefile(recording.path) or read_header(target).get("stamp") == stamp):
            return EstimateResult(recording.path, target, skipped=True)
        pose = read_recording(recording, ("pose",), source, asker="a pose file").pose
        assert pose is not None
        return EstimateResult(recording.path, write_pose(target, pose, stamp))
    except (ValueError, KeyError, OSError) as error:
        return EstimateResult(recording.path, None, str(error))

"""Fill a corpus: videos or pose files → window vectors and frame features → one file each.

Poses of several videos are estimated in other processes while this one encodes those that are ready. A video whose file
is there and was made from the same source is skipped, so a stopped run goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings.handedness import right_handed

from ..search.windows import centres, windows_at
from ..sources import VIDEO_SUFFIXES, PoseSource, load_clip
from .folder import LENGTHS, Corpus, CorpusSettings
from .video import CorpusError, read_stored, write_stored

if TYPE_CHECKING:
    from embeddings.encoders.base import Encoder

__all__ = [
    "IndexJob", "Indexed", "VideoEngine", "done", "encode_into", "index_videos", "settings_for", "stamp_of", "told",
]  # fmt: skip


@dataclass(frozen=True)
class Indexed:
    """What became of one video.

    Attributes:
        source: its file.
        rows: window vectors stored.
        seconds: of video.
        skipped: True when it was there already.
        error: one line saying why it failed, "" otherwise.
    """

    source: Path
    rows: int = 0
    seconds: float = 0.0
    skipped: bool = False
    error: str = ""


def settings_for(encoder: Encoder, lengths: Sequence[int] = LENGTHS, stride: int = 2) -> CorpusSettings:
    """Settings of a corpus of an encoder's vectors; lengths ascend."""
    kept = tuple(sorted({int(n) for n in lengths}))
    return CorpusSettings(encoder.id or encoder.name, encoder.dim, float(encoder.fps), kept, stride)


def stamp_of(source: Path) -> str:
    """What identifies a source file's content: its size and the hash of its beginning and end."""
    from embeddings.pose.files import source_stamp

    return source_stamp(source, None)


def index_videos(
    corpus: Corpus,
    sources: Sequence[str | Path],
    encoder: Encoder,
    poses: PoseSource | None = None,
    workers: int = 0,
    engine: VideoEngine | None = None,
) -> Iterator[Indexed]:
    """Adds videos or pose files to a corpus; yields what became of each. One that fails is reported, the others go on.

    Args:
        encoder: the one the corpus was made with.
        poses: pose estimator, and the folder where poses are kept.
        workers: processes that estimate poses; 0 is one per core.
        engine: does the work elsewhere (`engine_ray.RayEngine`); None does it here.

    Raises:
        CorpusError: another encoder, or two sources of the same name.
    """
    if (encoder.id or encoder.name) != corpus.settings.encoder:
        raise CorpusError(
            f"{corpus.folder} holds vectors of {corpus.settings.encoder!r}, not of {encoder.id or encoder.name!r}"
        )
    paths = [Path(s) for s in sources]
    names = [p.stem for p in paths]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise CorpusError(f"sources of the same name cannot be told apart: {', '.join(twice)}; rename them")
    poses = PoseSource() if poses is None else poses
    with corpus.writing():
        waiting = []
        for path in paths:
            found = corpus.videos.get(path.stem)
            if found is not None and path.exists() and found.stamp == stamp_of(path):
                yield Indexed(path, found.rows, found.duration, skipped=True)
            else:
                waiting.append(path)
        if engine is None:
            for path, error in _as_poses_come(waiting, encoder, poses, workers):
                yield Indexed(path, error=error) if error else _one(corpus, path, encoder, poses)
        else:
            jobs = [IndexJob(path, corpus.path_of(path.stem), corpus.settings, poses) for path in waiting]
            for job, error in engine(jobs):
                yield Indexed(job.source, error=error) if error else _taken(corpus, job.source)
        corpus.write_table()


@dataclass(frozen=True)
class IndexJob:
    """One video's work, for any process that sees the files."""

    source: Path
    target: Path
    settings: CorpusSettings
    poses: PoseSource


VideoEngine = Callable[[Sequence[IndexJob]], Iterator[tuple[IndexJob, str]]]
"""Does jobs somewhere; yields each with "" or the line that says why it failed."""


def done(job: IndexJob) -> bool:
    """Whether the job's file is there and was made from this very source."""
    try:
        return read_stored(job.target).stamp == stamp_of(job.source)
    except (CorpusError, OSError):
        return False


def _taken(corpus: Corpus, path: Path) -> Indexed:
    video = corpus.take(path.stem)
    return Indexed(path, video.rows, video.duration)


def _one(corpus: Corpus, path: Path, encoder: Encoder, poses: PoseSource) -> Indexed:
    try:
        encode_into(corpus.path_of(path.stem), path, corpus.settings, encoder, poses)
        return _taken(corpus, path)
    except (ValueError, KeyError, OSError) as error:
        return Indexed(path, error=told(path, error))


def told(path: Path, error: Exception) -> str:
    """One line that names the source and what is wrong with it."""
    text = str(error)
    return text if path.name in text else f"{path}: {text}"


def _as_poses_come(
    paths: Sequence[Path], encoder: Encoder, poses: PoseSource, workers: int
) -> Iterator[tuple[Path, str]]:
    """(source, error) of each source as soon as it can be encoded."""
    from embeddings.pose import estimate_videos

    needs_pose = bool(set(encoder.required_inputs) - {"frames"})
    videos = [p for p in paths if p.suffix.lower() in VIDEO_SUFFIXES and needs_pose and poses.folder is not None]
    for path in paths:
        if path not in videos:
            yield path, ""
    if videos and poses.folder is not None:
        for result in estimate_videos(videos, poses.folder, poses.estimator, workers=workers, settings=poses.settings):
            yield result.video, result.error


def encode_into(
    target: Path, source: Path, settings: CorpusSettings, encoder: Encoder, poses: PoseSource | None = None
) -> None:
    """Writes the file of one video of a corpus: the unit of work of every engine.

    Raises:
        ValueError: the source cannot be read or has no frames.
    """
    stamp = stamp_of(source) if source.is_file() else ""
    clip = load_clip(source, encoder, poses)
    if len(clip) == 0:
        raise ValueError(f"{source}: has no frames")
    inputs = encoder.prepare(right_handed(clip))
    frames = len(next(iter(inputs.values())))
    middle = centres(frames, settings.stride)
    vectors: list[NDArray[np.float16]] = [
        encoder.embed(inputs, windows_at(middle, float(length))).astype(np.float16) for length in settings.lengths
    ]
    facts = {
        "name": source.stem, "source": str(source.resolve()), "stamp": stamp, "fps": settings.fps, "frames": frames,
        "duration": len(clip) / clip.fps, "encoder": settings.encoder, "lengths": list(settings.lengths),
        "stride": settings.stride,
    }  # fmt: skip
    write_stored(target, np.concatenate(vectors), encoder.clip_features(inputs).astype(np.float16), facts)

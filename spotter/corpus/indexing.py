"""Fill a corpus: recordings → window vectors and frame features → one file each.

Poses of several videos are estimated in other processes while this one encodes those that are ready. A video whose file
is there and was made from the same source is skipped, so a stopped run goes on where it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings.prepared import prepared
from embeddings.recordings import PoseSource, Recording, find_recordings, parts_needed

from ..search.windows import centres, windows_at
from .folder import Corpus, CorpusSettings
from .options import LENGTHS
from .progress import running
from .share import Share
from .video import CorpusError, read_stored, write_stored

if TYPE_CHECKING:
    from embeddings.encoders.base import Encoder

__all__ = [
    "IndexJob", "Indexed", "VideoEngine", "done", "encode_into", "in_one_line", "index_videos", "settings_for",
    "stamp_of",
]  # fmt: skip


@dataclass(frozen=True)
class Indexed:
    """What became of one video.

    Attributes:
        source: its recording.
        rows: window vectors stored.
        seconds: of video.
        skipped: True when it was there already.
        error: one line saying why it failed, "" otherwise.
    """

    source: Recording
    rows: int = 0
    seconds: float = 0.0
    skipped: bool = False
    error: str = ""


def settings_for(encoder: Encoder, lengths: Sequence[int] = LENGTHS, stride: int = 2) -> CorpusSettings:
    """Settings of a corpus of an encoder's vectors; lengths ascend."""
    ascending = tuple(sorted({int(n) for n in lengths}))
    return CorpusSettings(encoder.id or encoder.name, encoder.dim, float(encoder.fps), ascending, stride)


def stamp_of(source: Recording) -> str:
    """What identifies a recording's content: size and hash of its file, and its place in it."""
    from embeddings.pose.files import source_stamp

    return source_stamp(source.path, None) + (f"#{source.part}" if source.part else "")


def index_videos(
    corpus: Corpus,
    sources: Sequence[str | PathLike[str]],
    encoder: Encoder,
    poses: PoseSource | None = None,
    workers: int = 0,
    engine: VideoEngine | None = None,
    share: Share | None = None,
) -> Iterator[Indexed]:
    """Adds recordings to a corpus; yields what became of each. One that fails is reported, the others go on.

    Args:
        sources: see `embeddings.recordings.find_recordings`.
        encoder: the one the corpus was made with.
        poses: pose estimator, and the folder where poses are kept.
        workers: processes that estimate poses; 0 is one per core.
        engine: does the work elsewhere (`cluster.RayEngine`); None does it here.
        share: only this part of the recordings; other processes may do the other parts at the same time.

    Raises:
        CorpusError: another encoder, or two recordings of the same name.
        RecordingError: a file or folder is not there, or holds no recording.
    """
    if (encoder.id or encoder.name) != corpus.settings.encoder:
        raise CorpusError(
            f"{corpus.folder} holds vectors of {corpus.settings.encoder!r}, not of {encoder.id or encoder.name!r}"
        )
    recordings = find_recordings(sources, encoder.required_inputs)
    twice = sorted(name for name, times in Counter(r.name for r in recordings).items() if times > 1)
    if twice:
        raise CorpusError(f"sources of the same name cannot be told apart: {', '.join(twice)}; rename them")
    poses = PoseSource() if poses is None else poses
    mine = recordings if share is None else share.of(sorted(recordings, key=lambda r: r.name))
    with corpus.writing(shared=share is not None), running(corpus.folder, share, (r.name for r in mine)) as record:
        for result in _indexed(corpus, mine, encoder, poses, workers, engine):
            if result.error:
                record.fail(result.source.name, result.error)
            yield result
        if share is None:
            corpus.write_table()


def _indexed(
    corpus: Corpus, recordings: Sequence[Recording], encoder: Encoder, poses: PoseSource, workers: int,
    engine: VideoEngine | None,
) -> Iterator[Indexed]:  # fmt: skip
    waiting = []
    for recording in recordings:
        stored = corpus.videos.get(recording.name)
        if stored is not None and stored.stamp == stamp_of(recording):
            yield Indexed(recording, stored.rows, stored.duration, skipped=True)
        else:
            waiting.append(recording)
    if engine is None:
        for recording, error in _as_poses_come(waiting, encoder, poses, workers):
            yield Indexed(recording, error=error) if error else _one(corpus, recording, encoder, poses)
        return
    needed = poses if "pose" in parts_needed(encoder.required_inputs) else replace(poses, folder=None)
    jobs = [IndexJob(one, corpus.path_of(one.name), corpus.settings, needed) for one in waiting]
    for job, error in engine(jobs):
        yield Indexed(job.source, error=error) if error else _taken(corpus, job.source)


@dataclass(frozen=True)
class IndexJob:
    """One video's work, for any process that sees the files."""

    source: Recording
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


def _taken(corpus: Corpus, recording: Recording) -> Indexed:
    video = corpus.take(recording.name)
    return Indexed(recording, video.rows, video.duration)


def _one(corpus: Corpus, recording: Recording, encoder: Encoder, poses: PoseSource) -> Indexed:
    try:
        encode_into(corpus.path_of(recording.name), recording, corpus.settings, encoder, poses)
        return _taken(corpus, recording)
    except (ValueError, KeyError, OSError) as error:
        return Indexed(recording, error=in_one_line(recording, error))


def in_one_line(recording: Recording, error: Exception) -> str:
    """The error, with the recording's name before it unless it names the file itself."""
    text = str(error)
    return text if recording.path.name in text else f"{recording}: {text}"


def _as_poses_come(
    recordings: Sequence[Recording], encoder: Encoder, poses: PoseSource, workers: int
) -> Iterator[tuple[Recording, str]]:
    """(recording, error) of each as soon as it can be encoded."""
    needs_pose = "pose" in parts_needed(encoder.required_inputs)
    films = {r.path: r for r in recordings if r.filmed and needs_pose and poses.folder is not None}
    for recording in recordings:
        if recording.path not in films:
            yield recording, ""
    if films:
        for result in poses.estimated(list(films), workers=workers):
            yield films[result.video], result.error


def encode_into(
    target: Path, source: Recording, settings: CorpusSettings, encoder: Encoder, poses: PoseSource | None = None
) -> None:
    """Writes the file of one video of a corpus: the unit of work of every engine.

    Raises:
        ValueError: the source cannot be read or has no frames.
    """
    stamp = stamp_of(source)
    video = prepared(source, encoder, poses)
    middle = centres(len(video), settings.stride)
    vectors: list[NDArray[np.float16]] = [
        video.embed(windows_at(middle, float(length))).astype(np.float16) for length in settings.lengths
    ]
    facts = {
        "name": source.name, "source": str(replace(source, path=source.path.resolve())), "stamp": stamp,
        "fps": settings.fps, "frames": len(video), "duration": video.duration, "encoder": settings.encoder,
        "lengths": list(settings.lengths), "stride": settings.stride,
    }  # fmt: skip
    write_stored(target, np.concatenate(vectors), video.features.astype(np.float16), facts)

"""Recordings of one video for several encoders: each takes the one that has what it needs, joined by name.

`talks/` may hold `anna.mp4` and `anna.pose`, `mocap/` FrankMocap's `anna/`: one video, with three kinds of input.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from embeddings.recordings import Recording, find_recordings, identified

__all__ = ["JointSource", "joint_sources"]


@dataclass(frozen=True)
class JointSource:
    """One video for several encoders.

    Attributes:
        name: as results call it.
        sources: a recording for each encoder, None where none has what it needs.
    """

    name: str
    sources: tuple[Recording | None, ...]

    def __str__(self) -> str:
        return str(self.first)

    def __fspath__(self) -> str:
        return str(self.first.path)

    @property
    def first(self) -> Recording:
        """The recording of the first encoder that has one."""
        return next(source for source in self.sources if source is not None)

    @property
    def path(self) -> Path:
        return self.first.path

    @property
    def media(self) -> Path | None:
        """The video to play, of any of its recordings."""
        return next((s.media for s in self.sources if s is not None and s.media is not None), None)


def joint_sources(
    named: Iterable[str | PathLike[str]], needs: Sequence[Sequence[str]], root: Path | None = None
) -> list[JointSource]:
    """What users name, as videos for several encoders.

    Args:
        named: see `embeddings.recordings.find_recordings`.
        needs: `required_inputs` of each encoder.
        root: folder from which recordings are named, see `embeddings.recordings.identified`.

    Raises:
        RecordingError: a file is not there, or nothing has what any encoder needs.
    """
    named = list(named)
    found: dict[str, list[Recording | None]] = {}
    unusable: list[Recording] = []
    for at, own in enumerate(needs):
        recordings = find_recordings(named, own)
        unusable += [r for r in recordings if not r.can_give(own)]
        for recording in identified([r for r in recordings if r.can_give(own)], root).recordings:
            found.setdefault(recording.name, [None] * len(needs))[at] = recording
    used = {(s.path, s.part) for sources in found.values() for s in sources if s is not None}
    rest = [r for r in unusable if (r.path, r.part) not in used]
    for recording in identified(rest, root).recordings:  # whoever reads it says what it lacks
        found.setdefault(recording.name, [recording] * len(needs))
    return [JointSource(name, tuple(sources)) for name, sources in found.items()]

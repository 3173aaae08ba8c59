"""The one door for recordings: from what a user names to a `Clip` with what is needed of it.

    named path ── find_recordings ──► Recording (path, kind, which clip of the file, name)
    Recording, Clip or Pose ── read_recording(needs, poses) ──► Clip, or one RecordingError

`kinds` holds the table of what can be named; a new format is one line there.
"""

from .find import Recording, find_recordings, one_recording, source_name, with_media
from .identity import Identified, file_name, file_of, identified
from .kinds import KINDS, Kind, RecordingError, parts_needed
from .poses import PoseSource, write_poses
from .read import read_pictures, read_recording, require

__all__ = [
    "KINDS", "Identified", "Kind", "PoseSource", "Recording", "RecordingError", "file_name", "file_of",
    "find_recordings", "identified", "one_recording", "parts_needed", "read_pictures", "read_recording", "require",
    "source_name", "with_media", "write_poses",
]  # fmt: skip

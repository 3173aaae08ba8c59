"""Read and write poses by file ending: `.pose` (the field's exchange format), `.h5`, OpenPose JSON folders, SPOTER CSV.

Every file is written under a temporary name and then renamed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

from safe_files import content_hash, reader, write_bytes, write_text

from ..clip import Pose
from .formats.dot_pose import header_path, read_dot_pose, to_dot_pose
from .formats.errors import PoseFileError

__all__ = ["read_pose", "source_stamp", "write_pose"]


def source_stamp(video: Path, fps: float | None) -> str:
    """What a pose was made from: size and hash of the whole video (`safe_files.content_hash`), and the frame rate.

    Of a folder of images, the hash of the names and contents of its files.

    Raises:
        OSError: it cannot be read.
    """
    size = video.stat().st_size if not video.is_dir() else sum(f.stat().st_size for f in video.iterdir())
    return f"{size}:{content_hash(video)}:{'own' if fps is None else fps}"


@reader(PoseFileError)
def read_pose(path: str | Path) -> Pose:
    """A pose by the kind of file: `.pose`, `.h5`/`.hdf5` (one video), or a folder of OpenPose JSON.

    Raises:
        PoseFileError: missing, empty, damaged, or of no known kind.
    """
    path = Path(path)
    if not path.exists():
        raise PoseFileError(f"{path}: no such pose file")
    if path.is_dir():
        from .formats.openpose import read_openpose

        return read_openpose(path)
    readers: dict[str, Callable[[Path], Pose]] = {".pose": read_dot_pose, ".h5": _read_h5, ".hdf5": _read_h5}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise PoseFileError(f"{path}: {path.suffix or 'no ending'} is not a pose file; expected {', '.join(readers)}")
    return reader(path)


def write_pose(path: str | Path, pose: Pose, stamp: str = "", quality: str = "", warning: str = "") -> Path:
    """Writes `.pose` or `.h5`, whole or not at all.

    A `.pose` file has no room for where it came from; that goes into a small `.json` beside it (skeleton, estimator,
    source, stamp, quality, warning), without which it is still a complete pose. Nor has it for `hand_metres`: they are
    left out, and the `.json` says so.

    Args:
        stamp: what the pose was made from (`source_stamp`).
        quality: JSON of `embeddings.pose.quality`.
        warning: what is wrong with the video, where it was damaged.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".pose":
        content = io.BytesIO()
        try:
            to_dot_pose(pose).write(content)
        except ValueError as error:
            raise PoseFileError(f"{path}: cannot be written as .pose ({error})") from None
        write_bytes(path, content.getvalue())
        header = {"skeleton": pose.skeleton, "estimator": pose.estimator, "source": pose.source, "stamp": stamp}
        header |= {"quality": quality} if quality else {}
        header |= {"warning": warning} if warning else {}
        header |= {"left out": "hand_metres; a .h5 file keeps them"} if pose.hand_metres is not None else {}
        write_text(header_path(path), json.dumps(header, ensure_ascii=False))
    elif suffix in (".h5", ".hdf5"):
        from .formats.store import write_store

        write_store(path, {path.stem: pose}, stamp, add=False, quality=quality, warning=warning)
    else:
        raise PoseFileError(f"{path}: cannot write {suffix or 'a file without ending'}; expected .pose or .h5")
    return path


# --- .pose -----------------------------------------------------------------------------------------------------


def _read_h5(path: Path) -> Pose:
    from .formats.store import read_store

    poses = list(read_store(path))
    if len(poses) != 1:
        raise PoseFileError(f"{path}: holds {len(poses)} videos; use embeddings.pose.formats.store.read_store for many")
    return poses[0][1]

"""The HDF5 pose store: `[video]/{xy, confidence, z, hand_metres}` with facts as attributes, and the packed form of the
UWB system (Hrúz et al. 2022): `[video]` (T, 150)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from safe_files import HDF5Error, locked, open_hdf5, whole_hdf5

from ...clip import Pose

if TYPE_CHECKING:
    import h5py

__all__ = ["pack_folders", "read_packed", "read_store", "store_header", "stored_videos", "write_packed", "write_store"]

COMPRESSION = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


def write_store(
    path: str | Path,
    poses: Mapping[str, Pose] | Iterable[tuple[str, Pose]],
    stamp: str = "",
    add: bool = True,
    quality: str = "",
    warning: str = "",
) -> Path:
    """Adds poses to a store (made when absent). A video already in it is replaced.

    The work is done on a copy that takes the store's name when it is whole, so a killed writer leaves the store as it
    was; hand over many videos at once (any iterator: one pose in memory at a time). Of two processes that add to one
    store, the second waits for the first.

    Args:
        stamp: what the poses were made from (`embeddings.pose.files.source_stamp`).
        add: False begins a new store, whatever is there.
        quality: JSON of `embeddings.pose.quality`, where one video is written.
        warning: what is wrong with that video.

    Raises:
        PoseFileError: what is there is no HDF5 file.
        ValueError: a video's name is empty or holds a slash (which would make a folder inside the file).
        WriteError: it cannot be written.
    """
    items = poses.items() if isinstance(poses, Mapping) else poses
    path = Path(path)
    with locked(path), whole_hdf5(_checked(path, add), add) as file:
        for video, pose in items:
            _make_room(file, video)
            group = file.create_group(video)
            group.create_dataset("xy", data=pose.xy, **COMPRESSION)
            group.create_dataset("confidence", data=pose.confidence, **COMPRESSION)
            for name in ("z", "hand_metres"):
                values = getattr(pose, name)
                if values is not None:
                    group.create_dataset(name, data=values, **COMPRESSION)
            facts = {"fps": pose.fps, "size": pose.size, "skeleton": pose.skeleton, "estimator": pose.estimator}
            group.attrs.update({**facts, "source": pose.source, "stamp": stamp, "complete": True})
            group.attrs.update({k: v for k, v in (("quality", quality), ("warning", warning)) if v})
    return path


def _checked(path: Path, add: bool = True) -> Path:
    """The same path; an error says what is wrong with a file that is to be added to."""
    if add and path.exists():
        _open(path).close()
    return path


def _make_room(file: h5py.File, video: str) -> None:
    if not video or "/" in video:
        raise ValueError(f"video name {video!r} cannot be stored; expected a name without '/'")
    if video in file:
        del file[video]


def _open(path: Path) -> h5py.File:
    from .errors import PoseFileError

    if not path.exists():
        raise PoseFileError(f"{path}: no such pose file")
    try:
        return open_hdf5(path)
    except HDF5Error as error:
        raise PoseFileError(str(error)) from None


def stored_videos(path: str | Path) -> list[str]:
    """Names of the complete videos of a store; [] when there is no store yet."""
    if not Path(path).exists():
        return []
    with _open(Path(path)) as file:
        return [video for video in sorted(file) if file[video].attrs.get("complete", False)]


def read_store(path: str | Path, videos: Iterable[str] | None = None) -> Iterator[tuple[str, Pose]]:
    """(video, pose) of every complete video of a store, by name, or of those named; one in memory at a time.

    Raises:
        PoseFileError: not an HDF5 file, a video is not in it, or lacks what a pose needs.
    """
    from .errors import PoseFileError

    with _open(Path(path)) as file:
        for video in sorted(file) if videos is None else videos:
            if videos is None and not file[video].attrs.get("complete", False):
                continue
            try:
                yield video, _pose(file[video])
            except (KeyError, ValueError, OSError) as error:
                raise PoseFileError(f"{path}: video {video!r} is damaged ({error})") from None


def _pose(group: h5py.Group) -> Pose:
    facts = group.attrs
    return Pose(
        np.asarray(group["xy"], np.float32),
        np.asarray(group["confidence"], np.float32),
        str(facts["skeleton"]),
        float(facts["fps"]),
        (int(facts["size"][0]), int(facts["size"][1])),
        np.asarray(group["z"], np.float32) if "z" in group else None,
        str(facts.get("estimator", "")),
        str(facts.get("source", "")),
        np.asarray(group["hand_metres"], np.float32) if "hand_metres" in group else None,
    )


def store_header(path: Path) -> dict[str, str]:
    """Facts of a store's first complete video: skeleton, estimator, source, stamp; quality, warning if it has them."""
    with _open(path) as file:
        for video in sorted(file):
            attributes = file[video].attrs
            if attributes.get("complete", False):
                facts = {key: str(attributes[key]) for key in ("skeleton", "estimator", "source", "stamp")}
                return facts | {key: str(attributes[key]) for key in ("quality", "warning") if key in attributes}
    return {}


def write_packed(path: str | Path, poses: Iterable[tuple[str, Pose]]) -> Path:
    """Adds to a packed file: `[video]` = float32 (T, 150), 50 joints × (x, y, confidence), missing as 0.

    Raises:
        WriteError: it cannot be written.
    """
    from .openpose import pack_150

    path = Path(path)
    with locked(path), whole_hdf5(_checked(path), add=True) as file:
        for video, pose in poses:
            _make_room(file, video)
            data = file.create_dataset(video, data=pack_150(pose), **COMPRESSION)
            data.attrs.update({"fps": pose.fps, "size": pose.size})
    return path


def read_packed(
    path: str | Path,
    fps: float = 25.0,
    size: tuple[int, int] | None = None,
    videos: Iterable[str] | None = None,
) -> Iterator[tuple[str, Pose]]:
    """(video, pose on "openpose-50") of every video of a packed file, by name, or of those named.

    Args:
        fps, size: of files that do not say (all but our own); size None is the extent of the keypoints.

    Raises:
        PoseFileError: not an HDF5 file, or not (T, 150).
    """
    from .errors import PoseFileError
    from .openpose import unpack_150

    with _open(Path(path)) as file:
        for video in sorted(file) if videos is None else videos:
            data = file[video]
            if not hasattr(data, "shape") or len(data.shape) != 2 or data.shape[1] != 150:
                shape = getattr(data, "shape", "a group")
                raise PoseFileError(f"{path}: {video!r} is {shape}; expected an array (T, 150)")
            known = data.attrs
            frame = (int(known["size"][0]), int(known["size"][1])) if "size" in known else size
            yield video, unpack_150(np.asarray(data, np.float32), float(known.get("fps", fps)), frame)


def pack_folders(
    root: str | Path, output: str | Path, fps: float = 25.0, size: tuple[int, int] | None = None, batch: int = 200
) -> list[tuple[str, str]]:
    """OpenPose's folders of JSON files, one a video, into one packed file; resumable.

    Of several people the one with the widest shoulders is kept, and a frame without anybody stays a row. A folder that
    is already in the file is not read again. The file grows by whole batches.

    Returns:
        (folder, reason) of every folder that could not be read; the others are in the file.

    Raises:
        PoseFileError: there is no folder with JSON files in `root`.
    """
    from .errors import PoseFileError
    from .openpose import read_openpose

    root, output = Path(root), Path(output)
    folders = sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else []
    if not folders:
        raise PoseFileError(f"{root}: holds no folders; expected one folder of OpenPose JSON files for each video")
    done: set[str] = set()
    if output.exists():
        with _open(output) as file:
            done = set(file)
    waiting = [folder for folder in folders if folder.name not in done]
    failed: list[tuple[str, str]] = []

    def read(folders: list[Path]) -> Iterator[tuple[str, Pose]]:
        for folder in folders:
            try:
                yield folder.name, read_openpose(folder, fps, size)
            except PoseFileError as error:
                failed.append((folder.name, str(error)))

    for first in range(0, len(waiting), batch):
        write_packed(output, read(waiting[first : first + batch]))
    return failed

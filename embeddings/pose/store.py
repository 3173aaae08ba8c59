"""The HDF5 pose store: `[video]/{xy, confidence, z}` with the facts as attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..clip import Pose

if TYPE_CHECKING:
    import h5py

__all__ = ["read_store", "store_header", "write_store"]


def write_store(path: Path, poses: Mapping[str, Pose], stamp: str = "") -> None:
    """Adds poses to a store (made when absent). A video already in it is replaced.

    A group counts only once its attribute ``complete`` is set, which is written last: what a killed writer leaves is
    ignored by `read_store` and written again by the next run.
    """
    import h5py

    with h5py.File(path, "a") as file:
        for video, pose in poses.items():
            if video in file:
                del file[video]
            group = file.create_group(video)
            group.create_dataset("xy", data=pose.xy, compression="gzip", compression_opts=1, shuffle=True)
            group.create_dataset("confidence", data=pose.confidence, compression="gzip", compression_opts=1)
            if pose.z is not None:
                group.create_dataset("z", data=pose.z, compression="gzip", compression_opts=1, shuffle=True)
            facts = {"fps": pose.fps, "size": pose.size, "skeleton": pose.skeleton, "estimator": pose.estimator}
            group.attrs.update({**facts, "source": pose.source, "stamp": stamp})
            file.flush()
            group.attrs["complete"] = True


def _open(path: Path) -> h5py.File:
    import h5py

    from .files import PoseFileError

    if path.exists() and path.stat().st_size == 0:
        raise PoseFileError(f"{path}: the file is empty (0 bytes)")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise PoseFileError(f"{path}: not a readable HDF5 file ({error})") from None


def read_store(path: str | Path) -> Iterator[tuple[str, Pose]]:
    """(video, pose) of every complete video of a store, by name, one in memory at a time.

    Raises:
        PoseFileError: not an HDF5 file, or a video lacks what a pose needs.
    """
    from .files import PoseFileError

    with _open(Path(path)) as file:
        for video in sorted(file):
            group = file[video]
            if not group.attrs.get("complete", False):
                continue
            try:
                yield (
                    video,
                    Pose(
                        np.asarray(group["xy"], np.float32),
                        np.asarray(group["confidence"], np.float32),
                        str(group.attrs["skeleton"]),
                        float(group.attrs["fps"]),
                        (int(group.attrs["size"][0]), int(group.attrs["size"][1])),
                        np.asarray(group["z"], np.float32) if "z" in group else None,
                        str(group.attrs.get("estimator", "")),
                        str(group.attrs.get("source", "")),
                    ),
                )
            except (KeyError, ValueError, OSError) as error:
                raise PoseFileError(f"{path}: video {video!r} is damaged ({error})") from None


def store_header(path: Path) -> dict[str, str]:
    """Facts of a store's first complete video: skeleton, estimator, source, stamp."""
    with _open(path) as file:
        for video in sorted(file):
            attributes = file[video].attrs
            if attributes.get("complete", False):
                return {key: str(attributes[key]) for key in ("skeleton", "estimator", "source", "stamp")}
    return {}

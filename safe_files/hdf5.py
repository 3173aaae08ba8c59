"""HDF5 written whole: to a temporary name, closed, opened again and checked, then renamed.

HDF5's own library ends the process with a segmentation fault when the disk is full while it closes a file. Here it
writes through a file that takes note of the first error and goes on as if nothing were wrong; the error is raised when
HDF5 has closed the file.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .faults import reach
from .foreign_hdf5 import open_hdf5, trust
from .locks import locked
from .whole import WriteError, whole_file

if TYPE_CHECKING:
    import h5py

__all__ = ["GroupedHDF5", "whole_hdf5"]

SMALL, MOST = 1 << 16, 1 << 26
"""Bytes of a write, and of all writes, that are remembered after the disk has failed: what HDF5 may read again."""


@contextmanager
def whole_hdf5(
    path: str | Path, add: bool = False, check: Callable[[h5py.File], None] | None = None
) -> Iterator[h5py.File]:
    """An HDF5 file open for writing that becomes `path` when the block ends well and the file can be read again.

    Args:
        add: begin with what `path` holds, if it exists (a copy: `path` itself is not touched).
        check: called with the file opened for reading; raises where something is wrong.

    Raises:
        WriteError: as for `whole_file`, or what was written cannot be read.
    """
    import h5py

    path = Path(path)
    with whole_file(path) as partial:
        if add and path.exists():
            shutil.copyfile(path, partial)
        with _Unfailing(partial, "r+") as raw:
            with h5py.File(raw, "r+" if raw.seek(0, os.SEEK_END) else "w") as file:
                yield file
            if raw.error is not None:
                raise raw.error
        try:
            with h5py.File(partial, "r", locking=False) as written:  # the lock is ours
                _check_extent(written, partial.stat().st_size)
                if check is not None:
                    check(written)
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            raise WriteError(f"{path}: what was written cannot be read ({error})") from error
    trust(path)


def _check_extent(file: h5py.File, size: int) -> None:
    """Every stored value lies within the file."""
    import h5py

    def visit(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or item.id.get_storage_size() == 0:
            return
        end = 0
        if item.chunks is None:
            offset = item.id.get_offset()
            end = 0 if offset is None else offset + item.id.get_storage_size()
        else:
            for k in range(item.id.get_num_chunks()):
                chunk = item.id.get_chunk_info(k)
                end = max(end, chunk.byte_offset + chunk.size)
        if end > size:
            raise ValueError(f"{name} ends at byte {end} of {size}")

    file.visititems(visit)


class _Unfailing(io.FileIO):
    """A file in which no write fails; `error` is the first that did."""

    error: OSError | None = None

    def __init__(self, path: Path, mode: str) -> None:
        super().__init__(path, mode)
        self._path = path
        self._lost: list[tuple[int, bytes]] = []
        self._lost_bytes = 0

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        start, done = self.tell(), 0
        try:
            reach("write", self._path)
            while done < len(view):
                done += super().write(view[done:])
        except OSError as error:
            self.error = self.error or error
            if len(view) <= SMALL and self._lost_bytes + len(view) <= MOST:
                self._lost.append((start, bytes(view)))
                self._lost_bytes += len(view)
            self.seek(start + len(view))
        return len(view)

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        start = self.tell()
        count = super().readinto(view) or 0
        if self.error is None:
            return count
        view[count:] = bytes(len(view) - count)
        for at, data in self._lost:
            low, high = max(at, start), min(at + len(data), start + len(view))
            if low < high:
                view[low - start : high - start] = data[low - at : high - at]
        return len(view)

    def truncate(self, size: int | None = None, /) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return self.tell() if size is None else size


class GroupedHDF5:
    """An HDF5 file that long jobs fill group by group, one for each video, and go on with after a stop.

    Each group is first a whole file of its own in the folder `<name>.parts` beside the target; leaving the `with`
    block, also by an error, puts them all into the target in one step. After a kill they are still there, count as
    done, and the next run takes them in. Several processes may add to one target at the same time.

    ::

        with GroupedHDF5("locations.h5") as store:
            for video in videos:
                if video.name not in store:
                    with store.add(video.name) as group:
                        group["vector"] = …

    Args:
        attributes: of the whole file, e.g. which weights made it.

    Raises:
        ValueError: the file is there and is not HDF5, or it was begun with another value of an attribute.
    """

    def __init__(self, path: str | Path, attributes: Mapping[str, str] | None = None) -> None:
        self.path = Path(path)
        self.attributes = dict(attributes or {})
        self._parts = self.path.with_name(f"{self.path.name}.parts")
        self.names()

    def names(self) -> set[str]:
        """Groups that are done."""
        with self._read() as file:
            names = set() if file is None else {name for name in file if not name.startswith(".")}
            if file is not None:
                self._check(file)
        return names | set(self._part_names().values())

    def __contains__(self, name: str) -> bool:
        return name in self.names()

    def put(self, name: str, values: Any, attributes: Mapping[str, Any] | None = None) -> None:
        """One array in place of a group, with attributes of its own.

        Raises:
            ValueError, WriteError: as for `add`.
        """
        with self._part(name) as file:
            file.create_dataset(name, data=values).attrs.update(attributes or {})

    @contextmanager
    def add(self, name: str) -> Iterator[h5py.Group]:
        """The group of one video, to be filled; it counts when the block ends well. One of that name is replaced.

        Raises:
            ValueError: the name is empty, begins with a dot, or holds a slash (a folder inside HDF5) or NUL.
            WriteError: it cannot be written.
        """
        with self._part(name) as file:
            yield file.create_group(name)

    @contextmanager
    def _part(self, name: str) -> Iterator[h5py.File]:
        if not name or name.startswith(".") or "/" in name or "\0" in name:
            raise ValueError(f"{self.path}: {name!r} cannot be a group's name; expected one without '/'")
        part = self._parts / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.h5"
        with whole_hdf5(part) as file:
            file.attrs.update(self.attributes)
            yield file

    def _check(self, file: h5py.File) -> None:
        for key, value in self.attributes.items():
            other = file.attrs.get(key, value)
            if other != value:
                raise ValueError(
                    f"{self.path}: was begun with the {key} {other}, not {value}; "
                    f"give another output, or delete {self.path.name} and {self._parts.name}"
                )

    def merge(self) -> None:
        """Puts all groups that were added into the target.

        Raises:
            WriteError: the target cannot be written; what was added is kept for the next run.
        """
        if not self._parts.is_dir():
            return
        with locked(self.path):
            parts = self._part_names()
            if parts:
                self._write(parts)
            for part in parts:
                part.unlink(missing_ok=True)
            with suppress(OSError):  # another process adds to the same target
                self._parts.rmdir()

    def _write(self, parts: Mapping[Path, str]) -> None:
        import h5py

        with self._read() as old, whole_hdf5(self.path) as new:
            if old is not None:
                new.attrs.update(dict(old.attrs))
                for name in old:
                    if name not in parts.values() and not name.startswith("."):
                        old.copy(name, new)
            new.attrs.update(self.attributes)
            for part, name in sorted(parts.items(), key=lambda item: item[1]):
                with h5py.File(part, "r") as file:
                    file.copy(name, new)

    def _part_names(self) -> dict[Path, str]:
        import h5py

        names: dict[Path, str] = {}
        for part in sorted(self._parts.glob("[0-9a-f]*.h5")):
            with suppress(OSError), h5py.File(part, "r") as file:
                self._check(file)
                names[part] = next(iter(file))
        return names

    @contextmanager
    def _read(self) -> Iterator[h5py.File | None]:
        if not self.path.exists():
            yield None
            return
        try:
            file = open_hdf5(self.path)
        except OSError as error:
            raise ValueError(f"{error}; give another output") from None
        with file:
            yield file

    def __enter__(self) -> GroupedHDF5:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.merge()

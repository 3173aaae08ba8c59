"""Files of crops: one view of one film as H.264 in HDF5, in pieces that are decoded by themselves.

Layout: `packets` (N,) uint8, the pieces' H.264 streams one after the other; `piece` (P + 1,) first byte of each, and
the end; `row` (T,) for each frame the number of its picture, the nearest one where a frame has none of its own;
attributes `size`, `count` (pictures), `piece_length`, `fps`, `facts` (what it was cut from). Memory holds a few decoded
pieces, however long the film is.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from safe_files import open_hdf5, parse_json, whole_hdf5

from ..nearest import nearest_rows

if TYPE_CHECKING:
    import h5py

__all__ = ["PIECE", "StoredPictures", "write_crops"]

PIECE = 48
"""Pictures of a piece: two seconds."""

QUALITY = 23
"""x264's constant rate factor: networks' vectors of the decoded crops have a cosine of .999 with those of the crops."""

HELD = 32 << 20
"""Bytes of decoded pieces in memory, of each open file."""

Picture = NDArray[np.uint8]

_SETTINGS = {
    "crf": str(QUALITY), "preset": "veryfast",
    # one thread and no algorithm chosen by processor: the same crops give the same bytes
    "x264-params": f"threads=1:lookahead-threads=1:cpu-independent=1:keyint={PIECE}",
}  # fmt: skip


def _encoded(pictures: Sequence[Picture]) -> bytes:
    """Pictures (H, W, 3) of even sides as one H.264 stream."""
    import av

    height, width = pictures[0].shape[:2]
    codec: Any = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.framerate, codec.options = 25, _SETTINGS
    parts = []
    for picture in pictures:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        parts += [bytes(packet) for packet in codec.encode(frame.reformat(format="yuv420p"))]
    return b"".join([*parts, *(bytes(packet) for packet in codec.encode(None))])


def _decoded(stream: bytes) -> Picture:
    """(n, H, W, 3) of an H.264 stream."""
    import av

    codec: Any = av.CodecContext.create("h264", "r")
    codec.thread_count = 1
    frames = [f for packet in [*codec.parse(stream), *codec.parse(None)] for f in codec.decode(packet)]
    frames += codec.decode(None)
    return np.stack([frame.to_ndarray(format="rgb24") for frame in frames])


class _Writer:
    """Takes the crops of one view, one at a time."""

    def __init__(self, file: h5py.File, size: int) -> None:
        self.file, self.size = file, size
        self.packets = file.create_dataset("packets", (0,), np.uint8, maxshape=(None,), chunks=(1 << 15,))
        self.ends, self.own, self.waiting = [0], list[bool](), list[Picture]()

    def add(self, crop: Picture | None) -> None:
        self.own.append(crop is not None)
        if crop is not None:
            odd = self.size % 2
            self.waiting.append(np.pad(crop, ((0, odd), (0, odd), (0, 0)), mode="edge") if odd else crop)
        if len(self.waiting) == PIECE:
            self._flush()

    def _flush(self) -> None:
        if self.waiting:
            stream = np.frombuffer(_encoded(self.waiting), np.uint8)
            self.packets.resize(self.ends[-1] + len(stream), axis=0)
            self.packets[self.ends[-1] :] = stream
            self.ends.append(self.ends[-1] + len(stream))
            self.waiting = []

    def finish(self, fps: float, facts: Mapping[str, Any]) -> None:
        self._flush()
        own = np.array(self.own, bool)
        nearest = nearest_rows(own)
        if nearest is None:
            raise ValueError("no picture was cut: the film has no frames, or none in which its pose is known")
        self.file["piece"] = np.array(self.ends, np.int64)
        self.file["row"] = (np.cumsum(own) - 1)[nearest].astype(np.int32)
        self.file.attrs.update({"size": self.size, "count": int(own.sum()), "piece_length": PIECE, "fps": fps})
        self.file.attrs["facts"] = json.dumps(dict(facts), sort_keys=True)


def write_crops(
    paths: Sequence[Path], crops: Iterable[Sequence[Picture | None]], sizes: Sequence[int], fps: float,
    facts: Sequence[Mapping[str, Any]],
) -> None:  # fmt: skip
    """Writes the crops of several views of one film, each to its file, whole or not at all.

    Args:
        crops: for each frame a square (size, size, 3) of each view, or None where there is nothing to see.
        sizes: of the views; facts: what each is cut from, as JSON.

    Raises:
        ValueError: there is no crop of a view.
    """
    with ExitStack() as stack:
        files = [stack.enter_context(whole_hdf5(path)) for path in paths]
        writers = [_Writer(file, size) for file, size in zip(files, sizes, strict=True)]
        for row in crops:
            for writer, crop in zip(writers, row, strict=True):
                writer.add(crop)
        for writer, own in zip(writers, facts, strict=True):
            writer.finish(fps, own)


class StoredPictures:
    """The pictures of a view's file, like an array (T, size, size, 3) uint8 that is decoded where it is looked at.

    Args:
        path: what `write_crops` wrote.
        frames: only so many first ones; None: all.

    Raises:
        ValueError: damaged, or no such file.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, path: str | Path, frames: int | None = None) -> None:
        self.path = Path(path)
        try:
            with open_hdf5(self.path) as file:
                self._rows: NDArray[np.int32] = file["row"][:frames]
                self._pieces: NDArray[np.int64] = file["piece"][:]
                self._size, self._length = int(file.attrs["size"]), int(file.attrs["piece_length"])
                self.fps = float(file.attrs["fps"])
                self.facts: dict[str, Any] = parse_json(file.attrs["facts"])
                if file["packets"].shape[0] != self._pieces[-1]:
                    raise ValueError("its streams are cut off")
        except (OSError, KeyError, ValueError) as error:
            raise ValueError(f"{self.path}: no readable file of crops ({error}); delete it") from None
        self._held: OrderedDict[int, Picture] = OrderedDict()

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return len(self._rows), self._size, self._size, 3

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, frames: Any) -> Picture:
        """Pictures of frames: a slice, a number, or an array of numbers of any shape."""
        rows = self._rows[frames]
        pictures = np.empty((*np.shape(rows), self._size, self._size, 3), np.uint8)
        flat, out = np.ravel(rows), pictures.reshape(-1, self._size, self._size, 3)
        for piece in np.unique(flat // self._length).tolist():
            mine = np.flatnonzero(flat // self._length == piece)
            out[mine] = self._piece(piece)[flat[mine] - piece * self._length]
        return pictures

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(np.uint8 if dtype is None else dtype)

    def _piece(self, piece: int) -> Picture:
        if piece in self._held:
            self._held.move_to_end(piece)
            return self._held[piece]
        with open_hdf5(self.path) as file:
            stream = file["packets"][self._pieces[piece] : self._pieces[piece + 1]].tobytes()
        decoded = _decoded(stream)[:, : self._size, : self._size]
        self._held[piece] = decoded
        while len(self._held) > 1 and sum(d.nbytes for d in self._held.values()) > HELD:
            self._held.popitem(last=False)
        return decoded

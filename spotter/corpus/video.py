"""One video of a corpus: one file with its window vectors, its frame features and its facts.

The file is safetensors: `vectors` (L·W, D) float16 unit rows, all W windows of the first length, then of the next;
`features` (T, F) float16 frame features for alignment; facts as metadata. It is written whole or not at all, and its
arrays are read by memory map, so a search touches only the rows it needs.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safe_files import parse_json, reader, whole_file

__all__ = ["ENDING", "CorpusError", "StoredVideo", "read_stored", "write_stored"]

ENDING = ".safetensors"


class CorpusError(ValueError):
    """A corpus folder does not fit what is asked of it, or is damaged."""


@dataclass(frozen=True, eq=False)
class StoredVideo:
    """What a video's file says of it; the arrays are mapped when used.

    Attributes:
        path: of the file.
        name: of the video (its file's stem).
        source: the video or pose file it was made from.
        stamp: of that file: size and hash.
        content: SHA-256 of the arrays.
        fps: of the frames; frames: how many; duration: seconds of the source.
        encoder: id of the encoder; grid: the window lengths in frames and the stride between centres.
        places: array → (dtype, shape, first byte in the file).
    """

    path: Path
    name: str
    source: str
    stamp: str
    content: str
    fps: float
    frames: int
    duration: float
    encoder: str
    grid: tuple[tuple[int, ...], int]
    places: dict[str, tuple[str, tuple[int, ...], int]]

    def check(self) -> None:
        """Raises `ValueError` where the facts are none that a video can have, or do not fit the arrays."""
        if not (0 < self.fps < math.inf and 0 <= self.duration < math.inf and self.frames >= 0):
            raise ValueError(
                f"{self.frames} frames in {self.duration} s, {self.fps} per second; expected finite numbers"
            )
        lengths, stride = self.grid
        if not lengths or min(lengths) < 1 or stride < 1:
            raise ValueError(f"window lengths {lengths}, stride {stride}; expected at least one length, all at least 1")
        vectors, features = self.places["vectors"][1], self.places["features"][1]
        if len(vectors) != 2 or len(features) != 2:
            raise ValueError(f"vectors {vectors} and features {features}; expected two axes each")

    @property
    def rows(self) -> int:
        """Number of window vectors."""
        return self.places["vectors"][1][0]

    @cached_property
    def vectors(self) -> NDArray[np.float16]:
        """(L·W, D), memory-mapped."""
        return self._mapped("vectors")

    @property
    def features(self) -> NDArray[np.float16]:
        """(T, F), memory-mapped."""
        return self._mapped("features")

    def _mapped(self, name: str) -> NDArray[np.float16]:
        _, shape, offset = self.places[name]
        if 0 in shape:
            return np.zeros(shape, np.float16)
        return np.memmap(self.path, np.float16, "r", offset, shape)

    def forget(self) -> None:
        """Unmaps the vectors."""
        self.__dict__.pop("vectors", None)

    def windows(self, rows: NDArray[np.integer]) -> NDArray[np.float64]:
        """Windows (n, 2) in frames that rows were made from, before they are clipped to the video."""
        lengths, stride = self.grid
        each = self.rows // len(lengths)
        middle = np.minimum((rows % each) * stride, self.frames - 1) + 0.5
        half = np.asarray(lengths, np.float64)[rows // each] / 2
        return np.stack([middle - half, middle + half], axis=1)

    def intact(self) -> bool:
        """Whether the arrays are what was written (reads them all)."""
        return _content(self.vectors, self.features) == self.content


def _content(vectors: NDArray[np.float16], features: NDArray[np.float16]) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(vectors).data)
    digest.update(np.ascontiguousarray(features).data)
    return digest.hexdigest()


def write_stored(
    path: Path, vectors: NDArray[np.float16], features: NDArray[np.float16], facts: dict[str, Any]
) -> None:
    """Writes a video's file, whole or not at all.

    Args:
        facts: name, source, stamp, fps, frames, duration, encoder, lengths, stride.
    """
    from safetensors.numpy import save_file

    header = json.dumps({**facts, "content": _content(vectors, features)}, ensure_ascii=False)
    with whole_file(path) as partial:
        save_file({"vectors": vectors, "features": features}, partial, {"facts": header})


@reader(CorpusError)
def read_stored(path: Path) -> StoredVideo:
    """The facts of a video's file, from its header alone.

    Raises:
        CorpusError: damaged; names the file and says what to do.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size - 8, 1 << 20):
                raise ValueError("its header is cut off")
            header = parse_json(file.read(length))
        facts = parse_json(header.pop("__metadata__")["facts"])
        if size != 8 + length + max(entry["data_offsets"][1] for entry in header.values()):
            raise ValueError(f"it is {size} bytes long, its header says otherwise")
        places = {
            name: (str(e["dtype"]), tuple(e["shape"]), 8 + length + int(e["data_offsets"][0]))
            for name, e in header.items()
        }
        if {name: kind for name, (kind, _, _) in places.items()} != {"vectors": "F16", "features": "F16"}:
            raise ValueError("it does not hold float16 vectors and features")
        grid = (tuple(int(n) for n in facts["lengths"]), int(facts["stride"]))
        texts = {key: str(facts[key]) for key in ("name", "source", "stamp", "content", "encoder")}
        stored = StoredVideo(
            path=path, fps=float(facts["fps"]), frames=int(facts["frames"]), duration=float(facts["duration"]),
            grid=grid, places=places, **texts,
        )  # fmt: skip
        stored.check()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(
            f"{path}: damaged ({error}); delete it and run the same spotter index command again"
        ) from None
    return stored

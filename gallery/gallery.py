"""`Gallery`: exemplars of signs, their vectors, and cosine search over them."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from safe_files import locked, open_hdf5, previous_folder, read_json, reader, whole_folder, whole_hdf5

from .index import inner_product_index, read_flat, write_index

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Gallery", "GalleryChangedError", "GalleryError"]

VERSION = 1
FACTS = ("source", "start", "end", "donor", "frames", "path", "thumbnail")
"""Columns of an exemplar beside its id and label: the file it came from, the trimmed span in seconds, the video that
donated it (Top-K transfer), its length in the encoder's frames, where the file was when it was enrolled, and the name
of its picture in the folder `thumbnails/`."""
THUMBNAILS = "thumbnails"


class GalleryError(ValueError):
    """A gallery does not fit what is asked of it, or its folder is damaged."""


class GalleryChangedError(GalleryError):
    """Another process has written the gallery since it was read; what would be saved lacks that."""


def _version(folder: Path) -> tuple[int, int] | None:
    """What tells a saved gallery from the one before it: every save makes its files anew."""
    try:
        facts = (folder / "gallery.json").stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns


def check_printable(text: str) -> None:
    """Raises `GalleryError` where a label or id could not be read back from a table as it was."""
    wrong = next(
        (c for c in text if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000), None
    )
    if wrong is not None:
        raise GalleryError(f"the label {text!r} holds the control character {wrong!r}; expected plain text")


def _check_times(name: str, facts: Mapping[str, Any]) -> None:
    """Raises `GalleryError` where an exemplar's span is none."""
    try:
        times = {key: float(facts[key]) for key in ("start", "end", "frames") if facts.get(key) is not None}
    except (TypeError, ValueError):
        times = {"start": math.nan}
    if not all(0 <= time < math.inf for time in times.values()) or times.get("end", math.inf) < times.get("start", 0):
        said = ", ".join(f"{key} {facts[key]!r}" for key in ("start", "end", "frames") if key in facts)
        raise GalleryError(
            f"the exemplar {name!r} has {said}; expected seconds, 0 <= start <= end, and a number of frames"
        )


class Gallery:
    """Exemplars of signs: one unit vector each, a label, and where it came from; several per sign are welcome.

    Args:
        dim: length of the vectors.
        encoder: id of the encoder that made them; searching with another's vectors is an error.
        gpu: keep the index on a GPU.

    Order: exemplars in the order they were added; `labels` in the order of their first exemplar. Of equal scores the
    earlier exemplar wins.
    """

    def __init__(self, dim: int, encoder: str = "", gpu: bool = False) -> None:
        if dim < 1:
            raise GalleryError(f"a gallery of vectors of length {dim}; expected at least 1")
        self.dim, self.encoder, self.gpu = dim, encoder, gpu
        self._room = np.zeros((0, dim), np.float32)
        self.vectors: NDArray[np.float32] = self._room[:0]
        self.ids: list[str] = []
        self.exemplar_labels: list[str] = []
        self.facts: list[dict[str, Any]] = []
        self.features: list[NDArray[np.float32] | None] = []
        self._thumbnails: dict[str, bytes | Path] = {}
        self._index: Any = None
        self._taken: set[str] = set()
        self._next_numbers: dict[str, int] = {}
        self._read_from: tuple[Path, tuple[int, int]] | None = None
        """The folder it is a copy of, and which version of it."""

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, label: str) -> bool:
        return label in self.exemplar_labels

    def __repr__(self) -> str:
        return f"Gallery({len(self.labels)} signs, {len(self)} exemplars, dim={self.dim}, encoder={self.encoder!r})"

    @property
    def labels(self) -> tuple[str, ...]:
        """The signs, in the order of their first exemplar."""
        return tuple(dict.fromkeys(self.exemplar_labels))

    @property
    def exemplars(self) -> pd.DataFrame:
        """One row per exemplar: id, label and `FACTS`."""
        import pandas as pd

        rows = [
            {"id": i, "label": label, **{key: facts.get(key) for key in FACTS}}
            for i, label, facts in zip(self.ids, self.exemplar_labels, self.facts, strict=True)
        ]
        return pd.DataFrame(rows, columns=["id", "label", *FACTS])

    def add(
        self,
        vectors: ArrayLike,
        labels: Sequence[str],
        ids: Sequence[str] | None = None,
        facts: Sequence[Mapping[str, Any]] | None = None,
        features: Sequence[NDArray[np.float32] | None] | None = None,
    ) -> list[str]:
        """Adds exemplars; all of them or, on an error, none.

        Args:
            vectors: (N, D), unit rows.
            labels: N glosses.
            ids: N unique names; default label, label~2, label~3, …
            facts: N mappings with any of `FACTS`; times are finite.
            features: N frame features (T, F) for boundary refinement, or None each.

        Returns:
            The ids.

        Raises:
            GalleryError: wrong length, rows that are not finite or not of length 1, empty label, id already there.
        """
        rows = self._unit_rows(vectors)
        count = len(rows)
        for name, given in (("labels", labels), ("ids", ids), ("facts", facts), ("features", features)):
            if given is not None and len(given) != count:
                raise GalleryError(f"{len(given)} {name} for {count} vectors; expected one each")
        if not all(isinstance(label, str) and label.strip() for label in labels):
            raise GalleryError("a label is empty or no string; every exemplar needs its gloss")
        names = list(ids) if ids is not None else self._new_ids(labels)
        for text in (*labels, *names):
            check_printable(text)
        taken = self._taken_ids()
        twice = {name for name, times in Counter(names).items() if times > 1 or name in taken}
        if twice:
            raise GalleryError(f"exemplar ids are not unique: {', '.join(sorted(twice))}")
        for name, one in zip(names, facts if facts is not None else (), strict=False):
            _check_times(name, one)
        self._append(rows)
        taken.update(names)
        self.ids += names
        self.exemplar_labels += list(labels)
        self.facts += [dict(f) for f in facts] if facts is not None else [{} for _ in names]
        self.features += list(features) if features is not None else [None] * count
        self._index = None
        return names

    def remove(self, ids: Iterable[str]) -> None:
        """Removes exemplars by id; none is removed when one is unknown.

        Raises:
            GalleryError: an id is unknown.
        """
        leaving = set(ids)
        unknown = leaving - set(self.ids)
        if unknown:
            raise GalleryError(f"no exemplar with the id {', '.join(sorted(unknown))} in this gallery")
        keep = [i for i, name in enumerate(self.ids) if name not in leaving]
        self._keep(keep)

    def only(self, labels: Iterable[str]) -> Gallery:
        """A gallery of some of the signs, in this one's order.

        Raises:
            GalleryError: a label is unknown.
        """
        wanted = set(labels)
        unknown = wanted - set(self.exemplar_labels)
        if unknown:
            raise GalleryError(f"the gallery has no exemplar of {', '.join(sorted(unknown))}")
        part = self.copy()
        part._keep([i for i, label in enumerate(self.exemplar_labels) if label in wanted])
        return part

    def copy(self) -> Gallery:
        """An independent gallery with the same exemplars."""
        other = Gallery(self.dim, self.encoder, self.gpu)
        other.vectors = self.vectors.copy()
        other.ids, other.exemplar_labels = list(self.ids), list(self.exemplar_labels)
        other._taken = set(self.ids)
        other.facts, other.features = [dict(f) for f in self.facts], list(self.features)
        other._thumbnails = dict(self._thumbnails)
        other._read_from = self._read_from
        return other

    def set_thumbnail(self, exemplar: str, jpeg: bytes) -> None:
        """Gives an exemplar its picture, a JPEG file's bytes.

        Raises:
            GalleryError: the exemplar's id is unknown, or the bytes are no JPEG file.
        """
        if not jpeg.startswith(b"\xff\xd8"):
            raise GalleryError(f"the thumbnail of {exemplar} is no JPEG picture")
        facts = self.facts[self._row(exemplar)]
        # named by its content: a gallery that was read before the folder was written anew never shows another's picture
        facts["thumbnail"] = f"{hashlib.sha256(jpeg).hexdigest()[:20]}.jpg"
        self._thumbnails[facts["thumbnail"]] = jpeg

    def thumbnail(self, exemplar: str) -> bytes | None:
        """The picture of an exemplar as JPEG; None where there is none.

        Raises:
            GalleryError: the exemplar's id is unknown.
        """
        held = self._thumbnails.get(str(self.facts[self._row(exemplar)].get("thumbnail", "")))
        if not isinstance(held, Path):
            return held
        try:
            return held.read_bytes()
        except OSError:
            return None

    def _row(self, exemplar: str) -> int:
        if exemplar not in self.ids:
            raise GalleryError(f"no exemplar with the id {exemplar} in this gallery")
        return self.ids.index(exemplar)

    def search(self, queries: ArrayLike, k: int = 5) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
        """The k most similar exemplars of each query row: scores (W, k') and ids (W, k'), best first.

        k' is the smaller of k and the number of exemplars, so there is never an empty place. Queries are unit rows.
        """
        rows = self._unit_rows(queries)
        if k < 1:
            raise GalleryError(f"k is {k}; expected at least 1")
        k = min(k, len(self))
        if k == 0 or len(rows) == 0:
            return np.zeros((len(rows), k), np.float32), np.empty((len(rows), k), dtype=np.str_)
        if self._index is None:
            self._index = inner_product_index(self.vectors, self.gpu)
        scores, places = self._index.search(rows, k)
        order = np.lexsort((places, -scores), axis=1)
        places = np.take_along_axis(places, order, axis=1)
        return np.take_along_axis(scores, order, axis=1), np.array(self.ids)[places]

    def similarity(self, queries: ArrayLike) -> NDArray[np.float32]:
        """Cosine of each query row with each sign, its best exemplar counting: (W, L) in the order of `labels`."""
        rows = self._unit_rows(queries)
        every = rows @ self.vectors.T
        labels = np.array(self.exemplar_labels)
        best = [every[:, labels == label].max(axis=1) for label in self.labels]
        return np.stack(best, axis=1) if best else np.zeros((len(rows), 0), np.float32)

    def save(self, folder: str | Path) -> Path:
        """Writes the folder `index.faiss`, `exemplars.csv`, `gallery.json`, `features.h5` and, where exemplars have
        pictures, `thumbnails/`; whole or not at all.

        What was written is read again before it takes the place of what was there.

        Raises:
            GalleryError: the folder is there and is no gallery.
            GalleryChangedError: another process has written the folder since this gallery was read from it
                (`changing` reads and saves in one step).
            WriteError: it cannot be written.
        """
        folder = Path(folder)
        if (
            folder.exists()
            and not (folder / "gallery.json").exists()
            and (not folder.is_dir() or any(folder.iterdir()))
        ):
            raise GalleryError(f"{folder} exists and is no gallery; choose another folder")
        with locked(folder):
            here = folder.resolve()
            version = _version(here)
            if self._read_from is not None and self._read_from[0] == here and version not in (None, self._read_from[1]):
                raise GalleryChangedError(
                    f"{folder}: another process has changed this gallery since it was read; read it again and repeat "
                    "the change"
                )
            with whole_folder(folder) as partial:
                self._write(partial)
                self._check_written(partial)
            version = _version(here)
            self._read_from = None if version is None else (here, version)
        return folder

    @classmethod
    @contextmanager
    def changing(cls, folder: str | Path) -> Iterator[Gallery]:
        """The gallery of a folder, to be changed in the block and saved when that ends well.

        No other process changes it meanwhile: of two, the second waits for the first, so keep the block short.

        Raises:
            GalleryError: as for `load`; nothing is saved.
            WriteError: it cannot be written, or another process was writing for ten minutes.
        """
        with locked(folder):
            gallery = cls.load(folder)
            yield gallery
            gallery.save(folder)

    def _check_written(self, folder: Path) -> None:
        """What was written reads as what it was made from."""
        again = Gallery.load(folder)
        if (again.ids, again.exemplar_labels) != (self.ids, self.exemplar_labels) or not np.array_equal(
            again.vectors, self.vectors
        ):
            raise GalleryError(f"{folder.name}: what was written does not read the same; nothing was changed")

    @classmethod
    @reader(GalleryError)
    def load(cls, folder: str | Path, gpu: bool = False) -> Gallery:
        """A gallery from its folder.

        Raises:
            GalleryError: not a gallery, of a newer version, or its files disagree.
        """
        folder = Path(folder)
        here, version_there = folder.resolve(), _version(folder.resolve())  # before reading: a later one is another
        if not folder.exists() and previous_folder(folder).exists():
            folder = previous_folder(folder)  # a save was killed between its two renames
        head = folder / "gallery.json"
        if not head.exists():
            raise GalleryError(f"{folder}: no gallery here (no gallery.json); make one with `spotter enroll`")
        try:
            facts = read_json(head)
            version, dim, encoder = int(facts["version"]), int(facts["dim"]), str(facts["encoder"])
        except (ValueError, KeyError, TypeError) as error:
            raise GalleryError(f"{head}: damaged ({type(error).__name__}: {error})") from None
        if version > VERSION:
            raise GalleryError(f"{folder}: version {version} of the format; this toolkit reads up to {VERSION}")
        gallery = cls(dim, encoder, gpu)
        gallery._read(folder)
        gallery._read_from = None if version_there is None else (here, version_there)
        return gallery

    def check_encoder(self, encoder: str) -> None:
        """Raises `GalleryError` unless the vectors were made by this encoder."""
        if self.encoder and encoder and self.encoder != encoder:
            raise GalleryError(
                f"the gallery was made with the encoder {self.encoder!r}, not {encoder!r}; "
                "use that encoder, or enroll the exemplars again"
            )

    def _unit_rows(self, vectors: ArrayLike) -> NDArray[np.float32]:
        rows = np.ascontiguousarray(vectors, np.float32)
        rows = rows[None] if rows.ndim == 1 else rows
        if rows.ndim != 2 or rows.shape[1] != self.dim:
            raise GalleryError(f"vectors have the shape {rows.shape}; this gallery needs (N, {self.dim})")
        if not np.isfinite(rows).all():
            raise GalleryError(f"vector {int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])} is not finite")
        lengths = np.linalg.norm(rows, axis=1)
        if len(rows) and np.abs(lengths - 1).max() > 1e-3:
            worst = int(np.abs(lengths - 1).argmax())
            raise GalleryError(f"vector {worst} has length {lengths[worst]:.4f}; expected unit rows")
        return rows

    def relabel(self, rows: Sequence[int], label: str) -> list[str]:
        """Gives exemplars another gloss, and ids of it that the others leave free; their new ids."""
        own = {self.ids[row] for row in rows}
        self._next_numbers = {}
        names = self._new_ids([label] * len(rows), self._taken_ids() - own)
        for row, name in zip(rows, names, strict=True):
            self.ids[row], self.exemplar_labels[row] = name, label
        self._taken, self._next_numbers = set(self.ids), {}
        return names

    def _new_ids(self, labels: Sequence[str], taken: Set[str] | None = None) -> list[str]:
        """Ids of labels: the label itself, else with ~2, ~3 … the first that is not taken (None: by an exemplar)."""
        taken = self._taken_ids() if taken is None else taken
        new, names = set[str](), list[str]()
        for label in labels:
            # the numbers below the noted one are taken: ids leave by `_keep` and `relabel` alone, which forget it
            number = self._next_numbers.get(label, 1)
            while (name := label if number == 1 else f"{label}~{number}") in taken or name in new:
                number += 1
            self._next_numbers[label] = number
            new.add(name)
            names.append(name)
        return names

    def _taken_ids(self) -> set[str]:
        if len(self._taken) != len(self.ids):
            self._taken = set(self.ids)
        return self._taken

    def _append(self, rows: NDArray[np.float32]) -> None:
        """Appends to `vectors`, the beginning of a larger array: adding one by one copies each row a few times."""
        count = len(self.vectors)
        if self.vectors.base is not self._room or count + len(rows) > len(self._room):
            self._room = np.empty((max(count + len(rows), 2 * count), self.dim), np.float32)
            self._room[:count] = self.vectors
        self._room[count : count + len(rows)] = rows
        self.vectors = self._room[: count + len(rows)]

    def _keep(self, rows: list[int]) -> None:
        self.vectors = self.vectors[rows]
        self.ids = [self.ids[i] for i in rows]
        self.exemplar_labels = [self.exemplar_labels[i] for i in rows]
        self.facts = [self.facts[i] for i in rows]
        self.features = [self.features[i] for i in rows]
        self._index = None
        self._taken, self._next_numbers = set(self.ids), {}

    def _write(self, folder: Path) -> None:
        write_index(folder / "index.faiss", inner_product_index(self.vectors))
        self.exemplars.to_csv(folder / "exemplars.csv", index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        with whole_hdf5(folder / "features.h5") as file:
            for i, values in enumerate(self.features):
                if values is not None:
                    file.create_dataset(str(i), data=values.astype(np.float32), compression="gzip", compression_opts=1)
        self._write_thumbnails(folder / THUMBNAILS)
        head = {"version": VERSION, "dim": self.dim, "encoder": self.encoder, "exemplars": len(self)}
        (folder / "gallery.json").write_text(json.dumps(head, indent=2), encoding="utf-8")

    def _write_thumbnails(self, folder: Path) -> None:
        for name, facts in zip(self.ids, self.facts, strict=True):
            picture = self.thumbnail(name)
            if picture is not None:
                folder.mkdir(exist_ok=True)
                (folder / facts["thumbnail"]).write_bytes(picture)

    def _read(self, folder: Path) -> None:
        import pandas as pd

        vectors = read_flat(folder / "index.faiss")
        try:
            # a gloss may be "NA" or "007": read as it was written
            texts = dict.fromkeys(("id", "label", "source", "donor", "path", "thumbnail"), str)
            table = pd.read_csv(folder / "exemplars.csv", dtype=texts, keep_default_na=False,
                                na_values={c: [""] for c in FACTS})  # fmt: skip
            ids, labels = table["id"].tolist(), table["label"].tolist()
        except (OSError, ValueError, KeyError) as error:
            raise GalleryError(f"{folder / 'exemplars.csv'}: not readable ({error})") from None
        if len(vectors) != len(table) or (len(table) and vectors.shape[1] != self.dim):
            raise GalleryError(
                f"{folder}: index.faiss holds {len(vectors)} vectors of length {vectors.shape[1]}, "
                f"exemplars.csv {len(table)} rows "
                f"and gallery.json says length {self.dim}; the folder is damaged"
            )
        if len(table) == 0:
            return
        columns = [c for c in FACTS if c in table]
        facts = [{c: row[c] for c in columns if not pd.isna(row[c])} for row in table[columns].to_dict("records")]
        features: list[NDArray[np.float32] | None] = [None] * len(table)
        if (folder / "features.h5").exists():
            with open_hdf5(folder / "features.h5") as file:
                features = [np.asarray(file[str(i)]) if str(i) in file else None for i in range(len(table))]
        self.add(vectors, labels, ids, facts, features)
        for named in facts:
            picture = str(named.get("thumbnail", ""))
            if picture and Path(picture).name == picture:
                self._thumbnails[picture] = folder / THUMBNAILS / picture

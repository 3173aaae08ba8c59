"""Files of isolated recognition: labels `sample,label,split`, predictions `sample,class`, submission templates."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safe_files import open_whole, read_npz, reader, write_text

__all__ = ["fill_template", "read_classes", "read_ranked", "read_truth", "read_vectors", "write_truth"]

IDS = ("sample", "id", "clip", "video")
LABELS = ("label", "class", "gloss", "sign")


@reader(ValueError)
def read_classes(path: str | Path) -> dict[str, list[str]]:
    """Id → ranked labels of a CSV: the first column is the id, the second the class, further ones the next likeliest.

    A first row whose first cell is `sample`, `id`, `clip` or `video` is a header.

    Raises:
        ValueError: unreadable, empty, a row with fewer than two columns, an id given twice.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(n, row) for n, row in enumerate(csv.reader(file), 1) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None
    if rows and rows[0][1][0].strip().lower() in IDS:
        rows = rows[1:]
    if not rows:
        raise ValueError(f"{path}: holds no row; expected sample,class")
    guesses: dict[str, list[str]] = {}
    for number, row in rows:
        if len(row) < 2 or not row[0].strip():
            raise ValueError(f"{path}:{number}: is {','.join(row)!r}; expected sample,class")
        if row[0].strip() in guesses:
            raise ValueError(f"{path}:{number}: {row[0].strip()!r} is given twice")
        guesses[row[0].strip()] = [cell.strip() for cell in row[1:] if cell.strip()]
    return guesses


@reader(ValueError)
def read_ranked(path: str | Path) -> dict[str, list[str]]:
    """Id → ranked labels of a CSV in either form: `sample,class[,next …]`, or `sample,rank,label[,…]`, a row a guess.

    Raises:
        ValueError: as `read_classes`; a rank that is no whole number or given twice.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            if not {"rank", "label"} <= set(table.fieldnames or ()):
                return read_classes(path)
            rows = list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None
    key = next((name for name in IDS if name in (table.fieldnames or ())), None)
    if key is None:
        raise ValueError(f"{path}:1: has no column {', '.join(IDS)}; expected sample,rank,label")
    guesses: dict[str, dict[int, str]] = {}
    for number, row in enumerate(rows, 2):
        clip, rank, label = ((row[name] or "").strip() for name in (key, "rank", "label"))
        if not clip or not label or not rank.isdecimal():
            raise ValueError(f"{path}:{number}: is {clip!r}, {rank!r}, {label!r}; expected sample, whole rank, label")
        if int(rank) in guesses.setdefault(clip, {}):
            raise ValueError(f"{path}:{number}: {clip!r} has the rank {rank} twice")
        guesses[clip][int(rank)] = label
    if not guesses:
        raise ValueError(f"{path}: holds no row; expected sample,rank,label")
    return {clip: [found[rank] for rank in sorted(found)] for clip, found in guesses.items()}


@reader(ValueError)
def read_vectors(path: str | Path) -> tuple[list[str], NDArray[np.float64]]:
    """(N ids, (N, D) vectors), one vector a clip.

    Forms: `.npz` with `ids` and `vectors`; `.csv` of rows id, number, number, …; a folder of one `.npz` a clip with
    `vectors` (W, D) of its windows, as `spotter embed` writes them, of which the mean is taken.

    Raises:
        ValueError: unreadable, wrong shapes, an id twice, numbers that are not finite.
    """
    path = Path(path)
    try:
        if path.is_dir():
            files = sorted(path.glob("*.npz"))
            ids = [file.stem for file in files]
            rows = [read_npz(file, ["vectors"])["vectors"].astype(np.float64).mean(axis=0) for file in files]
            vectors = np.stack(rows) if rows else np.zeros((0, 0))
        elif path.suffix == ".npz":
            data = read_npz(path, ["ids", "vectors"])
            ids, vectors = [str(clip) for clip in data["ids"]], np.asarray(data["vectors"], np.float64)
        else:
            with path.open(encoding="utf-8-sig", newline="") as file:
                lines = [row for row in csv.reader(file) if row]
            lines = lines[1:] if lines and lines[0][0].strip().lower() in IDS else lines
            ids, vectors = [row[0].strip() for row in lines], np.array([row[1:] for row in lines], np.float64)
    except (OSError, KeyError, ValueError, EOFError) as error:
        raise ValueError(f"{path}: no readable vectors ({error}); expected ids and vectors of equal number") from None
    if vectors.ndim != 2 or len(ids) != len(vectors) or not len(ids):
        raise ValueError(f"{path}: {len(ids)} ids and vectors of {vectors.shape}; expected (N, D), N > 0")
    if len(set(ids)) < len(ids):
        raise ValueError(f"{path}: {len(ids) - len(set(ids))} ids are given twice; expected one vector a clip")
    if not np.isfinite(vectors).all():
        raise ValueError(f"{path}: the vector of {ids[int(np.argwhere(~np.isfinite(vectors))[0, 0])]!r} is not finite")
    return ids, vectors


@reader(ValueError)
def read_truth(path: str | Path, split: str = "") -> tuple[dict[str, str], dict[str, str]]:
    """Labels and signers by id of a CSV with a header: `sample,label` and perhaps `split`, `signer`, and others.

    Args:
        split: only rows of this split.

    Returns:
        Id → label, and id → signer (empty without that column).

    Raises:
        ValueError: unreadable, a column missing, an id given twice, an empty label, no row of the split.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None
    names = list(rows[0]) if rows else []
    key, value = (next((n for n in choice if n in names), None) for choice in (IDS, LABELS))
    if key is None or value is None:
        raise ValueError(f"{path}:1: has the columns {', '.join(names)}; expected sample,label[,split[,signer]]")
    labels: dict[str, str] = {}
    signers: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        if split and (row.get("split") or "").strip() != split:
            continue
        clip, label = ((row[name] or "").strip() for name in (key, value))
        if not clip or not label:
            raise ValueError(f"{path}:{number}: the {key if not clip else value} is empty")
        if clip in labels:
            raise ValueError(f"{path}:{number}: {clip!r} is given twice")
        labels[clip] = label
        if (row.get("signer") or "").strip():
            signers[clip] = row["signer"].strip()
    if not labels:
        raise ValueError(f"{path}: holds no row{f' of the split {split!r}' if split else ''}")
    return labels, signers


def write_truth(path: str | Path, rows: Mapping[str, tuple[str, str, str]]) -> None:
    """Writes `sample,label,split,signer` of id → (label, split, signer)."""
    with open_whole(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["sample", "label", "split", "signer"])
        writer.writerows([clip, *cells] for clip, cells in rows.items())


def fill_template(template: str | Path, predictions: Mapping[str, Sequence[str]], path: str | Path) -> int:
    """Writes the template with its class column filled; rows, order and line ends stay the template's own.

    Returns:
        Number of rows.

    Raises:
        ValueError: a row of the template has no prediction; the message names the first ones.
    """
    template = Path(template)
    raw = template.read_bytes().decode("utf-8-sig")
    ending = "\r\n" if "\r\n" in raw else "\n"
    lines = [line for line in raw.splitlines() if line.strip()]
    head = lines[:1] if lines and lines[0].split(",")[0].strip().lower() in IDS else []
    ids = [line.split(",")[0].strip() for line in lines[len(head) :]]
    absent = [clip for clip in ids if not predictions.get(clip)]
    if absent:
        raise ValueError(f"{template}: {len(absent)} of {len(ids)} rows have no prediction: {', '.join(absent[:5])} …")
    text = ending.join([*head, *(f"{clip},{predictions[clip][0]}" for clip in ids)]) + ending
    write_text(path, text)
    return len(ids)

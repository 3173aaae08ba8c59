"""Tables that other commands want of a manifest's recordings, called as stores of poses, hands and crops call them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from safe_files import open_whole

__all__ = ["write_lists"]


def write_lists(manifest: Path, media: Path, folder: Path) -> dict[str, int]:
    """Writes three tables beside each other; of a manifest of whole recordings.

    `train.csv`: file, label of the recordings to train on, for `spotter phonology clusters`. `labels.csv`: sample,
    label, split, signer of all, for sources of training data and for scoring; `validation.csv` the rows of that split,
    for `spotter ensemble fit`. `signers.csv`: video, signer.

    Returns:
        Name → rows.

    Raises:
        ValueError: two recordings of one name, or a part of a recording.
    """
    from eval.datasets.manifest import read

    samples = read(manifest)
    names = [Path(sample.path).stem for sample in samples]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{manifest}: {twice!r} is there twice; expected whole recordings, each once")
    rows = list(zip(names, samples, strict=True))
    labels = [(name, s.label, s.split, s.signer) for name, s in rows]
    files = [(str((media / s.path).resolve()), s.label) for _, s in rows if s.split == "train"]
    tables: dict[str, tuple[tuple[str, ...], Sequence[tuple[str, ...]]]] = {
        "train.csv": (("file", "label"), files),
        "labels.csv": (("sample", "label", "split", "signer"), labels),
        "validation.csv": (("sample", "label", "split", "signer"), [row for row in labels if row[2] == "validation"]),
        "signers.csv": (("video", "signer"), [(name, s.signer) for name, s in rows]),
    }
    for name, (head, table) in tables.items():
        with open_whole(folder / name) as file:
            writer = csv.writer(file)
            writer.writerow(head)
            writer.writerows(table)
    return {name: len(table) for name, (_, table) in tables.items()}

"""Splits that hold: stratified by class, grouped by signer, written with seed and hash, checked for leaks."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from safe_files import JSONError, read_json, reader, write_text

__all__ = ["LeakError", "Split", "check_leaks", "k_folds", "read_split", "split_by_signer", "write_split"]


class LeakError(ValueError):
    """A signer or a source video is on both sides of a split."""


@dataclass(frozen=True)
class Split:
    """Ids of both sides.

    Attributes:
        train, validation: sorted ids.
        seed: of the draw; None for a split that came from elsewhere.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    seed: int | None = None

    @property
    def hash(self) -> str:
        """SHA-256 of both lists of ids: two splits are the same exactly when their hashes are."""
        text = json.dumps([sorted(self.train), sorted(self.validation)], ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def k_folds(labels: Mapping[str, str], signers: Mapping[str, str], folds: int = 5, seed: int = 0) -> list[Split]:
    """k splits in which no signer is on both sides and the classes are spread as evenly as the signers allow.

    scikit-learn's StratifiedGroupKFold on ids in sorted order, so that a seed gives the same split whatever the
    order of the input. With five folds each is an 80/20 split.

    Args:
        labels: clip id → label.
        signers: clip id → signer.

    Raises:
        ValueError: a clip without signer, fewer than two folds, or fewer signers than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    ids = sorted(labels)
    unknown = [clip for clip in ids if not signers.get(clip)]
    if unknown:
        raise ValueError(
            f"{len(unknown)} clips have no signer, e.g. {unknown[0]!r}; a split by signer needs one for each"
        )
    people = {signers[clip] for clip in ids}
    if folds < 2 or len(people) < folds:
        raise ValueError(f"{folds} folds of {len(people)} signers; expected 2 folds or more and a signer for each")
    import warnings

    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with fewer clips than folds is no mistake of the caller's.
        warnings.filterwarnings("ignore", message="The least populated class")
        parts = list(splitter.split(ids, [labels[i] for i in ids], [signers[i] for i in ids]))
    pick = np.array(ids, dtype=object)
    splits = [Split(tuple(pick[train]), tuple(pick[validation]), seed) for train, validation in parts]
    for split in splits:
        check_leaks(split.train, split.validation, signers=signers)
    return splits


def split_by_signer(labels: Mapping[str, str], signers: Mapping[str, str], part: float = 0.2, seed: int = 0) -> Split:
    """One split with about `part` of the clips for validation; of the folds, the one whose share is nearest.

    Raises:
        ValueError: part outside (0, 0.5], or fewer signers than 1 / part.
    """
    if not 0 < part <= 0.5:
        raise ValueError(f"the validation part is {part}; expected a share in (0, 0.5]")
    folds = k_folds(labels, signers, max(2, round(1 / part)), seed)
    return min(folds, key=lambda split: abs(len(split.validation) / len(labels) - part))


def check_leaks(
    train: Sequence[str],
    validation: Sequence[str],
    signers: Mapping[str, str] | None = None,
    sources: Mapping[str, str] | None = None,
) -> None:
    """Refuses a split with a clip, a signer or a source video on both sides.

    Args:
        signers, sources: clip id → signer or source video; clips without one (missing or empty) are not compared.

    Raises:
        LeakError: names what leaks, with examples.
    """
    both = sorted(set(train) & set(validation))
    if both:
        raise LeakError(f"{len(both)} clips are on both sides of the split: {_few(both)}")
    for kind, table in (("signer", signers), ("source video", sources)):
        if table is None:
            continue
        sides: list[dict[str, list[str]]] = [defaultdict(list), defaultdict(list)]
        for side, ids in zip(sides, (train, validation), strict=True):
            for clip in ids:
                if table.get(clip):
                    side[table[clip]].append(clip)
        shared = sorted(set(sides[0]) & set(sides[1]))
        if shared:
            example = f"{sides[0][shared[0]][0]} and {sides[1][shared[0]][0]}"
            raise LeakError(
                f"{len(shared)} {kind}s are on both sides of the split: {_few(shared)} (clips {example}); "
                "split by group, or allow it knowingly"
            )


def _few(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def write_split(path: str | Path, split: Split, facts: Mapping[str, Any] | None = None) -> None:
    """Writes JSON: ids of both sides, seed, hash, and facts (data set, counts) of the caller's."""
    content = {
        "seed": split.seed,
        "hash": split.hash,
        **(dict(facts) if facts is not None else {}),
        "train": sorted(split.train),
        "validation": sorted(split.validation),
    }
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


@reader(ValueError)
def read_split(path: str | Path) -> Split:
    """Reads what `write_split` wrote.

    Raises:
        ValueError: unreadable, or the ids do not fit the hash (the file was changed by hand).
    """
    path = Path(path)
    try:
        content = read_json(path)
        split = Split(tuple(content["train"]), tuple(content["validation"]), content["seed"])
        expected = content["hash"]
    except (OSError, JSONError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: not a split ({type(error).__name__}: {error}); expected train, validation, hash"
        ) from None
    if split.hash != expected:
        raise ValueError(f"{path}: its ids do not fit its hash {expected[:12]}…; write it anew with write_split")
    return split

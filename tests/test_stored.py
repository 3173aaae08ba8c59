"""Files of every version that was released open, and hold what they held: `tests/stored/VERSION/KIND/`.

`python -m tests.test_stored 0.1` stores those of the program as it is; an older version's are never made anew.
"""

from __future__ import annotations

import math
import shutil
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from safe_files import read_json, write_json

from .fuzz.campaign import slug
from .fuzz.readers import READERS

STORED = Path(__file__).with_name("stored")
KINDS = (
    "segments .csv", "segments .json", "segments .pkl", "segments .eaf", "segments .vtt", "segments .TextGrid", ".pose",
    "pose store", "packed OpenPose", "checkpoint", "split", "training state", "gallery, head", "stored video", "corpus",
    "corpus facts", "judge", "cohort", "track", "key frames", "hand clusters", "project settings", "decisions .json",
    "log of decisions", "ensemble",
)  # fmt: skip
"""What the program itself writes and reads again."""


def summary(value: Any) -> Any:
    """A value as JSON: arrays by shape and sum."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: summary(getattr(value, f.name)) for f in fields(value) if f.name not in ("path", "name", "source")
        }
    if isinstance(value, np.ndarray) or type(value).__module__.startswith("torch"):
        rows = np.asarray(value)
        return [
            list(rows.shape),
            float(f"{np.nansum(rows.astype(np.float64)):.5g}") if rows.dtype.kind in "biuf" else "",
        ]
    if isinstance(value, dict):
        return {str(key): summary(inner) for key, inner in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, list | tuple | set | frozenset):
        return [summary(inner) for inner in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    if hasattr(value, "exemplar_labels"):
        return [value.exemplar_labels, value.ids, summary(value.vectors), summary(value.features), summary(value.facts)]
    plain = isinstance(value, str | int | bool | None) or (isinstance(value, float) and math.isfinite(value))
    return value if plain else str(value)


def holds(value: Any, before: Any) -> bool:
    """Whether a value has all that was in it before; later versions may know more of it."""
    if isinstance(before, dict):
        return isinstance(value, dict) and all(key in value and holds(value[key], old) for key, old in before.items())
    if isinstance(before, list):
        return isinstance(value, list) and len(value) == len(before) and all(map(holds, value, before))
    return bool(value == before)


def test_holds_sees_what_is_missing() -> None:
    before = {"a": [1, {"b": None}]}
    assert holds({"a": [1, {"b": None, "c": 2}], "d": 3}, before)
    assert not any(holds(value, before) for value in ({}, {"a": [1]}, {"a": [1, {}]}, {"a": [2, {"b": None}]}, None))


def stored() -> list[tuple[str, Path]]:
    slugs = {slug(name): name for name in KINDS}
    return [(slugs[place.name], place) for place in sorted(STORED.glob("*/*")) if place.is_dir()]


@pytest.mark.parametrize(("name", "place"), stored(), ids=lambda value: str(value)[-24:])
def test_a_stored_file_opens_and_holds_what_it_held(name: str, place: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(place, tmp_path / "copy")
    value = summary(READERS[name].read(copy / READERS[name].target))
    assert holds(value, read_json(place.with_suffix(".json")))


def test_every_kind_is_stored() -> None:
    versions = [place for place in STORED.iterdir() if place.is_dir()]
    assert versions
    assert {name for name, _ in stored()} == set(KINDS)


def store(version: str) -> None:
    for name in KINDS:
        reader, place = READERS[name], STORED / version / slug(name)
        with TemporaryDirectory() as folder:
            reader.seeds[0](Path(folder))
            whole = (Path(folder) / reader.target).parent
            shutil.copytree(whole, place / whole.relative_to(folder), dirs_exist_ok=True)
        for other in [*place.rglob("*.db-*"), *place.rglob("*.form-*")]:
            other.unlink()
        write_json(place.with_suffix(".json"), summary(reader.read(place / reader.target)))


if __name__ == "__main__":
    store(sys.argv[1])

"""A little of the campaign with a fixed seed, what it once found, and that no reader is missing from it."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import REPOSITORY
from .campaign import kept_finds, seeds_of, slug, try_bytes
from .mutate import mutant
from .readers import READERS

MUTANTS = 5
"""Of each reader; `python -m scripts.quality.fuzz --minutes 30` tries many."""

PACKAGES = ("spotter", "embeddings", "gallery", "eval")
PARSERS = {
    "json.loads", "json.load", "np.load", "numpy.load", "h5py.File", "ElementTree.parse", "ElementTree.fromstring",
    "faiss.read_index", "pickle.loads", "pickle.load", "zipfile.ZipFile", "load_file", "safe_open", "tomllib.loads",
    "csv.reader", "csv.DictReader", "pd.read_csv", "sqlite3.connect", "webvtt.read", "webvtt.from_buffer", "av.open",
    "torch.load", "DotPose.read", "read_json", "read_npz", "read_pickle", "open_hdf5", "parse_json",
}  # fmt: skip
FORBIDDEN = {"json.loads", "json.load", "np.load", "numpy.load", "h5py.File", "pickle.loads", "pickle.load",
             "zipfile.ZipFile", "eval", "exec"}  # fmt: skip
"""Have a door in `safe_files`."""
OWN = {
    "spotter/review/skeletons.py": "a cache of the running server's own",
}


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def test_foreign_files_are_read_through_the_doors() -> None:
    wrong = []
    for package in PACKAGES:
        for file in sorted((REPOSITORY / package).rglob("*.py")):
            place = file.relative_to(REPOSITORY).as_posix()
            for name, line in calls(ast.parse(file.read_text(encoding="utf-8"))):
                if name in FORBIDDEN and place not in OWN:
                    wrong.append(f"{place}:{line}: {name}")
    assert not wrong, "read through safe_files:\n" + "\n".join(wrong)


def test_damaged_files_end_in_values_or_the_declared_error() -> None:
    # a process of its own with one thread: the readers' processes are forked from it
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    code = (
        "import json; from tests.fuzz.campaign import run; from tests.fuzz.readers import READERS; "
        f"print(json.dumps([[f.reader, f.number, f.detail] for n in READERS for f in run(n, 0, {MUTANTS}).finds]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, env={**os.environ, **threads},
        timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


@pytest.mark.parametrize(
    ("name", "file"), kept_finds(), ids=lambda value: value if isinstance(value, str) else value.name
)
def test_what_was_found_once_does_no_harm(name: str, file: Path, tmp_path: Path) -> None:
    _, base = seeds_of(READERS[name], tmp_path)
    _, kind, detail = try_bytes(READERS[name], base / READERS[name].target, file.read_bytes())
    assert not kind, detail


def test_finds_are_small_and_named_after_readers() -> None:
    from .campaign import finds_folder

    assert len({slug(name) for name in READERS}) == len(READERS)
    assert all(file.stat().st_size <= 60_000 for file in finds_folder().rglob("*"))


def test_mutants_are_the_same_each_time_and_differ_from_the_file() -> None:
    whole = b'{"format": "x", "values": [1, 2.5, "name"]}'
    made = [mutant([whole], "a.json", str(number)) for number in range(200)]
    assert made == [mutant([whole], "a.json", str(number)) for number in range(200)]
    assert len(set(made)) > 150
    assert sum(data != whole for data in made) > 180
    assert re.search(rb"NaN|Infinity", b"".join(made))
